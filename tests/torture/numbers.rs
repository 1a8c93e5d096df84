//! Numbers at their limits, held against the definitions computed with twice the digits.
//!
//! A case is fitted, and at its parameters everything is computed again in the plainest way: the nearest centroid, inertia and
//! means of a clustering; the likelihood of a mixture, and what one step of EM makes of it. Errors are stated in u, the
//! roundoff of the number type, relative to what is added up. Rows are brought to about one by a power of two before, which is
//! exact, so that the squares of twice the digits neither overflow nor vanish.

use miscela::prelude::*;
use miscela::{Progress, SquaresError};
use miscela_tests::{Blobs, Double, ExactInverse};
use ndarray::{Array1, Array2, Axis, concatenate};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;
use std::ops::ControlFlow;

/// What is to come of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Fits,
    TooLarge,
    TooSmall,
}
use Outcome::{Fits, TooLarge, TooSmall};

#[derive(Clone, Debug)]
struct Case {
    name: String,
    rows: Array2<f64>,
    weights: Array1<f64>,
    k: usize,
    kmeans: Outcome,
    mixture: Outcome,
    /// Whether components can be expected not to collapse.
    mixtures: &'static [Covariance],
}

const ALL: &[Covariance] = &[Covariance::Full, Covariance::Diagonal, Covariance::Spherical];

impl Case {
    fn new(name: impl Into<String>, rows: Array2<f64>, k: usize) -> Self {
        let weights = Array1::ones(rows.nrows());
        Self { name: name.into(), rows, weights, k, kmeans: Fits, mixture: Fits, mixtures: ALL }
    }

    fn comes_to(self, outcome: Outcome) -> Self {
        Self { kmeans: outcome, mixture: outcome, ..self }
    }

    fn mixtures(self, mixtures: &'static [Covariance]) -> Self {
        Self { mixtures, ..self }
    }
}

fn blobs() -> Array2<f64> {
    Blobs::new(1, 400, 3, 3, 20.0).rows
}

/// The rows in units of which 1 is so much.
fn units(list: &[(f64, Outcome)]) -> Vec<Case> {
    list.iter()
        .map(|(unit, outcome)| Case::new(format!("unit {unit:e}"), blobs() * *unit, 3).comes_to(*outcome))
        .collect()
}

/// A column of numbers that are not normal beside some that are.
fn denormals<F: Float>() -> Case {
    let rows = blobs();
    let column = rows.select(Axis(1), &[0]) * (widen(F::min_positive_value()) / 1024.0);
    Case::new("a column of denormals", concatenate(Axis(1), &[rows.view(), column.view()]).unwrap(), 3)
}

fn offsets(list: &[f64]) -> Vec<Case> {
    list.iter().map(|offset| Case::new(format!("offset {offset:e}"), blobs() + *offset, 3)).collect()
}

/// What is hard in any number type.
fn shapes() -> Vec<Case> {
    let rows = blobs();
    let with = |column: Array2<f64>| concatenate(Axis(1), &[rows.view(), column.view()]).unwrap();
    let mut far = rows.clone();
    far.row_mut(17).fill(1e15);
    let mut rng = Xoshiro256Plus::seed_from_u64(5);
    let mut weighted = Case::new("weights from 1e-12 to 1e12", rows.clone(), 3);
    weighted.weights.mapv_inplace(|_| 10f64.powf(rng.gen_range(-12.0..12.0)));
    vec![
        Case::new("a constant column", with(Array2::from_elem((400, 1), 7.0)), 3),
        Case::new("a column twice", with(rows.select(Axis(1), &[0])), 3),
        Case::new("as many clusters as rows", rows.select(Axis(0), &(0..12).collect::<Vec<_>>()), 12),
        Case::new("all rows equal", Array2::from_elem((50, 3), 0.1), 1),
        Case::new("one row far away", far, 3),
        Case::new("more columns than rows", Blobs::new(2, 60, 2_000, 3, 3.0).rows, 3)
            .mixtures(&[Covariance::Diagonal, Covariance::Spherical]),
        Case::new("ten thousand clusters", Blobs::new(3, 10_500, 2, 100, 90.0).rows, 10_000).mixtures(&[]),
        weighted,
    ]
}

