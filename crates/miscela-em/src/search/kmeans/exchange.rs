//! Single rows go where they do the inertia most good, each with the means at once (Hartigan 1975).
//!
//! ```text
//! row x of weight w goes from a to b if   N_b/(N_b + w)·‖x − μ_b‖²  <  N_a/(N_a − w)·‖x − μ_a‖²
//! ```
//!
//! Unlike the step of k-means this takes into account that the means follow. Every partition that no exchange improves is one
//! that k-means would leave as it is, and not the other way round: on data of many columns exchanges find a way on from
//! most of the shallow optima in which k-means ends (Telgarsky & Vattani 2010).
//!
//! Rows are looked at one after the other, and only those whose bounds leave room for it.

use crate::centroids::KMeansFamily;
use crate::engine::Session;
use crate::statistics::Statistics;
use miscela_distance::Centred;
use miscela_kernel::{Bounds, Float};

/// Sweeps over the rows, at most: nearly all that is gained is gained in the first few.
const SWEEPS: usize = 10;

/// The means of the clusters after exchanges, k × d, or none if there was nothing to gain; and the distances computed.
pub(super) fn exchange<F: Float, D: Centred<F>>(
    session: &Session<F, KMeansFamily<F, D>>,
    statistics: &Statistics,
) -> (Option<Vec<F>>, u64) {
    let ((samples, labels), bounds) = (session.labelled(), session.bounds());
    let (bounds, mut distances) = bounds.map_or((None, 0), |(bounds, scores)| (Some(bounds), scores));
    let (d, mut weight) = (samples.n_columns(), statistics.sums().weight.clone());
    let (mut means, mut labels) = (statistics.means().into_raw_vec_and_offset().0, labels.to_vec());
    let least = weight.iter().fold(f64::INFINITY, |least, w| least.min(*w));
    // By the inequality above with the bounds in place of the distances, and the smallest cluster in place of b.
    let may_go = |i: &usize| {
        let (w, own) = (samples.weight(*i), weight[labels[*i] as usize]);
        let told = |bounds: &Bounds| {
            let (upper, lower) = (f64::from(bounds.upper()), f64::from(bounds.lower()));
            own * upper * upper * (least + w) < least * lower * lower * (own - w)
        };
        w > 0.0 && own > w && !bounds.as_ref().is_some_and(|bounds| told(&bounds[*i]))
    };
    let rows: Vec<usize> = (0..samples.n_rows()).filter(may_go).collect();
    let (mut row, mut moves) = (vec![F::zero(); d], 0);
    for _ in 0..SWEEPS {
        let before = moves;
        for i in &rows {
            let (w, from) = (samples.weight(*i), labels[*i] as usize);
            if weight[from] <= w * (1.0 + 1e-9) {
                continue;
            }
            samples.copy_row(*i, &mut row);
            let squared = |c: usize| -> f64 {
                row.iter().zip(&means[c * d..(c + 1) * d]).map(|(x, m)| (x.widen() - m) * (x.widen() - m)).sum()
            };
            let mut best = (from, weight[from] / (weight[from] - w) * squared(from) * (1.0 - 1e-9));
            for c in (0..weight.len()).filter(|c| *c != from) {
                let cost = weight[c] / (weight[c] + w) * squared(c);
                if cost < best.1 {
                    best = (c, cost);
                }
            }
            distances += weight.len() as u64;
            let to = best.0;
            if to != from {
                (weight[from], weight[to]) = (weight[from] - w, weight[to] + w);
                for j in 0..d {
                    let x = row[j].widen();
                    means[from * d + j] -= w / weight[from] * (x - means[from * d + j]);
                    means[to * d + j] += w / weight[to] * (x - means[to * d + j]);
                }
                labels[*i] = to as u32;
                moves += 1;
            }
        }
        if moves == before {
            break;
        }
    }
    ((moves > 0).then(|| means.into_iter().map(F::narrow).collect()), distances)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Algorithm;
    use crate::search::{Search, kmeans::KMeansSearch};
    use miscela_distance::L2;
    use miscela_kernel::{Samples, Threads, uniform};
    use ndarray::{Array2, Axis};
    use proptest::prelude::*;

    /// Centres that k-means has settled at, from the first rows.
    fn settled(samples: &Samples<f64>, k: usize, algorithm: Algorithm) -> KMeansFamily<f64, L2> {
        let first = samples.rows().select(Axis(0), &(0..k).collect::<Vec<_>>());
        let origin = vec![0.0; samples.n_columns()];
        let mut family = KMeansFamily::new(&first, L2, 0.0, origin).with_algorithm(algorithm);
        Session::new(&family, samples, Threads::One).run(&mut family, 300, &mut ());
        family
    }

    /// The labels, and the means after exchanges.
    fn exchanged(samples: &Samples<f64>, family: &KMeansFamily<f64, L2>) -> (Vec<u32>, Option<Vec<f64>>) {
        let mut session = Session::new(family, samples, Threads::One);
        let statistics = session.statistics(family);
        let means = exchange(&session, &statistics).0;
        (session.labelled().1.to_vec(), means)
    }

    /// The means of clusters, and the squared distances of rows from them.
    fn means(samples: &Samples<f64>, labels: &[u32], k: usize) -> (Vec<f64>, f64) {
        let (rows, d) = (samples.rows(), samples.n_columns());
        let (mut means, mut weight) = (vec![0.0; k * d], vec![0.0; k]);
        let at = |i: usize, j: usize| labels[i] as usize * d + j;
        (0..labels.len()).for_each(|i| weight[labels[i] as usize] += samples.weight(i));
        for ((i, j), x) in rows.indexed_iter() {
            means[at(i, j)] += samples.weight(i) * x / weight[labels[i] as usize];
        }
        let squares = rows.indexed_iter().map(|((i, j), x)| samples.weight(i) * (x - means[at(i, j)]).powi(2));
        let inertia = squares.sum();
        (means, inertia)
    }

    /// Each row that was not alone goes, one after the other, where the whole inertia is least, unless it is alone then.
    fn naive(samples: &Samples<f64>, labels: &mut [u32], k: usize) -> bool {
        let n = labels.len();
        let counts = |i: usize| samples.weight(i) > 0.0;
        let has_others =
            |i: usize, labels: &[u32]| (0..n).any(|other| other != i && counts(other) && labels[other] == labels[i]);
        let rows: Vec<usize> = (0..n).filter(|i| counts(*i) && has_others(*i, labels)).collect();
        let start = labels.to_vec();
        for _ in 0..SWEEPS {
            for i in rows.iter().copied() {
                let inertia = |label: u32| {
                    let mut labels = labels.to_vec();
                    labels[i] = label;
                    means(samples, &labels, k).1
                };
                let best = (0..k as u32).min_by(|a, b| inertia(*a).total_cmp(&inertia(*b))).unwrap_or(0);
                if has_others(i, labels) && inertia(best) < inertia(labels[i]) * (1.0 - 1e-12) {
                    labels[i] = best;
                }
            }
        }
        start != labels
    }

    proptest! {
        #[test]
        fn rows_go_where_the_inertia_is_least(
            (rows, weights, k) in (1usize..4, 2usize..5, 0usize..20).prop_flat_map(|(d, k, more)| {
                let rows = prop::collection::vec(-1.0..1.0f64, (k + more) * d);
                let weights = prop::collection::vec(prop_oneof![Just(0.0), 0.2..3.0f64, 0.2..3.0f64], k + more);
                (rows.prop_map(move |x| Array2::from_shape_vec((x.len() / d, d), x).unwrap()), weights, Just(k))
            }),
        ) {
            // The first rows are the start, so they must count.
            let weights: Vec<f64> = weights.iter().enumerate().map(|(i, w)| if i < k { 1.0 } else { *w }).collect();
            let samples = Samples::weighted(&rows, weights).unwrap();
            let (mut labels, found) = exchanged(&samples, &settled(&samples, k, Algorithm::Lloyd));
            let expected = naive(&samples, &mut labels, k).then(|| means(&samples, &labels, k).0);
            match (&found, &expected) {
                (Some(found), Some(expected)) => {
                    prop_assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?} {expected:?}");
                }
                (found, expected) => prop_assert_eq!(found, expected),
            }
            // Bounds leave out none that could be the first to go.
            let bounded = exchanged(&samples, &settled(&samples, k, Algorithm::Bounds)).1;
            prop_assert_eq!(bounded.is_some(), found.is_some());
        }
    }

    #[test]
    fn a_search_ends_where_no_exchange_helps() {
        let (mut kept, mut ends) = (0, 0);
        for seed in 0..20 {
            let number = |(i, j): (usize, usize)| uniform::unit(uniform::of_row(seed, 8 * i + j));
            let rows = Array2::from_shape_fn((150, 8), number);
            let samples = Samples::new(&rows).unwrap();
            let family = settled(&samples, 6, Algorithm::Lloyd);
            for method in [Search::Swap, Search::Breathing] {
                let (max_iterations, budget, threads) = (300, None, Threads::One);
                let search = KMeansSearch { samples: &samples, method, seed, max_iterations, budget, threads };
                let mut found = family.clone();
                let (_, report) = search.run(&mut found, &mut ());
                if report.kept > 0 {
                    kept += 1;
                    ends += usize::from(exchanged(&samples, &found).1.is_none());
                }
            }
        }
        assert!(kept > 10 && ends == kept, "{ends} of {kept}");
    }
}
