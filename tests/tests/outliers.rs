//! Mixtures that bear rows which belong to no cluster: the noise component.

use miscela::SamplesError;
use miscela::prelude::*;
use miscela_em::{Summary, far_rows};
use miscela_kernel::Samples;
use miscela_tests::{
    Blobs, Record, any_settings, assert_close, assert_covariances, assert_means, assert_near, cases, data, narrow,
};
use ndarray::{Array1, Array2, Array3, Axis, concatenate};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

/// To which results from the same start agree when rows are added up in another order.
const ROUNDING: f64 = 1e-7;

type Params = GmmParams<f64, Xoshiro256Plus>;

/// Data and a partition to start from.
#[derive(Clone, Debug)]
struct Case {
    blobs: Blobs,
    /// Some of the rows moved away, with the label k.
    rows: Array2<f64>,
    start: Vec<usize>,
    k: usize,
    covariance: Covariance,
    assignment: Assignment,
    mixing: Mixing,
}

fn case() -> impl Strategy<Value = Case> {
    let data = (any::<u64>(), 40usize..70, 1usize..4, 1usize..4);
    (data, any_settings()).prop_map(|((seed, rows, d, k), (covariance, assignment, mixing))| {
        let blobs = Blobs::new(seed, rows * k, d, k, 8.0);
        let (mut rows, mut start) = (blobs.rows.clone(), blobs.rough_labels());
        for (i, mut row) in rows.outer_iter_mut().enumerate().filter(|(i, _)| i % 13 == 0) {
            row.iter_mut().enumerate().for_each(|(j, x)| *x += ((i * (j + 2)) % 29) as f64 - 14.0);
            start[i] = k;
        }
        Case { blobs, rows, start, k, covariance, assignment, mixing }
    })
}

impl Case {
    fn params(&self, start: Vec<usize>) -> Params {
        GaussianMixture::params(self.k)
            .covariance(self.covariance)
            .assignment(self.assignment)
            .mixing(self.mixing.clone())
            .noise(Noise::Hypervolume)
            .reg_covariance(0.0)
            .tolerance(0.0)
            .max_n_iterations(5)
            .init_method(GmmInitMethod::Labels(start))
    }

    fn fit(&self, rows: &Array2<f64>, weights: &Array1<f64>) -> GaussianMixture<f64> {
        self.params(self.start.clone()).fit_weighted(rows, weights).unwrap()
    }
}

fn noise_weight(model: &GaussianMixture<f64>) -> f64 {
    model.noise().map_or(0.0, |noise| noise.weight)
}

