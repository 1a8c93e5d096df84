//! Bayesian mixtures from recorded start partitions reach what scikit-learn's `BayesianGaussianMixture` reaches: the lower
//! bound of every iteration, the posterior, and the probabilities that follow from it.

use miscela::prelude::*;
use miscela::{Covariances, WeightConcentration};
use miscela_tests::{Record, assert_close, assert_covariances, assert_means, assert_near, data, dense};
use ndarray::{Array2, Axis, aview1};

/// On bounds and parameters; what the issue asks for.
const TOLERANCE: f64 = 1e-6;

const FILES: [&str; 4] = ["faithful_k5_km", "galaxies_k4_hc", "iris_k10_km", "penguins_k3_hc"];

struct Case {
    rows: Array2<f64>,
    k: usize,
    start: Vec<usize>,
    covariance: Covariance,
    process: bool,
}

impl Case {
    fn params(&self) -> BayesianParams<f64, impl rand::Rng + Clone> {
        let concentration = 1.0 / self.k as f64;
        BayesianMixture::params(self.k)
            .covariance(self.covariance)
            .weight_prior(self.weight_prior(concentration))
            .init_method(GmmInitMethod::Labels(self.start.clone()))
    }

    fn weight_prior(&self, concentration: f64) -> WeightPrior {
        match self.process {
            true => WeightPrior::DirichletProcess(concentration),
            false => WeightPrior::Dirichlet(concentration),
        }
    }

    fn dataset(&self) -> DatasetBase<Array2<f64>, ()> {
        DatasetBase::new(self.rows.clone(), ())
    }

    fn fit(&self, iterations: usize) -> BayesianMixture<f64> {
        let params = self.params().max_n_iterations(iterations as u64).tolerance(0.0);
        params.fit(&self.dataset()).unwrap()
    }

    /// Everything that is recorded.
    fn compare(&self, model: &BayesianMixture<f64>, expected: &Record) {
        let (what, d) = (expected.name(), self.rows.ncols());
        assert_close(what, model.lower_bound(), expected.number("lower_bound"), TOLERANCE);
        let bounds = expected.vector("lower_bounds_head");
        let trace = &model.report().trace;
        assert_eq!(*trace.last().unwrap(), model.lower_bound(), "{what}");
        assert_near(what, &aview1(&trace[..bounds.len().min(trace.len())]), &bounds, TOLERANCE);
        assert_near(what, model.weights(), &expected.vector("weights"), TOLERANCE);
        assert_means(what, model.means(), &expected.matrix("means"), TOLERANCE);
        let covariances = dense(self.covariance, expected.array("covariances"), self.k, d);
        assert_covariances(what, &model.covariances(), &covariances, TOLERANCE);
        assert_near(what, &aview1(model.degrees_of_freedom()), &expected.vector("degrees_of_freedom"), TOLERANCE);
        assert_near(what, &aview1(model.mean_precision()), &expected.vector("mean_precision"), TOLERANCE);
        let concentration = match model.weight_concentration() {
            WeightConcentration::Dirichlet(all) => all.clone(),
            WeightConcentration::DirichletProcess(a, b) => [a.as_slice(), b].concat(),
        };
        assert_near(what, &aview1(&concentration), &expected.vector("weight_concentration"), TOLERANCE);
        let first = expected.matrix("predict_proba_first");
        let rows = self.rows.select(Axis(0), &(0..first.nrows()).collect::<Vec<_>>());
        assert_near(what, &model.predict_proba(&rows), &first, TOLERANCE);
        for ((p, uncertainty), entropy) in first.outer_iter().zip(model.uncertainty(&rows)).zip(model.entropy(&rows)) {
            assert!((uncertainty - 1.0 + p.fold(0.0f64, |m, p| m.max(*p))).abs() <= TOLERANCE, "{what}");
            let expected: f64 = p.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
            assert!((entropy - expected).abs() <= 10.0 * TOLERANCE, "{what}: {entropy} {expected}");
        }
        let score = model.score_samples(&self.rows).mean().unwrap();
        assert_close(what, score, expected.number("mean_loglik_at_final"), TOLERANCE);
        assert_eq!(model.sizes(), expected.counts("label_counts"), "{what}");
        let labels = model.predict(&self.rows);
        let counts = (0..self.k).map(|c| labels.iter().filter(|label| **label == c).count());
        assert_eq!(counts.collect::<Vec<_>>(), model.sizes(), "{what}");
    }
}

