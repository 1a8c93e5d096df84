//! The conformance runner: what every distance must hold, invoked at the bottom of each distance's file.
//!
//! `conforms!(|width| MyDistance, Domain: law, law, …)` makes one test of each law named, for `f32` and `f64` rows.

use crate::{CentreRule, Centred, Distance, Metric};
use miscela_kernel::{Block, Centroids, Float, NearestScratch};
use proptest::prelude::*;
use proptest::sample::select;

/// Which rows a distance is defined on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Domain {
    Reals,
    NonZero,
    NotNegative,
    Positive,
}

macro_rules! conforms {
    ($make:expr, $domain:ident: $($law:ident $(($($argument:expr),*))?),+ $(,)?) => {
        mod conformance {
            #[allow(unused_imports)]
            use super::*;
            $(#[test]
            fn $law() {
                use $crate::conformance as laws;
                laws::$law::<f32, _>($make, laws::Domain::$domain $($(, $argument)*)?);
                laws::$law::<f64, _>($make, laws::Domain::$domain $($(, $argument)*)?);
            })+
        }
    };
}
pub(crate) use conforms;

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

impl Domain {
    /// `count` rows of the domain. Few distinct values make exact ties.
    fn rows(self, count: usize, width: usize, largest: f64) -> impl Strategy<Value = Vec<f64>> {
        let value = prop_oneof![(-3i32..4).prop_map(f64::from), -1.0..1.0f64, -largest..largest];
        prop::collection::vec(value, count * width).prop_map(move |mut rows| {
            for row in rows.chunks_exact_mut(width) {
                match self {
                    Self::Reals => {}
                    Self::NonZero if row.iter().all(|x| *x == 0.0) => row[0] = 1.0,
                    Self::NonZero => {}
                    Self::Positive => row.iter_mut().for_each(|x| *x = x.abs().max(0.01)),
                    Self::NotNegative => row.iter_mut().for_each(|x| *x = x.abs()),
                }
            }
            rows
        })
    }

    /// A width and three rows, which are sometimes equal.
    fn triple(self) -> impl Strategy<Value = [Vec<f64>; 3]> {
        (1usize..20).prop_flat_map(move |width| {
            let row = || self.rows(1, width, 1e6);
            (row(), row(), row(), any::<bool>()).prop_map(|(a, b, c, same)| [a.clone(), b, if same { a } else { c }])
        })
    }
}

fn narrow<F: Float>(numbers: &[f64]) -> Vec<F> {
    numbers.iter().map(|x| F::narrow(*x)).collect()
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
}

/// Every block kernel gives what the plain loop over `reduced` gives, to the last bit.
pub(crate) fn kernels<F: Float, D: Distance<F>>(make: impl Fn(usize) -> D, domain: Domain) {
    let sizes = (1usize..20, 1usize..40, 1usize..20, select(vec![0.0, 1e8]));
    let cases = sizes.prop_flat_map(move |(width, n, k, origin)| {
        (Just(width), domain.rows(n, width, 1e6), domain.rows(k, width, 1e6), Just(origin))
    });
    proptest!(config(), |((width, rows, centroids, origin) in cases)| {
        let distance = make(width);
        let moved = |x: &f64| F::narrow(x + origin);
        let rows: Vec<F> = rows.iter().map(moved).collect();
        let centroids: Vec<F> = centroids.iter().map(moved).collect();
        let rows = Block::new(&rows, width);
        let centroids = Centroids::new(&centroids, &vec![F::narrow(origin); width]);
        prop_assert_eq!(distance.check(&rows), Ok(()));
        let (n, k) = (rows.len(), centroids.len());
        // The oracle: all distances, in order of distance, then index.
        let all: Vec<f64> =
            rows.rows().flat_map(|row| centroids.rows().map(|c| distance.reduced(row, c)).collect::<Vec<_>>()).collect();
        let ranked: Vec<Vec<(u32, f64)>> = all.chunks(k).map(|reduced| {
            let mut ranked: Vec<_> = (0..).zip(reduced.iter().copied()).collect();
            ranked.sort_by(|a, b| a.1.total_cmp(&b.1));
            ranked
        }).collect();

        let mut scratch = NearestScratch::default();
        let (mut labels, mut reduced) = (vec![u32::MAX; n], vec![f64::NAN; n]);
        distance.assign(&rows, &centroids, &mut labels, &mut scratch);
        prop_assert_eq!(&labels, &ranked.iter().map(|ranked| ranked[0].0).collect::<Vec<_>>());

        labels.fill(u32::MAX);
        distance.nearest(&rows, &centroids, &mut labels, &mut reduced, &mut scratch);
        let nearest: Vec<_> = labels.into_iter().zip(reduced).collect();
        prop_assert_eq!(nearest, ranked.iter().map(|ranked| ranked[0]).collect::<Vec<_>>());

        let mut two = vec![[(u32::MAX, f64::NAN); 2]; n];
        distance.nearest_two(&rows, &centroids, &mut two);
        for (two, ranked) in two.iter().zip(&ranked) {
            // What is infinitely far is nobody's neighbour, and index 0 stands for it.
            let expected = |rank: usize| ranked.get(rank).copied().filter(|r| r.1.is_finite()).unwrap_or((0, f64::INFINITY));
            prop_assert_eq!(*two, [expected(0), expected(1)]);
        }

        let mut pairwise = vec![f64::NAN; n * k];
        distance.pairwise(&rows, &centroids, &mut pairwise);
        prop_assert_eq!(pairwise, all);
    });
}

