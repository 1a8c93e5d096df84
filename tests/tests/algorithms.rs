//! Every way of finding the nearest centroids gives Lloyd's results from the same start.
//!
//! Sums are added up in another order, so centroids may differ in their last digits; and then rows whose two nearest are as
//! good as equally far away may go the other way. So Lloyd's iterations are gone through first, one by one: fits are compared
//! for as long as every row that counts has one centroid clearly nearest to it. The first assignment is about the same
//! centroids to the bit: exact ties in it go to the lowest index by all.
//!
//! `MISCELA_ISA=portable`, `avx2`, `avx512` and `avx512vnni` run this with those instructions.

use miscela::prelude::*;
use miscela_tests::{Blobs, cases, data, narrow, step_weights};
use ndarray::{Array1, Array2, ArrayView2, Axis, ShapeBuilder, Slice};
use proptest::prelude::*;

/// What is clustered, and from where.
#[derive(Clone, Debug)]
struct Case<F> {
    rows: Array2<F>,
    weights: Array1<f64>,
    start: Array2<F>,
    threads: Threads,
}

impl<F: Float> Case<F> {
    fn new(rows: Array2<F>, start: Array2<F>) -> Self {
        let weights = Array1::ones(rows.nrows());
        Self { rows, weights, start, threads: Threads::Ambient }
    }

    /// From k rows, far from each other in the table.
    fn spaced(rows: Array2<F>, k: usize) -> Self {
        let picked: Vec<usize> = (0..k).map(|c| c * (rows.nrows() / k)).collect();
        let start = rows.select(Axis(0), &picked);
        Self::new(rows, start)
    }

    fn weighted(mut self, weights: Array1<f64>) -> Self {
        self.weights = weights;
        self
    }

    fn with(&self, threads: Threads) -> Self {
        Self { threads, ..self.clone() }
    }

    fn fit(&self, algorithm: Algorithm, iterations: u64) -> KMeans<F> {
        let params = KMeans::params(self.start.nrows()).init_method(KMeansInit::Precomputed(self.start.clone()));
        let params =
            params.algorithm(algorithm).tolerance(F::zero()).max_n_iterations(iterations).threads(self.threads);
        params.fit_weighted(&self.rows, &self.weights).unwrap()
    }

    /// Which of the rows have a centroid that is clearly the nearest to them.
    fn clear(&self, centroids: &Array2<F>) -> Vec<bool> {
        let wide = |x: &F| miscela_kernel::Float::widen(*x);
        // Centroids that are rounded differently: by 2⁻⁵³ in f64, whose sums differ a little more, and by 2⁻²⁴ in f32.
        let lead = if F::NAME == "f32" { 1e-4 } else { 1e-9 };
        // What rounding moves a centroid by is relative to where it lies, not to what is near it.
        let size = self.rows.iter().fold(0.0f64, |m, x| m.max(wide(x).abs()));
        let blur = size * if F::NAME == "f32" { 1e-6 } else { 1e-14 };
        let clear = |row: ndarray::ArrayView1<F>| {
            let (mut nearest, mut second) = (f64::INFINITY, f64::INFINITY);
            for centroid in centroids.outer_iter() {
                let squared: f64 = row.iter().zip(centroid).map(|(x, c)| (wide(x) - wide(c)).powi(2)).sum();
                (nearest, second) = (nearest.min(squared), second.min(squared.max(nearest)));
            }
            let (nearest, second) = (nearest.sqrt(), second.sqrt());
            second - nearest > lead * second + blur
        };
        self.rows.outer_iter().map(clear).collect()
    }

    /// For how many iterations all must agree with Lloyd, `most` at most.
    fn iterations(&self, most: u64) -> u64 {
        for done in 1..most {
            let model = self.fit(Algorithm::Lloyd, done);
            let clear = self.clear(model.centroids());
            if clear.iter().zip(&self.weights).any(|(clear, w)| !clear && *w > 0.0) {
                return done;
            }
            if model.report().iterations < done as usize {
                break;
            }
        }
        most
    }