/// 2 to this power brings the rows to about one.
fn exponent<F: Float>(rows: &Array2<F>) -> i32 {
    let reach = rows.iter().fold(0.0f64, |most, x| most.max(widen(*x).abs()));
    if reach > 0.0 { -reach.log2().floor() as i32 } else { 0 }
}

fn widen<F: Float>(x: F) -> f64 {
    miscela_kernel::Float::widen(x)
}

/// x·2ᵉ, in two steps as a power may be out of range where the product is not.
fn scaled(x: f64, e: i32) -> f64 {
    x * 2f64.powi(e / 2) * 2f64.powi(e - e / 2)
}

/// The distance of numbers that are not normal, after 2 to this power.
fn grain<F: Float>(e: i32) -> f64 {
    scaled(widen(F::min_positive_value()) * widen(F::epsilon()), e).max(f64::MIN_POSITIVE * f64::EPSILON)
}

fn at_one<F: Float>(values: &Array2<F>, e: i32) -> Array2<f64> {
    values.mapv(|x| scaled(widen(x), e)).as_standard_layout().into_owned()
}

fn u<F: Float>() -> f64 {
    <F as miscela_kernel::Float>::UNIT_ROUNDOFF
}

/// That an objective does not get worse by more than the slack that is given for what it was.
fn is_monotone(what: &str, trace: &[f64], sign: f64, slack: impl Fn(f64) -> f64) {
    assert!(trace.iter().all(|x| x.is_finite()), "{what}: {trace:?}");
    for pair in trace.windows(2) {
        assert!(sign * (pair[1] - pair[0]) >= -slack(pair[0].abs()), "{what}: {} and then {}", pair[0], pair[1]);
    }
}

fn squared(a: &[f64], b: &[f64]) -> Double {
    let square = |(a, b): (&f64, &f64)| {
        let z = Double::from(*a) - Double::from(*b);
        z * z
    };
    a.iter().zip(b).map(square).sum()
}

/// Labels, inertia and means of a clustering are those of the definitions.
fn is_lloyds<F: Float>(case: &Case, rows: &Array2<F>, model: &KMeans<F>) {
    let (what, e, u) = (&case.name, exponent(rows), u::<F>());
    let (x, centroids, labels) = (at_one(rows, e), at_one(model.centroids(), e), model.predict(rows));
    assert!(centroids.iter().all(|x| x.is_finite()), "{what}: centroids {centroids}");
    let mut inertia = Double::ZERO;
    let mut sums = vec![vec![Double::ZERO; x.ncols()]; case.k];
    let mut counts = vec![Double::ZERO; case.k];
    // A row's own square is as good as its differences, and these are exact but for the rounding of a sum.
    let lead = if u > 1e-10 { 1e-4 } else { 1e-9 };
    for (i, row) in x.outer_iter().enumerate() {
        let row = row.to_slice().unwrap();
        let near = |c: usize| squared(row, centroids.row(c).to_slice().unwrap());
        let own = near(labels[i]);
        // Of ten thousand centroids, plain numbers say which could be nearer.
        let plain = |c: usize| row.iter().zip(centroids.row(c)).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let doubtful = (0..case.k).filter(|c| plain(*c) <= own.rounded() * (1.0 + 1e-6));
        let least = doubtful.map(|c| near(c).rounded()).fold(own.rounded(), f64::min);
        assert!(
            own.rounded() <= least * (1.0 + lead),
            "{what}: row {i} is {own:?} from its centroid, and {least:e} from another"
        );
        let weight = Double::from(case.weights[i]);
        inertia = inertia + weight * own;
        counts[labels[i]] = counts[labels[i]] + weight;
        for (sum, x) in sums[labels[i]].iter_mut().zip(row) {
            *sum = *sum + weight * Double::from(*x);
        }
    }
    let told = scaled(model.inertia_sum(), 2 * e);
    let error = (told - inertia.rounded()).abs();
    assert!(error <= 64.0 * u * inertia.rounded(), "{what}: inertia {told:e} for {inertia:?}");
    if model.report().termination != Termination::LabelsUnchanged {
        return;
    }
    for (c, (sum, count)) in sums.iter().zip(&counts).enumerate().filter(|(_, (_, count))| count.rounded() > 0.0) {
        for (j, sum) in sum.iter().enumerate() {
            let (mean, got) = ((*sum / *count).rounded(), centroids[[c, j]]);
            // A mean is rounded once, and what is added up once more.
            let scale = x.column(j).iter().fold(0.0f64, |most, x| most.max(x.abs()));
            let allowed = 4.0 * (u * scale + grain::<F>(e));
            assert!((mean - got).abs() <= allowed, "{what}: centroid {c}, column {j} is {got:e} for {mean:e}");
        }
    }
}