fn same(a: &GaussianMixture<f64>, b: &GaussianMixture<f64>) {
    assert_close("log-likelihood", a.log_likelihood(), b.log_likelihood(), ROUNDING);
    assert_near("weights", a.weights(), b.weights(), ROUNDING);
    assert_close("weight of the noise", noise_weight(a), noise_weight(b), ROUNDING);
    assert_means("means", a.means(), b.means(), ROUNDING);
    assert_covariances("covariances", &a.covariances(), &b.covariances(), ROUNDING);
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn the_objective_never_falls(case in case()) {
        let model = case.params(case.start.clone()).max_n_iterations(40).fit_weighted(&case.rows, &case.blobs.weights).unwrap();
        // An empty component takes a row that others explain better, and from then on it is another climb.
        let repaired = model.report().repairs.iter().map(|repair| repair.iteration).min().unwrap_or(usize::MAX);
        for (i, pair) in model.report().trace.windows(2).enumerate().take_while(|(i, _)| i + 2 < repaired) {
            prop_assert!(pair[1] >= pair[0] - 1e-9 * pair[0].abs(), "iteration {}: {} after {}", i + 2, pair[1], pair[0]);
        }
        let total = model.weights().sum() + noise_weight(&model);
        prop_assert!((total - 1.0).abs() < 1e-12, "the weights sum to {}", total);
    }

    #[test]
    fn integer_weights_are_repetition_and_zero_is_absence(case in case()) {
        let repeats: Vec<usize> = (0..case.rows.nrows()).map(|i| (i * 7) % 3).collect();
        let all: Vec<usize> = repeats.iter().enumerate().flat_map(|(i, times)| vec![i; *times]).collect();
        let weights = repeats.iter().map(|times| *times as f64).collect();
        let weighted = case.fit(&case.rows, &weights);
        let start = all.iter().map(|i| case.start[*i]).collect();
        let repeated = DatasetBase::from(case.rows.select(Axis(0), &all));
        let plain = case.params(start).fit(&repeated).unwrap();
        same(&weighted, &plain);
        let score = weighted.evaluate(&case.rows, weights.as_slice()).unwrap();
        assert_close("ICL", score.icl, plain.icl(&repeated).unwrap(), ROUNDING);
        // Also where the rows that start as noise are looked for.
        let far = |samples: Samples<f64>| far_rows(&samples, case.k, &Summary::of(&samples, Threads::One), Threads::One);
        let weighted = far(Samples::weighted(&case.rows, weights.to_vec()).unwrap());
        let plain = far(Samples::new(repeated.records()).unwrap());
        prop_assert_eq!(all.iter().map(|i| weighted[*i]).collect::<Vec<_>>(), plain);
    }

    #[test]
    fn units_and_order_do_not_count(case in case()) {
        let plain = case.fit(&case.rows, &case.blobs.weights);
        let scaled = case.fit(&(&case.rows * 16.0), &case.blobs.weights);
        let shift = case.rows.ncols() as f64 * 16f64.ln() * case.blobs.weights.sum();
        assert_close("log-likelihood", scaled.log_likelihood() + shift, plain.log_likelihood(), ROUNDING);
        let order = case.blobs.permutation(3);
        let start = order.iter().map(|i| case.start[*i]).collect();
        let (rows, weights) = (case.rows.select(Axis(0), &order), case.blobs.weights.select(Axis(0), &order));
        same(&plain, &case.params(start).fit_weighted(&rows, &weights).unwrap());
    }
}

/// The rows that mclust was given: those of the data set, then outliers.
fn recorded(record: &Record, name: &str) -> Array2<f64> {
    concatenate![Axis(0), data(name), record.matrix("outliers")]
}

#[test]
fn noise_is_that_of_mclust() {
    let all = Record::read("mclust/noise.json");
    for name in ["faithful", "iris"] {
        let record = all.at(name);
        let (rows, start) = (recorded(&record, name), record.counts("start_labels"));
        let dataset = DatasetBase::from(rows.view());
        for (part, noise, mixing) in [
            ("me", Noise::Hypervolume, Mixing::Free),
            ("me_third_of_Vinv", Noise::Volume(3.0 * record.number("hypvol")), Mixing::Free),
            ("me_equal_pro", Noise::Hypervolume, Mixing::Equal),
        ] {
            for (covariance, expected) in record.at(part).parts() {
                let what = expected.name();
                let model = GaussianMixture::params(record.count("G"))
                    .covariance(covariance.parse().unwrap())
                    .noise(noise)
                    .mixing(mixing.clone())
                    .reg_covariance(0.0)
                    .tolerance(0.0)
                    .max_n_iterations(20_000)
                    .init_method(GmmInitMethod::Labels(start.clone()))
                    .fit(&dataset)
                    .unwrap();
                assert_close(what, model.log_likelihood(), expected.number("loglik"), 1e-6);
                assert_close(what, noise_weight(&model), expected.number("noise"), 1e-4);
                assert_near(what, model.weights(), &expected.vector("weights"), 1e-4);
                assert_means(what, model.means(), &expected.matrix("means"), 1e-4);
                let covariances: Array3<f64> = expected.array("cov").into_dimensionality().unwrap();
                assert_covariances(what, &model.covariances(), &covariances, 1e-4);
                assert_eq!(model.n_parameters(), expected.count("n_parameters"), "{what}");
                assert_eq!(model.predict(&rows).to_vec(), expected.counts("labels"), "{what}");
                if part != "me_third_of_Vinv" {
                    let volume = model.noise().map(|noise| noise.log_volume.exp()).unwrap();
                    assert_close(what, volume, record.number("hypvol"), 1e-10);
                }
            }
        }
    }
}