    /// All agree with Lloyd, as long as rounding has no say. Returns for how many iterations that was asked.
    fn agrees(&self, most: u64) -> u64 {
        let iterations = self.iterations(most);
        let lloyd = self.fit(Algorithm::Lloyd, iterations);
        let (clear, labels) = (self.clear(lloyd.centroids()), lloyd.predict(&self.rows));
        for algorithm in Algorithm::ALL {
            let model = self.fit(algorithm, iterations);
            let told = format!("{algorithm} {} after {iterations} of {most} iterations", F::NAME);
            assert_eq!(model.report().iterations, lloyd.report().iterations, "{told}");
            assert_eq!(model.report().termination, lloyd.report().termination, "{told}");
            assert_eq!(model.report().repairs, lloyd.report().repairs, "{told}");
            self.near(&told, model.centroids(), lloyd.centroids());
            close(&format!("{told}: inertia"), model.inertia_sum(), lloyd.inertia_sum(), self.noise());
            for (now, then) in model.report().trace.iter().zip(&lloyd.report().trace) {
                close(&format!("{told}: trace"), *now, *then, self.noise());
            }
            for (i, label) in model.predict(&self.rows).iter().enumerate().filter(|(i, _)| clear[*i]) {
                assert_eq!(*label, labels[i], "{told}: row {i}");
            }
        }
        iterations
    }

    /// What rounding can make of the inertia: that of coordinates as large as these.
    fn noise(&self) -> f64 {
        let size = self.rows.iter().fold(0.0f64, |m, x| m.max(miscela_kernel::Float::widen(*x).abs()));
        let each = size * size * self.rows.ncols() as f64 * if F::NAME == "f32" { 1e-12 } else { 1e-24 };
        each * self.weights.sum()
    }

    /// To 1e-9 of the greatest in a column, or an ulp or two of it in f32, and to what sums of the rows in another order can
    /// differ by where they come to nothing.
    fn near(&self, told: &str, got: &Array2<F>, expected: &Array2<F>) {
        let wide = |x: &F| miscela_kernel::Float::widen(*x);
        let tolerance = if F::NAME == "f32" { 2.5e-7 } else { 1e-9 };
        for (j, (got, expected)) in got.axis_iter(Axis(1)).zip(expected.axis_iter(Axis(1))).enumerate() {
            let size = expected.iter().fold(0.0f64, |m, x| m.max(wide(x).abs()));
            let noise = 1e-14 * self.rows.column(j).iter().fold(0.0f64, |m, x| m.max(wide(x).abs()));
            for (a, b) in got.iter().zip(expected) {
                let error = (wide(a) - wide(b)).abs();
                assert!(error <= tolerance * size + noise, "{told}: column {j} is {a}, expected {b}, off by {error:e}");
            }
        }
    }

    /// The bits are the same by any number of threads.
    fn ignores_threads(&self, iterations: u64) {
        for algorithm in Algorithm::ALL {
            let one = self.with(Threads::One).fit(algorithm, iterations);
            for threads in [Threads::Count(2), Threads::Count(3)] {
                same_bits(&format!("{algorithm} {threads:?}"), &self.with(threads).fit(algorithm, iterations), &one);
            }
        }
    }
}

fn same_bits<F: Float>(told: &str, got: &KMeans<F>, expected: &KMeans<F>) {
    assert_eq!(got.centroids(), expected.centroids(), "{told}");
    assert_eq!(got.inertia_sum(), expected.inertia_sum(), "{told}");
    assert_eq!(got.sizes(), expected.sizes(), "{told}");
    assert_eq!(got.report().trace, expected.report().trace, "{told}");
}

fn close(told: &str, got: f64, expected: f64, noise: f64) {
    let error = (got - expected).abs();
    assert!(error <= 1e-9 * expected.abs() + noise, "{told} is {got}, expected {expected}, off by {error:e}");
}