fn kmeans<F: Float>(case: &Case, rows: &Array2<F>) {
    let mut told = Vec::new();
    let mut observer = |progress: &Progress| {
        told.push(progress.objective);
        ControlFlow::Continue(())
    };
    let most = if case.k > 100 { 4 } else { 300 };
    let params = KMeans::params(case.k).tolerance(F::zero()).n_runs(1).max_n_iterations(most);
    let fit = params.check().unwrap().fit_observed(rows, case.weights.as_slice(), &mut observer);
    let model = match (case.kmeans, fit) {
        (Fits, Ok(model)) => model,
        (TooLarge, Err(KMeansError::Squares(SquaresError::TooLarge(_)))) => return,
        (TooSmall, Err(KMeansError::Squares(SquaresError::TooSmall(_)))) => return,
        (outcome, fit) => {
            panic!("{}: {outcome:?} was expected, not {:?}", case.name, fit.map(|model| model.inertia_sum()))
        }
    };
    assert_eq!(told, model.report().trace, "{}", case.name);
    // Centroids are rounded, wherever they lie.
    let reach = rows.iter().fold(0.0f64, |most, x| most.max(widen(*x).abs()));
    let rounding = (u::<F>() * reach + grain::<F>(0)).powi(2) * rows.ncols() as f64 * case.weights.sum();
    is_monotone(&case.name, &told, -1.0, |inertia| 64.0 * u::<F>() * inertia + 4.0 * rounding);
    is_lloyds(case, rows, &model);
}

/// Log-likelihood, what it is a sum of in absolute terms, and weights, means and covariances after one step of EM.
struct Step {
    log_likelihood: f64,
    scale: f64,
    weights: Vec<f64>,
    means: Array2<f64>,
    variances: Array2<f64>,
}