#[test]
fn responsibilities_start_as_labels_do() {
    let record = Record::read("mclust/noise.json").at("iris");
    let (rows, labels) = (recorded(&record, "iris"), record.counts("start_labels"));
    let mut shares = Array2::zeros((rows.nrows(), 4));
    labels.iter().enumerate().for_each(|(i, label)| shares[[i, *label]] = 1.0);
    let params = GaussianMixture::params(3).noise(Noise::Hypervolume).max_n_iterations(3);
    let fit = |init| params.clone().init_method(init).fit(&DatasetBase::from(rows.view())).unwrap();
    same(&fit(GmmInitMethod::Labels(labels)), &fit(GmmInitMethod::Responsibilities(shares)));
}

#[test]
fn a_start_from_parameters_may_leave_weight_to_the_noise() {
    let rows = data("faithful");
    let means = ndarray::array![[2.0, 54.0], [4.3, 80.0]];
    let start = |weights: Option<[f64; 2]>| {
        let weights = weights.map(|weights| Array1::from(weights.to_vec()));
        let init = GmmInitMethod::Parameters { weights, means: means.clone(), covariances: None };
        let params = GaussianMixture::params(2).noise(Noise::Hypervolume).max_n_iterations(0).init_method(init);
        let model = params.fit(&DatasetBase::from(rows.view())).unwrap();
        (model.weights().to_vec(), noise_weight(&model))
    };
    let (weights, noise) = start(Some([0.3, 0.5]));
    assert!(weights == [0.3, 0.5] && (noise - 0.2).abs() < 1e-15);
    let (weights, noise) = start(Some([0.25, 0.75]));
    assert!(weights == [0.25 * 0.9, 0.75 * 0.9] && noise == 0.1);
    let (weights, noise) = start(None);
    assert!((weights.iter().sum::<f64>() - 0.9).abs() < 1e-15 && (noise - 0.1).abs() < 1e-15);
}

#[test]
fn models_with_noise_predict_draw_and_are_kept() {
    let record = Record::read("mclust/noise.json").at("faithful");
    let rows = recorded(&record, "faithful");
    let dataset = DatasetBase::from(rows.view());
    let model = GaussianMixture::params(2).noise(Noise::Hypervolume).fit(&dataset).unwrap();
    let (labels, p) = (model.predict(&rows), model.predict_proba(&rows));
    assert_eq!((p.dim(), model.sizes().len()), ((rows.nrows(), 3), 3));
    assert!(p.sum_axis(Axis(1)).iter().all(|sum| (sum - 1.0).abs() < 1e-12));
    let counted: Vec<usize> = (0..3).map(|c| labels.iter().filter(|label| **label == c).count()).collect();
    assert_eq!(model.sizes(), counted);
    assert_close("score", model.score_samples(&rows).sum(), model.log_likelihood(), 1e-12);
    // A row that is far from everything is noise.
    assert_eq!(model.predict(&ndarray::array![[1e9, -1e9]])[0], 2);

    let (drawn, labels) = model.sample(2_000, &mut Xoshiro256Plus::seed_from_u64(1));
    let noise = model.noise().unwrap();
    let drawn_as_noise: Vec<usize> = (0..2_000).filter(|i| labels[*i] == 2).collect();
    let share = drawn_as_noise.len() as f64 / 2e3;
    assert!((share - noise.weight).abs() < 0.02, "{share} of the rows, {}", noise.weight);
    for i in drawn_as_noise {
        assert!((0..2).all(|j| (noise.lower[j]..=noise.upper[j]).contains(&drawn[[i, j]])));
    }

    let folder = tempfile::tempdir().unwrap();
    for name in ["noise.json", "noise.cbor"] {
        let path = folder.path().join(name);
        model.save(&path).unwrap();
        let again = GaussianMixture::<f64>::load(&path).unwrap();
        assert_eq!(again, model);
        assert_eq!(again.predict_proba(&rows), p);
    }
    // Noise without its rule, or with a weight that is none, is refused.
    let mut document = model.to_document().unwrap();
    document.noise = None;
    assert!(GaussianMixture::from_document(document).unwrap_err().to_string().contains("uniform"));
    let mut document = model.to_document().unwrap();
    document.uniform.as_mut().unwrap().weight = 0.9;
    assert!(GaussianMixture::from_document(document).unwrap_err().to_string().contains("sum to one"));
    let mut document = model.to_document().unwrap();
    document.uniform.as_mut().unwrap().lower.pop();
    assert!(GaussianMixture::from_document(document).unwrap_err().to_string().contains("box of 2 columns"));
}