/// The names of all data sets.
const DATA: [&str; 6] = ["faithful", "iris", "galaxies", "penguins", "penguins@scaled", "digits"];

#[test]
fn on_all_data_sets() {
    for name in DATA {
        let rows = data(name);
        for k in [1, 2, 3, 8, 24, 64] {
            let case = Case::spaced(rows.clone(), k);
            case.agrees(30);
            case.weighted(step_weights(rows.nrows())).agrees(30);
            Case::spaced(narrow(&rows), k).agrees(30);
        }
    }
}

#[test]
fn on_the_colours_of_a_photograph() {
    let rows = data("china_pixels");
    for k in [4, 64] {
        let case = Case::spaced(rows.clone(), k);
        // Whole numbers soon tie. What follows is as good, if not the same.
        case.agrees(6);
        let lloyd = case.fit(Algorithm::Lloyd, 25);
        for algorithm in Algorithm::ALL {
            let inertia = case.fit(algorithm, 25).inertia_sum();
            assert!((inertia / lloyd.inertia_sum() - 1.0).abs() < 1e-3, "{algorithm}: {inertia}");
        }
    }
    let case = Case::spaced(rows.slice_axis(Axis(0), Slice::new(0, None, 7)).to_owned(), 64);
    case.ignores_threads(12);
    Case::spaced(narrow(&case.rows), 64).ignores_threads(12);
}

/// Enough rows, and clusters, for lanes, lists and sorting.
fn large() -> Array2<f64> {
    Blobs::new(5, 30_000, 3, 60, 60.0).rows
}

#[test]
fn to_the_end_where_much_is_skipped() {
    let case = Case::spaced(large(), 48);
    assert_eq!(case.agrees(12), 12);
    case.clone().weighted(Blobs::new(5, 30_000, 3, 60, 60.0).weights).agrees(12);
    Case::spaced(narrow(&case.rows), 48).agrees(12);
    // To the end, at which the labels are those of the naive search.
    let ended: Vec<_> = Algorithm::ALL.map(|algorithm| case.fit(algorithm, 300)).to_vec();
    for model in &ended {
        assert_eq!(model.report().iterations, ended[1].report().iterations);
        assert_eq!(model.report().termination, ended[1].report().termination);
        assert_eq!(model.predict(&case.rows), ended[1].predict(&case.rows));
        case.near("at the end", model.centroids(), ended[1].centroids());
    }
}

#[test]
fn where_rows_are_sorted_and_where_columns_are_many() {
    // Enough clusters, and rows in each, that it pays to sort them.
    let sorted = Case::spaced(Blobs::new(8, 13_000, 2, 150, 80.0).rows, 200);
    sorted.agrees(8);
    sorted.ignores_threads(15);
    // By cluster, where boxes would be too large.
    let clusters = Case::spaced(Blobs::new(8, 10_000, 6, 150, 80.0).rows, 150);
    clusters.agrees(8);
    clusters.ignores_threads(10);
    // Overlapping, so that few rows are clear at a glance.
    let wide = Blobs::new(9, 700, 160, 30, 2.0);
    let case = Case::spaced(wide.rows.clone(), 280);
    assert!(case.agrees(6) >= 5);
    case.clone().weighted(wide.weights).agrees(6);
    Case::spaced(narrow(&wide.rows), 280).agrees(6);
    case.ignores_threads(6);
}