/// One step of EM at the parameters of a model, for rows brought to about one.
fn step<F: Float>(case: &Case, rows: &Array2<f64>, model: &GaussianMixture<F>, e: i32) -> Step {
    let (d, k) = (rows.ncols(), case.k);
    let (means, covariances) = (at_one(model.means(), e), model.covariances().mapv(|x| scaled(widen(x), 2 * e)));
    let is_diagonal = model.covariance() != Covariance::Full;
    let inverses: Vec<Option<ExactInverse>> =
        covariances.outer_iter().map(|c| (!is_diagonal).then(|| ExactInverse::of(c))).collect();
    let mut total =
        Step { log_likelihood: 0.0, scale: 0.0, weights: vec![0.0; k], means: means.clone(), variances: means.clone() };
    let mut log_likelihood = Double::ZERO;
    let mut counts = vec![Double::ZERO; k];
    // About the means, in twice the digits.
    let (mut first, mut second) = (vec![Double::ZERO; k * d], vec![Double::ZERO; k * d]);
    for (i, row) in rows.outer_iter().enumerate() {
        let log_density = |c: usize| {
            let (form, log_determinant) = match &inverses[c] {
                Some(inverse) => (inverse.form(row, means.row(c)), inverse.log_determinant()),
                None => {
                    let variance = |j: usize| covariances[[c, j, j]];
                    let term = |j: usize| {
                        let z = Double::from(row[j]) - Double::from(means[[c, j]]);
                        z * z / Double::from(variance(j))
                    };
                    ((0..d).map(term).sum::<Double>().rounded(), (0..d).map(|j| variance(j).ln()).sum())
                }
            };
            let constant = d as f64 * std::f64::consts::TAU.ln();
            (
                widen(model.weights()[c]).ln() - 0.5 * (form + log_determinant + constant),
                form + log_determinant.abs() + constant,
            )
        };
        let densities: Vec<(f64, f64)> = (0..k).map(log_density).collect();
        let most = densities.iter().fold(f64::NEG_INFINITY, |most, density| most.max(density.0));
        let sum: f64 = densities.iter().map(|density| (density.0 - most).exp()).sum();
        let weight = case.weights[i];
        log_likelihood = log_likelihood + Double::from(weight) * Double::from(most + sum.ln());
        let nearest = densities.iter().map(|density| density.1).fold(f64::INFINITY, f64::min);
        total.scale += weight * nearest;
        for c in 0..k {
            let share = Double::from(weight * (densities[c].0 - most).exp() / sum);
            counts[c] = counts[c] + share;
            for j in 0..d {
                let z = Double::from(row[j]) - Double::from(means[[c, j]]);
                first[c * d + j] = first[c * d + j] + share * z;
                second[c * d + j] = second[c * d + j] + share * z * z;
            }
        }
    }
    // In the rows' own unit.
    let weight: f64 = case.weights.sum();
    total.log_likelihood = log_likelihood.rounded() + weight * f64::from(e) * std::f64::consts::LN_2 * d as f64;
    total.scale += weight * d as f64 * f64::from(e).abs();
    for c in 0..k {
        total.weights[c] = counts[c].rounded() / weight;
        for j in 0..d {
            let moved = first[c * d + j] / counts[c];
            total.means[[c, j]] = (Double::from(means[[c, j]]) + moved).rounded();
            total.variances[[c, j]] = (second[c * d + j] / counts[c] - moved * moved).rounded();
        }
    }
    total
}

