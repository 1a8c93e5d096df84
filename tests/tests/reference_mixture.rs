//! Mixtures from recorded start partitions reach what scikit-learn and mclust reach.
//!
//! N iterations here are N of scikit-learn's and N + 1 of mclust's, which counts the M-step on the start partition.

use miscela::prelude::*;
use miscela_tests::{
    Record, assert_close, assert_covariances, assert_means, assert_near, data, dense, labels, step_weights,
};
use ndarray::{Array1, Array2, Array3};

/// On log-likelihoods and parameters; what the issue asks for.
const TOLERANCE: f64 = 1e-6;

/// Data, a start partition, and a structure.
#[derive(Clone)]
struct Case {
    rows: Array2<f64>,
    weights: Option<Array1<f64>>,
    k: usize,
    start: Vec<usize>,
    covariance: Covariance,
    mixing: Mixing,
    reg_covariance: f64,
}

impl Case {
    fn fit(&self, max_n_iterations: usize, tolerance: f64) -> GaussianMixture<f64> {
        let params = GaussianMixture::params(self.k)
            .covariance(self.covariance)
            .mixing(self.mixing.clone())
            .reg_covariance(self.reg_covariance)
            .init_method(GmmInitMethod::Labels(self.start.clone()))
            .max_n_iterations(max_n_iterations as u64)
            .tolerance(tolerance);
        match &self.weights {
            Some(weights) => params.fit_weighted(&self.rows, weights).unwrap(),
            None => params.fit(&DatasetBase::new(self.rows.clone(), ())).unwrap(),
        }
    }

    fn dataset(&self) -> DatasetBase<Array2<f64>, ()> {
        DatasetBase::new(self.rows.clone(), ())
    }
}

/// k matrices as mclust lists them.
fn matrices(record: &Record) -> Array3<f64> {
    record.array("cov").into_dimensionality().unwrap()
}

/// Whether there is no more to gain: it stopped by itself, or the last steps are rounding. (Where variances are tiny, the
/// log-likelihood has fewer digits than the rule for stopping at tolerance 0 hopes for.)
fn settled(model: &GaussianMixture<f64>) -> bool {
    let report = model.report();
    let last = &report.trace[report.trace.len().saturating_sub(10)..];
    let spread =
        last.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x)) - last.iter().fold(f64::INFINITY, |m, x| m.min(*x));
    report.converged() || spread <= 1e-12 * model.log_likelihood().abs()
}

fn compare_parameters(
    what: &str,
    model: &GaussianMixture<f64>,
    weights: &Array1<f64>,
    means: &Array2<f64>,
    tolerance: f64,
) {
    assert_near(&format!("{what}: weights"), model.weights(), weights, tolerance);
    assert_means(&format!("{what}: means"), model.means(), means, tolerance);
}

mod scikit_learn {
    use super::*;

    const FILES: [&str; 8] = [
        "faithful_k2_hc",
        "faithful_k3_hc",
        "faithful_k5_km",
        "galaxies_k4_hc",
        "iris_k2_hc",
        "iris_k3_hc",
        "iris_k10_km",
        "penguins_k3_hc",
    ];

    /// Every structure and regularisation recorded in a file, as cases with what is expected.
    fn cases(file: &str) -> Vec<(Case, Record)> {
        let record = Record::read(&format!("sklearn/gmm_{file}.json"));
        let start = match record.has("start_labels") {
            true => record.counts("start_labels"),
            false => labels(&format!("tests/reference/sklearn/{}", record.text("start_labels_file"))),
        };
        let rows = data(&record.text("data"));
        let of_key = |(key, expected): (String, Record)| {
            let (covariance, reg) = key.split_once("_reg").unwrap();
            let case = Case {
                rows: rows.clone(),
                weights: None,
                k: record.count("k"),
                start: start.clone(),
                covariance: covariance.parse().unwrap(),
                mixing: Mixing::Free,
                reg_covariance: reg.parse().unwrap(),
            };
            (case, expected)
        };
        record.at("gmm").parts().into_iter().map(of_key).collect()
    }

