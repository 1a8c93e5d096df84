//! Data on which components collapse, under every policy and for every structure; and mclust's conjugate prior.

use miscela::prelude::*;
use miscela::{GmmError, GmmParamsError};
use miscela_tests::{Blobs, Record, assert_close, assert_covariances, assert_means, assert_near, cases, data, narrow};
use ndarray::{Array1, Array2, Axis, array, concatenate};
use proptest::prelude::*;

type Params<F> = GmmParams<F, rand_xoshiro::Xoshiro256Plus>;

/// Every structure and policy that go together.
fn combinations() -> Vec<(Covariance, Collapse)> {
    let all = Covariance::all().flat_map(|covariance| Collapse::ALL.map(|collapse| (covariance, collapse)));
    all.filter(|(covariance, collapse)| *collapse != Collapse::Prior || covariance.has_prior()).collect()
}

fn params<F: miscela::Float>(k: usize, (covariance, collapse): (Covariance, Collapse)) -> Params<F> {
    GaussianMixture::params(k).covariance(covariance).collapse(collapse).reg_covariance(F::zero()).max_n_iterations(8)
}

// ---- hostile data

/// What is done to well-behaved rows.
#[derive(Clone, Copy, Debug)]
enum Spoilt {
    /// Each row many times, so that there are few distinct ones.
    Duplicated,
    /// A column that is the sum of two, and a constant one.
    Collinear,
    /// Fewer rows than columns.
    Wide,
    /// Two rows at 1e12.
    Outliers,
    /// A component of one row.
    Single,
}

const SPOILT: [Spoilt; 5] = [Spoilt::Duplicated, Spoilt::Collinear, Spoilt::Wide, Spoilt::Outliers, Spoilt::Single];

/// Rows, and a start partition of three.
fn spoil(seed: u64, how: Spoilt) -> (Array2<f64>, Vec<usize>) {
    let blobs = Blobs::new(seed, 60, 3, 3, 8.0);
    let (mut rows, mut labels) = (blobs.rows.clone(), blobs.rough_labels());
    match how {
        Spoilt::Duplicated => {
            rows = rows.select(Axis(0), &(0..60).map(|i| i % 5).collect::<Vec<_>>());
            labels = (0..60).map(|i| (i % 5) % 3).collect();
        }
        Spoilt::Collinear => {
            let sum = &rows.column(0) + &rows.column(1);
            rows = concatenate![Axis(1), rows, sum.insert_axis(Axis(1)), Array2::from_elem((60, 1), 7.0)];
        }
        Spoilt::Wide => {
            rows = Blobs::new(seed, 7, 8, 3, 8.0).rows;
            labels = (0..7).map(|i| i % 3).collect();
        }
        Spoilt::Outliers => {
            rows.row_mut(3).fill(1e12);
            rows.row_mut(4).fill(-1e12);
        }
        Spoilt::Single => {
            labels.iter_mut().for_each(|label| *label %= 2);
            labels[7] = 2;
        }
    }
    (rows, labels)
}

/// Finite in all its parts, weights that sum to one, and probabilities that do.
fn is_sound<F: miscela::Float>(what: &str, model: &GaussianMixture<F>, rows: &Array2<F>) {
    assert!(model.means().iter().all(|x| x.is_finite()), "{what}: means {}", model.means());
    assert!(model.covariances().iter().all(|x| x.is_finite()), "{what}: covariances {}", model.covariances());
    assert_close(what, model.weights().iter().map(|w| w.widen()).sum(), 1.0, 1e-5);
    assert!(model.log_likelihood().is_finite(), "{what}: log-likelihood {}", model.log_likelihood());
    let report = model.report();
    assert!(report.trace.iter().all(|x| x.is_finite()), "{what}: trace {:?}", report.trace);
    assert_eq!(report.trace.len(), report.iterations, "{what}");
    assert_eq!(model.sizes().len(), model.n_clusters(), "{what}");
    for row in model.predict_proba(rows).outer_iter() {
        assert_close(what, row.iter().map(|p| p.widen()).sum(), 1.0, 1e-5);
    }
}