/// Every weight prior and structure recorded in a file, with what is expected.
fn cases(file: &str) -> Vec<(Case, Record)> {
    let record = Record::read(&format!("sklearn/bayesian_{file}.json"));
    let rows = data(&record.text("data"));
    let of_key = |(key, expected): (String, Record)| {
        let (prior, covariance) = key.rsplit_once('_').unwrap();
        let case = Case {
            rows: rows.clone(),
            k: record.count("k"),
            start: record.counts("start_labels"),
            covariance: covariance.parse().unwrap(),
            process: prior == "dirichlet_process",
        };
        (case, expected)
    };
    record.at("bayesian").parts().into_iter().map(of_key).collect()
}

#[test]
fn one_iteration_agrees() {
    for (case, expected) in FILES.into_iter().flat_map(cases) {
        case.compare(&case.fit(1), &expected.at("after_1"));
    }
}

#[test]
fn converged_fits_agree() {
    for (case, expected) in FILES.into_iter().flat_map(cases) {
        let expected = expected.at("converged_tol1e-10");
        case.compare(&case.fit(expected.count("n_iter")), &expected);
    }
}

/// The tolerance is that of scikit-learn, on the bound of all rows together.
#[test]
fn it_stops_where_scikit_learn_stops() {
    for (case, expected) in FILES.into_iter().flat_map(cases) {
        let expected = expected.at("default_tol1e-3");
        let model = case.params().max_n_iterations(1000).fit(&case.dataset()).unwrap();
        assert!(model.report().converged());
        assert_eq!(model.report().iterations, expected.count("n_iter"), "{}", expected.name());
        assert_close(expected.name(), model.lower_bound(), expected.number("lower_bound"), TOLERANCE);
    }
}

#[test]
fn priors_that_are_given_agree() {
    let mut compared = 0;
    for (case, expected) in FILES.into_iter().flat_map(cases) {
        if !expected.has("custom_prior_after_1") {
            continue;
        }
        let expected = expected.at("custom_prior_after_1");
        let d = case.rows.ncols();
        let covariance = expected.matrix("covariance_prior");
        assert_eq!(covariance.dim(), (d, d));
        let model = case
            .params()
            .weight_prior(case.weight_prior(expected.number("weight_concentration_prior")))
            .mean_precision_prior(expected.number("mean_precision_prior"))
            .mean_prior(expected.vector("mean_prior"))
            .degrees_of_freedom_prior(expected.number("degrees_of_freedom_prior"))
            .covariance_prior(Covariances::Tied(covariance))
            .max_n_iterations(1)
            .fit(&case.dataset())
            .unwrap();
        case.compare(&model, &expected);
        compared += 1;
    }
    assert_eq!(compared, 8);
}

mod laws {
    use super::*;
    use miscela::{BayesianMixtureDocument, GmmParamsError, PriorError, RepairAction};
    use miscela_tests::{Blobs, cases, narrow};
    use ndarray::Array1;
    use proptest::prelude::*;

    const STRUCTURES: [Covariance; 6] = [
        Covariance::Full,
        Covariance::Tied,
        Covariance::Diagonal,
        Covariance::Spherical,
        Covariance::TiedDiagonal,
        Covariance::TiedSpherical,
    ];

    fn priors(k: usize) -> [WeightPrior; 2] {
        [WeightPrior::Dirichlet(0.3), WeightPrior::DirichletProcess(1.0 / k as f64)]
    }

    /// Overlapping blobs with fewer rows than a mixture of so many components wants.
    fn blobs(seed: u64) -> Blobs {
        Blobs::new(seed, 60 + seed as usize % 50, 1 + seed as usize % 4, 4, 8.0)
    }

    fn params(
        blobs: &Blobs,
        covariance: Covariance,
        prior: WeightPrior,
    ) -> BayesianParams<f64, impl rand::Rng + Clone> {
        BayesianMixture::params(4)
            .covariance(covariance)
            .weight_prior(prior)
            .reg_covariance(0.0)
            .tolerance(0.0)
            .max_n_iterations(40)
            .init_method(GmmInitMethod::Labels(blobs.rough_labels()))
    }