    fn compare(case: &Case, model: &GaussianMixture<f64>, expected: &Record) {
        let (what, n, d) = (expected.name(), case.rows.nrows(), case.rows.ncols());
        let mean_log_likelihood = expected.number("mean_loglik_at_final");
        assert_close(what, model.log_likelihood(), mean_log_likelihood * n as f64, TOLERANCE);
        assert_close(what, model.score(&case.dataset()).unwrap(), mean_log_likelihood, TOLERANCE);
        assert_close(what, model.bic(&case.dataset()).unwrap(), expected.number("bic"), TOLERANCE);
        assert_close(what, model.aic(&case.dataset()).unwrap(), expected.number("aic"), TOLERANCE);
        assert_eq!(model.n_parameters(), expected.count("n_parameters"), "{what}");
        assert_eq!(model.sizes(), expected.counts("label_counts"), "{what}");
        compare_parameters(what, model, &expected.vector("weights"), &expected.matrix("means"), TOLERANCE);
        if expected.has("covariances") {
            let covariances = dense(case.covariance, expected.array("covariances"), case.k, d);
            assert_covariances(what, &model.covariances(), &covariances, TOLERANCE);
        }
        if expected.has("predict_proba_first") {
            let first = expected.matrix("predict_proba_first");
            let rows = case.rows.select(ndarray::Axis(0), &(0..first.nrows()).collect::<Vec<_>>());
            assert_near(what, &model.predict_proba(&rows), &first, TOLERANCE);
        }
    }

    #[test]
    fn after_so_many_iterations_parameters_agree() {
        for (case, expected) in FILES.into_iter().flat_map(cases) {
            for (iterations, part) in [(1, "after_1"), (5, "after_5")] {
                let expected = expected.at(part);
                assert_eq!(expected.count("n_iter"), iterations);
                compare(&case, &case.fit(iterations, 0.0), &expected);
            }
        }
    }

    /// The parameters of a converged fit are only as certain as the likelihood is curved, so they are compared after as
    /// many iterations; that miscela too stops at this likelihood is asked of its own convergence.
    #[test]
    fn converged_fits_agree() {
        for (case, expected) in FILES.into_iter().flat_map(cases) {
            if expected.has("converged_tol1e-12") {
                let expected = expected.at("converged_tol1e-12");
                compare(&case, &case.fit(expected.count("n_iter"), 0.0), &expected);
                let model = case.fit(5_000, 0.0);
                assert!(settled(&model), "{}", expected.name());
                let log_likelihood = expected.number("mean_loglik_at_final") * case.rows.nrows() as f64;
                assert_close(expected.name(), model.log_likelihood(), log_likelihood, TOLERANCE);
            }
        }
    }

    /// Both stop when the mean log-likelihood rises by less than 1e-3. scikit-learn judges by that of the parameters
    /// before the last M-step, so that it goes on for one iteration more.
    #[test]
    fn the_default_tolerance_stops_alike() {
        for (case, expected) in FILES.into_iter().flat_map(cases) {
            if expected.has("default_tol1e-3") {
                let expected = expected.at("default_tol1e-3");
                compare(&case, &case.fit(expected.count("n_iter"), 0.0), &expected);
            }
        }
    }

    #[test]
    fn a_large_picture_agrees() {
        for (case, expected) in cases("china_pixels_k16_km") {
            compare(&case, &case.fit(3, 0.0), &expected.at("after_3"));
        }
    }
}

mod mclust {
    use super::*;

    /// Every start and structure in a file, as cases with what is expected.
    fn cases(file: &str) -> Vec<(Case, Record)> {
        let record = Record::read(&format!("mclust/{file}.json"));
        let rows = match file {
            "faithful_waiting_1d" => data("faithful").select(ndarray::Axis(1), &[1]),
            _ => data(&record.text("data")),
        };
        let mut cases = Vec::new();
        let starts = if record.has("me") { record.at("me").parts() } else { vec![("".into(), record.clone())] };
        for (_, start) in starts {
            let equal = start.has("equal_pro");
            let models = start.at(if equal { "equal_pro" } else { "models" });
            for (name, expected) in models.parts() {
                let case = Case {
                    rows: rows.clone(),
                    weights: record.has("weights").then(|| step_weights(rows.nrows())),
                    k: start.count("G"),
                    start: start.counts("start_labels"),
                    covariance: name.parse().unwrap(),
                    mixing: if equal { Mixing::Equal } else { Mixing::Free },
                    reg_covariance: 0.0,
                };
                cases.push((case, expected));
            }
        }
        cases
    }

