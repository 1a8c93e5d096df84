//! What must not change a single bit: threads, memory layout, files.

use miscela::prelude::*;
use miscela_tests::{Blobs, narrow};
use ndarray::{Array1, Array2, ArrayView2, Axis, ShapeBuilder, Slice};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

/// Enough for four lanes of whole blocks, and work enough to be shared.
fn blobs() -> Blobs {
    Blobs::new(7, 5_000, 6, 6, 6.0)
}

/// Enough for four lanes of k-means, which are longer.
fn many_blobs() -> Blobs {
    Blobs::new(7, 34_000, 6, 6, 6.0)
}

fn everyone() -> [Threads; 5] {
    [Threads::One, Threads::Ambient, Threads::Count(2), Threads::Count(3), Threads::Count(7)]
}

/// All of a fit but the time it took.
fn timeless(mut report: miscela::Report) -> miscela::Report {
    report.seconds = Default::default();
    report
}

fn starts<F>() -> Vec<KMeansInit<F>> {
    let greedy = KMeansInit::GreedyKMeansPlusPlus { trials: 1 };
    vec![KMeansInit::Random, KMeansInit::KMeansPlusPlus, greedy, KMeansInit::KMeansPara]
}

fn kmeans_with_threads<F: miscela::Float>(rows: &Array2<F>, weights: &Array1<f64>) {
    for init in starts() {
        let fit = |threads| {
            let rng = Xoshiro256Plus::seed_from_u64(3);
            let params = KMeans::params_with_rng(9, rng).n_runs(2).init_method(init.clone()).threads(threads);
            params.fit_weighted(rows, weights).unwrap()
        };
        let one = fit(Threads::One);
        for threads in everyone() {
            let model = fit(threads);
            assert_eq!(model.centroids(), one.centroids(), "{} {threads:?}", init.name());
            assert_eq!(model.cluster_count(), one.cluster_count());
            assert_eq!(model.inertia_sum(), one.inertia_sum());
            assert_eq!(timeless(model.report().clone()), timeless(one.report().clone()));
        }
    }
}

#[test]
fn kmeans_does_not_know_how_many_threads_there_are() {
    let blobs = many_blobs();
    assert_eq!(miscela_kernel::Lanes::for_work(34_000, 0, 9 * 6).count(), 4);
    kmeans_with_threads(&blobs.rows, &blobs.weights);
    kmeans_with_threads(&narrow(&blobs.rows), &blobs.weights);
}

fn mixture_with_threads<F: miscela::Float>(rows: &Array2<F>, weights: &Array1<f64>) {
    for covariance in Covariance::all() {
        for assignment in [Assignment::Soft, Assignment::Hard, Assignment::Tempered(0.5)] {
            let fit = |threads| {
                let params = GaussianMixture::params(5).covariance(covariance).assignment(assignment);
                params.max_n_iterations(6).threads(threads).fit_weighted(rows, weights).unwrap()
            };
            let one = fit(Threads::One);
            for threads in everyone() {
                let model = fit(threads);
                assert_eq!(model.parameters(), one.parameters(), "{covariance} {assignment} {threads:?}");
                assert_eq!(model.log_likelihood(), one.log_likelihood());
                assert_eq!(timeless(model.report().clone()), timeless(one.report().clone()));
            }
        }
    }
}

#[test]
fn mixtures_do_not_know_how_many_threads_there_are() {
    let blobs = blobs();
    mixture_with_threads(&blobs.rows, &blobs.weights);
    mixture_with_threads(&narrow(&blobs.rows), &blobs.weights);
}

/// Calls `check` with the same rows in several layouts.
fn in_every_layout<F: miscela::Float>(rows: &Array2<F>, check: impl Fn(&str, ArrayView2<F>)) {
    let (n, d) = rows.dim();
    check("rows one after the other", rows.view());

    let mut columns = Array2::zeros((n, d).f());
    columns.assign(rows);
    assert!(!columns.is_standard_layout() || d == 1);
    check("columns one after the other", columns.view());

    let mut wide = Array2::from_elem((n, 2 * d + 1), F::nan());
    wide.slice_axis_mut(Axis(1), Slice::new(1, None, 2)).assign(rows);
    check("every second column", wide.slice_axis(Axis(1), Slice::new(1, None, 2)));

    let mut tall = Array2::from_elem((3 * n, d), F::infinity());
    tall.slice_axis_mut(Axis(0), Slice::new(0, None, 3)).assign(rows);
    check("every third row", tall.slice_axis(Axis(0), Slice::new(0, None, 3)));

    let mut backwards = Array2::zeros((n, d));
    backwards.slice_axis_mut(Axis(0), Slice::new(0, None, -1)).assign(rows);
    check("backwards in memory", backwards.slice_axis(Axis(0), Slice::new(0, None, -1)));

    let mut mirrored = Array2::zeros((n, d));
    mirrored.slice_axis_mut(Axis(1), Slice::new(0, None, -1)).assign(rows);
    check("columns backwards in memory", mirrored.slice_axis(Axis(1), Slice::new(0, None, -1)));
}