#[test]
fn where_rows_are_long_beside_the_clusters() {
    for (n, d, k) in [(3000, 100, 7), (1100, 300, 20), (500, 777, 3)] {
        let blobs = Blobs::new(10, n, d, 9, 3.0);
        let case = Case::spaced(blobs.rows.clone(), k);
        assert!(case.agrees(6) >= 4);
        case.clone().weighted(blobs.weights).agrees(6);
        Case::spaced(narrow(&blobs.rows), k).agrees(6);
        case.ignores_threads(6);
        let columns = case.rows.t().as_standard_layout().reversed_axes().to_owned();
        assert!(!columns.is_standard_layout());
        let params = KMeans::params(k).init_method(KMeansInit::Precomputed(case.start.clone()));
        let params = params.tolerance(0.0).max_n_iterations(6);
        same_bits(
            "column by column",
            &params.fit_observed(&columns, None, &mut ()).unwrap(),
            &case.fit(Algorithm::Auto, 6),
        );
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let case = Case::spaced(large(), 48);
    case.ignores_threads(20);
    Case::spaced(narrow(&case.rows), 48).ignores_threads(20);
    let wide = Blobs::new(6, 4_000, 70, 40, 20.0);
    Case::spaced(wide.rows.clone(), 40).weighted(wide.weights).ignores_threads(10);
}

#[test]
fn bits_do_not_depend_on_the_layout() {
    let case = Case::spaced(large(), 48);
    let (n, d) = case.rows.dim();
    let mut columns = Array2::zeros((n, d).f());
    columns.assign(&case.rows);
    let mut apart = Array2::from_elem((2 * n, 2 * d), f64::NAN);
    apart
        .slice_axis_mut(Axis(0), Slice::new(0, None, -2))
        .slice_axis_mut(Axis(1), Slice::new(1, None, 2))
        .assign(&case.rows);
    let view = apart.slice_axis(Axis(0), Slice::new(0, None, -2));
    let views: [ArrayView2<f64>; 2] = [columns.view(), view.slice_axis(Axis(1), Slice::new(1, None, 2))];
    for algorithm in Algorithm::ALL {
        let plain = case.fit(algorithm, 10);
        for view in views {
            assert!(!view.is_standard_layout());
            let params = KMeans::params(48).init_method(KMeansInit::Precomputed(case.start.clone()));
            let params = params.algorithm(algorithm).tolerance(0.0).max_n_iterations(10);
            let model = params.fit_observed(&view, None, &mut ()).unwrap();
            same_bits(algorithm.name(), &model, &plain);
        }
    }
}

#[test]
fn a_row_of_great_weight_leaves_nothing_behind() {
    // Two heavy rows, almost one, on either side of the middle between two centroids. The first draws its centroid to itself;
    // when another row has left the second's, that one comes nearer still. What the first then leaves behind must be as exact
    // as if it had never been there.
    let mut rows: Vec<f64> = (0..40).map(|i| f64::from(i * i % 17) * 0.01).collect();
    rows.extend([1.0, 1.0 + 3e-9, 2.2, 2.5]);
    let mut weights = Array1::from_elem(rows.len(), 1.0 / 37.0);
    weights.slice_axis_mut(Axis(0), Slice::from(40..)).assign(&ndarray::arr1(&[1e8, 1e8, 1.0, 1.0]));
    let start = Array2::from_shape_vec((3, 1), vec![0.3, 1.7 + 3e-9, 3.0]).unwrap();
    let case = Case::new(Array2::from_shape_vec((rows.len(), 1), rows).unwrap(), start).weighted(weights);
    let sizes = [1, 2, 3].map(|iterations| case.fit(Algorithm::Lloyd, iterations).sizes().to_vec());
    assert_eq!(sizes, [[41, 1, 2], [40, 2, 2], [40, 2, 2]], "the heavy row changes its cluster in the third pass");
    assert_eq!(case.agrees(3), 3);
    case.agrees(10);
}

#[test]
fn hard_mixtures_of_equal_spheres_are_the_same() {
    for (rows, k) in [(large(), 48), (data("iris"), 5), (data("faithful"), 3)] {
        let case = Case::spaced(rows, k);
        let iterations = case.iterations(8);
        let params = GaussianMixture::params(k).covariance(Covariance::TiedSpherical).assignment(Assignment::Hard);
        let start = GmmInitMethod::Parameters {
            weights: None,
            means: case.start.clone(),
            covariances: Some(Covariances::TiedSpherical(1.0)),
        };
        let params = params.mixing(Mixing::Equal).init_method(start);
        let mixture =
            params.tolerance(0.0).max_n_iterations(iterations).fit_weighted(&case.rows, &case.weights).unwrap();
        for algorithm in Algorithm::ALL {
            let model = case.fit(algorithm, iterations);
            case.near(algorithm.name(), model.centroids(), mixture.means());
            assert_eq!(model.predict(&case.rows), mixture.predict(&case.rows), "{algorithm}");
        }
    }
}

/// How the rows of a random case lie.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Blobs,
    Grid,
    Duplicates,
}