    /// On parameters: where mclust iterates within the M-step it stops at a relative change of 1.5e-8, which leaves the
    /// parameters a few digits short.
    fn tolerance(covariance: Covariance) -> f64 {
        if covariance.has_closed_form() { TOLERANCE } else { 1e-4 }
    }

    fn compare(model: &GaussianMixture<f64>, expected: &Record) {
        let (what, tolerance) = (expected.name(), tolerance(model.covariance()));
        compare_parameters(what, model, &expected.vector("pro"), &expected.matrix("mean"), tolerance);
        assert_covariances(what, &model.covariances(), &matrices(expected), tolerance);
        if expected.has("loglik") {
            assert_close(what, model.log_likelihood(), expected.number("loglik"), TOLERANCE);
        }
    }

    /// The probabilities of the first rows.
    fn compare_probabilities(case: &Case, model: &GaussianMixture<f64>, expected: &Record) {
        let z = expected.matrix("z_first");
        let rows = case.rows.select(ndarray::Axis(0), &(0..z.nrows()).collect::<Vec<_>>());
        assert_near(expected.name(), &model.predict_proba(&rows), &z, tolerance(case.covariance));
    }

    const FILES: [&str; 5] = ["faithful", "faithful_waiting_1d", "galaxies", "iris", "penguins"];

    /// mclust's VVE is compared by itself: see [`vve_is_more_likely_than_mclusts`].
    fn comparable(files: &[&str]) -> impl Iterator<Item = (Case, Record)> {
        files.iter().copied().flat_map(cases).filter(|(case, _)| case.covariance != Covariance::Vve)
    }

    #[test]
    fn the_m_step_from_a_partition_agrees() {
        for (case, expected) in comparable(&FILES) {
            let (model, after) = (case.fit(0, 0.0), expected.at("after_1_iterations"));
            compare(&model, &expected.at("mstep_from_start"));
            compare(&model, &after);
            compare_probabilities(&case, &model, &after);
        }
    }

    #[test]
    fn after_so_many_iterations_parameters_agree() {
        for (case, expected) in comparable(&FILES) {
            for n in [2, 5, 20] {
                let expected = expected.at(&format!("after_{n}_iterations"));
                // Recorded as negative where the limit was reached.
                let done = expected.number("iterations").abs() as usize;
                compare(&case.fit(done - 1, 0.0), &expected);
            }
        }
    }

    #[test]
    fn converged_fits_agree() {
        for (case, expected) in comparable(&FILES) {
            let tight = expected.at("tight_tol_1e13");
            let model = case.fit(tight.count("iterations") - 1, 0.0);
            compare(&model, &tight);
            assert_close(tight.name(), -model.bic(&case.dataset()).unwrap(), expected.number("bic_tight"), TOLERANCE);
            let model = case.fit(5_000, 0.0);
            assert!(settled(&model), "{}", tight.name());
            assert!(model.report().repairs.is_empty(), "{}", tight.name());
            assert_close(tight.name(), model.log_likelihood(), tight.number("loglik"), TOLERANCE);
        }
    }

    #[test]
    fn parameters_are_counted_alike() {
        for (case, expected) in FILES.into_iter().flat_map(cases) {
            assert_eq!(case.fit(0, 0.0).n_parameters(), expected.count("df"), "{}", expected.name());
        }
    }

    /// Σ wₖ (ln|Σₖ| + tr(Σₖ⁻¹ Sₖ)), Sₖ being full covariances from the same partition: what the M-step minimises.
    fn misfit(covariances: &Array3<f64>, full: &GaussianMixture<f64>) -> f64 {
        let (k, d) = (full.n_clusters(), full.n_features());
        let (weights, means) = (full.weights().clone(), full.means().clone());
        let mixture = miscela_em::Mixture::new(weights, means, Covariances::Full(covariances.clone()));
        let (factors, precisions) = (mixture.factors().unwrap(), mixture.precisions().unwrap());
        let of_component = |c: usize| {
            let log_determinant: f64 = (0..d).map(|j| 2.0 * factors[[c, j, j]].ln()).sum();
            let scatter = full.covariances();
            let entries = (0..d * d).map(|at| precisions[[c, at / d, at % d]] * scatter[[c, at / d, at % d]]);
            full.weights()[c] * (log_determinant + entries.sum::<f64>())
        };
        (0..k).map(of_component).sum()
    }