    fn fit(blobs: &Blobs, covariance: Covariance, prior: WeightPrior) -> BayesianMixture<f64> {
        params(blobs, covariance, prior).fit(&DatasetBase::new(blobs.rows.clone(), ())).unwrap()
    }

    proptest! {
        #![proptest_config(cases(12))]

        /// For every structure: what they restrict is the belief, not the model.
        #[test]
        fn the_bound_never_falls(seed in 0u64..1_000_000) {
            let blobs = blobs(seed);
            for (covariance, prior) in STRUCTURES.iter().flat_map(|s| priors(4).map(|prior| (*s, prior))) {
                let model = fit(&blobs, covariance, prior);
                let trace = &model.report().trace;
                for pair in trace.windows(2) {
                    let slack = 1e-12 * (1.0 + pair[0].abs() + blobs.rows.len() as f64);
                    prop_assert!(pair[1] >= pair[0] - slack, "{covariance} {prior:?}: {} to {}", pair[0], pair[1]);
                }
                prop_assert!(model.report().repairs.is_empty());
            }
        }

        #[test]
        fn a_weight_is_so_many_copies(seed in 0u64..1_000_000) {
            let blobs = blobs(seed);
            let counts: Vec<usize> = (0..blobs.rows.nrows()).map(|i| (i * 7 + seed as usize) % 4).collect();
            let copies: Vec<usize> = counts.iter().enumerate().flat_map(|(i, n)| vec![i; *n]).collect();
            let labels = blobs.rough_labels();
            let repeated = blobs.rows.select(Axis(0), &copies);
            let start = GmmInitMethod::Labels(copies.iter().map(|i| labels[*i]).collect());
            let weights: Vec<f64> = counts.iter().map(|n| *n as f64).collect();
            for (covariance, prior) in STRUCTURES.iter().flat_map(|s| priors(4).map(|prior| (*s, prior))) {
                // A few iterations: later ones may magnify rounding.
                let params = params(&blobs, covariance, prior).max_n_iterations(4);
                let weighted = params.fit_weighted(&blobs.rows, &weights).unwrap();
                let expected = params.init_method(start.clone()).fit(&DatasetBase::new(repeated.clone(), ())).unwrap();
                let what = covariance.name();
                assert_near(what, &aview1(&weighted.report().trace), &aview1(&expected.report().trace), 1e-9);
                assert_near(what, weighted.means(), expected.means(), 1e-8);
                assert_near(what, &aview1(weighted.mean_precision()), &aview1(expected.mean_precision()), 1e-8);
                prop_assert!((weighted.evidence_bound() - expected.evidence_bound()).abs() < 1e-7);
            }
        }

        /// p(s x) = p(x)/s^(nd): the bound of the evidence keeps that, and nothing else changes.
        #[test]
        fn units_do_not_matter(seed in 0u64..1_000_000, exponent in -20i32..20) {
            let blobs = blobs(seed);
            let scale = 2f64.powi(exponent);
            let scaled = Blobs { rows: &blobs.rows * scale, ..blobs.clone() };
            for (covariance, prior) in STRUCTURES.iter().flat_map(|s| priors(4).map(|prior| (*s, prior))) {
                let fit = |blobs| params(blobs, covariance, prior).max_n_iterations(4)
                    .fit(&DatasetBase::new(blobs.rows.clone(), ())).unwrap();
                let (plain, scaled) = (fit(&blobs), fit(&scaled));
                let expected = plain.evidence_bound() - blobs.rows.len() as f64 * scale.ln();
                assert_close(covariance.name(), scaled.evidence_bound(), expected, 1e-9);
                assert_near(covariance.name(), scaled.means(), &(plain.means() * scale), 1e-9);
                assert_near(covariance.name(), scaled.weights(), plain.weights(), 1e-9);
            }
        }

        #[test]
        fn the_order_of_rows_does_not_matter(seed in 0u64..1_000_000) {
            let blobs = blobs(seed);
            let order = blobs.permutation(seed);
            let labels = blobs.rough_labels();
            let start = GmmInitMethod::Labels(order.iter().map(|i| labels[*i]).collect());
            for prior in priors(4) {
                let params = params(&blobs, Covariance::Full, prior).max_n_iterations(4);
                let expected = params.fit(&DatasetBase::new(blobs.rows.clone(), ())).unwrap();
                let rows = blobs.rows.select(Axis(0), &order);
                let model = params.init_method(start.clone()).fit(&DatasetBase::new(rows, ())).unwrap();
                assert_near("means", model.means(), expected.means(), 1e-9);
                assert_close("bound", model.evidence_bound(), expected.evidence_bound(), 1e-9);
            }
        }

        /// With one component nothing is approximated: the evidence is a product of Student-t densities, each of a row given
        /// those before it (Murphy 2007, §8).
        #[test]
        fn one_component_has_the_evidence_itself(seed in 0u64..1_000_000) {
            let mut blobs = blobs(2 * seed);
            if blobs.rows.ncols() > 2 {
                blobs.rows = blobs.rows.select(Axis(1), &[0, 1]);
            }
            let d = blobs.rows.ncols();
            let start = GmmInitMethod::Labels(vec![0; blobs.rows.nrows()]);
            let params = BayesianMixture::params(1).reg_covariance(0.0).init_method(start);
            let dataset = DatasetBase::new(blobs.rows.clone(), ());
            let model = params.weight_prior(WeightPrior::Dirichlet(0.7)).fit(&dataset).unwrap();
            let priors = model.priors();
            let Covariances::Tied(prior) = &priors.covariance else { panic!("not a matrix") };
            let (mut beta, mut nu) = (priors.mean_precision, priors.degrees_of_freedom);
            let (mut mean, mut scatter) = (priors.mean.clone(), prior.clone());
            let mut evidence = 0.0;
            for row in blobs.rows.outer_iter() {
                let z: Array1<f64> = &row - &mean;
                let degrees = nu - d as f64 + 1.0;
                // The scale of the Student-t is (β + 1)/(β (ν − d + 1)) W.
                let factor = (beta + 1.0) / (beta * degrees);
                let (determinant, form) = match d {
                    1 => (scatter[[0, 0]], z[0] * z[0] / scatter[[0, 0]]),
                    _ => {
                        let (a, b, c) = (scatter[[0, 0]], scatter[[0, 1]], scatter[[1, 1]]);
                        let determinant = a * c - b * b;
                        (determinant, (c * z[0] * z[0] - 2.0 * b * z[0] * z[1] + a * z[1] * z[1]) / determinant)
                    }
                };
                let log_scale = determinant.ln() + d as f64 * factor.ln();
                let total = 0.5 * (degrees + d as f64);
                evidence += log_gamma(total) - log_gamma(0.5 * degrees)
                    - 0.5 * (d as f64 * (degrees * std::f64::consts::PI).ln() + log_scale)
                    - total * (1.0 + form / factor / degrees).ln();
                let outer = z.view().insert_axis(Axis(1)).dot(&z.view().insert_axis(Axis(0)));
                scatter.scaled_add(beta / (beta + 1.0), &outer);
                mean.scaled_add(1.0 / (beta + 1.0), &z);
                (beta, nu) = (beta + 1.0, nu + 1.0);
            }
            assert_close("evidence", model.evidence_bound(), evidence, 1e-10);
        }
    }

