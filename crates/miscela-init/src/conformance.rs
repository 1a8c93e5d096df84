//! The laws of every method that picks rows. A method's file ends with `conformance::laws!(method)`.

use crate::{Seeding, SeedingError, Seeds};
use miscela_distance::L2;
use miscela_kernel::{Float, Samples, Threads};
use ndarray::{Array2, ArrayView2, Axis, ShapeBuilder, Slice};
use proptest::prelude::*;
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use std::collections::{HashMap, HashSet};

macro_rules! laws {
    ($method:expr) => {
        mod laws {
            use crate::conformance::*;
            use crate::*;
            use proptest::prelude::*;

            proptest! {
                #[test]
                fn picks_distinct_rows_that_count(case in cases()) {
                    picks_are_distinct_rows_that_count(&$method, &case);
                }

                #[test]
                fn memory_layout_changes_nothing(case in cases()) {
                    layouts_agree(&$method, &case);
                }

                #[test]
                fn units_change_nothing(case in cases()) {
                    units_agree(&$method, &case);
                }
            }

            #[test]
            fn threads_change_no_bit() {
                pools_agree(&$method);
            }

            #[test]
            fn k_must_fit() {
                k_is_checked(&$method);
            }

            #[test]
            fn distances_that_underflow_still_tell_rows_apart() {
                tiny_differences_count(&$method);
            }

            #[test]
            fn a_weight_is_a_number_of_copies() {
                weights_are_copies(&$method);
            }
        }
    };
}
pub(crate) use laws;

/// Rows with many copies among them, weights with zeros, and k that may be too much.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    rows: Array2<f64>,
    weights: Vec<f64>,
    k: usize,
    seed: u64,
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let offset = prop_oneof![4 => Just(0.0), 1 => Just(1e8)];
    let scale = prop_oneof![4 => Just(1.0), 1 => Just(1e-150), 1 => Just(1e150), 1 => Just(1e-200), 1 => Just(1e200)];
    let weight = prop_oneof![1 => Just(0.0), 4 => 1e-3..5.0, 1 => Just(1e-30), 1 => Just(1e30)];
    (1usize..60, 1usize..4, offset, scale).prop_flat_map(move |(n, d, offset, scale)| {
        let value = (-2i32..3).prop_map(move |x| (f64::from(x) + offset) * scale);
        (prop::collection::vec(value, n * d), prop::collection::vec(weight.clone(), n), 1..n + 1, any::<u64>())
            .prop_filter("some row counts", |(_, weights, ..)| weights.iter().any(|w| *w > 0.0))
            .prop_map(move |(rows, weights, k, seed)| {
                let rows = Array2::from_shape_vec((n, d), rows).unwrap();
                Case { rows, weights, k, seed }
            })
    })
}

fn run<F: Float, S: Seeding<F, L2>>(
    method: &S,
    rows: ArrayView2<F>,
    weights: &[f64],
    k: usize,
    seed: u64,
    threads: Threads,
) -> Result<Seeds<F>, SeedingError> {
    let samples = Samples::weighted(&rows, weights).unwrap();
    method.seed(&samples, k, &L2, threads, &mut Xoshiro256Plus::seed_from_u64(seed))
}

pub(crate) fn picks_are_distinct_rows_that_count<S: Seeding<f64, L2> + Seeding<f32, L2>>(method: &S, case: &Case) {
    picks_of(method, &case.rows, case);
    let single = case.rows.mapv(|x| x as f32);
    if single.iter().all(|x| x.is_finite()) {
        picks_of(method, &single, case);
    }
}

fn picks_of<F: Float, S: Seeding<F, L2>>(method: &S, rows: &Array2<F>, case: &Case) {
    let Case { weights, k, seed, .. } = case;
    let distinct = distinct(rows, (0..rows.nrows()).filter(|i| weights[*i] > 0.0));
    let found = run(method, rows.view(), weights, *k, *seed, Threads::One);
    if *k > distinct {
        return assert_eq!(found, Err(SeedingError::TooFewDistinct { distinct, k: *k }));
    }
    are_distinct_rows_that_count(&found.unwrap(), rows, weights, *k);
}

fn are_distinct_rows_that_count<F: Float>(found: &Seeds<F>, rows: &Array2<F>, weights: &[f64], k: usize) {
    let picks = found.rows.as_ref().unwrap();
    assert_eq!(picks.len(), k);
    assert_eq!(found.centres, rows.select(Axis(0), picks));
    assert!(picks.iter().all(|i| weights[*i] > 0.0));
    assert_eq!(distinct(rows, picks.iter().copied()), k);
}

fn distinct<F: Float>(rows: &Array2<F>, among: impl Iterator<Item = usize>) -> usize {
    // + 0 turns −0 into 0.
    let bits = |i| rows.row(i).iter().map(|x| (*x + F::zero()).widen().to_bits()).collect::<Vec<_>>();
    among.map(bits).collect::<HashSet<_>>().len()
}