    /// In its M-step for VVE mclust leaves the volumes out of what the axes minimise, and so gives them the axes of EVE, which
    /// are not the most likely; its likelihood can fall from one iteration to the next. Miscela's axes are better in every
    /// M-step, and its EM ends higher.
    #[test]
    fn vve_is_more_likely_than_mclusts() {
        let mut falls = 0;
        for (case, expected) in FILES.into_iter().flat_map(cases).filter(|(case, _)| case.covariance == Covariance::Vve)
        {
            let of = |covariance| Case { covariance, ..case.clone() }.fit(0, 0.0);
            let (full, eve, vve) = (of(Covariance::Full), of(Covariance::Eve), of(Covariance::Vve));
            let theirs = matrices(&expected.at("mstep_from_start"));
            let (own, other) = (misfit(&vve.covariances(), &full), misfit(&theirs, &full));
            assert!(own < other - 1e-5, "{}: {own}, mclust {other}", expected.name());
            // mclust's matrices commute with EVE's: they have the same axes.
            for (a, b) in theirs.outer_iter().zip(eve.covariances().outer_iter()) {
                let (ab, ba) = (a.dot(&b), b.dot(&a));
                assert_near(&format!("{}: axes", expected.name()), &ab, &ba, 1e-4);
            }
            let (model, tight) = (case.fit(5_000, 0.0), expected.at("tight_tol_1e13").number("loglik"));
            assert!(model.log_likelihood() > tight, "{}: {}", expected.name(), model.log_likelihood());
            falls += usize::from(tight < expected.at("after_20_iterations").number("loglik") - 1e-3);
        }
        assert!(falls > 0, "mclust's likelihood fell nowhere");
    }

    /// Where mclust gives up as a covariance is singular, there is a fit, and a report of what was raised.
    #[test]
    fn models_that_mclust_cannot_fit_are_fitted() {
        let record = Record::read("mclust/iris_not_fitted.json");
        let mut count = 0;
        for (_, start) in record.at("starts").parts() {
            for covariance in start.texts("not_fitted") {
                let case = Case {
                    rows: data("iris"),
                    weights: None,
                    k: start.count("G"),
                    start: start.counts("start_labels"),
                    covariance: covariance.parse().unwrap(),
                    mixing: Mixing::Free,
                    reg_covariance: 0.0,
                };
                let model = case.fit(1_000, 0.0);
                assert!(
                    model.log_likelihood().is_finite() && model.log_likelihood() > case.fit(0, 0.0).log_likelihood()
                );
                assert!(!model.report().repairs.is_empty(), "{covariance} {}", case.k);
                count += 1;
            }
        }
        assert_eq!(count, 6);
    }

    #[test]
    fn weighted_fits_agree() {
        for (case, expected) in comparable(&["faithful_weighted", "iris_weighted"]) {
            for (iterations, part) in [(0, "after_1"), (4, "after_5")] {
                let model = case.fit(iterations, 0.0);
                compare(&model, &expected.at(part));
                compare_probabilities(&case, &model, &expected.at(part));
            }
            let model = case.fit(5_000, 0.0);
            let expected = expected.at("converged");
            assert_close(expected.name(), model.log_likelihood(), expected.number("loglik"), TOLERANCE);
        }
    }

    #[test]
    fn fits_with_equal_weights_agree() {
        for (case, expected) in comparable(&["faithful_equal_pro", "galaxies_equal_pro", "iris_equal_pro"]) {
            let model = case.fit(expected.count("iterations") - 1, 0.0);
            compare(&model, &expected);
            assert_eq!(model.n_parameters(), case.fit_free().n_parameters() - (case.k - 1));
        }
    }

    impl Case {
        fn fit_free(&self) -> GaussianMixture<f64> {
            Case { mixing: Mixing::Free, ..self.clone() }.fit(0, 0.0)
        }
    }
}
