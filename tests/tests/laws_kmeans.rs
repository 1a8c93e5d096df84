//! Laws of k-means that do not depend on how it is computed.
//!
//! Fits from a given start are compared after the same number of iterations: to rounding, or bit by bit where nothing is
//! rounded differently. Blobs are continuous, so that no row lies between two centres but for a chance of some 1e-10.

use miscela::L2;
use miscela::prelude::*;
use miscela_tests::{Blobs, assert_close, assert_means, assert_near, cases, narrow, rotation};
use ndarray::{Array1, Array2, Axis, concatenate};
use proptest::prelude::*;

/// To which results from the same start agree when rows are added up in another order.
const ROUNDING: f64 = 1e-9;

type Params<F> = KMeansParams<F, rand_xoshiro::Xoshiro256Plus, L2>;

/// Blobs and a number of clusters, which is not that of the blobs.
fn case() -> impl Strategy<Value = (Blobs, usize)> {
    (any::<u64>(), 30usize..200, 1usize..6, 1usize..5, 1usize..7)
        .prop_map(|(seed, n, d, blobs, k)| (Blobs::new(seed, n, d, blobs, 8.0), k))
}

fn from<F: Float>(start: Array2<F>) -> Params<F> {
    KMeans::params(start.nrows()).init_method(KMeansInit::Precomputed(start)).tolerance(F::zero()).max_n_iterations(10)
}

fn fit(start: &Array2<f64>, rows: &Array2<f64>, weights: &Array1<f64>) -> KMeans<f64> {
    from(start.clone()).fit_weighted(rows, weights).unwrap()
}