proptest! {
    #![proptest_config(cases(1))]

    #[test]
    fn no_data_kills_a_fit(seed in any::<u64>(), hard in any::<bool>()) {
        for (how, combination) in SPOILT.into_iter().flat_map(|how| combinations().into_iter().map(move |c| (how, c))) {
            let (rows, labels) = spoil(seed, how);
            let assignment = if hard { Assignment::Hard } else { Assignment::Soft };
            let what = format!("{how:?} {} {} {assignment}", combination.0, combination.1);
            let model = params(3, combination).assignment(assignment).init_method(GmmInitMethod::Labels(labels.clone()));
            let model = model.fit(&DatasetBase::new(rows.clone(), ())).unwrap();
            is_sound(&what, &model, &rows);
            let rows = narrow(&rows);
            let model = params(3, combination).assignment(assignment).init_method(GmmInitMethod::Labels(labels));
            let model = model.fit(&DatasetBase::new(rows.clone(), ())).unwrap();
            is_sound(&format!("{what} f32"), &model, &rows);
        }
    }

    /// Integer weight = repeated row, zero = absent, whatever is done about collapses.
    #[test]
    fn weights_are_repetitions(seed in any::<u64>()) {
        let blobs = Blobs::new(seed, 90, 2, 3, 8.0);
        let repeats: Vec<usize> = (0..90).map(|i| if i % 11 == 3 { 0 } else { 1 + i % 3 }).collect();
        let all: Vec<usize> = repeats.iter().enumerate().flat_map(|(i, times)| vec![i; *times]).collect();
        let weights: Array1<f64> = repeats.iter().map(|times| *times as f64).collect();
        let start = blobs.rough_labels();
        for combination in combinations() {
            let params = |start| params(3, combination).tolerance(0.0).init_method(GmmInitMethod::Labels(start));
            let weighted = params(start.clone()).fit_weighted(&blobs.rows, &weights).unwrap();
            let repeated = DatasetBase::new(blobs.rows.select(Axis(0), &all), ());
            let plain = params(all.iter().map(|i| start[*i]).collect()).fit(&repeated).unwrap();
            let what = format!("{} {}", combination.0, combination.1);
            assert_close(&what, weighted.log_likelihood(), plain.log_likelihood(), 1e-7);
            assert_means(&what, weighted.means(), plain.means(), 1e-6);
        }
    }
}

// ---- what each policy does

/// A hundred rows about the origin and one at (40, 40), which is a component at the start.
fn one_row_apart(params: Params<f64>) -> (GaussianMixture<f64>, Array2<f64>) {
    let mut rows = Blobs::new(11, 100, 2, 1, 1.0).rows;
    rows.row_mut(99).fill(40.0);
    let labels = (0..100).map(|i| usize::from(i == 99)).collect();
    let model = params.init_method(GmmInitMethod::Labels(labels)).fit(&DatasetBase::new(rows.clone(), ())).unwrap();
    (model, rows)
}

fn actions(model: &GaussianMixture<f64>) -> Vec<&'static str> {
    model.report().repairs.iter().map(|repair| repair.action.name()).collect()
}

#[test]
fn shrinking_keeps_a_thousandth_of_the_pooled_covariance() {
    for covariance in [Covariance::Full, Covariance::Diagonal, Covariance::Spherical] {
        let (model, rows) = one_row_apart(params(2, (covariance, Collapse::Shrink)));
        assert!(actions(&model).contains(&"shrunk"), "{covariance} {:?}", actions(&model));
        is_sound("shrink", &model, &rows);
        let (one, other) = (model.covariances()[[1, 0, 0]], model.covariances()[[0, 0, 0]]);
        assert!(one > 0.5e-3 * other && one < 2e-3 * other, "{covariance}: {one} of {other}");
        assert_eq!(model.sizes(), [99, 1]);
    }
}