/// `reduced` orders rows as `distance` does, and the two are each other's inverse.
pub(crate) fn reduced<F: Float, D: Distance<F>>(make: impl Fn(usize) -> D, domain: Domain) {
    proptest!(config(), |(rows in domain.triple())| {
        let distance = make(rows[0].len());
        let [a, b, c] = rows.map(|row| narrow::<F>(&row));
        let (ab, cb) = (distance.distance(&a, &b), distance.distance(&c, &b));
        let (ab_reduced, cb_reduced) = (distance.reduced(&a, &b), distance.reduced(&c, &b));
        prop_assert!(close(distance.from_reduced(ab_reduced), ab));
        prop_assert!(close(distance.to_reduced(ab), ab_reduced));
        prop_assert!(close(distance.from_reduced(distance.to_reduced(ab)), ab));
        prop_assert!(close(ab, cb) || (ab < cb) == (ab_reduced < cb_reduced));
        if distance.is_squared_euclidean() {
            prop_assert_eq!(ab_reduced, miscela_kernel::squared_distance(&a, &b));
        }
    });
}

/// No distance is negative, and that of a row from itself is exactly 0.
pub(crate) fn zero<F: Float, D: Distance<F>>(make: impl Fn(usize) -> D, domain: Domain) {
    proptest!(config(), |(rows in domain.triple())| {
        let distance = make(rows[0].len());
        let [a, b, _] = rows.map(|row| narrow::<F>(&row));
        prop_assert!(distance.distance(&a, &b) >= 0.0 && distance.reduced(&a, &b) >= 0.0);
        prop_assert_eq!((distance.distance(&a, &a), distance.reduced(&a, &a)), (0.0, 0.0));
    });
}

/// d(a, b) = d(b, a), to the last bit.
pub(crate) fn symmetric<F: Float, D: Distance<F>>(make: impl Fn(usize) -> D, domain: Domain) {
    proptest!(config(), |(rows in domain.triple())| {
        let distance = make(rows[0].len());
        let [a, b, _] = rows.map(|row| narrow::<F>(&row));
        prop_assert_eq!(distance.distance(&a, &b), distance.distance(&b, &a));
    });
}

/// d(a, c) ≤ d(a, b) + d(b, c), and rows that differ are apart.
pub(crate) fn metric<F: Float, D: Metric<F>>(make: impl Fn(usize) -> D, domain: Domain) {
    proptest!(config(), |(rows in domain.triple(), along in 0.0..1.0f64)| {
        let distance = make(rows[0].len());
        // A point between the others makes the inequality tight.
        let between: Vec<f64> = rows[0].iter().zip(&rows[2]).map(|(a, c)| a + along * (c - a)).collect();
        let between = narrow::<F>(&between);
        let [a, b, c] = rows.map(|row| narrow::<F>(&row));
        let ac = distance.distance(&a, &c);
        for b in [&b, &between] {
            let detour = distance.distance(&a, b) + distance.distance(b, &c);
            prop_assert!(ac <= detour * (1.0 + 1e-12), "{} {}", ac, detour);
        }
        prop_assert_eq!(a == c, ac == 0.0);
    });
}