pub(crate) fn layouts_agree<S: Seeding<f64, L2>>(method: &S, case: &Case) {
    let (n, d) = case.rows.dim();
    let seed = |rows: ArrayView2<f64>| run(method, rows, &case.weights, case.k, case.seed, Threads::One);
    let expected = seed(case.rows.view());
    let mut column_major = Array2::zeros((n, d).f());
    column_major.assign(&case.rows);
    assert_eq!(seed(column_major.view()), expected);
    let mut strided = Array2::from_elem((2 * n, 3 * d), f64::NAN);
    let mut every_other = strided.slice_axis_mut(Axis(0), Slice::new(1, None, 2));
    let mut every_other = every_other.slice_axis_mut(Axis(1), Slice::new(0, None, 3));
    every_other.assign(&case.rows);
    assert_eq!(seed(every_other.view()), expected);
    let order: Vec<usize> = (0..n).rev().collect();
    let mut backwards = case.rows.select(Axis(0), &order);
    backwards.invert_axis(Axis(0));
    assert_eq!(seed(backwards.view()), expected);
}

pub(crate) fn units_agree<S: Seeding<f64, L2>>(method: &S, case: &Case) {
    let seed = |unit: f64| {
        let rows = &case.rows * unit;
        run(method, rows.view(), &case.weights, case.k, case.seed, Threads::One).map(|found| found.rows)
    };
    // Powers of two, which round nothing.
    assert_eq!(seed(8.0), seed(1.0));
    assert_eq!(seed(0.125), seed(1.0));
}

pub(crate) fn pools_agree<S: Seeding<f64, L2> + Seeding<f32, L2> + Sync>(method: &S) {
    let rows = blobs(60_000, 5);
    let weights: Vec<f64> = (0..60_000).map(|i| (i % 7) as f64 / 3.0).collect();
    let single = rows.mapv(|x| x as f32);
    let seed = |threads: Threads| {
        threads.install(|threads| {
            let found = run(method, rows.view(), &weights, 20, 5, threads).unwrap();
            (found, run(method, single.view(), &weights, 20, 5, threads).unwrap())
        })
    };
    let expected = seed(Threads::One);
    for threads in [Threads::Ambient, Threads::Count(2), Threads::Count(3), Threads::Count(7)] {
        assert_eq!(seed(threads), expected, "{threads:?}");
    }
}

pub(crate) fn k_is_checked<S: Seeding<f64, L2>>(method: &S) {
    let seed = |rows: &Array2<f64>, k| run(method, rows.view(), &vec![1.0; rows.nrows()], k, 0, Threads::One);
    let rows = Array2::from_shape_fn((3, 2), |(i, j)| (i * 2 + j) as f64);
    assert_eq!(seed(&rows, 0), Err(SeedingError::NoCentres));
    assert_eq!(seed(&rows, 4), Err(SeedingError::TooFewRows { n_rows: 3, k: 4 }));
    let mut all = seed(&rows, 3).unwrap().rows.unwrap();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2]);
    assert_eq!(seed(&Array2::ones((1, 1)), 1).unwrap().rows, Some(vec![0]));
    let copies = Array2::ones((5000, 2));
    let error = seed(&copies, 2).unwrap_err();
    assert_eq!(error, SeedingError::TooFewDistinct { distinct: 1, k: 2 });
    let message = error.to_string();
    assert!(message.contains("2 centres") && message.contains("only 1 row"), "{message}");
}

pub(crate) fn tiny_differences_count<S: Seeding<f64, L2>>(method: &S) {
    let rows = Array2::from_shape_fn((40, 1), |(i, _)| (i % 20) as f64 * 1e-200);
    for k in [1, 7, 20] {
        for seed in 0..20 {
            let found = run(method, rows.view(), &[1.0; 40], k, seed, Threads::One).unwrap();
            are_distinct_rows_that_count(&found, &rows, &[1.0; 40], k);
        }
    }
    let too_many = run(method, rows.view(), &[1.0; 40], 21, 0, Threads::One);
    assert_eq!(too_many, Err(SeedingError::TooFewDistinct { distinct: 20, k: 21 }));
}

/// The picks' values are distributed alike for integer weights and for copies, and for weights of any unit.
pub(crate) fn weights_are_copies<S: Seeding<f64, L2>>(method: &S) {
    let (values, counts) = ([0.0, 1.0, 3.0, 4.5, 10.0], [1usize, 3, 0, 2, 1]);
    let column = |values: Vec<f64>| Array2::from_shape_vec((values.len(), 1), values).unwrap();
    let copies: Vec<f64> = values.iter().zip(counts).flat_map(|(x, count)| vec![*x; count]).collect();
    let tally = |rows: Array2<f64>, weights: Vec<f64>, from: u64| {
        let mut tally: HashMap<Vec<u64>, f64> = HashMap::new();
        for seed in from..from + DRAWS {
            let found = run(method, rows.view(), &weights, 2, seed, Threads::One).unwrap();
            *tally.entry(found.centres.iter().map(|x| *x as u64).collect()).or_default() += 1.0;
        }
        tally
    };
    let repeated = tally(column(copies), vec![1.0; 7], 0);
    for unit in [1.0, 1e-9] {
        let weighted = tally(column(values.to_vec()), counts.iter().map(|c| *c as f64 * unit).collect(), DRAWS);
        let cells: HashSet<_> = repeated.keys().chain(weighted.keys()).collect();
        let count = |tally: &HashMap<Vec<u64>, f64>, cell| tally.get(cell).copied().unwrap_or(0.0);
        // The two-sample χ² of equally many draws.
        let chi_square: f64 = cells
            .iter()
            .map(|cell| (count(&repeated, *cell), count(&weighted, *cell)))
            .map(|(a, b)| (a - b) * (a - b) / (a + b))
            .sum();
        is_likely(chi_square, cells.len() - 1);
    }
}

