//! Mixtures that bear rows which belong to no cluster: the noise component, and Student-t components.

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
/// To which parameters agree where an M-step searches for its maximum, if likelihoods agree to [`ROUNDING`].
const SEARCH: f64 = 1e-5;

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
    noise: Option<Noise>,
    tails: Tails,
}

fn case() -> impl Strategy<Value = Case> {
    let data = (any::<u64>(), 40usize..70, 1usize..4, 1usize..4);
    let outliers = vec![
        (Some(Noise::Hypervolume), Tails::Gaussian),
        (Some(Noise::Hypervolume), Tails::Gaussian),
        (Some(Noise::Hypervolume), Tails::Student(Degrees::Each)),
        (None, Tails::Student(Degrees::Each)),
        (None, Tails::Student(Degrees::Shared)),
        (None, Tails::Student(Degrees::Given(3.0))),
    ];
    let settings = (any_settings(), prop::sample::select(outliers));
    (data, settings).prop_map(|((seed, rows, d, k), ((covariance, assignment, mixing), (noise, tails)))| {
        let blobs = Blobs::new(seed, rows * k, d, k, 8.0);
        let (mut rows, mut start) = (blobs.rows.clone(), blobs.rough_labels());
        for (i, mut row) in rows.outer_iter_mut().enumerate().filter(|(i, _)| i % 13 == 0) {
            row.iter_mut().enumerate().for_each(|(j, x)| *x += ((i * (j + 2)) % 29) as f64 - 14.0);
            start[i] = if noise.is_some() { k } else { i % k };
        }
        Case { blobs, rows, start, k, covariance, assignment, mixing, noise, tails }
    })
}

