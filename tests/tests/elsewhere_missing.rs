//! Fits of rows with gaps that are elsewhere are the fits in memory.

use miscela::prelude::*;
use miscela::{Chunked, KMeansError, RepairAction, SamplesError, Streamed};
use miscela_tests::{Blobs, assert_close, assert_near, data};
use ndarray::{Array2, array};
use rand_xoshiro::Xoshiro256Plus;

const K: usize = 3;

/// Rows in blobs with about a fifth of their values missing, in all but the last third; a row in twelve shows nothing.
fn holes(seed: u64) -> (Array2<f64>, Vec<f64>, Array2<f64>) {
    let blobs = Blobs::new(seed, 900, 3, K, 8.0);
    let mut rows = blobs.rows.clone();
    for ((i, j), x) in rows.indexed_iter_mut() {
        if i < 600 && ((i * 31 + j * 17).is_multiple_of(5) || i % 12 == 7) {
            *x = f64::NAN;
        }
    }
    (rows, blobs.weights.to_vec(), blobs.centres)
}

fn mixture(start: &Array2<f64>, covariance: Covariance) -> GmmParams<f64, Xoshiro256Plus> {
    let params = GaussianMixture::params(K).init_method(GmmInitMethod::means(start.clone())).covariance(covariance);
    params.missing(Missing::Marginal).tolerance(1e-7).max_n_iterations(60)
}

fn kmeans(start: &Array2<f64>) -> KMeansParams<f64, Xoshiro256Plus, miscela::L2> {
    let init = KMeansInit::Precomputed(start.clone());
    KMeans::params(start.nrows()).init_method(init).missing(Missing::Marginal).tolerance(0.0)
}

#[test]
fn one_chunk_is_the_mixture_in_memory_to_the_bit_whatever_its_structure() {
    let (rows, weights, start) = holes(3);
    for covariance in Covariance::all() {
        for assignment in [Assignment::Soft, Assignment::Hard, Assignment::Tempered(0.5)] {
            let params = mixture(&start, covariance).assignment(assignment);
            let memory = params.fit_weighted(&rows, &weights).unwrap();
            let streamed = params.fit_source(&Chunked::new(&rows, Some(&weights), 0), &mut ()).unwrap();
            assert_eq!(streamed.means(), memory.means(), "{covariance} {assignment:?}");
            assert_eq!(streamed.covariances(), memory.covariances(), "{covariance} {assignment:?}");
            assert_eq!(streamed.sizes(), memory.sizes());
            assert_eq!(streamed.report().trace, memory.report().trace);
            assert_eq!(streamed.report().n_missing, memory.report().n_missing);
            assert_eq!(streamed.training_score().icl, memory.training_score().icl);
        }
    }
}

#[test]
fn any_chunks_give_the_same_mixture_to_rounding_and_any_threads_to_the_bit() {
    let (rows, weights, start) = holes(4);
    let cases = [(Covariance::Full, Assignment::Soft), (Covariance::TiedSpherical, Assignment::Hard)];
    for (covariance, assignment) in cases {
        // By equal weights too, where hard spheres are k-means and have a kernel of their own.
        let params = mixture(&start, covariance).assignment(assignment).mixing(Mixing::Equal);
        let memory = params.fit_weighted(&rows, &weights).unwrap();
        for size in [77, 300, 899] {
            let source = Chunked::new(&rows, Some(&weights), size);
            let streamed = params.fit_source(&source, &mut ()).unwrap();
            assert_eq!(streamed.report().iterations, memory.report().iterations, "{covariance} {size}");
            assert_near("means", streamed.means(), memory.means(), 1e-10);
            assert_close(
                "trace",
                *streamed.report().trace.last().unwrap(),
                *memory.report().trace.last().unwrap(),
                1e-11,
            );
            for threads in [1, 3] {
                let again = params.clone().threads(Threads::Count(threads)).fit_source(&source, &mut ()).unwrap();
                assert_eq!(again.means(), streamed.means());
            }
        }
    }
}

#[test]
fn kmeans_is_that_in_memory() {
    let (rows, weights, start) = holes(5);
    let memory = kmeans(&start).check().unwrap().fit_observed(&rows, Some(&weights), &mut ()).unwrap();
    for size in [0, 100, 333] {
        let source = Chunked::new(&rows, Some(&weights), size);
        let streamed = kmeans(&start).fit_source(&source, &mut ()).unwrap();
        assert_near("centroids", streamed.centroids(), memory.centroids(), 1e-12);
        assert_eq!(streamed.sizes(), memory.sizes());
        assert_close("inertia", streamed.inertia_sum(), memory.inertia_sum(), 1e-12);
        assert_eq!(streamed.report().iterations, memory.report().iterations);
        for (a, b) in streamed.report().trace.iter().zip(&memory.report().trace) {
            assert_close("trace", *a, *b, 1e-12);
        }
        assert_eq!(streamed.report().n_missing, memory.report().n_missing);
        // The model knows what to do about gaps in rows to come.
        assert_eq!(streamed.predict(&rows), memory.predict(&rows));
    }
}

