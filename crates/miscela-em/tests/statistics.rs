//! Statistics are a commutative monoid: what threads, streams and clusters rely on.

mod common;

use common::{cases, kmeans, mixture, settings};
use miscela_em::{Covariance, MergeError, Statistics, Summary, Sums, responsibilities, summarize};
use miscela_kernel::{Samples, Scatter, Threads};
use ndarray::{Array2, Axis};
use proptest::prelude::*;

/// The rows in two parts, each with its weights.
fn halves(rows: &Array2<f64>, weights: &[f64], at: usize) -> [(Array2<f64>, Vec<f64>); 2] {
    let (first, second) = rows.view().split_at(Axis(0), at);
    [(first.to_owned(), weights[..at].to_vec()), (second.to_owned(), weights[at..].to_vec())]
}

fn close(a: &Sums, b: &Sums) {
    let size = |sums: &Sums| 1.0 + sums.weight.iter().sum::<f64>();
    let pairs = [(&a.weight, &b.weight), (&a.first, &b.first), (&a.second, &b.second)];
    for (a_sum, b_sum) in pairs.into_iter().flat_map(|(a, b)| a.iter().zip(b)) {
        assert!((a_sum - b_sum).abs() <= 1e-11 * size(a), "{a_sum} and {b_sum}");
    }
    assert!((a.objective - b.objective).abs() <= 1e-11 * (1.0 + a.objective.abs()));
}

fn parts(rows: &Array2<f64>, weights: &[f64], at: usize, of: impl Fn(&Samples<f64>) -> Statistics) -> [Statistics; 2] {
    halves(rows, weights, at).map(|(rows, mut weights)| {
        // A part of zero weight is no table of its own; give its first row some, and to the whole as well.
        weights[0] = 1.0;
        of(&Samples::weighted(&rows, weights).unwrap())
    })
}

