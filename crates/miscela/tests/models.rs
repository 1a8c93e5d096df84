//! What the models promise beside good numbers.

use miscela::prelude::*;
use miscela::{Chunked, Seconds, SeedingError};
use ndarray::{Array2, array};
use std::ops::ControlFlow;

fn iris() -> Array2<f64> {
    linfa_datasets::iris().records().to_owned()
}

#[test]
fn models_and_errors_go_anywhere() {
    fn anywhere<T: Send + Sync + Unpin + 'static>() {}
    anywhere::<KMeans<f32>>();
    anywhere::<KMeansParams<f64, rand_xoshiro::Xoshiro256Plus, miscela::L2>>();
    anywhere::<BisectingKMeans<f32>>();
    anywhere::<BisectingParams<f64, rand_xoshiro::Xoshiro256Plus, miscela::L2>>();
    anywhere::<GaussianMixture<f64>>();
    anywhere::<GmmParams<f32, rand_xoshiro::Xoshiro256Plus>>();
    anywhere::<AnyModel>();
    anywhere::<Report>();
    anywhere::<KMeansError>();
    anywhere::<GmmError>();
    anywhere::<IncrKMeansError<KMeans<f64>>>();
}

#[test]
fn restarts_start_anew_and_the_best_is_kept() {
    let data = DatasetBase::from(iris());
    let model = KMeans::params(4).n_runs(20).init_method(KMeansInit::Random).fit(&data).unwrap();
    let objectives = &model.report().run_objectives;
    assert_eq!(objectives.len(), 20);
    assert!(objectives.iter().any(|o| *o > model.inertia_sum() * 1.01), "all runs alike: {objectives:?}");
    assert_eq!(objectives.iter().copied().fold(f64::INFINITY, f64::min), model.inertia_sum());

    let model = GaussianMixture::params(4).n_runs(10).init_method(GmmInitMethod::Random).fit(&data).unwrap();
    let objectives = &model.report().run_objectives;
    assert!(objectives.iter().any(|o| *o < model.log_likelihood() - 0.1), "all runs alike: {objectives:?}");
    assert_eq!(objectives.iter().copied().fold(f64::NEG_INFINITY, f64::max), model.log_likelihood());
    // The first of several runs is the only one of one.
    let one = GaussianMixture::params(4).init_method(GmmInitMethod::Random).fit(&data).unwrap();
    assert_eq!(one.log_likelihood(), objectives[0]);
}

#[test]
fn nonsense_parameters_are_refused_by_name() {
    let data = DatasetBase::from(iris());
    let sentence = |result: Result<KMeans<f64>, KMeansError>| result.unwrap_err().to_string();
    assert!(sentence(KMeans::params(0).fit(&data)).contains("n_clusters"));
    assert!(sentence(KMeans::params(2).n_runs(0).fit(&data)).contains("n_runs"));
    assert!(sentence(KMeans::params(2).tolerance(-1.0).fit(&data)).contains("-1"));
    assert!(sentence(KMeans::params(2).threads(Threads::Count(0)).fit(&data)).contains("threads"));
    assert!(sentence(KMeans::params(151).fit(&data)).contains("151"));
    let sentence = |params: GmmParams<f64, _>| params.fit(&data).unwrap_err().to_string();
    assert!(sentence(GaussianMixture::params(0)).contains("n_clusters"));
    assert!(sentence(GaussianMixture::params(2).reg_covariance(f64::NAN)).contains("reg_covariance"));
    assert!(sentence(GaussianMixture::params(2).assignment(Assignment::Tempered(0.0))).contains("temperature"));
    assert!(
        sentence(GaussianMixture::params(2).init_method(GmmInitMethod::Labels(vec![0; 150]))).contains("component 1")
    );
    assert!(sentence(GaussianMixture::params(2).init_method(GmmInitMethod::Labels(vec![0; 3]))).contains("3 rows"));
    assert!(
        sentence(GaussianMixture::params(2).init_method(GmmInitMethod::means(array![[1.0], [2.0]])))
            .contains("columns")
    );
}

#[test]
fn too_few_distinct_rows_name_both_numbers() {
    let data = DatasetBase::from(array![[1.0], [1.0], [2.0], [2.0]]);
    let Err(KMeansError::Seeding(error)) = KMeans::params(3).fit(&data) else { panic!("3 clusters of 2 rows") };
    assert_eq!(error, SeedingError::TooFewDistinct { distinct: 2, k: 3 });
}