    /// lnΓ(x) for x > 0, by Stirling's series above 20 and the recurrence below.
    fn log_gamma(x: f64) -> f64 {
        if x < 20.0 {
            return log_gamma(x + 1.0) - x.ln();
        }
        let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
        (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
    }

    #[test]
    fn one_component_makes_tied_structures_the_others() {
        let blobs = blobs(3);
        let start = GmmInitMethod::Labels(vec![0; blobs.rows.nrows()]);
        let fit = |covariance| {
            let params = BayesianMixture::params(1).covariance(covariance).init_method(start.clone());
            params.fit(&DatasetBase::new(blobs.rows.clone(), ())).unwrap()
        };
        for (own, tied) in [
            (Covariance::Full, Covariance::Tied),
            (Covariance::Diagonal, Covariance::TiedDiagonal),
            (Covariance::Spherical, Covariance::TiedSpherical),
        ] {
            let (own, tied) = (fit(own), fit(tied));
            assert_eq!(own.lower_bound(), tied.lower_bound());
            assert_eq!(own.covariances(), tied.covariances());
        }
    }

    #[test]
    fn narrow_numbers_and_threads() {
        let blobs = Blobs::new(8, 3000, 3, 4, 9.0);
        for covariance in STRUCTURES {
            // A few iterations: later ones magnify rounding.
            let prior = WeightPrior::DirichletProcess(0.25);
            let wide = params(&blobs, covariance, prior).max_n_iterations(5);
            let wide = wide.fit(&DatasetBase::new(blobs.rows.clone(), ())).unwrap();
            let start = GmmInitMethod::Labels(blobs.rough_labels());
            let params = BayesianMixture::<f32>::params(4)
                .covariance(covariance)
                .init_method(start)
                .reg_covariance(0.0)
                .tolerance(0.0)
                .max_n_iterations(5);
            let rows = narrow(&blobs.rows);
            let fit = |threads| params.clone().threads(threads).fit(&DatasetBase::new(rows.clone(), ())).unwrap();
            let (one, three) = (fit(Threads::One), fit(Threads::Count(3)));
            assert_eq!((one.parameters(), one.lower_bound()), (three.parameters(), three.lower_bound()));
            assert_eq!(one.posterior(), three.posterior());
            assert_close(covariance.name(), one.lower_bound(), wide.lower_bound(), 1e-5);
            assert_near(covariance.name(), &one.means().mapv(f64::from), wide.means(), 1e-4);
        }
    }

    /// What breaks other mixtures: the prior carries it, and where the prior itself is singular, that is reported.
    #[test]
    fn rows_that_have_no_covariance() {
        let base = Blobs::new(5, 40, 3, 4, 8.0).rows;
        let mut collinear = base.clone();
        let double = &collinear.column(0) * 2.0;
        collinear.column_mut(1).assign(&double);
        let mut constant = base.clone();
        constant.column_mut(2).fill(7.0);
        let mut outlier = base.clone();
        outlier.row_mut(3).fill(1e12);
        let wide = Blobs::new(6, 8, 12, 2, 8.0).rows;
        let same = Array2::from_elem((10, 2), 3.5);
        let singular = [true, true, false, true, true];
        for (rows, singular) in [collinear, constant, outlier, wide, same].into_iter().zip(singular) {
            for (covariance, prior) in STRUCTURES.iter().flat_map(|s| priors(4).map(|prior| (*s, prior))) {
                let labels: Vec<usize> = (0..rows.nrows()).map(|i| i % 3).collect();
                let wide = BayesianMixture::params(4).covariance(covariance).weight_prior(prior).reg_covariance(0.0);
                let wide = wide
                    .init_method(GmmInitMethod::Labels(labels.clone()))
                    .fit(&DatasetBase::new(rows.clone(), ()))
                    .unwrap();
                let short = BayesianMixture::<f32>::params(4).covariance(covariance).weight_prior(prior);
                let short =
                    short.init_method(GmmInitMethod::Labels(labels)).fit(&DatasetBase::new(narrow(&rows), ())).unwrap();
                let finite = |model: &[f64]| model.iter().all(|x| x.is_finite());
                for trace in [&wide.report().trace, &short.report().trace] {
                    assert!(finite(trace), "{covariance} {prior:?}: {trace:?}");
                }
                assert!(wide.predict_proba(&rows).iter().all(|p| p.is_finite()));
                assert!(short.predict_proba(&narrow(&rows)).iter().all(|p| p.is_finite()));
                if singular && covariance == Covariance::Full {
                    assert!(
                        wide.report().repairs.iter().any(|r| r.action == RepairAction::Floored && r.iteration == 0)
                    );
                }
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let dataset = DatasetBase::new(Blobs::new(1, 30, 2, 2, 9.0).rows, ());
        let params = || BayesianMixture::<f64>::params(2);
        let error = |params: BayesianParams<f64, _>| params.fit(&dataset).unwrap_err();
        let prior = |error| match error {
            GmmError::Prior(prior) | GmmError::InvalidParams(GmmParamsError::Prior(prior)) => prior,
            other => panic!("{other}"),
        };
        let of = |params| prior(error(params));
        assert_eq!(of(params().weight_prior(WeightPrior::Dirichlet(0.0))), PriorError::Concentration(0.0));
        assert_eq!(of(params().mean_precision_prior(-1.0)), PriorError::MeanPrecision(-1.0));
        assert_eq!(of(params().mean_prior(Array1::zeros(3))), PriorError::Mean { columns: 2 });
        let degrees = PriorError::DegreesOfFreedom { got: 1.0, columns: 2 };
        assert_eq!(of(params().degrees_of_freedom_prior(1.0)), degrees);
        let shape = PriorError::CovarianceShape { columns: 2 };
        assert_eq!(of(params().covariance_prior(Covariances::Tied(Array2::eye(3)))), shape);
        assert_eq!(of(params().covariance_prior(Covariances::Spherical(Array1::ones(2)))), shape);
        let negative = Covariances::TiedDiagonal(Array1::from(vec![1.0, -1.0]));
        assert_eq!(of(params().covariance_prior(negative)), PriorError::Covariance);
        assert!(matches!(error(params().n_runs(0)), GmmError::InvalidParams(GmmParamsError::NRuns)));
        assert!(matches!(error(BayesianMixture::params(31)), GmmError::TooFewSamples { .. }));
        let light = params().fit_weighted(&dataset.records, &[0.01; 30]).unwrap_err();
        assert!(matches!(prior(light), PriorError::TooLittleWeight { .. }));
    }

    /// Parameters that are given only share the rows out, as their mixture would.
    #[test]
    fn given_parameters_are_a_start() {
        let blobs = Blobs::new(4, 200, 2, 3, 9.0);
        let dataset = DatasetBase::new(blobs.rows.clone(), ());
        let mixture = GaussianMixture::params(3).fit(&dataset).unwrap();
        let given = GmmInitMethod::Parameters {
            weights: Some(mixture.weights().clone()),
            means: mixture.means().clone(),
            covariances: Some(mixture.covariance_parameters().clone()),
        };
        let shares = GmmInitMethod::Responsibilities(mixture.predict_proba(&blobs.rows));
        let fit = |init| BayesianMixture::params(3).init_method(init).max_n_iterations(0).fit(&dataset).unwrap();
        let (by_parameters, by_shares) = (fit(given), fit(shares));
        assert_close("bound", by_parameters.lower_bound(), by_shares.lower_bound(), 1e-10);
        assert_near("means", by_parameters.means(), by_shares.means(), 1e-10);
        assert_eq!(by_parameters.report().iterations, 0);
    }

    #[test]
    fn files_keep_every_bit_and_are_read_strictly() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = blobs(2);
        for (covariance, prior) in STRUCTURES.iter().flat_map(|s| priors(4).map(|prior| (*s, prior))) {
            let model = fit(&blobs, covariance, prior);
            for name in ["model.json", "model.cbor"] {
                let file = folder.path().join(name);
                model.save(&file).unwrap();
                let again = BayesianMixture::load(&file).unwrap();
                assert_eq!(again, model);
                assert_eq!(again.predict_proba(&blobs.rows), model.predict_proba(&blobs.rows));
                assert_eq!(again.score_samples(&blobs.rows), model.score_samples(&blobs.rows));
                assert!(matches!(AnyModel::load(&file).unwrap(), AnyModel::BayesianF64(any) if any == model));
                assert!(GaussianMixture::<f64>::load(&file).is_err() && BayesianMixture::<f32>::load(&file).is_err());
            }
        }
        let model = fit(&blobs, Covariance::Full, WeightPrior::Dirichlet(1.0));
        let spoiled = |change: fn(&mut BayesianMixtureDocument<f64>)| {
            let mut document = model.to_document().unwrap();
            change(&mut document);
            BayesianMixture::from_document(document).unwrap_err().to_string()
        };
        assert!(spoiled(|document| document.mean_precision[0] = -1.0).contains("mean_precision"));
        assert!(spoiled(|document| document.degrees_of_freedom.truncate(1)).contains("degrees_of_freedom"));
        assert!(spoiled(|document| document.weights.swap(0, 1)).contains("weight"));
        assert!(spoiled(|document| document.priors.mean_precision = 0.0).contains("priors"));
        assert!(spoiled(|document| document.priors.mean.push(0.0)).contains("priors.mean"));
        assert!(spoiled(|document| document.covariance = Covariance::Tied).contains("covariance"));
    }
}