#[test]
fn what_is_dropped_is_gone() {
    let (model, rows) = one_row_apart(params(2, (Covariance::Full, Collapse::Drop)));
    assert_eq!(model.n_clusters(), 1);
    let dropped: Vec<_> = model.report().repairs.iter().filter(|r| r.action.name() == "dropped").collect();
    assert_eq!((dropped.len(), dropped[0].component, dropped[0].iteration), (1, 1, 1));
    // What is left is the normal distribution of all rows.
    let alone = GaussianMixture::params(1).reg_covariance(0.0).fit(&DatasetBase::new(rows, ())).unwrap();
    assert_close("log-likelihood", model.log_likelihood(), alone.log_likelihood(), 1e-9);
    assert_eq!(model.n_parameters(), alone.n_parameters());
}

#[test]
fn what_respawns_finds_a_place() {
    // Two blobs; the second component starts on one row of the first blob.
    let blobs = Blobs::new(21, 200, 2, 2, 0.0);
    let mut rows = blobs.rows.clone();
    let apart = blobs.labels.iter().map(|label| 30.0 * *label as f64);
    rows.outer_iter_mut().zip(apart).for_each(|(mut row, by)| row += by);
    let first = blobs.labels.iter().position(|label| *label == 0).unwrap();
    let labels: Vec<usize> = (0..200).map(|i| usize::from(i == first)).collect();
    let fit = |collapse| {
        let params = params(2, (Covariance::Full, collapse)).max_n_iterations(200);
        params.init_method(GmmInitMethod::Labels(labels.clone())).fit(&DatasetBase::new(rows.clone(), ())).unwrap()
    };
    let (respawned, floored) = (fit(Collapse::Respawn), fit(Collapse::Floor));
    assert!(actions(&respawned).contains(&"respawned"), "{:?}", respawned.report().repairs);
    assert_eq!(respawned.sizes().iter().sum::<usize>(), 200);
    assert!(respawned.sizes().iter().all(|size| *size == 100), "{:?}", respawned.sizes());
    assert!(floored.sizes().contains(&1), "{:?}", floored.sizes());
    assert!(respawned.report().converged());
}