fn mixture<F: Float>(case: &Case, rows: &Array2<F>, covariance: Covariance) {
    let (what, e, u) = (format!("{} {covariance}", case.name), exponent(rows), u::<F>());
    let fit = |start: GmmInitMethod<F>, iterations| {
        let params = GaussianMixture::params(case.k).covariance(covariance).init_method(start).tolerance(F::zero());
        params.reg_covariance(F::zero()).max_n_iterations(iterations).fit_weighted(rows, &case.weights)
    };
    let model = match (case.mixture, fit(GmmInitMethod::KMeans, 10)) {
        (Fits, Ok(model)) => model,
        (TooLarge, Err(GmmError::Squares(SquaresError::TooLarge(_)))) => return,
        (TooSmall, Err(GmmError::Squares(SquaresError::TooSmall(_)))) => return,
        (outcome, fit) => panic!("{what}: {outcome:?} was expected, not {:?}", fit.map(|model| model.log_likelihood())),
    };
    assert!(model.means().iter().all(|x| x.is_finite()), "{what}: means {}", model.means());
    assert!(model.covariances().iter().all(|x| x.is_finite()), "{what}: covariances {}", model.covariances());
    assert!(model.log_likelihood().is_finite(), "{what}");
    let proba = model.predict_proba(rows);
    assert!(proba.iter().all(|p| *p >= F::zero() && *p <= F::one()), "{what}: probabilities");
    if !model.report().repairs.is_empty() {
        return;
    }
    let x = at_one(rows, e);
    let exact = step(case, &x, &model, e);
    is_monotone(&what, &model.report().trace, 1.0, |_| 256.0 * u * exact.scale);
    let error = (model.log_likelihood() - exact.log_likelihood).abs();
    assert!(
        error <= 64.0 * u * exact.scale,
        "{what}: ln L {} for {}, in u {:.0}",
        model.log_likelihood(),
        exact.log_likelihood,
        error / exact.scale / u
    );

    let next = fit(GmmInitMethod::from(&model), 1).unwrap();
    if !next.report().repairs.is_empty() {
        return;
    }
    let (means, covariances) = (at_one(next.means(), e), next.covariances().mapv(|x| scaled(widen(x), 2 * e)));
    for c in 0..case.k {
        let weight = widen(next.weights()[c]);
        assert!(
            (weight - exact.weights[c]).abs() <= 1024.0 * u,
            "{what}: weight {c} is {weight} for {}",
            exact.weights[c]
        );
        let mean_variance = exact.variances.row(c).mean().unwrap();
        for j in 0..x.ncols() {
            let scale = x.column(j).iter().fold(0.0f64, |most, x| most.max(x.abs()));
            let (got, mean) = (means[[c, j]], exact.means[[c, j]]);
            assert!((got - mean).abs() <= 1024.0 * u * scale, "{what}: mean {c}, column {j} is {got} for {mean}");
            let variance = if covariance == Covariance::Spherical { mean_variance } else { exact.variances[[c, j]] };
            let got = covariances[[c, j, j]];
            // Means are rounded, wherever they lie.
            let rounding = (u * scale).powi(2) + 2.0 * u * scale * variance.sqrt();
            let allowed = 1024.0 * u * variance + rounding;
            assert!((got - variance).abs() <= allowed, "{what}: variance {c}, column {j} is {got} for {variance}");
        }
    }
}

fn stands<F: Float>(case: &Case) {
    let rows: Array2<F> = case.rows.mapv(miscela_kernel::Float::narrow);
    kmeans(case, &rows);
    case.mixtures.iter().for_each(|covariance| mixture(case, &rows, *covariance));
}

/// All of them, and what is wrong with each.
fn all_stand<F: Float>(cases: Vec<Case>) {
    let fails = |case: &Case| std::panic::catch_unwind(|| stands::<F>(case)).is_err();
    let failed: Vec<String> = cases.iter().filter(|case| fails(case)).map(|case| case.name.clone()).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn double_precision_stands_them() {
    let mut cases = shapes();
    cases.extend(offsets(&[1e4, 1e8, 1e12]));
    cases.extend(units(&[(1e-300, TooSmall), (1e-200, TooSmall), (1e-150, Fits), (1e-100, Fits), (1e100, Fits)]));
    cases.extend(units(&[(1e150, Fits), (1e200, TooLarge), (1e300, TooLarge)]));
    cases.extend(units(&[(f64::MIN_POSITIVE / 1024.0, TooSmall)]));
    cases.push(denormals::<f64>());
    all_stand::<f64>(cases);
}

#[test]
fn single_precision_stands_them() {
    let mut cases = shapes();
    cases.extend(offsets(&[1e3, 1e5]));
    let mut scales =
        units(&[(1e-42, TooSmall), (1e-38, TooSmall), (1e-30, TooSmall), (1e-21, TooSmall), (1e-17, Fits)]);
    scales.extend(units(&[
        (1e-10, Fits),
        (1e10, Fits),
        (1e17, Fits),
        (1e20, TooLarge),
        (1e30, TooLarge),
        (1e37, TooLarge),
    ]));
    // It is the covariances that f32 has no room for; what k-means compares it compares in f64 where f32 does not do.
    cases.extend(scales.into_iter().map(|case| Case { kmeans: Fits, ..case }));
    cases.push(denormals::<f32>());
    all_stand::<f32>(cases);
}
