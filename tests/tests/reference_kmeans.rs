//! K-means from recorded starts reaches what scikit-learn and R reach.

use miscela::L2;
use miscela::prelude::*;
use miscela_tests::{Record, assert_close, assert_means, data, narrow, step_weights};
use ndarray::{Array2, Axis};

/// Sets without exact ties: everything is compared.
const PLAIN: [&str; 7] =
    ["faithful_k2", "faithful_k5", "galaxies_k4", "iris_k3", "iris_k10", "penguins_k3", "penguins@scaled_k6"];
/// Whole numbers, where rows lie at exactly the same distance from two centres, at the latest in the first iteration. Ties
/// go to the lowest index here and as they are rounded in scikit-learn, which centres the data first; the fits part ways
/// from there, and need not meet again.
const TIED: [&str; 3] = ["digits_k10", "digits_k64", "china_pixels_k16"];
/// How far apart: 4e-3 half way, for 64 clusters; 2e-3 at the end.
const TIED_TOLERANCE: f64 = 5e-3;

/// A recorded start with its data.
struct Case {
    rows: Array2<f64>,
    k: usize,
    start: Record,
}

impl Case {
    fn all(files: &[&str]) -> Vec<Case> {
        let mut cases = Vec::new();
        for file in files {
            let record = Record::read(&format!("sklearn/kmeans_{file}.json"));
            let rows = data(&record.text("data"));
            for (_, start) in record.at("starts").parts() {
                cases.push(Case { rows: rows.clone(), k: record.count("k"), start });
            }
        }
        cases
    }

    fn centres(&self) -> Array2<f64> {
        self.rows.select(Axis(0), &self.start.counts("init_rows"))
    }

    fn params(&self) -> KMeansParams<f64, rand_xoshiro::Xoshiro256Plus, L2> {
        KMeans::params(self.k)
            .init_method(KMeansInit::Precomputed(self.centres()))
            .tolerance(0.0)
            .max_n_iterations(1000)
    }

    fn dataset(&self) -> DatasetBase<Array2<f64>, ()> {
        DatasetBase::new(self.rows.clone(), ())
    }
}

/// Inertia, sizes, centres and, where they were recorded, labels and iterations.
fn compare(model: &KMeans<f64>, rows: &Array2<f64>, expected: &Record) {
    let what = expected.name();
    assert_close(what, model.inertia_sum(), expected.number("inertia"), 1e-9);
    assert_eq!(model.report().iterations, expected.count("n_iter"), "{what}");
    if expected.has("sizes") {
        assert_eq!(model.sizes(), expected.counts("sizes"), "{what}");
        assert_means(what, model.centroids(), &expected.matrix("centers"), 1e-9);
    }
    if expected.has("labels") {
        assert_eq!(model.predict(rows).to_vec(), expected.counts("labels"), "{what}");
    }
}

#[test]
fn one_and_five_iterations_are_those_of_scikit_learn() {
    for case in Case::all(&PLAIN) {
        for (limit, part) in [(1, "after_1_iterations"), (5, "after_5_iterations")] {
            let model = case.params().max_n_iterations(limit).fit(&case.dataset()).unwrap();
            compare(&model, &case.rows, &case.start.at(part));
        }
    }
}

#[test]
fn converged_fits_are_those_of_scikit_learn() {
    for case in Case::all(&PLAIN) {
        let model = case.params().fit(&case.dataset()).unwrap();
        assert_eq!(model.report().termination, Termination::LabelsUnchanged);
        compare(&model, &case.rows, &case.start.at("converged_tol0"));
    }
}

#[test]
fn the_default_tolerance_stops_where_scikit_learn_does() {
    for case in Case::all(&PLAIN) {
        let defaults = KMeans::params(case.k).init_method(KMeansInit::Precomputed(case.centres()));
        let model = defaults.fit(&case.dataset()).unwrap();
        compare(&model, &case.rows, &case.start.at("default_tol_1e-4"));
    }
}

#[test]
fn weighted_fits_are_those_of_scikit_learn() {
    for case in Case::all(&PLAIN) {
        let weights = step_weights(case.rows.nrows());
        let model = case.params().fit_weighted(&case.rows, &weights).unwrap();
        compare(&model, &case.rows, &case.start.at("weighted_tol0"));
        assert_close("Σ w", model.cluster_count().sum(), weights.sum(), 1e-12);
    }
}

/// scikit-learn adds `f32` numbers up in `f32`; miscela adds them up in `f64` and only rounds its centres. The recorded
/// inertia is good to some 1e-6 of itself, and so are the labels of rows near a boundary.
#[test]
fn single_precision_agrees_with_scikit_learn_as_far_as_that_goes() {
    for case in Case::all(&PLAIN) {
        let rows = narrow(&case.rows);
        let start = rows.select(Axis(0), &case.start.counts("init_rows"));
        let params = KMeans::params(case.k).init_method(KMeansInit::Precomputed(start)).tolerance(0.0);
        let model = params.max_n_iterations(1000).fit(&DatasetBase::new(rows, ())).unwrap();
        let expected = case.start.at("f32_tol0");
        assert_close(expected.name(), model.inertia_sum(), expected.number("inertia"), 1e-5);
        assert_eq!(model.sizes(), expected.counts("sizes"), "{}", expected.name());
    }
}

#[test]
fn with_exact_ties_the_inertia_is_near_that_of_scikit_learn() {
    for case in Case::all(&TIED) {
        let runs = [
            ("after_1_iterations", case.params().max_n_iterations(1)),
            ("after_5_iterations", case.params().max_n_iterations(5)),
            ("converged_tol0", case.params()),
            ("default_tol_1e-4", case.params().tolerance(1e-4).max_n_iterations(300)),
        ];
        for (part, params) in runs {
            let model = params.fit(&case.dataset()).unwrap();
            let expected = case.start.at(part);
            assert_close(expected.name(), model.inertia_sum(), expected.number("inertia"), TIED_TOLERANCE);
        }
        if case.start.has("weighted_tol0") {
            let model = case.params().fit_weighted(&case.rows, &step_weights(case.rows.nrows())).unwrap();
            let expected = case.start.at("weighted_tol0");
            assert_close(expected.name(), model.inertia_sum(), expected.number("inertia"), TIED_TOLERANCE);
        }
    }
}

/// The record also has Lloyd's algorithm written out in numpy, with ties to the lowest index: that is met to rounding.
#[test]
fn with_exact_ties_the_inertia_is_that_of_plain_lloyd() {
    for case in Case::all(&TIED) {
        let model = case.params().fit(&case.dataset()).unwrap();
        compare(&model, &case.rows, &case.start.at("plain_lloyd"));
    }
}

#[test]
fn r_reaches_the_same() {
    for file in ["faithful_k2", "iris_k3", "penguins_k3"] {
        let record = Record::read(&format!("rkmeans/{file}.json"));
        let rows = data(&record.text("data"));
        let start = rows.select(Axis(0), &record.counts("init_rows"));
        let params = KMeans::params(record.count("k")).init_method(KMeansInit::Precomputed(start)).tolerance(0.0);
        let model = params.fit(&DatasetBase::from(rows.clone())).unwrap();
        let expected = record.at("lloyd");
        assert_close(file, model.inertia_sum(), expected.number("tot_withinss"), 1e-9);
        assert_means(file, model.centroids(), &expected.matrix("centers"), 1e-9);
        assert_eq!(model.sizes(), expected.counts("size"), "{file}");
        assert_eq!(model.predict(&rows).to_vec(), expected.counts("labels"), "{file}");
    }
}