#[test]
fn given_parameters_are_used_as_they_are() {
    let data = DatasetBase::from(iris());
    let fitted = GaussianMixture::params(2).covariance(Covariance::Tied).fit(&data).unwrap();
    let start = GmmInitMethod::Parameters {
        weights: Some(fitted.weights().clone()),
        means: fitted.means().clone(),
        covariances: Some(Covariances::Full(fitted.covariances())),
    };
    let again = GaussianMixture::params(2).covariance(Covariance::Tied).init_method(start).max_n_iterations(0);
    let again = again.fit(&data).unwrap();
    assert_eq!(again.means(), fitted.means());
    assert_eq!(again.report().iterations, 0);
    assert!((again.log_likelihood() - fitted.log_likelihood()).abs() < 1e-9);
}

#[test]
fn an_observer_can_end_a_fit_with_what_it_has() {
    let rows = iris();
    let mut stop =
        |progress: &Progress| if progress.iteration < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    let model = KMeans::params(5).tolerance(0.0).fit_observed(&rows, None, &mut stop).unwrap();
    assert_eq!((model.report().iterations, model.report().termination), (2, Termination::Cancelled));
    assert!(model.inertia_sum() > 0.0);
}

#[test]
fn an_observer_that_panics_ends_its_fit_and_no_other() {
    let rows = iris();
    let data = DatasetBase::from(rows.view());
    let (kmeans, mixture) = (KMeans::params(5).tolerance(0.0), GaussianMixture::params(3).n_runs(4));
    let before = (kmeans.clone().fit(&data).unwrap(), mixture.clone().fit(&data).unwrap());
    let falls = |_: &Progress| -> ControlFlow<()> { panic!("the observer falls") };
    for threads in [Threads::One, Threads::Count(3), Threads::Ambient] {
        let fits: [&dyn Fn(); 3] = [
            &|| drop(kmeans.clone().threads(threads).fit_observed(&rows, None, &mut falls.clone())),
            &|| drop(mixture.clone().threads(threads).fit_observed(&rows, None, &mut falls.clone())),
            &|| drop(kmeans.check_ref().unwrap().fit_source(&Chunked::new(&rows, None, 40), &mut falls.clone())),
        ];
        for fit in fits {
            let fallen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(fit)).unwrap_err();
            assert_eq!(fallen.downcast_ref(), Some(&"the observer falls"));
        }
        assert_eq!(kmeans.clone().threads(threads).fit(&data).unwrap().centroids(), before.0.centroids());
        assert_eq!(mixture.clone().threads(threads).fit(&data).unwrap().means(), before.1.means());
    }
}

#[test]
fn precisions_are_inverses_and_samples_come_from_the_mixture() {
    let data = DatasetBase::from(iris());
    let model = GaussianMixture::params(2).n_runs(3).fit(&data).unwrap();
    let product =
        model.precisions().index_axis(ndarray::Axis(0), 1).dot(&model.covariances().index_axis(ndarray::Axis(0), 1));
    assert!((product - Array2::<f64>::eye(4)).iter().all(|x| x.abs() < 1e-8));

    let mut rng = <rand_xoshiro::Xoshiro256Plus as rand::SeedableRng>::seed_from_u64(1);
    let (rows, labels) = model.sample(20_000, &mut rng);
    for c in 0..2 {
        let share = labels.iter().filter(|label| **label == c).count() as f64 / 20_000.0;
        assert!((share - model.weights()[c]).abs() < 0.02);
    }
    let expected = model.means().t().dot(model.weights());
    let mean = rows.mean_axis(ndarray::Axis(0)).unwrap();
    assert!((mean - expected).iter().all(|x| x.abs() < 0.05));
    // A mixture fits its own samples as well as a fit of them does.
    let refit = GaussianMixture::params(2).fit(&DatasetBase::from(rows.view())).unwrap();
    let own = model.score(&DatasetBase::from(rows.view())).unwrap();
    assert!((refit.log_likelihood() / 20_000.0 - own).abs() < 0.01);
}

#[test]
fn time_is_reported() {
    let model = KMeans::params(3).fit(&DatasetBase::from(iris())).unwrap();
    let Seconds { init, fit } = model.report().seconds;
    assert!(init > 0.0 && fit > 0.0);
}

#[cfg(feature = "linfa-nn")]
#[test]
fn distances_of_linfa_will_do() {
    let data = DatasetBase::from(iris());
    let rng = || <rand_xoshiro::Xoshiro256Plus as rand::SeedableRng>::seed_from_u64(42);
    let theirs = KMeans::params_with(3, rng(), linfa_nn::distance::L2Dist).fit(&data).unwrap();
    let ours = KMeans::params_with_rng(3, rng()).fit(&data).unwrap();
    assert_eq!(theirs.centroids(), ours.centroids());
    assert_eq!(theirs.report().trace, ours.report().trace);
}
