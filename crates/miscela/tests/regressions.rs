//! One test for each fault that was found and mended.

use miscela::prelude::*;
use miscela::{Cosine, Kl, L1, SamplesError};
use ndarray::{Array2, array};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;
use std::ops::ControlFlow;

fn rng() -> Xoshiro256Plus {
    Xoshiro256Plus::seed_from_u64(7)
}

/// Rows in the unit square, without pattern.
fn square(n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, 2), |(i, j)| ((i * 2 + j) as f64 * 0.754_877_666).fract())
}

#[test]
fn centres_that_come_from_far_away_do_not_stop_the_fit() {
    let data = DatasetBase::from(square(500));
    let far = Array2::from_shape_fn((6, 2), |(c, j)| 1e8 + (c * 7 + j * 3) as f64 * 1e6);
    let start = |centres| KMeans::params(6).tolerance(0.0).init_method(KMeansInit::Precomputed(centres));
    let model = start(far).fit(&data).unwrap();
    let inertia = model.report().trace[0];
    assert!(inertia > model.inertia_sum() && inertia.is_finite());
    let again = start(model.centroids().clone()).fit(&data).unwrap();
    assert!((again.inertia_sum() - model.inertia_sum()).abs() < 1e-9, "the first fit had not ended");
}

#[test]
fn an_emptied_cluster_of_directions_leaves_its_donor_right() {
    let rows = array![[1.0, 0.01], [1.0, -0.01], [1.0, 0.02], [1.0, -0.02], [300.0, 900.0]];
    let start = KMeansInit::Precomputed(array![[1.0, 0.0], [-1.0, -0.2]]);
    let params = KMeans::params_with(2, rng(), Cosine).init_method(start).max_n_iterations(1);
    let model = params.fit(&DatasetBase::from(rows)).unwrap();
    assert!((model.centroids()[[0, 0]] - 1.0f64).abs() < 1e-12 && model.centroids()[[0, 1]].abs() < 1e-12);
}

#[test]
fn a_row_of_no_weight_may_be_anywhere() {
    let mut rows = square(60);
    let mut weights = vec![1.0; 60];
    let without = rows.clone();
    (rows[[59, 0]], weights[59]) = (f64::MAX, 0.0);
    let (kept, ones) = (without.slice_axis(ndarray::Axis(0), (..59).into()), vec![1.0; 59]);
    let start = KMeansInit::Precomputed(kept.slice_axis(ndarray::Axis(0), (..3).into()).to_owned());
    let params = KMeans::params(3).init_method(start);
    let (with, alone) = (params.fit_weighted(&rows, &weights).unwrap(), params.fit_weighted(&kept, &ones).unwrap());
    assert_eq!(with.report().trace, alone.report().trace);
    for covariance in Covariance::all() {
        let start = GmmInitMethod::means(array![[0.2, 0.3], [0.7, 0.6]]);
        let params = GaussianMixture::params(2).covariance(covariance).init_method(start);
        let (with, alone) = (params.fit_weighted(&rows, &weights).unwrap(), params.fit_weighted(&kept, &ones).unwrap());
        assert!((with.log_likelihood() - alone.log_likelihood()).abs() < 1e-9, "{covariance}");
        assert_eq!(with.training_score().n_samples, 59);
    }
}

#[test]
fn weights_that_cannot_be_summed_are_refused() {
    let rows = array![[0.0], [10.0], [1000.0], [1010.0]];
    for bad in [4e307, 1e-50, -1.0, f64::NAN] {
        let Err(KMeansError::Samples(error)) = KMeans::params(2).fit_weighted(&rows, &[1.0, bad, 1.0, 1.0]) else {
            panic!("a weight of {bad} was taken");
        };
        assert!(matches!(error, SamplesError::BadWeight { row: 1, .. }));
    }
}

#[test]
fn temperatures_that_have_no_inverse_are_refused() {
    let data = DatasetBase::from(square(20));
    let params = |t| GaussianMixture::params(2).assignment(Assignment::Tempered(t));
    assert!(params(1e-310).fit(&data).is_err());
    assert!(params(1e-3).fit(&data).is_ok());
    let single = DatasetBase::from(square(20).mapv(|x| x as f32));
    assert!(GaussianMixture::params(2).assignment(Assignment::Tempered(1e-46)).fit(&single).is_err());
}