fn rows(kind: Kind, seed: u64, n: usize, d: usize, spread: f64) -> Array2<f64> {
    let blobs = Blobs::new(seed, n, d, 7, spread).rows;
    match kind {
        Kind::Blobs => blobs,
        Kind::Grid => blobs.mapv(f64::round),
        Kind::Duplicates => blobs.select(Axis(0), &(0..n).map(|i| i * i % n.min(40)).collect::<Vec<_>>()),
    }
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn on_random_rows(
        kind in prop_oneof![3 => Just(Kind::Blobs), 1 => Just(Kind::Grid), 1 => Just(Kind::Duplicates)],
        seed in any::<u64>(),
        (n, d) in prop_oneof![(60usize..900, 1usize..9), (60usize..120, 90usize..150)],
        k in prop_oneof![1usize..9, 20usize..50],
        spread in 1.0..40.0f64,
        offset in prop_oneof![2 => Just(0.0), 1 => Just(1e6)],
        scale in prop_oneof![4 => Just(1.0), 1 => Just(1e-30), 1 => Just(1e15), 1 => Just(1e-12)],
        absent in prop_oneof![Just(0usize), 2usize..5],
        far in any::<bool>(),
        wild in any::<bool>(),
    ) {
        let plain = rows(kind, seed, n, d, spread);
        let mut start = plain.select(Axis(0), &(0..k).collect::<Vec<_>>());
        if far && matches!(kind, Kind::Blobs) {
            // Nobody's nearest: it takes rows from others.
            start.row_mut(k / 2).fill(1e3);
        }
        let place = |all: &Array2<f64>| all.mapv(|x| (x + offset) * scale);
        let blobs = Blobs::new(seed, n, 1, 1, 1.0);
        // From 0.2 to 2, or over many orders of magnitude.
        let weight = |i: usize| if wild { 10f64.powf(9.0 * (blobs.weights[i] - 1.1)) } else { blobs.weights[i] };
        let weights = Array1::from_shape_fn(n, |i| if absent > 0 && i % absent == 1 { 0.0 } else { weight(i) });
        let case = Case::new(place(&plain), place(&start));
        case.agrees(9);
        case.clone().weighted(weights.clone()).agrees(9);
        if offset == 0.0 {
            Case::new(narrow(&case.rows), narrow(&case.start)).weighted(weights).agrees(9);
        }
    }

    #[test]
    fn exact_ties_of_the_first_assignment_go_to_the_lowest(seed in any::<u64>(), d in 1usize..4, k in 2usize..40) {
        let case = Case::spaced(rows(Kind::Grid, seed, 400, d, 6.0), k);
        let lloyd = case.fit(Algorithm::Lloyd, 0);
        for (i, label) in lloyd.predict(&case.rows).iter().enumerate() {
            let squared = |c: usize| (&case.rows.row(i) - &case.start.row(c)).mapv(|z| z * z).sum();
            let lowest = (0..k).rev().min_by(|a, b| squared(*a).total_cmp(&squared(*b)).then(a.cmp(b)));
            prop_assert_eq!(Some(*label), lowest);
        }
        for algorithm in Algorithm::ALL {
            // The sizes after one iteration are those under the start.
            let model = case.fit(algorithm, 1);
            case.near(algorithm.name(), model.centroids(), case.fit(Algorithm::Lloyd, 1).centroids());
        }
    }
}