#[test]
fn threads_change_no_bit_and_f32_comes_near() {
    let blobs = Blobs::new(5, 3_000, 3, 3, 12.0);
    let mut rows = blobs.rows.clone();
    rows.outer_iter_mut().step_by(40).for_each(|mut row| row *= 9.0);
    for assignment in [Assignment::Soft, Assignment::Hard] {
        let fit = |threads| {
            let params = GaussianMixture::params(3).noise(Noise::Hypervolume).assignment(assignment).threads(threads);
            params.fit(&DatasetBase::from(rows.view())).unwrap()
        };
        let one = fit(Threads::Count(1));
        assert_eq!(one.parameters(), fit(Threads::Count(3)).parameters());
        let narrowed = narrow(&rows);
        let params = GaussianMixture::<f32>::params(3).noise(Noise::Hypervolume).assignment(assignment);
        let single = params.fit(&DatasetBase::from(narrowed)).unwrap();
        assert_close("log-likelihood", single.log_likelihood(), one.log_likelihood(), 1e-4);
    }
}

#[test]
fn what_has_no_volume_is_said() {
    let mut rows = data("iris");
    rows.column_mut(2).fill(1.0);
    let fit = |noise| GaussianMixture::params(2).noise(noise).fit(&DatasetBase::from(rows.view()));
    let error = fit(Noise::Hypervolume).unwrap_err().to_string();
    assert!(error.contains("column 2 is constant"), "{error}");
    assert!(fit(Noise::Volume(30.0)).is_ok());
    for volume in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(fit(Noise::Volume(volume)).unwrap_err().to_string().contains("volume"));
    }
    // Columns that say the same: the box along them is a volume, that along the axes is none.
    let iris = data("iris");
    let twice = concatenate![Axis(1), iris.view(), iris.view()];
    let model = GaussianMixture::params(2).noise(Noise::Hypervolume).fit(&DatasetBase::from(twice)).unwrap();
    assert!(model.noise().unwrap().log_volume > 0.0 && model.log_likelihood().is_finite());
    // Fewer rows than columns, rows at 1e12, and a component that noise empties.
    let few = data("iris").select(Axis(0), &[0, 70, 140]);
    assert!(GaussianMixture::params(2).noise(Noise::Volume(9.0)).fit(&DatasetBase::from(few)).is_ok());
    let mut far = data("iris");
    far[[7, 1]] = 1e12;
    for assignment in [Assignment::Soft, Assignment::Hard] {
        let params = GaussianMixture::params(3).noise(Noise::Hypervolume).assignment(assignment);
        let model = params.fit(&DatasetBase::from(far.view())).unwrap();
        assert!(model.log_likelihood().is_finite() && model.means().iter().all(|m| m.is_finite()));
    }
    let error = GaussianMixture::params(2).noise(Noise::Volume(9.0)).missing(Missing::Marginal);
    assert!(error.fit(&DatasetBase::from(iris)).unwrap_err().to_string().contains("noise has no density"));
    let nan = ndarray::array![[f64::NAN]];
    let error = GaussianMixture::params(1).noise(Noise::Hypervolume).fit(&DatasetBase::from(nan)).unwrap_err();
    assert!(matches!(error, GmmError::Samples(SamplesError::Missing { count: 1, row: 0, column: 0 })));
}