/// d(s·a, s·b) = s^degree · d(a, b), far up and down the scale.
pub(crate) fn degree<F: Float, D: Distance<F>>(make: impl Fn(usize) -> D, domain: Domain, degree: i32) {
    let reach = if F::NAME == "f32" { 80 } else { 400 };
    proptest!(config(), |(rows in domain.triple(), exponent in -reach..reach)| {
        let distance = make(rows[0].len());
        let scale = f64::exp2(f64::from(exponent));
        let [a, b, _] = rows.map(|row| narrow::<F>(&row));
        let scaled = |row: &[F]| row.iter().map(|x| F::narrow(x.widen() * scale)).collect::<Vec<_>>();
        let found = distance.distance(&scaled(&a), &scaled(&b));
        prop_assert!(close(found, distance.distance(&a, &b) * scale.powi(degree)), "{}", found);
    });
}

/// No centre has a smaller summed reduced distance than the one the distance asks for.
pub(crate) fn centre<F: Float, D: Centred<F>>(make: impl Fn(usize) -> D, domain: Domain) {
    let cases = (1usize..4, 1usize..8).prop_flat_map(move |(width, n)| {
        let weight = prop_oneof![Just(0.0), Just(1.0), Just(2.0), 0.5..3.0];
        let directions = prop::collection::vec(prop::collection::vec(-1.0..1.0f64, width), 16);
        (Just(width), domain.rows(n, width, 10.0), prop::collection::vec(weight, n), directions)
    });
    proptest!(config(), |((width, rows, weights, directions) in cases)| {
        let total: f64 = weights.iter().sum();
        prop_assume!(total > 0.0);
        let distance = make(width);
        let rows = narrow::<F>(&rows);
        let centre = best_centre(distance.centre_rule(), &rows, &weights, width);
        let cost = |centre: &[f64]| -> f64 {
            let centre = narrow::<F>(centre);
            let terms = rows.chunks(width).zip(&weights).filter(|(_, w)| **w > 0.0);
            terms.map(|(row, w)| w * distance.reduced(row, &centre)).sum()
        };
        let least = cost(&centre);
        prop_assert!(least.is_finite());
        for (direction, step) in directions.iter().zip([1.0, 0.1, 0.01].into_iter().cycle()) {
            let other = centre.iter().zip(direction).map(|(x, dx)| x + step * dx);
            let other: Vec<f64> = other
                .map(|x| match domain {
                    Domain::NotNegative => x.abs(),
                    Domain::Positive => x.abs().max(1e-3),
                    Domain::Reals | Domain::NonZero => x,
                })
                .collect();
            let others = cost(&other);
            prop_assert!(least <= others + 1e-10 * (total + others), "{} at {:?}, {} at {:?}", least, centre, others, other);
        }
    });
}

/// The centre by its definition.
fn best_centre<F: Float>(rule: CentreRule, rows: &[F], weights: &[f64], width: usize) -> Vec<f64> {
    let rows: Vec<Vec<f64>> = rows.chunks(width).map(|row| row.iter().map(|x| x.widen()).collect()).collect();
    let total: f64 = weights.iter().sum();
    let norm = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
    let column = |j: usize| rows.iter().map(move |row| row[j]).zip(weights.iter().copied());
    match rule {
        CentreRule::Mean => (0..width).map(|j| column(j).map(|(x, w)| w * x).sum::<f64>() / total).collect(),
        CentreRule::NormalisedMean => {
            let norms: Vec<f64> = rows.iter().map(|row| norm(row)).collect();
            let sums = (0..width).map(|j| column(j).zip(&norms).map(|((x, w), norm)| w * x / norm).sum());
            let sums: Vec<f64> = sums.collect();
            let length = norm(&sums);
            // Where the directions cancel, any centre will do.
            if length > 1e-6 { sums.iter().map(|x| x / length).collect() } else { vec![1.0; width] }
        }
        CentreRule::Median => (0..width).map(|j| weighted_median(column(j).collect(), total)).collect(),
    }
}

/// The first value at which half of the weight is reached.
fn weighted_median(mut values: Vec<(f64, f64)>, total: f64) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut reached = 0.0;
    for (value, weight) in &values {
        reached += weight;
        if reached >= total / 2.0 {
            return *value;
        }
    }
    values[values.len() - 1].0
}
