//! What a fitted mixture is good for: parts of it, regression, merged components, standard errors, tests for k.

use miscela::prelude::*;
use miscela::{Bootstrap, ColumnsError, GaussianMixtureDocument, Mixture};
use miscela_tests::{Blobs, Record, assert_close, assert_covariances, assert_means, assert_near, cases, data, narrow};
use ndarray::{Array1, Array2, Array3, Axis, array};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

/// A model of recorded full covariances.
fn recorded(record: &Record) -> GaussianMixture<f64> {
    let covariances: Array3<f64> = record.array("covariances").into_dimensionality().unwrap();
    let (weights, means) = (record.vector("weights"), record.matrix("means"));
    let parameters = Mixture::new(weights, means, Covariances::Full(covariances));
    GaussianMixture::from_parameters(parameters, Covariance::Full).unwrap()
}

fn dataset(rows: Array2<f64>) -> DatasetBase<Array2<f64>, ()> {
    DatasetBase::new(rows, ())
}

fn first(n: usize, rows: &Array2<f64>) -> Array2<f64> {
    rows.select(Axis(0), &(0..n).collect::<Vec<_>>())
}

/// A fitted mixture, of any structure, and its rows.
#[derive(Clone, Debug)]
struct Case {
    blobs: Blobs,
    model: GaussianMixture<f64>,
}

fn case(columns: std::ops::Range<usize>) -> impl Strategy<Value = Case> {
    let structures: Vec<Covariance> = Covariance::all().collect();
    (any::<u64>(), columns, 1usize..4, prop::sample::select(structures)).prop_map(|(seed, d, k, covariance)| {
        let blobs = Blobs::new(seed, 60 * k, d, k, 5.0);
        let start = GmmInitMethod::Labels(blobs.rough_labels());
        let params = GaussianMixture::params(k).covariance(covariance).init_method(start).max_n_iterations(5);
        let names = (0..d).map(|j| format!("column {j}")).collect();
        let model = params.fit(&dataset(blobs.rows.clone())).unwrap().with_feature_names(names);
        Case { blobs, model }
    })
}