#[test]
fn an_empty_cluster_takes_a_row_with_gaps() {
    // The third centre is nobody's, and the row that is served worst shows one column.
    let mut rows = Array2::from_shape_fn((60, 2), |(i, j)| (i % 2) as f64 * 4.0 + ((i * 7 + j * 3) % 5) as f64 / 10.0);
    rows.row_mut(17).assign(&array![50.0, f64::NAN]);
    rows[[30, 0]] = f64::NAN;
    let start = array![[0.0, 0.0], [4.0, 4.0], [900.0, 900.0]];
    let memory = kmeans(&start).fit(&DatasetBase::from(rows.clone())).unwrap();
    for size in [0, 20] {
        let streamed = kmeans(&start).fit_source(&Chunked::new(&rows, None, size), &mut ()).unwrap();
        assert!(streamed.report().repairs.iter().any(|repair| repair.action == RepairAction::Relocated));
        assert_near("centroids", streamed.centroids(), memory.centroids(), 1e-12);
        assert_eq!(streamed.sizes(), memory.sizes());
    }
    let hard = |size| {
        let params = mixture(&start, Covariance::Spherical).assignment(Assignment::Hard).mixing(Mixing::Equal);
        let start = miscela::Mixture::new(
            array![1.0, 1.0, 1.0] / 3.0,
            start.clone(),
            miscela::Covariances::Spherical(array![1.0, 1.0, 1.0]),
        );
        let params = params.init_method(GmmInitMethod::from(&start));
        match size {
            None => params.fit(&DatasetBase::from(rows.clone())).unwrap(),
            Some(size) => params.fit_source(&Chunked::new(&rows, None, size), &mut ()).unwrap(),
        }
    };
    for size in [0, 20] {
        assert_near("means", hard(Some(size)).means(), hard(None).means(), 1e-10);
    }
}

#[test]
fn starts_are_found_in_rows_with_gaps() {
    let mut rows = data("iris");
    rows.indexed_iter_mut().filter(|((i, j), _)| (i * 5 + j).is_multiple_of(9)).for_each(|(_, x)| *x = f64::NAN);
    let source = Chunked::new(&rows, None, 40);
    let complete = KMeans::params(3).n_runs(5).fit(&DatasetBase::from(data("iris"))).unwrap();
    for init in [KMeansInit::KMeansPlusPlus, KMeansInit::KMeansPara, KMeansInit::Random] {
        let params = KMeans::params(3).init_method(init).n_runs(5).missing(Missing::Marginal);
        let streamed = params.fit_source(&source, &mut ()).unwrap();
        assert!(streamed.inertia_sum() < complete.inertia_sum());
    }
    for init in [GmmInitMethod::KMeans, GmmInitMethod::KMeansPara, GmmInitMethod::Hierarchical] {
        let params = GaussianMixture::params(3).init_method(init.clone()).missing(Missing::Marginal);
        let (streamed, memory) =
            (params.fit_source(&source, &mut ()).unwrap(), params.fit(&DatasetBase::from(rows.clone())));
        let (streamed, memory) = (streamed.training_score(), memory.unwrap().training_score());
        assert!((streamed.log_likelihood - memory.log_likelihood).abs() < 20.0, "{init:?}");
    }
}

#[test]
fn a_column_without_values_is_refused_and_gaps_are_errors_unless_asked_for() {
    let (mut rows, ..) = holes(6);
    let source = Chunked::new(&rows, None, 100);
    let error = KMeans::params(2).fit_source(&source, &mut ()).unwrap_err().to_string();
    assert!(error.contains("has no value"), "{error}");
    rows.column_mut(1).fill(f64::NAN);
    let source = Chunked::new(&rows, None, 100);
    let error = KMeans::params(2).missing(Missing::Marginal).fit_source(&source, &mut ()).unwrap_err();
    assert!(matches!(error, KMeansError::Samples(SamplesError::EmptyColumn { column: 1 })), "{error}");
    let error = GaussianMixture::params(2).missing(Missing::Marginal).fit_source(&source, &mut ()).unwrap_err();
    assert!(error.to_string().contains("column 1"), "{error}");
}

#[test]
fn a_model_is_scored_on_rows_with_gaps() {
    let (rows, weights, start) = holes(8);
    let model = mixture(&start, Covariance::Full).fit_weighted(&rows, &weights).unwrap();
    let source = Chunked::new(&rows, Some(&weights), 250);
    let mut workers = Streamed::new(&source, Threads::One).with_missing(Missing::Marginal);
    let (elsewhere, here) = (model.score_over(&mut workers).unwrap(), model.evaluate(&rows, Some(&weights)).unwrap());
    assert_close("log-likelihood", elsewhere.log_likelihood, here.log_likelihood, 1e-12);
    assert_close("icl", elsewhere.icl, here.icl, 1e-12);
}