impl Case {
    fn params(&self, start: Vec<usize>) -> Params {
        let params = GaussianMixture::params(self.k);
        let params = self.noise.map_or(params.clone(), |noise| params.noise(noise));
        params
            .covariance(self.covariance)
            .assignment(self.assignment)
            .mixing(self.mixing.clone())
            .tails(self.tails)
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

/// Whether no component collapsed on its way, where rounding is amplified without bound: nothing was repaired, nor nearly.
/// (Heavy tails can stretch a component of few rows until it is singular to rounding, above the floor.)
fn stands(model: &GaussianMixture<f64>) -> bool {
    let largest = |matrix: ndarray::ArrayView2<f64>| matrix.diag().iter().copied().fold(0.0, f64::max);
    let (covariances, precisions) = (model.covariances(), model.precisions());
    let mut pairs = covariances.outer_iter().zip(precisions.outer_iter());
    // Of few rows the axes are anybody's guess, wherever they lie.
    let many = model.sizes().iter().take(model.n_clusters()).all(|rows| *rows > 2 * model.means().ncols());
    many && model.report().repairs.is_empty() && pairs.all(|(s, p)| largest(s) * largest(p) < 1e7)
}

fn same(a: &GaussianMixture<f64>, b: &GaussianMixture<f64>) {
    // Where an M-step searches for its maximum, as in the laws of mixtures.
    let tolerance = if a.covariance().has_closed_form() { ROUNDING } else { SEARCH };
    assert_close("log-likelihood", a.log_likelihood(), b.log_likelihood(), ROUNDING);
    if let (Some(a), Some(b)) = (a.degrees(), b.degrees()) {
        a.iter().zip(b).for_each(|(a, b)| assert_close("degrees of freedom", *a, *b, 100.0 * ROUNDING));
    }
    assert_near("weights", a.weights(), b.weights(), tolerance);
    assert_close("weight of the noise", noise_weight(a), noise_weight(b), ROUNDING);
    assert_means("means", a.means(), b.means(), tolerance);
    assert_covariances("covariances", &a.covariances(), &b.covariances(), tolerance);
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn the_objective_never_falls(case in case()) {
        let model = case.params(case.start.clone()).max_n_iterations(40).fit_weighted(&case.rows, &case.blobs.weights).unwrap();
        prop_assume!(stands(&model));
        for (i, pair) in model.report().trace.windows(2).enumerate() {
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
        prop_assume!(stands(&plain));
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
        prop_assume!(stands(&plain));
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
    assert!(error.contains("column 2 (counted from 0) is constant"), "{error}");
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
    assert!(error.fit(&DatasetBase::from(iris)).unwrap_err().to_string().contains("do not go with noise"));
    let nan = ndarray::array![[f64::NAN]];
    let error = GaussianMixture::params(1).noise(Noise::Hypervolume).fit(&DatasetBase::from(nan)).unwrap_err();
    assert!(matches!(error, GmmError::Samples(SamplesError::Missing { count: 1, row: 0, column: 0 })));
}

/// What scipy's densities and plain loops made of the same start.
fn compare(what: &str, model: &GaussianMixture<f64>, expected: &Record, tolerance: f64) {
    assert_close(what, model.log_likelihood(), expected.number("loglik"), 0.01 * tolerance);
    assert_means(what, model.means(), &expected.matrix("means"), tolerance);
    let covariances: Array3<f64> = expected.array("cov").into_dimensionality().unwrap();
    assert_covariances(what, &model.covariances(), &covariances, tolerance);
    let degrees = model.degrees().unwrap();
    degrees
        .iter()
        .zip(expected.vector("degrees"))
        .for_each(|(v, expected)| assert_close(what, *v, expected, tolerance));
}

#[test]
fn student_components_are_those_of_plain_loops() {
    let all = Record::read("scipy/student.json").at("fits");
    for name in ["faithful", "iris"] {
        let record = all.at(name);
        let (rows, k) = (data(name), record.count("k"));
        for (key, expected) in record.at("fits").parts() {
            let (covariance, rule) = key.split_once('_').unwrap();
            let (degrees, estimated) = match rule {
                "each" => (Degrees::Each, k),
                "shared" => (Degrees::Shared, 1),
                given => (Degrees::Given(given.parse().unwrap()), 0),
            };
            let covariance: Covariance = covariance.parse().unwrap();
            let params = GaussianMixture::params(k)
                .covariance(covariance)
                .tails(Tails::Student(degrees))
                .reg_covariance(0.0)
                .tolerance(0.0)
                .init_method(GmmInitMethod::Labels(record.counts("start_labels")));
            let fit = |n| params.clone().max_n_iterations(n).fit(&DatasetBase::from(rows.view())).unwrap();
            let model = fit(5);
            compare(expected.name(), &model, &expected.at("after_5"), 1e-8);
            let plain = k - 1 + k * rows.ncols() + covariance.n_parameters(k, rows.ncols());
            assert_eq!(model.n_parameters(), plain + estimated);
            if expected.has("tight") {
                compare(expected.name(), &fit(20_000), &expected.at("tight"), 1e-4);
            }
        }
    }
}

#[test]
fn student_mixtures_reach_what_a_search_without_em_finds() {
    let all = Record::read("scipy/student.json").at("fits");
    for name in ["faithful", "iris"] {
        let record = all.at(name);
        let dataset = DatasetBase::from(data(name));
        for (covariance, expected) in record.at("optimum").parts() {
            let params = GaussianMixture::params(record.count("k"))
                .covariance(covariance.parse().unwrap())
                .tails(Tails::Student(Degrees::Shared))
                .reg_covariance(0.0)
                .tolerance(0.0)
                .max_n_iterations(20_000)
                .init_method(GmmInitMethod::Labels(record.counts("start_labels")));
            let best = expected.number("loglik");
            let plain = params.clone().fit(&dataset).unwrap();
            let fast = params.acceleration(Acceleration::Squarem).fit(&dataset).unwrap();
            for model in [&plain, &fast] {
                assert_close(expected.name(), model.log_likelihood(), best, 1e-7);
                assert!(model.report().trace.windows(2).all(|pair| pair[1] >= pair[0] - 1e-9 * best.abs()));
            }
            assert!(fast.report().iterations + fast.report().given_up < plain.report().iterations, "{covariance}");
        }
    }
}

#[test]
fn rows_a_million_away_do_not_move_the_centres() {
    for (name, k) in [("faithful", 2), ("iris", 2)] {
        let clean = data(name);
        let params = GaussianMixture::params(k).covariance(Covariance::Tied).tails(Tails::Student(Degrees::Given(4.0)));
        let params = params.tolerance(1e-10).max_n_iterations(5_000);
        let expected = params.clone().fit(&DatasetBase::from(clean.view())).unwrap();
        let far = Array2::from_shape_fn((3, clean.ncols()), |(i, j)| 1e6 * [1.0, -1.0, 0.5][(i + j) % 3]);
        let rows = concatenate![Axis(0), clean, far];
        let start = GmmInitMethod::Mixture(expected.parameters().clone());
        for params in [params.clone(), params.init_method(start)] {
            let model = params.fit(&DatasetBase::from(rows.view())).unwrap();
            let deviations = expected.covariances().index_axis(Axis(0), 0).diag().mapv(f64::sqrt);
            for mean in expected.means().outer_iter() {
                let off = |other: ndarray::ArrayView1<f64>| {
                    ((&mean - &other) / &deviations).mapv(f64::abs).into_iter().fold(0.0, f64::max)
                };
                let nearest = model.means().outer_iter().map(off).fold(f64::INFINITY, f64::min);
                assert!(nearest < 0.5, "{name}: a centre is {nearest} deviations off");
            }
        }
    }
}

#[test]
fn one_student_component_is_the_most_likely_one() {
    let all = Record::read("scipy/student.json").at("mle");
    for name in ["galaxies", "setosa"] {
        let rows =
            if name == "setosa" { data("iris").select(Axis(0), &(0..50).collect::<Vec<_>>()) } else { data(name) };
        let params = GaussianMixture::params(1).tails(Tails::Student(Degrees::Shared));
        let params = params.reg_covariance(0.0).tolerance(0.0).max_n_iterations(20_000);
        compare(name, &params.fit(&DatasetBase::from(rows)).unwrap(), &all.at(name), 1e-4);
    }
}

#[test]
fn with_many_degrees_of_freedom_the_fit_is_gaussian() {
    let iris = DatasetBase::from(data("iris"));
    for assignment in [Assignment::Soft, Assignment::Hard] {
        let start = GmmInitMethod::Labels((0..150).map(|i| i / 50).collect());
        let params = GaussianMixture::params(3).assignment(assignment).init_method(start);
        let params = params.max_n_iterations(8).tolerance(0.0);
        let gaussian = params.clone().fit(&iris).unwrap();
        let student = params.tails(Tails::Student(Degrees::Given(1e10))).fit(&iris).unwrap();
        assert_close("log-likelihood", student.log_likelihood(), gaussian.log_likelihood(), 1e-7);
        assert_means("means", student.means(), gaussian.means(), 1e-7);
    }
}

/// Real data with gross outliers, far on all sides: what a fit makes of the clean rows' means and covariances, as the
/// greatest error in units of the clean ones, next to the fit of the clean rows alone.
fn errors(name: &str, k: usize, params: Params) -> (f64, f64) {
    let clean = data(name);
    let (mean, spread) = (clean.mean_axis(Axis(0)).unwrap(), clean.std_axis(Axis(0), 0.0));
    let side = |i: usize, j: usize| [-1.0, 1.0, 0.3, -0.6, 0.8][(i + 3 * j) % 5] * (6.0 + ((7 * i + j) % 9) as f64);
    let outliers =
        Array2::from_shape_fn((clean.nrows() / 15, clean.ncols()), |(i, j)| mean[j] + spread[j] * side(i, j));
    let expected =
        GaussianMixture::params(k).covariance(Covariance::Tied).fit(&DatasetBase::from(clean.view())).unwrap();
    let rows = concatenate![Axis(0), clean, outliers];
    let model = params.covariance(Covariance::Tied).max_n_iterations(500).fit(&DatasetBase::from(rows)).unwrap();
    let deviations = expected.covariances().index_axis(Axis(0), 0).diag().mapv(f64::sqrt);
    // Each clean component beside the one that lies nearest.
    let off = |mean: ndarray::ArrayView1<f64>| {
        let error = |other: ndarray::ArrayView1<f64>| {
            ((&mean - &other) / &deviations).mapv(f64::abs).into_iter().fold(0.0, f64::max)
        };
        model.means().outer_iter().map(error).fold(f64::INFINITY, f64::min)
    };
    let means = expected.means().outer_iter().map(off).fold(0.0, f64::max);
    let ratios = model.covariances().index_axis(Axis(0), 0).diag().mapv(f64::sqrt) / &deviations;
    (means, ratios.into_iter().map(|ratio| ratio.ln().abs()).fold(0.0, f64::max))
}

#[test]
fn gross_outliers_do_not_pull_what_bears_them() {
    for (name, k) in [("faithful", 2), ("iris", 3)] {
        let plain = errors(name, k, GaussianMixture::params(k));
        for params in [
            GaussianMixture::params(k).noise(Noise::Hypervolume),
            GaussianMixture::params(k).tails(Tails::Student(Degrees::Shared)),
        ] {
            let what = format!("{name}, {:?}", params.clone().check().unwrap());
            let robust = errors(name, k, params);
            assert!(
                robust.0 < 0.5 && robust.0 < 0.3 * plain.0,
                "{what}: means off by {robust:?}, plainly by {plain:?}"
            );
            assert!(
                robust.1 < 0.5 && robust.1 < 0.5 * plain.1,
                "{what}: shapes off by {robust:?}, plainly by {plain:?}"
            );
        }
    }
}

#[test]
fn student_models_predict_draw_and_are_kept() {
    let rows = data("galaxies");
    let dataset = DatasetBase::from(rows.view());
    let params = GaussianMixture::params(2).tails(Tails::Student(Degrees::Given(3.0)));
    let model = params.fit(&dataset).unwrap();
    assert_close("score", model.score_samples(&rows).sum(), model.log_likelihood(), 1e-12);
    assert!(model.predict_proba(&rows).sum_axis(Axis(1)).iter().all(|sum| (sum - 1.0).abs() < 1e-12));
    // Of t with 3 degrees of freedom 10 % lie beyond ±2.3534.
    let (drawn, labels) = model.sample(40_000, &mut Xoshiro256Plus::seed_from_u64(7));
    let beyond = drawn.column(0).into_iter().zip(&labels).filter(|(x, label)| {
        let deviation = model.covariances()[[**label, 0, 0]].sqrt();
        ((**x - model.means()[[**label, 0]]) / deviation).abs() > 2.353_4
    });
    let share = beyond.count() as f64 / 4e4;
    assert!((share - 0.1).abs() < 0.006, "{share} of the rows lie far out");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("student.json");
    model.save(&path).unwrap();
    let again = GaussianMixture::<f64>::load(&path).unwrap();
    assert_eq!(again, model);
    assert_eq!(again.score_samples(&rows), model.score_samples(&rows));
    let mut document = model.to_document().unwrap();
    document.degrees = None;
    assert!(GaussianMixture::from_document(document).unwrap_err().to_string().contains("degrees"));
    let mut document = model.to_document().unwrap();
    document.degrees = Some(vec![3.0, -1.0]);
    assert!(GaussianMixture::from_document(document).unwrap_err().to_string().contains("above zero"));

    // A start from the model goes on at its degrees of freedom.
    let shared =
        GaussianMixture::params(2).tails(Tails::Student(Degrees::Shared)).tolerance(1e-9).max_n_iterations(5_000);
    let shared = shared.fit(&dataset).unwrap();
    let on = shared.promote().max_n_iterations(0).fit(&dataset).unwrap();
    assert_eq!(on.degrees(), shared.degrees());
    assert_close("log-likelihood", on.log_likelihood(), shared.log_likelihood(), 1e-12);
}

#[test]
fn what_student_components_cannot_do_is_said() {
    let iris = DatasetBase::from(data("iris"));
    for degrees in [0.0, -2.0, f64::NAN, f64::INFINITY] {
        let params = GaussianMixture::params(2).tails(Tails::Student(Degrees::Given(degrees)));
        assert!(params.fit(&iris).unwrap_err().to_string().contains("degrees of freedom"));
    }
    let params = GaussianMixture::params(2).tails(Tails::Student(Degrees::Given(5.0)));
    let marginal = params.clone().missing(Missing::Marginal).fit(&iris);
    assert!(marginal.unwrap_err().to_string().contains("Student-t"));
    for policy in [Collapse::Prior, Collapse::Respawn, Collapse::Drop] {
        let error = params.clone().collapse(policy).fit(&iris).unwrap_err().to_string();
        assert!(error.contains("floored or shrunk") && error.contains(policy.name()), "{error}");
    }
    let model = params.fit(&iris).unwrap();
    assert!(model.conditional(&[0]).unwrap_err().to_string().contains("Student's t"));
    assert!(model.impute(iris.records()).unwrap_err().to_string().contains("Student-t"));
    assert_eq!(model.marginal(&[1, 2]).unwrap().degrees(), Some(&[5.0, 5.0][..]));
    // Far rows, in f32 leave all finite.
    let mut far = narrow(iris.records());
    far[[7, 1]] = 1e12;
    for assignment in [Assignment::Soft, Assignment::Hard] {
        let params = GaussianMixture::<f32>::params(2).assignment(assignment).tails(Tails::Student(Degrees::Each));
        let model = params.fit(&DatasetBase::from(far.view())).unwrap();
        assert!(model.log_likelihood().is_finite() && model.means().iter().all(|m| m.is_finite()));
    }
}

#[test]
fn threads_change_no_bit_of_student_components() {
    let blobs = Blobs::new(9, 3_000, 3, 3, 12.0);
    for assignment in [Assignment::Soft, Assignment::Hard, Assignment::Stochastic] {
        let fit = |threads| {
            let params = GaussianMixture::params(3).tails(Tails::Student(Degrees::Each)).noise(Noise::Hypervolume);
            let params = params.assignment(assignment).threads(threads).max_n_iterations(20);
            params.fit(&DatasetBase::from(blobs.rows.view())).unwrap()
        };
        assert_eq!(fit(Threads::Count(1)).parameters(), fit(Threads::Count(3)).parameters());
    }
}