#[test]
fn where_no_component_has_any_density_the_parameters_stay_and_it_is_said() {
    let data = DatasetBase::from(array![[0.0f32], [1.0], [2.0], [3.0]]);
    let start = GmmInitMethod::Parameters {
        weights: Some(array![0.5, 0.5]),
        means: array![[1e20], [-1e20]],
        covariances: Some(Covariances::Spherical(array![1.0, 1.0])),
    };
    let params = GaussianMixture::params(2).covariance(Covariance::Spherical).init_method(start);
    let model = params.fit(&data).unwrap();
    assert!(model.weights().iter().all(|w| w.is_finite()) && model.log_likelihood().is_finite());
    assert!(!model.report().repairs.is_empty());
    assert!((model.predict_proba(data.records()).sum() - 4.0).abs() < 1e-6);
}

#[test]
fn every_batch_is_checked_against_the_distance_and_the_model() {
    let params = KMeans::params_with(2, rng(), Kl).check().unwrap();
    let good = DatasetBase::from(array![[1.0, 2.0], [3.0, 1.0], [2.0, 2.0]]);
    let Err(IncrKMeansError::NotConverged(model)) = params.fit_with(None, &good) else { panic!("settled at once") };
    let bad = DatasetBase::from(array![[1.0, -0.5], [1.0, 1.0]]);
    assert!(matches!(params.fit_with(Some(model.clone()), &bad), Err(IncrKMeansError::Fit(KMeansError::Domain(_)))));
    let five = KMeans::params_with(5, rng(), Kl).check().unwrap();
    let outcome = five.fit_with(Some(model), &good);
    assert!(matches!(outcome, Err(IncrKMeansError::Fit(KMeansError::ClusterCount { expected: 5, got: 2 }))));
    let cosine = KMeans::params_with(2, rng(), Cosine).check().unwrap();
    assert!(matches!(cosine.fit_with(None, &good), Err(IncrKMeansError::Fit(KMeansError::NeedsRows))));
}

#[test]
fn stopping_stops_all_runs() {
    let rows = square(100);
    let mut stop = |_: &Progress| ControlFlow::Break(());
    let model = KMeans::params(4).n_runs(4).fit_observed(&rows, None, &mut stop).unwrap();
    assert_eq!(model.report().n_runs, 1);
    let model = GaussianMixture::params(4).n_runs(4).fit_observed(&rows, None, &mut stop).unwrap();
    assert_eq!((model.report().n_runs, model.report().termination), (1, Termination::Cancelled));
}

#[test]
fn the_trace_and_the_observer_miss_no_iteration() {
    let rows = square(200);
    for limit in [1, 3] {
        let (mut seen, mut by_l1, mut by_cosine) = (0, 0, 0);
        let mut count = |_: &Progress| (seen += 1, ControlFlow::Continue(())).1;
        let params = GaussianMixture::params(4).tolerance(0.0).max_n_iterations(limit);
        let model = params.fit_observed(&rows, None, &mut count).unwrap();
        assert_eq!((model.report().trace.len(), seen), (limit as usize, limit));
        let mut count = |_: &Progress| (by_l1 += 1, ControlFlow::Continue(())).1;
        let params = KMeans::params_with(4, rng(), L1).tolerance(0.0).max_n_iterations(limit);
        let model = params.fit_observed(&rows, None, &mut count).unwrap();
        assert_eq!((model.report().trace.len(), by_l1), (limit as usize, limit));
        assert!((model.report().trace.last().unwrap() - model.inertia_sum()) >= -1e-12);
        let mut count = |_: &Progress| (by_cosine += 1, ControlFlow::Continue(())).1;
        let params = KMeans::params_with(4, rng(), Cosine).tolerance(0.0).max_n_iterations(limit);
        let model = params.fit_observed(&rows, None, &mut count).unwrap();
        assert_eq!((model.report().trace.len(), by_cosine), (limit as usize, limit));
    }
}

#[test]
fn a_fit_that_is_cut_short_has_all_its_clusters() {
    let mut cut_short = 0;
    for seed in 0..300 {
        let rows = Array2::from_shape_fn((26, 2), |(i, j)| ((i * 2 + j + seed * 64) as f64 * 12.9898).sin() * 10.0);
        let centres = Array2::from_shape_fn((7, 2), |(c, j)| ((c * 2 + j + seed * 17) as f64 * 78.233).sin() * 14.0);
        let params = KMeans::params(7).init_method(KMeansInit::Precomputed(centres)).max_n_iterations(1);
        let model = params.fit(&DatasetBase::from(rows)).unwrap();
        assert!(model.sizes().iter().all(|size| *size > 0), "{:?}", model.sizes());
        cut_short += usize::from(model.report().repairs.len() > 1);
    }
    assert!(cut_short > 0, "no fit tried it");
}