/// What the data cannot tell is no component's collapse.
#[test]
fn a_constant_column_drops_and_respawns_nothing() {
    let blobs = Blobs::new(5, 200, 2, 2, 10.0);
    let rows = concatenate![Axis(1), blobs.rows, Array2::from_elem((200, 1), 3.0)];
    for covariance in Covariance::all() {
        for collapse in [Collapse::Respawn, Collapse::Drop] {
            let model = params(2, (covariance, collapse)).init_method(GmmInitMethod::Labels(blobs.labels.clone()));
            let model = model.fit(&DatasetBase::new(rows.clone(), ())).unwrap();
            assert!(actions(&model).iter().all(|action| *action == "floored"), "{covariance} {:?}", actions(&model));
            assert_eq!(model.n_clusters(), 2, "{covariance}");
        }
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let data = DatasetBase::new(array![[0.0, 1.0], [1.0, 0.5], [2.0, 2.0], [5.0, 1.0]], ());
    let error = params(2, (Covariance::Vve, Collapse::Prior)).fit(&data).unwrap_err();
    assert!(matches!(error, GmmError::InvalidParams(GmmParamsError::NoPrior(Covariance::Vve))), "{error}");
    for collapse in [Collapse::Respawn, Collapse::Drop] {
        let held = Held { means: true, ..Held::default() };
        let error = params(2, (Covariance::Full, collapse)).held(held).fit(&data).unwrap_err();
        assert!(matches!(error, GmmError::InvalidParams(GmmParamsError::HeldAndReplaced(_))), "{error}");
    }
}

#[test]
fn files_remember_the_policy() {
    let (model, _) = one_row_apart(params(2, (Covariance::Full, Collapse::Drop)));
    let document = model.to_document().unwrap();
    let again = GaussianMixture::from_document(document).unwrap();
    assert_eq!(again, model);
    assert_eq!(again.collapse(), Collapse::Drop);
}

// ---- mclust's prior

mod mclust {
    use super::*;

    /// One fit of mclust's with its default prior.
    struct Case {
        rows: Array2<f64>,
        k: usize,
        start: Vec<usize>,
        covariance: Covariance,
    }

    fn recorded() -> Vec<(Case, Record)> {
        let mut recorded = Vec::new();
        for file in ["faithful", "galaxies", "iris"] {
            let record = Record::read(&format!("mclust/{file}_prior.json"));
            for (name, expected) in record.at("models").parts() {
                let (rows, start) = (data(&record.text("data")), record.counts("start_labels"));
                let case = Case { rows, start, k: record.count("G"), covariance: name.parse().unwrap() };
                recorded.push((case, expected));
            }
        }
        recorded
    }

    impl Case {
        fn fit(&self, max_n_iterations: usize) -> GaussianMixture<f64> {
            params(self.k, (self.covariance, Collapse::Prior))
                .tolerance(0.0)
                .max_n_iterations(max_n_iterations as u64)
                .init_method(GmmInitMethod::Labels(self.start.clone()))
                .fit(&DatasetBase::new(self.rows.clone(), ()))
                .unwrap()
        }
    }

    fn compare(model: &GaussianMixture<f64>, expected: &Record) {
        let what = expected.name();
        assert_close(what, model.log_likelihood(), expected.number("loglik"), 1e-6);
        assert_near(what, model.weights(), &expected.vector("pro"), 1e-4);
        assert_means(what, model.means(), &expected.matrix("mean"), 1e-4);
        let covariances = expected.array("cov").into_dimensionality().unwrap();
        assert_covariances(what, &model.covariances(), &covariances, 1e-4);
    }

    #[test]
    fn the_first_m_step_agrees() {
        for (case, expected) in recorded().into_iter().filter(agrees) {
            compare(&case.fit(0), &expected.at("prior_after_1"));
        }
    }

    /// `me` for EEI is left out: unlike mclust's `mstep`, and unlike its other structures, it does not move the means towards
    /// the prior's, though it counts their distance from it.
    fn agrees((case, _): &(Case, Record)) -> bool {
        case.covariance != Covariance::TiedDiagonal
    }

    #[test]
    fn mclusts_eei_does_not_move_the_means() {
        for (case, expected) in recorded().into_iter().filter(|one| !agrees(one)) {
            let (model, expected) = (case.fit(0), expected.at("prior_after_1"));
            let means = Array2::from_shape_fn(model.means().dim(), |(c, j)| {
                let own = case.start.iter().zip(case.rows.column(j)).filter(|(label, _)| **label == c);
                own.clone().map(|(_, x)| x).sum::<f64>() / own.count() as f64
            });
            assert_means(expected.name(), &expected.matrix("mean"), &means, 1e-12);
            let covariances = expected.array("cov").into_dimensionality().unwrap();
            assert_covariances(expected.name(), &model.covariances(), &covariances, 1e-9);
        }
    }

    #[test]
    fn converged_fits_agree() {
        let mut count = 0;
        for (case, expected) in recorded().into_iter().filter(agrees) {
            if expected.has("prior_converged") {
                let expected = expected.at("prior_converged");
                compare(&case.fit(expected.count("iterations") - 1), &expected);
                count += 1;
            }
        }
        assert_eq!(count, 18);
    }

    /// The trace is the log-likelihood plus the logarithm of the prior, and never falls.
    #[test]
    fn the_objective_never_falls() {
        for (case, expected) in recorded() {
            let model = case.fit(300);
            let trace = &model.report().trace;
            let falls = trace.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
            assert!(falls >= -1e-9 * trace[0].abs(), "{}: {falls:e}", expected.name());
            assert!(model.log_likelihood() != trace[trace.len() - 1], "{}", expected.name());
        }
    }
}