proptest! {
    #[test]
    fn the_parts_merge_to_the_whole_in_any_order((rows, mut weights, k) in cases(), cut in 0.1..0.9f64) {
        let at = ((rows.nrows() as f64 * cut) as usize).max(1);
        (weights[0], weights[at]) = (1.0, 1.0);
        let samples = Samples::weighted(&rows, weights.clone()).unwrap();
        for covariance in [Covariance::Full, Covariance::Diagonal, Covariance::TiedSpherical] {
            let family = mixture(&samples, k, settings(covariance));
            let whole = summarize(&family, &samples, Threads::One);
            let [a, b] = parts(&rows, &weights, at, |part| summarize(&family, part, Threads::One));
            let (mut ab, mut ba) = (a.clone(), b.clone());
            ab.merge(&b).unwrap();
            ba.merge(&a).unwrap();
            prop_assert_eq!(&ab.sums().first, &ba.sums().first, "addition commutes, to the bit");
            close(ab.sums(), whole.sums());
            ab.subtract(&b).unwrap();
            close(ab.sums(), a.sums());
        }
        let family = kmeans(&samples, &common::first_rows(&rows, k));
        let whole = summarize(&family, &samples, Threads::One);
        let [mut a, b] = parts(&rows, &weights, at, |part| summarize(&family, part, Threads::One));
        a.merge(&b).unwrap();
        close(a.sums(), whole.sums());
    }

    /// Far from the origin too, and to points that are some deviations away.
    #[test]
    fn sums_about_other_points_are_those_of_the_rows(
        (rows, weights, k) in cases(), offset in prop_oneof![Just(0.0), Just(1e7)], away in -3.0..3.0f64
    ) {
        let rows = rows + offset;
        let samples = Samples::weighted(&rows, weights.clone()).unwrap();
        let d = rows.ncols();
        for covariance in [Covariance::Full, Covariance::Diagonal, Covariance::Spherical] {
            let family = mixture(&samples, k, settings(covariance));
            let mut moved = summarize(&family, &samples, Threads::One);
            let shares = responsibilities(&samples, family.density(), Threads::One);
            let points: Vec<f64> = (0..k).flat_map(|c| moved.shift(c).to_vec()).map(|p| p + away).collect();
            let fingerprint = moved.fingerprint();
            moved.reshift(points.clone());
            prop_assert_eq!(moved.fingerprint(), fingerprint);
            let mut direct = Sums::zero(k, d, moved.sums().scatter);
            for c in 0..k {
                let size = direct.scatter.len(d);
                for ((row, w), share) in rows.outer_iter().zip(&weights).zip(shares.column(c)) {
                    let r = w * share;
                    let apart: Vec<f64> = row.iter().zip(&points[c * d..]).map(|(x, p)| x - p).collect();
                    direct.weight[c] += r;
                    direct.first[c * d..(c + 1) * d].iter_mut().zip(&apart).for_each(|(sum, z)| *sum += r * z);
                    direct.scatter.add_row(r, &apart, &mut direct.second[c * size..(c + 1) * size]);
                }
                prop_assert_eq!(moved.shift(c), &points[c * d..(c + 1) * d]);
            }
            direct.objective = moved.sums().objective;
            // The points themselves are rounded where they are far away.
            let scale = 1.0 + weights.iter().sum::<f64>();
            let slack = (1e-10 + 1e-14 * offset) * scale * (1.0 + away * away);
            for (sums, of_rows) in [(&moved.sums().weight, &direct.weight), (&moved.sums().first, &direct.first), (&moved.sums().second, &direct.second)] {
                for (a, b) in sums.iter().zip(of_rows) {
                    prop_assert!((a - b).abs() <= slack, "{} and {}", a, b);
                }
            }
            // And back.
            let home: Vec<f64> = points.iter().map(|p| p - away).collect();
            let whole = summarize(&family, &samples, Threads::One);
            moved.reshift(home);
            for (a, b) in moved.sums().second.iter().zip(&whole.sums().second) {
                prop_assert!((a - b).abs() <= slack, "{} and {}", a, b);
            }
        }
    }

    #[test]
    fn forgetting_is_a_mean((rows, weights, k) in cases(), rate in 0.0..1.0f64) {
        let samples = Samples::weighted(&rows, weights).unwrap();
        let family = mixture(&samples, k, settings(Covariance::Full));
        let statistics = summarize(&family, &samples, Threads::One);
        // Towards itself nothing changes; all the way there is the newer.
        let same = statistics.clone().towards(&statistics, rate).unwrap();
        close(same.sums(), statistics.sums());
        let other = summarize(&mixture(&samples, k, settings(Covariance::Tied)), &samples, Threads::One);
        let there = statistics.towards(&other, 1.0).unwrap();
        prop_assert_eq!(there.fingerprint(), other.fingerprint());
        prop_assert_eq!(&there.sums().second, &other.sums().second);
    }

    #[test]
    fn summaries_of_parts_are_those_of_the_whole((rows, mut weights, _) in cases(), cut in 0.1..0.9f64) {
        let at = ((rows.nrows() as f64 * cut) as usize).max(1);
        (weights[0], weights[at]) = (1.0, 1.0);
        let [(a, wa), (b, wb)] = halves(&rows, &weights, at);
        let of = |rows: &Array2<f64>, weights: &Vec<f64>| {
            let samples = Samples::weighted(rows, weights.clone()).unwrap();
            Summary::of(&samples, Threads::One).with_covariance(&samples, Threads::One)
        };
        let (whole, merged) = (of(&rows, &weights), of(&a, &wa).merged(&of(&b, &wb)));
        let pairs = whole.mean.iter().zip(&merged.mean).chain(whole.variance.iter().zip(&merged.variance));
        let covariances = whole.covariance.iter().flatten().zip(merged.covariance.iter().flatten());
        for (a, b) in pairs.chain(covariances) {
            prop_assert!((a - b).abs() < 1e-10, "{} and {}", a, b);
        }
    }

    #[test]
    fn no_rows_are_the_identity((rows, weights, k) in cases()) {
        let samples = Samples::weighted(&rows, weights).unwrap();
        let family = mixture(&samples, k, settings(Covariance::Full));
        let whole = summarize(&family, &samples, Threads::One);
        let shift: Vec<f64> = (0..k).flat_map(|c| whole.shift(c).to_vec()).collect();
        let mut merged = Statistics::new(whole.fingerprint(), shift, Sums::zero(k, rows.ncols(), Scatter::Full));
        merged.merge(&whole).unwrap();
        prop_assert_eq!(&merged.sums().second, &whole.sums().second);
        prop_assert_eq!(merged.means(), whole.means());
    }

    #[test]
    fn means_and_scatter_are_those_of_two_passes((rows, weights, _) in cases(), offset in prop_oneof![Just(0.0), Just(1e8)]) {
        let rows = rows + offset;
        let samples = Samples::weighted(&rows, weights.clone()).unwrap();
        let family = kmeans(&samples, &common::first_rows(&rows, 1));
        let statistics = summarize(&family, &samples, Threads::One);
        let total: f64 = weights.iter().sum();
        // About the first row, so that the test itself loses no digits.
        let about = |j: usize| rows.column(j).iter().zip(&weights).map(|(x, w)| w * (x - rows[[0, j]])).sum::<f64>() / total;
        let mut scatter = 0.0;
        for j in 0..rows.ncols() {
            let mean = about(j);
            prop_assert!((statistics.means()[[0, j]] - rows[[0, j]] - mean).abs() < 1e-12 + offset.abs() * 1e-15);
            let column = rows.column(j);
            let squares = column.iter().zip(&weights).map(|(x, w)| w * (x - rows[[0, j]] - mean).powi(2));
            scatter += squares.sum::<f64>();
        }
        prop_assert!((statistics.scatter_about_mean(0)[0] - scatter).abs() < 1e-10 * (1.0 + scatter));
    }
}

#[test]
fn statistics_of_other_parameters_do_not_merge() {
    let rows = common::blobs(50, 2, 2, 1);
    let samples = Samples::new(&rows).unwrap();
    let at =
        |offset: f64| summarize(&kmeans(&samples, &(common::first_rows(&rows, 2) + offset)), &samples, Threads::One);
    let (mut here, there) = (at(0.0), at(0.5));
    assert_eq!(here.merge(&there), Err(MergeError::Fingerprint(here.fingerprint(), there.fingerprint())));
    let three = summarize(&kmeans(&samples, &common::first_rows(&rows, 3)), &samples, Threads::One);
    assert_eq!(here.merge(&three), Err(MergeError::Shape(2, 3, 2, 2)));
}

#[cfg(feature = "serde")]
#[test]
fn statistics_keep_every_bit_in_a_file() {
    let rows = common::blobs(50, 2, 2, 1);
    let samples = Samples::new(&rows).unwrap();
    let statistics = summarize(&mixture(&samples, 2, settings(Covariance::Full)), &samples, Threads::One);
    let text = serde_json::to_string(&statistics).unwrap();
    assert_eq!(serde_json::from_str::<Statistics>(&text).unwrap(), statistics);
}