fn layouts<F: miscela::Float>(rows: Array2<F>, weights: &Array1<f64>) {
    let dataset = |rows: ArrayView2<F>| DatasetBase::new(rows.to_owned(), ());
    let kmeans = KMeans::params(5).fit_weighted(&rows, weights).unwrap();
    let mixture = GaussianMixture::params(4).fit_weighted(&rows, weights).unwrap();
    let ds = dataset(rows.view());
    let row_labels: Vec<usize> = rows.outer_iter().map(|row| kmeans.predict(&row)).collect();
    in_every_layout(&rows, |layout, view| {
        let again = KMeans::params(5).fit_weighted(&view, weights).unwrap();
        assert_eq!(again.centroids(), kmeans.centroids(), "{layout}");
        assert_eq!(again.inertia_sum(), kmeans.inertia_sum(), "{layout}");
        assert_eq!(kmeans.predict(&view), kmeans.predict(&rows), "{layout}");
        assert_eq!(kmeans.predict(&view).to_vec(), row_labels, "{layout}");
        assert_eq!(kmeans.transform(&view), kmeans.transform(&rows), "{layout}");
        assert_eq!(kmeans.distances(&view), kmeans.distances(&rows), "{layout}");

        let again = GaussianMixture::params(4).fit_weighted(&view, weights).unwrap();
        assert_eq!(again.parameters(), mixture.parameters(), "{layout}");
        assert_eq!(mixture.predict(&view), mixture.predict(&rows), "{layout}");
        assert_eq!(mixture.predict_proba(&view), mixture.predict_proba(&rows), "{layout}");
        assert_eq!(mixture.score_samples(&view), mixture.score_samples(&rows), "{layout}");

        // Datasets of views, too.
        let views = DatasetBase::new(view, ());
        assert_eq!(mixture.score(&views).unwrap(), mixture.score(&ds).unwrap(), "{layout}");
        assert_eq!(
            KMeans::params(5).fit(&views).unwrap().centroids(),
            KMeans::params(5).fit(&ds).unwrap().centroids(),
            "{layout}"
        );
    });
}

#[test]
fn the_layout_in_memory_does_not_matter() {
    for d in [1, 5] {
        let blobs = Blobs::new(11, 700, d, 4, 6.0);
        layouts(blobs.rows.clone(), &blobs.weights);
        layouts(narrow(&blobs.rows), &blobs.weights);
    }
}

/// linfa's weights are `f32`, and may be strided.
#[test]
fn weights_of_a_dataset_are_honoured() {
    let blobs = Blobs::new(13, 300, 3, 3, 6.0);
    let narrow: Array1<f32> = blobs.weights.mapv(|w| w as f32);
    let dataset = DatasetBase::new(blobs.rows.clone(), ()).with_weights(narrow.clone());
    let widened = narrow.mapv(f64::from);
    let (by_dataset, by_hand) =
        (KMeans::params(4).fit(&dataset), KMeans::params(4).fit_weighted(&blobs.rows, &widened));
    let (by_dataset, by_hand) = (by_dataset.unwrap(), by_hand.unwrap());
    assert_eq!(by_dataset.centroids(), by_hand.centroids());
    assert_ne!(
        by_dataset.centroids(),
        KMeans::params(4).fit(&DatasetBase::from(blobs.rows.clone())).unwrap().centroids()
    );
    let (by_dataset, by_hand) = (
        GaussianMixture::params(3).fit(&dataset).unwrap(),
        GaussianMixture::params(3).fit_weighted(&blobs.rows, &widened).unwrap(),
    );
    assert_eq!(by_dataset.parameters(), by_hand.parameters());
    assert_eq!(by_dataset.bic(&dataset).unwrap(), by_dataset.evaluate(&blobs.rows, widened.as_slice()).unwrap().bic);
}

fn round_trip<F: miscela::Float + serde::Serialize + serde::de::DeserializeOwned>(rows: &Array2<F>) {
    let folder = tempfile::tempdir().unwrap();
    let dataset = DatasetBase::new(rows.clone(), ());
    for ending in ["json", "cbor"] {
        let path = folder.path().join(format!("model.{ending}"));
        let model = KMeans::params(6).n_runs(2).fit(&dataset).unwrap();
        model.save(&path).unwrap();
        let again = KMeans::<F>::load(&path).unwrap();
        assert_eq!(again, model);
        assert_eq!(again.predict(rows), model.predict(rows));
        assert_eq!(again.transform(rows), model.transform(rows));
        for covariance in Covariance::all() {
            let model = GaussianMixture::params(3).covariance(covariance).fit(&dataset).unwrap();
            model.save(&path).unwrap();
            let again = GaussianMixture::<F>::load(&path).unwrap();
            assert_eq!(again, model);
            assert_eq!(again.predict_proba(rows), model.predict_proba(rows));
            assert_eq!(again.score_samples(rows), model.score_samples(rows));
        }
    }
}

#[test]
fn a_model_read_back_predicts_the_same_bits() {
    let blobs = Blobs::new(17, 400, 3, 4, 5.0);
    round_trip(&blobs.rows);
    round_trip(&narrow(&blobs.rows));
}