/// Some columns in some order, at least one and, with `leave`, not all.
fn choose(seed: u64, d: usize, leave: usize) -> Vec<usize> {
    let mut columns = Blobs::new(seed, d, 1, 1, 1.0).permutation(seed ^ 1);
    columns.truncate(1 + (seed % (d - leave) as u64) as usize);
    columns
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn a_part_of_a_part_is_a_part(case in case(1..5), seed in any::<u64>()) {
        let d = case.model.n_features();
        let outer = choose(seed, d, 0);
        let inner = choose(seed.rotate_left(9), outer.len(), 0);
        let once = case.model.marginal(&inner.iter().map(|j| outer[*j]).collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(&case.model.marginal(&outer).unwrap().marginal(&inner).unwrap(), &once);
        prop_assert!(once.covariance().has_shape(case.model.covariance_parameters()));
        let names: Vec<String> = inner.iter().map(|j| format!("column {}", outer[*j])).collect();
        prop_assert_eq!(once.feature_names(), names);
        let all = case.model.marginal(&(0..d).collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(all.parameters(), case.model.parameters());
    }

    /// ln p(x_A) + ln p(x_B | x_A) = ln p(x)
    #[test]
    fn the_parts_make_the_whole(case in case(2..5), seed in any::<u64>()) {
        let (model, rows) = (&case.model, first(20, &case.blobs.rows));
        let observed = choose(seed, model.n_features(), 1);
        let conditional = model.conditional(&observed).unwrap();
        let (seen, rest) = (rows.select(Axis(1), &observed), rows.select(Axis(1), conditional.rest()));
        let (joint, marginal) = (model.score_samples(&rows), model.marginal(&observed).unwrap().score_samples(&seen));
        let regression = conditional.regress(&seen).unwrap();
        prop_assert_eq!(&conditional.predict(&seen), &regression.means);
        for i in 0..rows.nrows() {
            let given = conditional.given(&seen.row(i)).unwrap();
            let last = given.score_samples(&rest.select(Axis(0), &[i]))[0];
            let slack = 1e-9 * (1.0 + joint[i].abs());
            prop_assert!((marginal[i] + last - joint[i]).abs() <= slack, "{} + {last} is not {}", marginal[i], joint[i]);
            prop_assert_eq!(given.feature_names(), conditional.feature_names());
            // The regression has the moments of that mixture.
            let mean = given.weights().dot(given.means());
            assert_near("mean", &regression.means.row(i), &mean, 1e-12);
            let between = (given.means() - &mean).mapv(|x| x * x);
            let within = Array2::from_shape_fn(between.dim(), |(c, j)| given.covariances()[[c, j, j]]);
            assert_near("variance", &regression.variances.row(i), &given.weights().dot(&(within + between)), 1e-12);
        }
    }

    #[test]
    fn merging_keeps_probabilities_and_lowers_entropy(case in case(1..3)) {
        let weighted = dataset(case.blobs.rows.clone()).with_weights(case.blobs.weights.mapv(|w| w as f32));
        let merging = case.model.merge(&weighted).unwrap();
        prop_assert!(merging.entropies().windows(2).all(|pair| pair[0] <= pair[1] + 1e-12 * pair[1]));
        for g in 1..=case.model.n_clusters() {
            let p = merging.probabilities(g);
            prop_assert_eq!(p.ncols(), g);
            p.outer_iter().for_each(|row| assert_close("sum", row.sum(), 1.0, 1e-12));
            let entropy: f64 = p.outer_iter().zip(&case.blobs.weights).map(|(row, w)| {
                -f64::from(*w as f32) * row.iter().filter(|r| **r > 0.0).map(|r| r * r.ln()).sum::<f64>()
            }).sum();
            prop_assert!((entropy - merging.entropies()[g - 1]).abs() <= 1e-9 * (1.0 + entropy));
            prop_assert!(merging.labels(g).iter().all(|label| *label < g));
        }
        prop_assert_eq!(merging.labels(case.model.n_clusters()), case.model.predict(&case.blobs.rows));
        prop_assert_eq!(merging.combine(1, &case.model.predict_proba(&case.blobs.rows)), merging.probabilities(1));
    }

    #[test]
    fn doubt_is_what_the_probabilities_say(case in case(1..4)) {
        let (model, rows) = (&case.model, &case.blobs.rows);
        let (p, l) = (model.predict_proba(rows), model.component_log_densities(rows));
        let (uncertainty, entropy, score) = (model.uncertainty(rows), model.entropy(rows), model.score_samples(rows));
        for i in 0..rows.nrows() {
            let most = p.row(i).fold(0.0f64, |m, p| m.max(*p));
            prop_assert!((uncertainty[i] - (1.0 - most)).abs() < 1e-14);
            let expected: f64 = p.row(i).iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
            prop_assert!((entropy[i] - expected).abs() < 1e-14);
            for (c, w) in model.weights().iter().enumerate() {
                prop_assert!((w.ln() + l[[i, c]] - score[i] - p[[i, c]].ln()).abs() < 1e-9 || p[[i, c]] < 1e-300);
            }
        }
    }

    #[test]
    fn a_model_of_parameters_survives_its_document(case in case(1..4)) {
        let (parameters, covariance) = (case.model.parameters().clone(), case.model.covariance());
        let made = GaussianMixture::from_parameters(parameters, covariance).unwrap();
        let text = serde_json::to_string(&made.to_document().unwrap()).unwrap();
        let document: GaussianMixtureDocument<f64> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(GaussianMixture::from_document(document).unwrap(), made.clone());
        prop_assert_eq!(made.score_samples(&case.blobs.rows), case.model.score_samples(&case.blobs.rows));
        let (a, b) = (dataset(case.blobs.rows.clone()), dataset(case.blobs.rows.clone()));
        prop_assert_eq!(made.bic(&a).unwrap(), case.model.bic(&b).unwrap());
    }

    /// Mean and covariance of many draws, within six of their standard errors.
    #[test]
    fn samples_have_the_moments_of_the_mixture(case in case(1..4), seed in any::<u64>()) {
        let (model, n) = (&case.model, 4000);
        let (rows, labels) = model.sample(n, &mut Xoshiro256Plus::seed_from_u64(seed));
        for (c, covariance) in model.covariances().outer_iter().enumerate() {
            let own: Vec<usize> = (0..n).filter(|i| labels[*i] == c).collect();
            let m = own.len() as f64;
            let w = model.weights()[c];
            prop_assert!((m / n as f64 - w).abs() <= 6.0 * (w * (1.0 - w) / n as f64).sqrt() + 1e-12);
            let z = rows.select(Axis(0), &own) - model.means().row(c);
            let (mean, scatter) = (z.sum_axis(Axis(0)) / m, z.t().dot(&z) / m);
            for ((i, j), x) in covariance.indexed_iter() {
                let size = covariance[[i, i]] * covariance[[j, j]];
                prop_assert!((scatter[[i, j]] - x).abs() <= 6.0 * ((size + x * x) / m).sqrt());
                prop_assert!(mean[i].abs() <= 6.0 * (covariance[[i, i]] / m).sqrt());
            }
        }
    }
}

#[test]
fn merges_are_those_of_mclust() {
    for (name, record) in Record::read("mclust/uses.json").at("combi").parts() {
        let model = recorded(&record);
        let merging = model.merge(&dataset(data(&record.text("data")))).unwrap();
        let expected = record.matrix("merges");
        let merges: Vec<[f64; 2]> = merging.merges().iter().map(|(a, b)| [*a as f64, *b as f64]).collect();
        assert_eq!(Array2::from(merges), expected, "{name}");
        let entropies = Array1::from(merging.entropies().to_vec());
        assert_near(&name, &entropies, &record.vector("entropies"), 1e-6);
        let elbow = record.count("elbow");
        assert_eq!(merging.elbow(), elbow, "{name}");
        assert_eq!(merging.labels(elbow).to_vec(), record.counts("labels"), "{name}");
    }
}

/// The standard deviation of B normal numbers has a relative standard error of √(1/2B). Bootstrapped variances have longer
/// tails than normal numbers, and there are 12 figures: five standard errors of the difference are allowed for.
#[test]
fn standard_errors_are_those_of_mclust() {
    let record = Record::read("mclust/uses.json").at("bootstrap");
    let (model, n_replicates) = (recorded(&record), 499);
    let plan = Bootstrap { n_replicates, ..Bootstrap::default() };
    let replicates = model.bootstrap(&dataset(data("faithful")), plan).unwrap();
    assert_eq!(replicates.mixtures().len(), n_replicates);
    let errors = replicates.standard_errors();
    let tolerance = 5.0 * (0.5 / n_replicates as f64 + 0.5 / record.number("replicates")).sqrt();
    let pairs = errors
        .weights
        .iter()
        .zip(record.vector("weight_errors"))
        .chain(errors.means.iter().zip(record.vector("mean_errors")));
    for (got, expected) in pairs.chain(errors.covariances.iter().zip(record.vector("covariance_errors"))) {
        assert_close("standard error", *got, expected, tolerance);
    }
}

#[test]
fn a_bootstrap_is_the_same_for_any_threads() {
    let blobs = Blobs::new(5, 200, 2, 2, 8.0);
    let weighted = dataset(blobs.rows.clone()).with_weights(blobs.weights.mapv(|w| w as f32));
    let model = GaussianMixture::params(2).fit(&weighted).unwrap();
    let with = |threads| {
        let plan = Bootstrap { n_replicates: 7, threads, ..Bootstrap::default() };
        let test = GaussianMixture::params(1).threads(threads).bootstrap_lrt(&weighted, 3, 9, 0.2).unwrap();
        (model.bootstrap(&weighted, plan).unwrap(), test)
    };
    let one = with(Threads::One);
    assert_eq!(one, with(Threads::Count(2)));
    assert_eq!(one, with(Threads::Count(3)));
}

/// Refits stay near a fit however that was found.
#[test]
fn annealed_and_stochastic_fits_are_taken_on_softly() {
    let rows = dataset(data("faithful"));
    let plan = Bootstrap { n_replicates: 9, ..Bootstrap::default() };
    let model = GaussianMixture::params(2).fit(&rows).unwrap();
    let errors = |assignment| {
        let params = GaussianMixture::params(2).assignment(assignment).max_n_iterations(0);
        let again = params.init_method(model.parameters().into()).fit(&rows).unwrap();
        again.bootstrap(&rows, plan).unwrap().standard_errors()
    };
    let soft = errors(Assignment::Soft);
    assert_eq!(errors(Assignment::Stochastic), soft);
    assert_eq!(errors(Assignment::Annealed(miscela::Annealing::default())), soft);
}

/// A row of weight 2 is two rows, and their weights then vary independently.
#[test]
fn weights_count_in_the_bootstrap() {
    let rows = data("faithful");
    let errors = |dataset: &DatasetBase<Array2<f64>, ()>| {
        let params = GaussianMixture::params(1).reg_covariance(0.0);
        let plan = Bootstrap { n_replicates: 400, ..Bootstrap::default() };
        params.fit(dataset).unwrap().bootstrap(dataset, plan).unwrap().standard_errors()
    };
    let twice = errors(&dataset(rows.clone()).with_weights(Array1::from_elem(rows.nrows(), 2.0)));
    // With one component the standard error of the mean is σ/√Σw.
    let expected = rows.std_axis(Axis(0), 0.0) / (2.0 * rows.nrows() as f64).sqrt();
    assert_near("means", &twice.means.row(0), &expected, 5.0 * (0.5f64 / 400.0).sqrt());
    assert_eq!(twice.weights, array![0.0]);
}

/// Of four tied components mclust's fit ends below that of three, so there is nothing to compare with: k = 3 is the most asked
/// for.
#[test]
fn tests_for_k_end_where_mclusts_do() {
    let record = Record::read("mclust/uses.json").at("lrt");
    let cases = [(Covariance::Full, "full", 4, 2, 2), (Covariance::Tied, "tied", 3, 3, 2)];
    for (covariance, part, max_k, k, tests) in cases {
        let params = GaussianMixture::params(1).covariance(covariance).n_runs(3).tolerance(1e-6).reg_covariance(0.0);
        let params = params.max_n_iterations(500);
        let found = params.bootstrap_lrt(&dataset(data("faithful")), max_k, 39, 0.05).unwrap();
        assert_eq!((found.n_components, found.tests.len()), (k, tests));
        assert_close("λ of two components", found.tests[0].statistic, record.at(part).vector("statistics")[0], 1e-5);
        let (statistics, p_values) = (record.at(part).vector("statistics"), record.at(part).vector("p_values"));
        for (test, (statistic, p)) in found.tests.iter().zip(statistics.iter().zip(p_values)) {
            // Another start may find a better optimum; the decisions are the same.
            assert!(test.statistic > statistic - 1e-6 * statistic.abs(), "{covariance}, {}", test.n_components);
            assert_eq!(test.p_value <= 0.05, p <= 0.05, "{covariance}, {}", test.n_components);
        }
    }
}

#[test]
fn the_true_number_of_components_is_found() {
    let blobs = Blobs::new(11, 300, 2, 3, 25.0);
    let params = GaussianMixture::params(1).covariance(Covariance::Full).n_runs(3).tolerance(1e-5);
    let found = params.bootstrap_lrt(&dataset(blobs.rows), 6, 39, 0.05).unwrap();
    assert_eq!(found.n_components, 3);
    let significant: Vec<bool> = found.tests.iter().map(|test| test.p_value <= 0.05).collect();
    assert_eq!(significant, [true, true, false]);
    assert!(found.tests.iter().all(|test| test.replicates.len() == 39));
}

/// With one component the regression is that of least squares: the normal equations, solved by elimination.
#[test]
fn one_component_regresses_by_least_squares() {
    let rows = data("penguins");
    let model = GaussianMixture::params(1).reg_covariance(0.0).fit(&dataset(rows.clone())).unwrap();
    let (x, y) = (rows.select(Axis(1), &[0, 1, 2]), rows.column(3));
    let (x_mean, y_mean) = (x.mean_axis(Axis(0)).unwrap(), y.mean().unwrap());
    let z = &x - &x_mean;
    let beta = solve(z.t().dot(&z), z.t().dot(&(&y - y_mean)));
    let conditional = model.conditional(&[0, 1, 2]).unwrap();
    let intercept = conditional.regress(&x_mean.view().insert_axis(Axis(0))).unwrap();
    assert_close("at the mean", intercept.means[[0, 0]], y_mean, 1e-12);
    for j in 0..3 {
        let mut next = x_mean.clone();
        next[j] += 1.0;
        let step = conditional.given(&next).unwrap().means()[[0, 0]] - y_mean;
        assert_close("coefficient", step, beta[j], 1e-8);
    }
    let residuals = &y - &(z.dot(&beta) + y_mean);
    assert_close("residual variance", intercept.variances[[0, 0]], residuals.dot(&residuals) / 342.0, 1e-10);
}

/// A b = c for a small positive definite A.
fn solve(mut a: Array2<f64>, mut c: Array1<f64>) -> Array1<f64> {
    let n = c.len();
    for p in 0..n {
        for i in (0..n).filter(|i| *i != p) {
            let factor = a[[i, p]] / a[[p, p]];
            (0..n).for_each(|j| a[[i, j]] -= factor * a[[p, j]]);
            c[i] -= factor * c[p];
        }
    }
    Array1::from_shape_fn(n, |i| c[i] / a[[i, i]])
}

/// Mean and variance of p(x, y)/p(x), by sums over a fine grid of y.
#[test]
fn regression_has_the_moments_of_the_ratio_of_densities() {
    let faithful = data("faithful");
    let model = GaussianMixture::params(3).fit(&dataset(faithful.clone())).unwrap();
    let conditional = model.conditional(&[0]).unwrap();
    let x = first(8, &faithful).select(Axis(1), &[0]);
    let regression = conditional.regress(&x).unwrap();
    let (marginal, step) = (model.marginal(&[0]).unwrap().score_samples(&x), 0.02);
    for i in 0..x.nrows() {
        let grid = Array2::from_shape_fn((10_000, 2), |(g, j)| if j == 0 { x[[i, 0]] } else { step * g as f64 - 40.0 });
        let ratio = model.score_samples(&grid).mapv(|l| (l - marginal[i]).exp() * step);
        assert_close("mass", ratio.sum(), 1.0, 1e-9);
        let mean = ratio.dot(&grid.column(1));
        assert_close("mean", regression.means[[i, 0]], mean, 1e-9);
        let variance = ratio.dot(&grid.column(1).mapv(|y| (y - mean).powi(2)));
        assert_close("variance", regression.variances[[i, 0]], variance, 1e-8);
    }
}

#[test]
fn single_precision_is_used_as_well() {
    let rows = data("iris");
    let wide = GaussianMixture::params(3).fit(&dataset(rows.clone())).unwrap();
    let parameters = wide.parameters().clone();
    let parameters = Mixture::new(
        parameters.weights.mapv(|x| x as f32),
        narrow(&parameters.means),
        parameters.covariances.cast::<f32>(),
    );
    let model = GaussianMixture::from_parameters(parameters, Covariance::Full).unwrap();
    let x = rows.select(Axis(1), &[3, 0]);
    let (expected, got) = (wide.conditional(&[3, 0]).unwrap(), model.conditional(&[3, 0]).unwrap());
    let (expected, got) = (expected.regress(&x).unwrap(), got.regress(&narrow(&x)).unwrap());
    assert_means("means", &got.means.mapv(f64::from), &expected.means, 1e-3);
    assert_means("variances", &got.variances.mapv(f64::from), &expected.variances, 1e-2);
    let merging = model.merge(&DatasetBase::new(narrow(&rows), ())).unwrap();
    assert_eq!(merging.merges(), wide.merge(&dataset(rows.clone())).unwrap().merges());
    let plan = Bootstrap { n_replicates: 3, ..Bootstrap::default() };
    let errors = model.bootstrap(&DatasetBase::new(narrow(&rows), ()), plan).unwrap().standard_errors();
    assert!(errors.means.iter().all(|e| *e > 0.0));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let rows = data("iris");
    let model = GaussianMixture::params(2).fit(&dataset(rows.clone())).unwrap();
    assert!(matches!(model.marginal(&[]), Err(GmmError::Columns(ColumnsError::Empty))));
    assert!(matches!(model.marginal(&[4]), Err(GmmError::Columns(ColumnsError::Missing { column: 4, d: 4 }))));
    assert!(matches!(model.marginal(&[1, 1]), Err(GmmError::Columns(ColumnsError::Repeated { column: 1 }))));
    let all = model.conditional(&[0, 1, 2, 3]).unwrap_err();
    assert!(all.to_string().starts_with("all 4 columns were chosen"), "{all}");
    let conditional = model.conditional(&[0]).unwrap();
    assert!(matches!(conditional.regress(&rows), Err(GmmError::FeatureCount { expected: 1, got: 4 })));
    assert!(matches!(conditional.given(&array![f64::NAN]), Err(GmmError::Samples(_))));
    let narrow = dataset(rows.select(Axis(1), &[0, 1, 2]));
    assert!(matches!(model.merge(&narrow), Err(GmmError::FeatureCount { expected: 4, got: 3 })));
    let plan = Bootstrap { n_replicates: 1, ..Bootstrap::default() };
    assert!(matches!(model.bootstrap(&dataset(rows.clone()), plan), Err(GmmError::InvalidParams(_))));
    let params = GaussianMixture::params(1);
    assert!(params.bootstrap_lrt(&dataset(rows.clone()), 2, 0, 0.05).is_err());
    assert!(params.bootstrap_lrt(&dataset(rows.clone()), 2, 9, 1.0).is_err());
    let given = params.init_method(GmmInitMethod::means(array![[0.0, 0.0, 0.0, 0.0]]));
    assert!(given.bootstrap_lrt(&dataset(rows), 2, 9, 0.05).is_err());

    let made = |weights, covariances, covariance| {
        let parameters: Mixture<f64> = Mixture::new(weights, array![[0.0, 1.0]], covariances);
        GaussianMixture::from_parameters(parameters, covariance)
    };
    let one = Covariances::Spherical(array![1.0]);
    assert!(made(array![1.0], one.clone(), Covariance::Spherical).is_ok());
    let shape = made(array![1.0], one.clone(), Covariance::Full).unwrap_err();
    assert!(matches!(shape, GmmError::CovarianceShape { covariance: Covariance::Full }));
    assert!(made(array![0.5], one, Covariance::Spherical).is_err());
    assert!(made(array![1.0], Covariances::Spherical(array![-1.0]), Covariance::Spherical).is_err());
}

#[test]
fn refits_keep_their_components_where_fits_may_not() {
    let mut rows = Blobs::new(3, 40, 2, 1, 5.0).rows;
    rows.row_mut(0).fill(1e3);
    let alone = GmmInitMethod::Labels((0..40).map(|i| usize::from(i == 0)).collect());
    for collapse in [Collapse::Respawn, Collapse::Drop] {
        let params = GaussianMixture::params(2).collapse(collapse).init_method(alone.clone()).reg_covariance(0.0);
        let model = params.max_n_iterations(0).fit(&dataset(rows.clone())).unwrap();
        let plan = Bootstrap { n_replicates: 4, ..Bootstrap::default() };
        for mixture in model.bootstrap(&dataset(rows.clone()), plan).unwrap().mixtures() {
            assert_eq!(mixture.n_components(), 2, "{collapse}");
            assert_near("the row alone", &mixture.means.row(1), &rows.row(0), 1e-9);
        }
    }
}

#[test]
fn warm_refits_find_the_parameters_again() {
    // All weights alike would be the fit itself: their spread is all there is, and small where rows are many.
    let blobs = Blobs::new(3, 4000, 2, 2, 20.0);
    let model = GaussianMixture::params(2).tolerance(1e-7).fit(&dataset(blobs.rows.clone())).unwrap();
    let plan = Bootstrap { n_replicates: 20, ..Bootstrap::default() };
    let replicates = model.bootstrap(&dataset(blobs.rows), plan).unwrap();
    for mixture in replicates.mixtures() {
        assert_means("means", &mixture.means, model.means(), 0.05);
        assert_covariances("covariances", &mixture.covariances.dense(2, 2), &model.covariances(), 0.2);
    }
}
