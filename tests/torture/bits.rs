//! The same bits for any number of threads, whoever watches: in a fit, a selection and a streamed fit.

use miscela::prelude::*;
use miscela::{Chunked, KMeansSelection, Report, Seconds, Selection};
use miscela_tests::{Blobs, narrow};
use ndarray::Array2;
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const THREADS: [usize; 6] = [1, 2, 3, 4, 7, 16];

/// Numbers are written so that they can be read back: other bits are other words.
fn words(what: impl Debug) -> String {
    format!("{what:?}")
}

/// A report without what the clock has to do with.
fn course(report: &Report) -> Report {
    Report { seconds: Seconds::default(), ..report.clone() }
}

fn of_kmeans<F: Float>(model: &KMeans<F>) -> String {
    words((model.centroids(), model.cluster_count(), model.inertia_sum(), course(model.report())))
}

fn of_mixture<F: Float>(model: &GaussianMixture<F>) -> String {
    words((model.parameters(), model.log_likelihood(), course(model.report())))
}

/// What is found with so many threads, and with an observer or without.
fn is_the_same(what: &str, find: impl Fn(Threads, bool) -> String) {
    let alone = find(Threads::One, false);
    for threads in THREADS {
        for observed in [false, true] {
            assert!(
                find(Threads::Count(threads), observed) == alone,
                "{what}, {threads} threads, observed: {observed}"
            );
        }
    }
}

fn fits<F>(rows: &Array2<F>, weights: &[f64])
where
    F: Float + serde::Serialize + serde::de::DeserializeOwned,
{
    let source = Chunked::new(rows, Some(weights), 1_000);
    let mut seen = 0;
    let mut watch = |_: &Progress| {
        seen += 1;
        ControlFlow::Continue(())
    };
    let watch = std::sync::Mutex::new(&mut watch);
    let observing = |observed: bool, fit: &mut dyn FnMut(&mut dyn miscela::Observer) -> String| {
        if observed { fit(&mut **watch.lock().unwrap()) } else { fit(&mut ()) }
    };
    let kmeans = |threads| KMeans::<F>::params(9).n_runs(2).threads(threads).check().unwrap();
    is_the_same("k-means", |threads, observed| {
        observing(observed, &mut |watch| of_kmeans(&kmeans(threads).fit_observed(rows, Some(weights), watch).unwrap()))
    });
    is_the_same("streamed k-means", |threads, observed| {
        observing(observed, &mut |watch| of_kmeans(&kmeans(threads).fit_source(&source, watch).unwrap()))
    });
    for covariance in [Covariance::Full, Covariance::Diagonal, Covariance::TiedSpherical] {
        let mixture = |threads| {
            let params = GaussianMixture::<F>::params(5).covariance(covariance).max_n_iterations(8);
            params.threads(threads).check().unwrap()
        };
        is_the_same("a mixture", |threads, observed| {
            observing(observed, &mut |watch| {
                of_mixture(&mixture(threads).fit_observed(rows, Some(weights), watch).unwrap())
            })
        });
        is_the_same("a streamed mixture", |threads, observed| {
            observing(observed, &mut |watch| of_mixture(&mixture(threads).fit_source(&source, watch).unwrap()))
        });
    }
    assert!(seen > 0);
}

#[test]
fn fits_know_nothing_of_threads_and_observers() {
    let blobs = Blobs::new(7, 5_000, 6, 6, 6.0);
    let weights = blobs.weights.to_vec();
    fits(&blobs.rows, &weights);
    fits(&narrow(&blobs.rows), &weights);
}

#[test]
fn selections_know_nothing_of_threads_and_observers() {
    let blobs = Blobs::new(8, 2_000, 4, 3, 6.0);
    let weights = blobs.weights.to_vec();
    let source = Chunked::new(&blobs.rows, Some(&weights), 700);
    let structures = [Covariance::Full, Covariance::Diagonal, Covariance::Vev];
    let seen = Arc::new(AtomicUsize::new(0));
    let watch = || {
        let seen = seen.clone();
        move |_, _| {
            seen.fetch_add(1, Ordering::Relaxed);
        }
    };
    let mixtures = |threads, observed| {
        let params = GaussianMixture::select(1..=4, structures).n_starts(2).each(|params| params.threads(threads));
        if observed { params.told(watch()) } else { params }
    };
    let of_mixtures = |selection: Selection<f64>| words((selection.table(), of_mixture(selection.best())));
    is_the_same("a selection of mixtures", |threads, observed| {
        of_mixtures(mixtures(threads, observed).fit_records(&blobs.rows, Some(&weights)).unwrap())
    });
    is_the_same("a streamed selection of mixtures", |threads, observed| {
        of_mixtures(mixtures(threads, observed).fit_source(&source).unwrap())
    });
    let clusterings = |threads, observed| {
        let params = KMeans::select(1..=5).n_references(3).each(|params| params.threads(threads));
        if observed { params.told(watch()) } else { params }
    };
    let of_clusterings = |selection: KMeansSelection<f64>| words((selection.table(), of_kmeans(selection.best())));
    is_the_same("a selection of clusterings", |threads, observed| {
        of_clusterings(clusterings(threads, observed).fit_records(&blobs.rows, Some(&weights)).unwrap())
    });
    is_the_same("a streamed selection of clusterings", |threads, observed| {
        of_clusterings(clusterings(threads, observed).fit_source(&source).unwrap())
    });
    assert!(seen.load(Ordering::Relaxed) > 0);
}
