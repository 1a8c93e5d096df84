//! Rows with missing values: against a dense EM written out, a closed form, and what filling in means would give.

use miscela::prelude::*;
use miscela::{GmmError, KMeansError, SamplesError};
use miscela_tests::{Blobs, assert_close, assert_covariances, assert_means, assert_near, cases, data, narrow};
use ndarray::{Array1, Array2, Array3, ArrayView1, Axis, array, concatenate};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;

const NAN: f64 = f64::NAN;

/// The rows with this share of their values removed at random.
fn holes(rows: &Array2<f64>, share: f64, seed: u64) -> Array2<f64> {
    let mut rng = Xoshiro256Plus::seed_from_u64(seed);
    rows.mapv(|x| if rng.r#gen::<f64>() < share { NAN } else { x })
}

fn n_missing(rows: &Array2<f64>) -> usize {
    rows.iter().filter(|x| x.is_nan()).count()
}

/// A mixture written out, in the plainest way.
#[derive(Clone, Debug)]
struct Plain {
    weights: Array1<f64>,
    means: Array2<f64>,
    covariances: Array3<f64>,
}

/// A row under one component: its log-density over what it shows, what it is expected to be, and the covariance left.
struct Completed {
    log_density: f64,
    row: Array1<f64>,
    left: Array2<f64>,
}

/// A⁻¹ and ln|A| by Gauss and Jordan's elimination, without pivots: A is positive definite.
fn inverse(a: &Array2<f64>) -> (Array2<f64>, f64) {
    let n = a.nrows();
    let (mut a, mut inverse, mut log_determinant) = (a.clone(), Array2::<f64>::eye(n), 0.0);
    for i in 0..n {
        let pivot = a[[i, i]];
        log_determinant += pivot.ln();
        a.row_mut(i).mapv_inplace(|x| x / pivot);
        inverse.row_mut(i).mapv_inplace(|x| x / pivot);
        for j in (0..n).filter(|j| *j != i) {
            let (factor, row, other) = (a[[j, i]], a.row(i).to_owned(), inverse.row(i).to_owned());
            a.row_mut(j).scaled_add(-factor, &row);
            inverse.row_mut(j).scaled_add(-factor, &other);
        }
    }
    (inverse, log_determinant)
}

impl Plain {
    fn of(model: &GaussianMixture<f64>) -> Self {
        let (weights, means) = (model.weights().clone(), model.means().clone());
        Self { weights, means, covariances: model.covariances() }
    }

    fn complete(&self, row: ArrayView1<f64>, c: usize) -> Completed {
        let (missing, seen): (Vec<usize>, Vec<usize>) = (0..row.len()).partition(|j| row[*j].is_nan());
        let (mean, covariance) = (self.means.row(c), self.covariances.index_axis(Axis(0), c));
        let part = |a: &[usize], b: &[usize]| covariance.select(Axis(0), a).select(Axis(1), b);
        let (precision, log_determinant) = inverse(&part(&seen, &seen));
        let difference = row.select(Axis(0), &seen) - mean.select(Axis(0), &seen);
        let square = difference.dot(&precision.dot(&difference));
        let regression = part(&missing, &seen).dot(&precision);
        let (mut whole, mut left) = (row.to_owned(), Array2::zeros(covariance.dim()));
        let expected = mean.select(Axis(0), &missing) + regression.dot(&difference);
        let conditional = part(&missing, &missing) - regression.dot(&part(&seen, &missing));
        for (a, i) in missing.iter().enumerate() {
            whole[*i] = expected[a];
            missing.iter().enumerate().for_each(|(b, j)| left[[*i, *j]] = conditional[[a, b]]);
        }
        let constant = seen.len() as f64 * std::f64::consts::TAU.ln() + log_determinant;
        Completed { log_density: self.weights[c].ln() - 0.5 * (constant + square), row: whole, left }
    }

    /// The log-densities of a row with the weights in them.
    fn logs(&self, row: ArrayView1<f64>) -> Vec<f64> {
        (0..self.weights.len()).map(|c| self.complete(row, c).log_density).collect()
    }

    fn log_likelihood(&self, rows: &Array2<f64>, weights: &Array1<f64>) -> f64 {
        rows.outer_iter().zip(weights).map(|(row, w)| w * log_sum(&self.logs(row))).sum()
    }

    fn shares(&self, row: ArrayView1<f64>) -> Vec<f64> {
        let logs = self.logs(row);
        let total = log_sum(&logs);
        logs.iter().map(|l| (l - total).exp()).collect()
    }

    /// One iteration of EM for incomplete rows.
    fn step(&self, rows: &Array2<f64>, weights: &Array1<f64>, structure: Covariance, hard: bool) -> Self {
        let (k, d) = self.means.dim();
        let mut n = Array1::<f64>::zeros(k);
        let mut means = Array2::<f64>::zeros((k, d));
        let mut shares: Vec<Vec<f64>> = rows.outer_iter().map(|row| self.shares(row)).collect();
        if hard {
            for shares in &mut shares {
                let most = shares.iter().copied().fold(0.0, f64::max);
                let winner = shares.iter().position(|r| *r == most).unwrap();
                shares.iter_mut().enumerate().for_each(|(c, r)| *r = f64::from(c == winner));
            }
        }
        for ((row, w), shares) in rows.outer_iter().zip(weights).zip(&shares) {
            for c in 0..k {
                n[c] += w * shares[c];
                means.row_mut(c).scaled_add(w * shares[c], &self.complete(row, c).row);
            }
        }
        for c in 0..k {
            means.row_mut(c).mapv_inplace(|x| x / n[c]);
        }
        let mut covariances = Array3::<f64>::zeros((k, d, d));
        for ((row, w), shares) in rows.outer_iter().zip(weights).zip(&shares) {
            for c in 0..k {
                let completed = self.complete(row, c);
                let z = (completed.row - means.row(c)).insert_axis(Axis(1));
                let scatter = z.dot(&z.t()) + completed.left;
                covariances.index_axis_mut(Axis(0), c).scaled_add(w * shares[c] / n[c], &scatter);
            }
        }
        let total = n.sum();
        let pooled = (0..k).fold(Array2::zeros((d, d)), |sum: Array2<f64>, c| {
            sum + &covariances.index_axis(Axis(0), c) * (n[c] / total)
        });
        for mut one in covariances.outer_iter_mut() {
            let diagonal = one.diag().to_owned();
            match structure {
                Covariance::Full => {}
                Covariance::Tied => one.assign(&pooled),
                Covariance::Diagonal => one.assign(&Array2::from_diag(&diagonal)),
                Covariance::TiedDiagonal => one.assign(&Array2::from_diag(&pooled.diag())),
                Covariance::Spherical => one.assign(&(Array2::eye(d) * (diagonal.sum() / d as f64))),
                Covariance::TiedSpherical => one.assign(&(Array2::eye(d) * (pooled.diag().sum() / d as f64))),
                other => panic!("{other} is not written out here"),
            }
        }
        Self { weights: n / total, means, covariances }
    }
}

fn log_sum(logs: &[f64]) -> f64 {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most + logs.iter().map(|l| (l - most).exp()).sum::<f64>().ln()
}

/// No ridge, no tolerance, so many iterations, missing values as they are.
fn exact(k: usize, iterations: u64) -> GmmParams<f64, Xoshiro256Plus> {
    GaussianMixture::params(k)
        .missing(Missing::Marginal)
        .reg_covariance(0.0)
        .tolerance(0.0)
        .max_n_iterations(iterations)
}

#[track_caller]
fn same(what: &str, model: &GaussianMixture<f64>, plain: &Plain, tolerance: f64) {
    assert_near(what, model.weights(), &plain.weights, tolerance);
    assert_means(what, model.means(), &plain.means, tolerance);
    assert_covariances(what, &model.covariances(), &plain.covariances, tolerance);
}

#[test]
fn iterations_are_those_of_dense_em_written_out() {
    use Covariance::{Diagonal, Full, Spherical, Tied, TiedDiagonal, TiedSpherical};
    let blobs = Blobs::new(5, 120, 4, 2, 5.0);
    let rows = holes(&blobs.rows, 0.3, 1);
    for structure in [Full, Tied, Diagonal, TiedDiagonal, Spherical, TiedSpherical] {
        for assignment in [Assignment::Soft, Assignment::Hard] {
            let params = exact(2, 0).covariance(structure).assignment(assignment);
            let params = params.init_method(GmmInitMethod::Labels(blobs.rough_labels()));
            let start = params.fit_weighted(&rows, &blobs.weights).unwrap();
            let mut plain = Plain::of(&start);
            let start = GmmInitMethod::Parameters {
                weights: Some(start.weights().clone()),
                means: start.means().clone(),
                covariances: Some(start.covariance_parameters().clone()),
            };
            let model = params.init_method(start).max_n_iterations(6).fit_weighted(&rows, &blobs.weights).unwrap();
            let iterations = model.report().iterations;
            assert!(iterations >= 2);
            let hard = assignment == Assignment::Hard;
            for i in 0..iterations {
                plain = plain.step(&rows, &blobs.weights, structure, hard);
                if !hard {
                    let expected = plain.log_likelihood(&rows, &blobs.weights);
                    assert_close(&format!("{structure}, iteration {i}"), model.report().trace[i], expected, 1e-9);
                }
            }
            same(&format!("{structure}, {assignment}"), &model, &plain, 1e-9);
            let expected = plain.log_likelihood(&rows, &blobs.weights);
            assert_close(&format!("{structure}, {assignment}"), model.log_likelihood(), expected, 1e-9);
        }
    }
}

/// Anderson (1957): y is missing in some rows and x in none. The likelihood factors into that of x in all rows and that of y
/// given x in the whole ones.
#[test]
fn one_component_is_the_closed_form_of_a_monotone_pattern() {
    let mut rows = data("faithful");
    (0..rows.nrows()).filter(|i| i % 3 == 1 || rows[[*i, 0]] > 4.6).collect::<Vec<_>>().into_iter().for_each(|i| {
        rows[[i, 1]] = NAN;
    });
    let x = rows.column(0).to_owned();
    let mean_of = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let whole: Vec<usize> = (0..rows.nrows()).filter(|i| !rows[[*i, 1]].is_nan()).collect();
    let (xs, ys): (Vec<f64>, Vec<f64>) = whole.iter().map(|i| (rows[[*i, 0]], rows[[*i, 1]])).unzip();
    let (mx, my) = (mean_of(&xs), mean_of(&ys));
    let product = |a: &[f64], ma: f64, b: &[f64], mb: f64| {
        mean_of(&a.iter().zip(b).map(|(a, b)| (a - ma) * (b - mb)).collect::<Vec<_>>())
    };
    let (sxx, sxy, syy) = (product(&xs, mx, &xs, mx), product(&xs, mx, &ys, my), product(&ys, my, &ys, my));
    let slope = sxy / sxx;
    let (mean, all) = (x.mean().unwrap(), x.to_vec());
    let variance = product(&all, mean, &all, mean);
    let means = array![[mean, my + slope * (mean - mx)]];
    let cross = slope * variance;
    let expected = array![[[variance, cross], [cross, syy - slope * sxy + slope * cross]]];

    let model = exact(1, 10_000).fit(&DatasetBase::from(rows.clone())).unwrap();
    assert!(model.report().converged());
    assert_means("means", model.means(), &means, 1e-8);
    assert_covariances("covariances", &model.covariances(), &expected, 1e-7);
    // It is not what the whole rows alone say.
    assert!((my - means[[0, 1]]).abs() > 1.0);
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn the_likelihood_is_that_of_what_is_there_and_never_falls(
        seed in any::<u64>(), k in 1usize..4, d in 1usize..5, share in 0.05..0.5f64,
        structure in prop::sample::select(Covariance::all().collect::<Vec<_>>()),
    ) {
        let blobs = Blobs::new(seed, 60 * k, d, k, 8.0);
        let rows = holes(&blobs.rows, share, seed);
        let params = exact(k, 8).covariance(structure).init_method(GmmInitMethod::Labels(blobs.rough_labels()));
        let model = params.fit_weighted(&rows, &blobs.weights).unwrap();
        prop_assert_eq!(model.report().n_missing, n_missing(&rows));
        let expected = Plain::of(&model).log_likelihood(&rows, &blobs.weights);
        assert_close("log-likelihood", model.log_likelihood(), expected, 1e-9);
        if model.report().repairs.is_empty() {
            for pair in model.report().trace.windows(2) {
                prop_assert!(pair[1] >= pair[0] - 1e-9 * pair[0].abs(), "{:?}", pair);
            }
        }
    }

    #[test]
    fn a_weight_is_so_many_rows_and_zero_is_none(
        seed in any::<u64>(), k in 1usize..3, d in 2usize..4, hard in any::<bool>(),
    ) {
        let blobs = Blobs::new(seed, 50 * k, d, k, 8.0);
        let rows = holes(&blobs.rows, 0.2, seed);
        let copies: Vec<usize> = (0..rows.nrows()).map(|i| i % 3).collect();
        let repeated: Vec<usize> = (0..rows.nrows()).flat_map(|i| vec![i; copies[i]]).collect();
        let labels = blobs.rough_labels();
        let assignment = if hard { Assignment::Hard } else { Assignment::Soft };
        let fit = |rows: &Array2<f64>, weights: Array1<f64>, labels: Vec<usize>| {
            let params = exact(k, 4).assignment(assignment).init_method(GmmInitMethod::Labels(labels));
            params.fit_weighted(rows, &weights).unwrap()
        };
        let weighted = fit(&rows, copies.iter().map(|c| *c as f64).collect(), labels.clone());
        let longer = rows.select(Axis(0), &repeated);
        let labels = repeated.iter().map(|i| labels[*i]).collect();
        let plain = fit(&longer, Array1::ones(repeated.len()), labels);
        same("weighted", &weighted, &Plain::of(&plain), 1e-8);
        assert_close("log-likelihood", weighted.log_likelihood(), plain.log_likelihood(), 1e-10);
    }

    #[test]
    fn k_means_lowers_its_inertia_and_ends_at_means_of_what_is_there(
        seed in any::<u64>(), k in 1usize..5, d in 1usize..5, share in 0.05..0.6f64, weighted in any::<bool>(),
    ) {
        let blobs = Blobs::new(seed, 30 * k, d, k, 6.0);
        let rows = holes(&blobs.rows, share, seed);
        let weights = if weighted { blobs.weights.clone() } else { Array1::ones(rows.nrows()) };
        let params = KMeans::params(k).missing(Missing::Marginal).tolerance(0.0);
        let model = match params.fit_weighted(&rows, &weights) {
            Ok(model) => model,
            // So many holes that there are not k different rows left.
            Err(KMeansError::Seeding(_)) => return Err(TestCaseError::reject("too few rows")),
            Err(error) => panic!("{error}"),
        };
        for pair in model.report().trace.windows(2) {
            prop_assert!(pair[1] <= pair[0] * (1.0 + 1e-12) + 1e-12, "{:?}", pair);
        }
        let distance = |i: usize, c: usize| -> f64 {
            let squares = rows.row(i).into_iter().zip(model.centroids().row(c)).map(|(x, c)| (x - c).powi(2));
            squares.filter(|x| !x.is_nan()).sum()
        };
        let labels = model.try_predict(&rows).unwrap();
        let mut inertia = 0.0;
        for (i, label) in labels.iter().enumerate() {
            let least = (0..k).map(|c| distance(i, c)).fold(f64::INFINITY, f64::min);
            prop_assert_eq!(distance(i, *label), least);
            inertia += weights[i] * least;
        }
        assert_close("inertia", model.inertia_sum(), inertia, 1e-12);
        for ((c, j), centre) in model.centroids().indexed_iter() {
            let there = (0..rows.nrows()).filter(|i| labels[*i] == c && !rows[[*i, j]].is_nan());
            let (sum, n) = there.fold((0.0, 0.0), |(sum, n), i| (sum + weights[i] * rows[[i, j]], n + weights[i]));
            let settled = n == 0.0 || (sum / n - centre).abs() <= 1e-9 * (1.0 + centre.abs());
            prop_assert!(settled, "{} {} {}", c, j, centre);
        }
    }
}

/// How far a mixture's parameters are from another's, on the scale of that one's: components are paired by their means.
fn distance(got: &Plain, truth: &Plain) -> f64 {
    let (k, d) = truth.means.dim();
    let deviation = |c: usize, j: usize| truth.covariances[[c, j, j]].sqrt();
    let apart = |a: usize, b: usize| -> f64 {
        let means = (0..d).map(|j| ((got.means[[a, j]] - truth.means[[b, j]]) / deviation(b, j)).powi(2)).sum::<f64>();
        let entries = (0..d).flat_map(|i| (0..d).map(move |j| (i, j)));
        let covariances = entries.map(|(i, j)| {
            let difference = got.covariances[[a, i, j]] - truth.covariances[[b, i, j]];
            (difference / deviation(b, i) / deviation(b, j)).powi(2)
        });
        means + covariances.sum::<f64>()
    };
    let mut orders = vec![vec![]];
    for _ in 0..k {
        let longer = |order: &Vec<usize>| {
            (0..k).filter(|c| !order.contains(c)).map(|c| [&order[..], &[c]].concat()).collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    let total = |order: &Vec<usize>| order.iter().enumerate().map(|(b, a)| apart(*a, b)).sum::<f64>();
    orders.iter().map(total).fold(f64::INFINITY, f64::min).sqrt()
}

#[test]
fn a_fifth_of_the_values_is_missed_less_than_means_in_their_place() {
    for (name, k, structure) in
        [("faithful", 2, Covariance::Full), ("iris", 3, Covariance::Tied), ("penguins", 3, Covariance::Tied)]
    {
        let whole = data(name);
        let params =
            || GaussianMixture::params(k).covariance(structure).n_runs(5).tolerance(1e-6).max_n_iterations(500);
        let truth = Plain::of(&params().fit(&DatasetBase::from(whole.clone())).unwrap());
        let (mut marginal, mut filled) = (0.0, 0.0);
        for seed in 0..5 {
            let rows = holes(&whole, 0.2, seed);
            let model = params().missing(Missing::Marginal).fit(&DatasetBase::from(rows.clone())).unwrap();
            marginal += distance(&Plain::of(&model), &truth) / 5.0;
            let mut mended = rows.clone();
            for (j, column) in rows.axis_iter(Axis(1)).enumerate() {
                let there: Vec<f64> = column.iter().copied().filter(|x| !x.is_nan()).collect();
                let mean = there.iter().sum::<f64>() / there.len() as f64;
                mended.column_mut(j).mapv_inplace(|x| if x.is_nan() { mean } else { x });
            }
            let model = params().fit(&DatasetBase::from(mended)).unwrap();
            filled += distance(&Plain::of(&model), &truth) / 5.0;
        }
        println!("{name}: {marginal:.3} from the values that are there, {filled:.3} with means in the gaps");
        assert!(marginal < 0.5 * filled, "{name}: {marginal} {filled}");
    }
}

#[test]
fn without_gaps_nothing_changes() {
    fn bits<F: Float>(rows: Array2<F>) {
        let rows = DatasetBase::from(rows);
        for structure in Covariance::all() {
            for assignment in [Assignment::Soft, Assignment::Hard] {
                let params = GaussianMixture::params(3).covariance(structure).assignment(assignment);
                let plain = params.fit(&rows).unwrap();
                let marginal = params.missing(Missing::Marginal).fit(&rows).unwrap();
                assert_eq!(plain.parameters(), marginal.parameters());
                assert_eq!(plain.report().trace, marginal.report().trace);
                assert_eq!(plain.predict_proba(rows.records()), marginal.predict_proba(rows.records()));
                assert_eq!(plain.training_score(), marginal.training_score());
            }
        }
        let plain = KMeans::params(3).fit(&rows).unwrap();
        let marginal = KMeans::params(3).missing(Missing::Marginal).fit(&rows).unwrap();
        assert_eq!(plain.centroids(), marginal.centroids());
        assert_eq!((&plain.report().trace, plain.inertia()), (&marginal.report().trace, marginal.inertia()));
        assert_eq!(plain.predict(&rows), marginal.predict(&rows));
    }
    bits(data("iris"));
    bits(narrow(&data("iris")));
}

#[test]
fn threads_and_layout_change_no_bit() {
    let blobs = Blobs::new(3, 6000, 5, 3, 6.0);
    let rows = holes(&blobs.rows, 0.2, 3);
    let turned = rows.t().as_standard_layout().to_owned();
    let turned = DatasetBase::from(turned.t());
    let rows = DatasetBase::from(rows);
    for assignment in [Assignment::Soft, Assignment::Hard] {
        let params = exact(3, 5).assignment(assignment);
        let one = params.clone().threads(Threads::One).fit(&rows).unwrap();
        let three = params.clone().threads(Threads::Count(3)).fit(&rows).unwrap();
        let turned = params.threads(Threads::Count(2)).fit(&turned).unwrap();
        for other in [three, turned] {
            assert_eq!((one.parameters(), &one.report().trace), (other.parameters(), &other.report().trace));
            assert_eq!(one.log_likelihood().to_bits(), other.log_likelihood().to_bits());
            assert_eq!(one.impute(rows.records()).unwrap(), other.impute(rows.records()).unwrap());
        }
    }
    let params = KMeans::params(3).missing(Missing::Marginal);
    let one = params.clone().threads(Threads::One).fit(&rows).unwrap();
    let three = params.clone().threads(Threads::Count(3)).fit(&rows).unwrap();
    let turned = params.threads(Threads::Count(2)).fit(&turned).unwrap();
    for other in [three, turned] {
        assert_eq!((one.centroids(), &one.report().trace), (other.centroids(), &other.report().trace));
    }
}

#[test]
fn short_numbers_find_what_long_ones_do() {
    let rows = holes(&data("iris"), 0.2, 2);
    let labels: Vec<usize> = (0..150).map(|i| i / 50).collect();
    let long = exact(3, 10).init_method(GmmInitMethod::Labels(labels.clone()));
    let long = long.fit(&DatasetBase::from(rows.clone())).unwrap();
    let short = GaussianMixture::params(3).missing(Missing::Marginal).reg_covariance(0.0).tolerance(0.0);
    let short = short.max_n_iterations(10).init_method(GmmInitMethod::Labels(labels));
    let short = short.fit(&DatasetBase::from(narrow(&rows))).unwrap();
    assert_means("means", &short.means().mapv(f64::from), long.means(), 1e-4);
    assert_close("log-likelihood", short.log_likelihood(), long.log_likelihood(), 1e-4);
}

#[test]
fn labels_probabilities_densities_and_values_are_those_of_what_is_there() {
    let whole = data("iris");
    let model = GaussianMixture::params(3).fit(&DatasetBase::from(whole.clone())).unwrap();
    let mut rows = holes(&whole, 0.3, 4);
    rows.row_mut(7).fill(NAN);
    assert!(matches!(model.try_predict(&rows), Err(GmmError::Samples(SamplesError::Missing { .. }))));
    let model = model.with_missing(Missing::Marginal);
    let plain = Plain::of(&model);
    let (labels, p) = (model.try_predict(&rows).unwrap(), model.predict_proba(&rows));
    let (densities, values) = (model.score_samples(&rows), model.impute(&rows).unwrap());
    for (i, row) in rows.outer_iter().enumerate() {
        let shares = plain.shares(row);
        let completed: Vec<Array1<f64>> = (0..3).map(|c| plain.complete(row, c).row).collect();
        for c in 0..3 {
            assert!((p[[i, c]] - shares[c]).abs() <= 1e-9, "row {i}: {} {}", p[[i, c]], shares[c]);
        }
        let most = shares.iter().copied().fold(0.0, f64::max);
        assert!(shares[labels[i]] >= most - 1e-12, "row {i}");
        assert!((densities[i] - log_sum(&plain.logs(row))).abs() <= 1e-9 * (1.0 + densities[i].abs()), "row {i}");
        for (j, x) in row.iter().enumerate() {
            let expected: f64 = (0..3).map(|c| shares[c] * completed[c][j]).sum();
            let got = values[[i, j]];
            assert!(if x.is_nan() { (got - expected).abs() <= 1e-9 * expected.abs() } else { got == *x }, "{i} {j}");
        }
    }
    let (doubt, entropy) = (model.uncertainty(&rows), model.entropy(&rows));
    let densities_of = model.component_log_densities(&rows);
    for (i, row) in rows.outer_iter().enumerate() {
        let (shares, logs) = (plain.shares(row), plain.logs(row));
        let expected = 1.0 - shares.iter().copied().fold(0.0, f64::max);
        assert!((doubt[i] - expected).abs() < 1e-9, "row {i}");
        let expected: f64 = shares.iter().filter(|r| **r > 0.0).map(|r| -r * r.ln()).sum();
        assert!((entropy[i] - expected).abs() < 1e-7, "row {i}");
        for c in 0..3 {
            let expected = logs[c] - plain.weights[c].ln();
            assert!((densities_of[[i, c]] - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "row {i}");
        }
    }
    assert_near("weights", &p.row(7), model.weights(), 1e-12);
    assert!(densities[7].abs() < 1e-12);
    // One row by itself, where nothing is known of some columns.
    let row = rows.row(3).to_owned();
    let label: usize = model.predict(&row);
    assert_eq!(label, labels[3]);
    assert_eq!(model.predict(&rows), labels);

    let score = model.evaluate(&rows, None).unwrap();
    assert_close("score", score.log_likelihood, densities.sum(), 1e-12);
    let empty = rows.outer_iter().filter(|row| row.iter().all(|x| x.is_nan())).count();
    assert_eq!(score.n_samples, 150 - empty);
}

#[test]
fn k_means_says_the_same_by_each_of_its_doors() {
    let rows = holes(&data("iris"), 0.3, 5);
    let set = DatasetBase::from(rows.clone());
    let model = KMeans::params(3).missing(Missing::Marginal).fit(&set).unwrap();
    let labels = model.try_predict(&rows).unwrap();
    assert_eq!(model.predict(&rows), labels);
    let (distances, own, values) = (model.distances(&rows), model.transform(&rows), model.impute(&rows).unwrap());
    for (i, label) in labels.iter().enumerate() {
        assert_eq!(Predict::<_, usize>::predict(&model, &rows.row(i)), *label);
        assert!((distances[[i, *label]].powi(2) - own[i]).abs() <= 1e-12 * own[i]);
        assert!(distances.row(i).iter().all(|d| *d >= distances[[i, *label]]));
        for (j, x) in rows.row(i).iter().enumerate() {
            assert_eq!(values[[i, j]], if x.is_nan() { model.centroids()[[*label, j]] } else { *x });
        }
    }
    assert_close("inertia", model.inertia_of(&rows, None).unwrap(), model.inertia_sum(), 1e-12);
    assert_close("inertia", own.sum(), model.inertia_sum(), 1e-12);
}

#[test]
fn no_row_need_be_whole() {
    let mut rows = data("iris");
    for i in 0..150 {
        rows[[i, i % 4]] = NAN;
    }
    // And some say nothing at all: they count for nothing.
    let nothing = Array2::from_elem((3, 4), NAN);
    let longer = concatenate![Axis(0), nothing, rows];
    let params = exact(3, 50).covariance(Covariance::Tied).n_runs(5);
    let model = params.fit(&DatasetBase::from(longer.clone())).unwrap();
    assert_eq!(model.sizes().iter().sum::<usize>(), 150);
    assert_close(
        "with empty rows",
        model.log_likelihood(),
        Plain::of(&model).log_likelihood(&rows, &Array1::ones(150)),
        1e-9,
    );
    let labels = model.try_predict(&rows).unwrap();
    let of = |label: usize, species: usize| (50 * species..50 * species + 50).filter(|i| labels[*i] == label).count();
    let agree: usize = (0..3).map(|label| (0..3).map(|species| of(label, species)).max().unwrap()).sum();
    assert!(agree >= 140, "{agree}");
    let kmeans = KMeans::params(3).missing(Missing::Marginal).fit(&DatasetBase::from(longer)).unwrap();
    assert_eq!(kmeans.sizes().iter().sum::<usize>(), 150);
}

#[test]
fn empty_clusters_take_rows_with_gaps() {
    // No row is near the third centre, and none is whole.
    let rows = array![[0.0, NAN], [0.1, NAN], [NAN, 0.0], [NAN, 9.0], [NAN, 9.1], [9.0, NAN]];
    let start = array![[0.0, 0.0], [9.0, 9.0], [99.0, 99.0]];
    let params = KMeans::params(3).missing(Missing::Marginal).init_method(KMeansInit::Precomputed(start.clone()));
    let model = params.fit(&DatasetBase::from(rows.clone())).unwrap();
    let actions: Vec<&str> = model.report().repairs.iter().map(|repair| repair.action.name()).collect();
    assert!(actions.contains(&"relocated") && actions.contains(&"unobserved"), "{actions:?}");
    assert!(model.sizes().iter().all(|n| *n > 0));
    let hard = exact(3, 20)
        .covariance(Covariance::TiedSpherical)
        .mixing(Mixing::Equal)
        .assignment(Assignment::Hard)
        .init_method(GmmInitMethod::Parameters {
            weights: Some(Array1::from_elem(3, 1.0 / 3.0)),
            means: start,
            covariances: Some(Covariances::TiedSpherical(1.0)),
        });
    let model = hard.fit(&DatasetBase::from(rows)).unwrap();
    assert!(model.means().iter().all(|x| x.is_finite()) && model.sizes().iter().all(|n| *n > 0), "{model:?}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let mut rows = data("iris");
    rows[[5, 2]] = NAN;
    rows[[9, 0]] = NAN;
    let set = DatasetBase::from(rows.clone());
    let error = GaussianMixture::params(2).fit(&set).unwrap_err().to_string();
    assert!(
        error.contains("2 of the values") && error.contains("row 5, column 2") && error.contains("marginal"),
        "{error}"
    );
    assert!(matches!(
        KMeans::params(2).fit(&set).unwrap_err(),
        KMeansError::Samples(SamplesError::Missing { count: 2, row: 5, column: 2 })
    ));
    rows[[8, 1]] = f64::INFINITY;
    let error = exact(2, 5).fit(&DatasetBase::from(rows.clone())).unwrap_err();
    assert!(matches!(error, GmmError::Samples(SamplesError::NotFinite { row: 8, column: 1, .. })), "{error}");
    rows.column_mut(1).fill(NAN);
    let error = exact(2, 5).fit(&DatasetBase::from(rows)).unwrap_err();
    assert!(matches!(error, GmmError::Samples(SamplesError::EmptyColumn { column: 1 })), "{error}");
    let rng = Xoshiro256Plus::seed_from_u64(1);
    let error = KMeans::params_with(2, rng, miscela::L1).missing(Missing::Marginal).fit(&set).unwrap_err();
    assert!(error.to_string().contains("Euclidean"), "{error}");
    let error = KMeans::params(2).missing(Missing::Marginal).check().unwrap().fit_with(None, &set).unwrap_err();
    assert!(error.to_string().contains("batch by batch"), "{error}");
}

#[test]
fn files_keep_what_is_done_about_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let rows = DatasetBase::from(holes(&data("iris"), 0.2, 6));
    let mixture = exact(2, 5).fit(&rows).unwrap();
    let kmeans = KMeans::params(2).missing(Missing::Marginal).fit(&rows).unwrap();
    for ending in ["json", "cbor"] {
        let file = folder.path().join(format!("mixture.{ending}"));
        mixture.save(&file).unwrap();
        let back = GaussianMixture::load(&file).unwrap();
        assert_eq!(back, mixture);
        assert_eq!(back.predict_proba(rows.records()), mixture.predict_proba(rows.records()));
        let file = folder.path().join(format!("kmeans.{ending}"));
        kmeans.save(&file).unwrap();
        let back = KMeans::load(&file).unwrap();
        assert_eq!((back.missing(), &back), (Missing::Marginal, &kmeans));
    }
    // A file from before there was a choice.
    let file = folder.path().join("mixture.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["missing"], "marginal");
    document.as_object_mut().unwrap().remove("missing");
    document["report"].as_object_mut().unwrap().remove("n_missing");
    std::fs::write(&file, document.to_string()).unwrap();
    assert_eq!(GaussianMixture::<f64>::load(&file).unwrap().missing(), Missing::Error);
}

#[test]
fn start_partitions_are_estimated_from_what_is_there() {
    let rows = array![[0.0, NAN], [2.0, 4.0], [NAN, 6.0], [10.0, 1.0], [12.0, NAN]];
    let labels = vec![0, 0, 0, 1, 1];
    let start = exact(2, 0).covariance(Covariance::Diagonal).init_method(GmmInitMethod::Labels(labels));
    let start = start.fit(&DatasetBase::from(rows.clone())).unwrap();
    assert_means("means", start.means(), &array![[1.0, 5.0], [11.0, 1.0]], 1e-14);
    // Variances about these means pooled over both: (1 + 1 + 1 + 1)/4, and (1 + 1 + 0)/3; each gap counts as that much.
    let diagonal = |c: usize| start.covariances().index_axis(Axis(0), c).diag().to_vec();
    assert_near("first", &Array1::from(diagonal(0)), &array![1.0, (2.0 + 2.0 / 3.0) / 3.0], 1e-14);
    assert_near("second", &Array1::from(diagonal(1)), &array![1.0, (2.0 / 3.0) / 2.0], 1e-14);
}

#[test]
fn every_start_takes_gaps() {
    use GmmInitMethod::{Hierarchical, KMeans, KMeansPara, KMeansPlusPlus, Random};
    for name in ["iris", "galaxies"] {
        let rows = holes(&data(name), 0.2, 8);
        for init in [KMeans, Random, KMeansPlusPlus, KMeansPara, Hierarchical] {
            let params = exact(2, 10).covariance(Covariance::Tied).init_method(init.clone());
            let model = params.fit(&DatasetBase::from(rows.clone())).unwrap();
            let expected = Plain::of(&model).log_likelihood(&rows, &Array1::ones(rows.nrows()));
            assert_close(&format!("{name} from {init:?}"), model.log_likelihood(), expected, 1e-9);
        }
    }
}

#[test]
fn every_assignment_takes_gaps() {
    let rows = holes(&data("iris"), 0.2, 9);
    let ones = Array1::ones(150);
    let soft =
        exact(3, 300).covariance(Covariance::Tied).tolerance(1e-6).fit(&DatasetBase::from(rows.clone())).unwrap();
    let rules = [Assignment::Tempered(2.0), Assignment::Stochastic, Assignment::Annealed(Annealing::default())];
    for assignment in rules {
        let params = exact(3, 300).covariance(Covariance::Tied).tolerance(1e-6).assignment(assignment);
        let model = params.fit(&DatasetBase::from(rows.clone())).unwrap();
        let expected = Plain::of(&model).log_likelihood(&rows, &ones);
        assert_close(&format!("{assignment}"), model.log_likelihood(), expected, 1e-9);
        assert!(model.log_likelihood() > soft.log_likelihood() - 75.0, "{assignment}: {}", model.log_likelihood());
    }
}

/// r ∝ p^(1/T), with gaps and without; hard shares are the labels.
#[test]
fn shares_follow_the_temperature() {
    let whole = data("iris");
    for rows in [holes(&whole, 0.2, 10), whole] {
        let dataset = DatasetBase::from(rows.clone());
        for temperature in [0.1, 0.5, 2.0] {
            let params = exact(3, 20).covariance(Covariance::Tied).assignment(Assignment::Tempered(temperature));
            let model = params.fit(&dataset).unwrap();
            let (shares, p) = (model.shares(&rows), model.predict_proba(&rows));
            for (shares, p) in shares.outer_iter().zip(p.outer_iter()) {
                let powers = p.mapv(|p| p.powf(1.0 / temperature));
                assert_near("shares", &shares, &(&powers / powers.sum()), 1e-9);
            }
        }
        let params = exact(3, 20).covariance(Covariance::Tied);
        let hard = params.clone().assignment(Assignment::Hard).fit(&dataset).unwrap();
        let labels: Array1<usize> = hard.predict(&rows);
        assert_eq!(hard.shares(&rows), Array2::from_shape_fn((150, 3), |(i, c)| f64::from(labels[i] == c)));
        let soft = params.fit(&dataset).unwrap();
        assert_eq!(soft.shares(&rows), soft.predict_proba(&rows));
    }
}