fn same(a: &KMeans<f64>, b: &KMeans<f64>) {
    assert_eq!(a.report().iterations, b.report().iterations);
    assert_close("inertia", a.inertia_sum(), b.inertia_sum(), ROUNDING);
    assert_near("Σ w", a.cluster_count(), b.cluster_count(), ROUNDING);
    assert_means("centroids", a.centroids(), b.centroids(), ROUNDING);
    assert_near("trace", &Array1::from(a.report().trace.clone()), &Array1::from(b.report().trace.clone()), ROUNDING);
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn integer_weights_are_repetition((blobs, k) in case(), most in 1usize..5) {
        let repeats: Vec<usize> = (0..blobs.rows.nrows()).map(|i| (i * 7) % (most + 1)).collect();
        let mut all: Vec<usize> = repeats.iter().enumerate().flat_map(|(i, times)| vec![i; *times]).collect();
        all.sort_by_key(|i| i % 3);
        let repeated = blobs.rows.select(Axis(0), &all);
        let weights: Array1<f64> = repeats.iter().map(|times| *times as f64).collect();
        prop_assume!(weights.iter().filter(|w| **w > 0.0).count() >= k);
        let start = blobs.first_rows(k);
        let weighted = fit(&start, &blobs.rows, &weights);
        let plain = from(start).fit(&DatasetBase::from(repeated.clone())).unwrap();
        same(&weighted, &plain);
        prop_assert_eq!(plain.sizes().iter().sum::<usize>(), all.len());
        assert_close("score", weighted.inertia_of(&blobs.rows, weights.as_slice()).unwrap(), plain.inertia_sum(), ROUNDING);
    }

    #[test]
    fn a_row_of_no_weight_is_not_there((blobs, k) in case(), every in 2usize..6) {
        let there: Vec<usize> = (0..blobs.rows.nrows()).filter(|i| i % every != 0).collect();
        prop_assume!(there.len() >= k);
        let weights = Array1::from_shape_fn(blobs.rows.nrows(), |i| if i % every == 0 { 0.0 } else { blobs.weights[i] });
        // Such rows may lie anywhere.
        let mut rows = blobs.rows.clone();
        rows.outer_iter_mut().step_by(every).for_each(|mut row| row.fill(1e6));
        let start = blobs.first_rows(k);
        let (present, their_weights) = (rows.select(Axis(0), &there), weights.select(Axis(0), &there));
        let (with, without) = (fit(&start, &rows, &weights), fit(&start, &present, &their_weights));
        same(&with, &without);
        prop_assert_eq!(with.sizes(), without.sizes());
    }

    #[test]
    fn the_order_of_rows_does_not_matter((blobs, k) in case(), seed in any::<u64>()) {
        let (start, order) = (blobs.first_rows(k), blobs.permutation(seed));
        let plain = fit(&start, &blobs.rows, &blobs.weights);
        let (rows, weights) = (blobs.rows.select(Axis(0), &order), blobs.weights.select(Axis(0), &order));
        let shuffled = fit(&start, &rows, &weights);
        same(&shuffled, &plain);
        let labels = plain.predict(&blobs.rows);
        prop_assert_eq!(shuffled.predict(&rows), labels.select(Axis(0), &order));
    }

    #[test]
    fn translation_moves_the_centres_along((blobs, k) in case(), by in -1e3..1e3f64) {
        let start = blobs.first_rows(k);
        let plain = fit(&start, &blobs.rows, &blobs.weights);
        let moved = fit(&(&start + by), &(&blobs.rows + by), &blobs.weights);
        // The shift itself is rounded, to 1e3 · 1e-16.
        assert_close("inertia", moved.inertia_sum(), plain.inertia_sum(), 1e-8);
        assert_means("centroids", moved.centroids(), &(plain.centroids() + by), 1e-8);
        prop_assert_eq!(moved.predict(&(&blobs.rows + by)), plain.predict(&blobs.rows));
        prop_assert_eq!(moved.report().iterations, plain.report().iterations);
    }

    #[test]
    fn rotation_turns_the_centres_along((blobs, k) in case(), seed in any::<u64>()) {
        let turn = rotation(seed, blobs.rows.ncols());
        let start = blobs.first_rows(k);
        let plain = fit(&start, &blobs.rows, &blobs.weights);
        let turned = fit(&start.dot(&turn), &blobs.rows.dot(&turn), &blobs.weights);
        assert_close("inertia", turned.inertia_sum(), plain.inertia_sum(), ROUNDING);
        assert_near("centroids", turned.centroids(), &plain.centroids().dot(&turn), ROUNDING);
        prop_assert_eq!(turned.predict(&blobs.rows.dot(&turn)), plain.predict(&blobs.rows));
    }

    /// With the default tolerance too, which is relative to the data's variance. Powers of two leave every bit of the
    /// mantissas alone, so that nothing at all may change.
    #[test]
    fn the_unit_does_not_matter((blobs, k) in case(), power in -200i32..200) {
        let unit = 2f64.powi(power);
        let start = blobs.first_rows(k);
        let rows = &blobs.rows * unit;
        for (here, there) in [
            (KMeansInit::Precomputed(start.clone()), KMeansInit::Precomputed(&start * unit)),
            (KMeansInit::KMeansPlusPlus, KMeansInit::KMeansPlusPlus),
            (KMeansInit::KMeansPara, KMeansInit::KMeansPara),
        ] {
            let plain = KMeans::params(k).init_method(here).fit_weighted(&blobs.rows, &blobs.weights).unwrap();
            let scaled = KMeans::params(k).init_method(there).fit_weighted(&rows, &blobs.weights).unwrap();
            prop_assert_eq!(scaled.centroids(), &(plain.centroids() * unit));
            prop_assert_eq!(scaled.inertia_sum(), plain.inertia_sum() * unit * unit);
            prop_assert_eq!(scaled.report().iterations, plain.report().iterations);
            prop_assert_eq!(scaled.predict(&rows), plain.predict(&blobs.rows));
        }
    }

    /// From starts near the data and from one some way off, where clusters run empty and take rows of others. (Sums are kept
    /// about the old centres: the first inertia after a jump has fewer digits, by the square of its length.)
    #[test]
    fn the_inertia_never_rises((blobs, k) in case(), far in any::<bool>()) {
        let start = if far { Array2::from_elem((k, blobs.rows.ncols()), 30.0) } else { blobs.first_rows(k) };
        let model = from(start).max_n_iterations(300).fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        let trace = &model.report().trace;
        prop_assert_eq!(trace.len(), model.report().iterations);
        for pair in trace.windows(2) {
            prop_assert!(pair[1] <= pair[0] * (1.0 + 1e-11), "{} after {}", pair[1], pair[0]);
        }
        prop_assert!(model.inertia_sum() <= trace[trace.len() - 1] * (1.0 + 1e-11));
        prop_assert!(model.sizes().iter().all(|size| *size > 0), "{:?}", model.sizes());
    }

    #[test]
    fn the_model_describes_its_own_labels((blobs, k) in case()) {
        let model = fit(&blobs.first_rows(k), &blobs.rows, &blobs.weights);
        let labels = model.predict(&blobs.rows);
        let mut sizes = vec![0; k];
        let (mut weight, mut inertia) = (Array1::zeros(k), 0.0);
        for (i, (row, label)) in blobs.rows.outer_iter().zip(&labels).enumerate() {
            let distances = model.centroids().outer_iter().map(|centre| (&row - &centre).mapv(|x| x * x).sum());
            let nearest = distances.clone().fold(f64::INFINITY, f64::min);
            let own = distances.clone().nth(*label).unwrap();
            prop_assert!(own <= nearest * (1.0 + 1e-9), "row {i}: {own} instead of {nearest}");
            sizes[*label] += 1;
            weight[*label] += blobs.weights[i];
            inertia += blobs.weights[i] * own;
        }
        prop_assert_eq!(model.sizes(), sizes);
        assert_near("Σ w", model.cluster_count(), &weight, 1e-12);
        assert_close("inertia", model.inertia_sum(), inertia, 1e-12);
        assert_close("mean", model.inertia(), inertia / blobs.weights.sum(), 1e-12);
        // transform: the squared distance to the own centre; distances: all of them, not squared.
        let own = model.transform(&blobs.rows);
        let all = model.distances(&blobs.rows);
        for (i, label) in labels.iter().enumerate() {
            assert_close("transform", own[i].sqrt(), all[[i, *label]], 1e-12);
        }
    }

    /// At the end each centre is the mean of its rows.
    #[test]
    fn converged_centres_are_means((blobs, k) in case()) {
        let params = from(blobs.first_rows(k)).max_n_iterations(300);
        let model = params.fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        prop_assert_eq!(model.report().termination, Termination::LabelsUnchanged);
        let (mut sums, mut weights) = (Array2::<f64>::zeros(model.centroids().dim()), Array1::<f64>::zeros(k));
        for ((row, label), w) in blobs.rows.outer_iter().zip(model.predict(&blobs.rows)).zip(&blobs.weights) {
            sums.row_mut(label).scaled_add(*w, &row);
            weights[label] += w;
        }
        assert_near("means", model.centroids(), &(sums / weights.insert_axis(Axis(1))), 1e-12);
    }

    #[test]
    fn single_precision_obeys_too((blobs, k) in case()) {
        let rows = narrow(&blobs.rows);
        let fit = |rows: &Array2<f32>, weights: &Array1<f64>| {
            from(narrow(&blobs.first_rows(k))).fit_weighted(rows, weights).unwrap()
        };
        let twice = concatenate![Axis(0), rows, rows];
        let once = fit(&rows, &blobs.weights);
        let half = &blobs.weights / 2.0;
        let doubled = fit(&twice, &concatenate![Axis(0), half, half]);
        // Sums are kept in f64, so that only the centres are rounded: nearly always to the same f32.
        assert_near("centroids", &doubled.centroids().mapv(f64::from), &once.centroids().mapv(f64::from), 1e-6);
        assert_close("inertia", doubled.inertia_sum(), once.inertia_sum(), 1e-5);
        for pair in once.report().trace.windows(2) {
            prop_assert!(pair[1] <= pair[0] * (1.0 + 1e-6), "{} after {}", pair[1], pair[0]);
        }
    }
}