const DRAWS: u64 = 20_000;

/// The picks of a method follow the probabilities that its definition gives to each sequence of rows.
///
/// `mass` is the weight of a row in the next draw, given the picks.
pub(crate) fn follows<S: Seeding<f64, L2>>(
    method: &S,
    rows: &Array2<f64>,
    weights: &[f64],
    k: usize,
    mass: impl Fn(usize, &[usize]) -> f64,
) {
    let mut expected = vec![(Vec::new(), 1.0)];
    for _ in 0..k {
        let extend = |(picks, chance): (Vec<usize>, f64)| {
            let masses: Vec<f64> = (0..rows.nrows()).map(|i| mass(i, &picks)).collect();
            let total: f64 = masses.iter().sum();
            let possible = masses.into_iter().enumerate().filter(|(_, mass)| *mass > 0.0);
            possible.map(|(i, mass)| ([&picks[..], &[i]].concat(), chance * mass / total)).collect::<Vec<_>>()
        };
        expected = expected.into_iter().flat_map(extend).collect();
    }
    let mut observed: HashMap<Vec<usize>, f64> = HashMap::new();
    for seed in 0..DRAWS {
        let found = run(method, rows.view(), weights, k, seed, Threads::One).unwrap();
        *observed.entry(found.rows.unwrap()).or_default() += 1.0;
    }
    assert!(observed.keys().all(|picks| expected.iter().any(|(possible, _)| possible == picks)));
    let counts =
        expected.iter().map(|(picks, chance)| (chance * DRAWS as f64, observed.get(picks).copied().unwrap_or(0.0)));
    // χ² is no measure of cells that are hardly ever hit: those count as one.
    let (rare, mut cells): (Vec<_>, Vec<_>) = counts.partition(|(expected, _)| *expected < 5.0);
    if !rare.is_empty() {
        cells.push(rare.iter().fold((0.0, 0.0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1)));
    }
    cells.retain(|(expected, _)| *expected >= 1.0);
    is_likely(cells.iter().map(|(expected, got)| (got - expected).powi(2) / expected).sum(), cells.len() - 1);
}

/// χ² is below about its 99.99 % quantile (Wilson & Hilferty 1931).
fn is_likely(chi_square: f64, degrees: usize) {
    let freedom = degrees as f64;
    let spread = 2.0 / (9.0 * freedom);
    let limit = freedom * (1.0 - spread + 3.72 * spread.sqrt()).powi(3);
    assert!(chi_square < limit, "χ² = {chi_square:.1} with {degrees} degrees of freedom, limit {limit:.1}");
}

/// Fifteen Gaussian clusters of unequal sizes in the plane, n rows.
pub(crate) fn blobs(n: usize, seed: u64) -> Array2<f64> {
    let mut rng = Xoshiro256Plus::seed_from_u64(seed);
    let mut unit = move || (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let centres = Array2::from_shape_simple_fn((15, 2), || 100.0 * unit());
    let mut rows = Array2::zeros((n, 2));
    for mut row in rows.rows_mut() {
        let (cluster, radius, angle) = (unit() * unit(), (-2.0 * (1.0 - unit()).ln()).sqrt(), unit());
        let (sin, cos) = (std::f64::consts::TAU * angle).sin_cos();
        row.assign(&centres.row((15.0 * cluster) as usize));
        row[0] += 2.0 * radius * cos;
        row[1] += 2.0 * radius * sin;
    }
    rows
}

/// The mean, over twenty seeds, of Σ of squared distances to the nearest of fifteen picks.
pub(crate) fn mean_potential<S: Seeding<f64, L2>>(method: &S) -> f64 {
    let rows = blobs(3000, 1);
    let potential = |seed| {
        let centres = run(method, rows.view(), &vec![1.0; 3000], 15, seed, Threads::One).unwrap().centres;
        let squared = |row: &ndarray::ArrayView1<f64>, centre: &ndarray::ArrayView1<f64>| {
            row.iter().zip(centre).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
        };
        let nearest = |row: ndarray::ArrayView1<f64>| {
            centres.rows().into_iter().map(|centre| squared(&row, &centre)).fold(f64::INFINITY, f64::min)
        };
        rows.rows().into_iter().map(nearest).sum::<f64>()
    };
    (0..20).map(potential).sum::<f64>() / 20.0
}
