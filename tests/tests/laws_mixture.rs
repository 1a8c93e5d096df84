//! Laws of Gaussian mixtures, for every covariance structure.
//!
//! Fits from a given start partition are compared after the same few iterations, at `reg_covariance` 0: an absolute ridge
//! knows the unit of the data, and can lower the likelihood a little.

use miscela::prelude::*;
use miscela_tests::{
    Blobs, ExactInverse, any_settings, assert_close, assert_covariances, assert_means, assert_near, cases, narrow,
    rotation,
};
use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, Axis, concatenate};
use proptest::prelude::*;

/// To which results from the same start agree when rows are added up in another order. A few iterations of EM can spread
/// a difference.
const ROUNDING: f64 = 1e-7;
/// To which parameters agree where an M-step searches for its maximum: about it they differ by the root of what the
/// likelihood differs by, and more where components are so round that the likelihood hardly knows their axes.
const SEARCH: f64 = 1e-5;

type Params = GmmParams<f64, rand_xoshiro::Xoshiro256Plus>;

/// Data, a structure and a rule of assignment. Every component has at least some thirty rows, so that none collapses.
#[derive(Clone, Debug)]
struct Case {
    blobs: Blobs,
    k: usize,
    covariance: Covariance,
    assignment: Assignment,
    mixing: Mixing,
}

fn case() -> impl Strategy<Value = Case> {
    let data = (any::<u64>(), 40usize..80, 1usize..4, 1usize..4);
    (data, any_settings()).prop_map(|((seed, rows, d, k), (covariance, assignment, mixing))| Case {
        blobs: Blobs::new(seed, rows * k, d, k, 8.0),
        k,
        covariance,
        assignment,
        mixing,
    })
}

impl Case {
    fn params(&self, start: Vec<usize>) -> Params {
        GaussianMixture::params(self.k)
            .covariance(self.covariance)
            .assignment(self.assignment)
            .mixing(self.mixing.clone())
            .reg_covariance(0.0)
            .tolerance(0.0)
            .max_n_iterations(5)
            .init_method(GmmInitMethod::Labels(start))
    }

    fn fit(&self, rows: &Array2<f64>, weights: &Array1<f64>, start: Vec<usize>) -> GaussianMixture<f64> {
        self.params(start).fit_weighted(rows, weights).unwrap()
    }

    fn plain(&self) -> GaussianMixture<f64> {
        self.fit(&self.blobs.rows, &self.blobs.weights, self.blobs.rough_labels())
    }

    /// To which parameters agree, if likelihoods agree to [`ROUNDING`].
    fn slack(&self) -> f64 {
        if self.covariance.has_closed_form() { ROUNDING } else { SEARCH }
    }

    /// (The search for common axes, EVE and VVE, starts from the coordinates too, and can end in another maximum.)
    fn turns(&self) -> bool {
        use Covariance::*;
        matches!(self.covariance, Full | Evv | Vev | Eev | Vee | Tied | Spherical | TiedSpherical)
    }

    fn stretches(&self) -> bool {
        use Covariance::*;
        matches!(self.covariance, Full | Evv | Vee | Tied | Diagonal | Evi | Vei | TiedDiagonal)
    }
}

fn pick<T: Copy>(items: &[T], order: &[usize]) -> Vec<T> {
    order.iter().map(|i| items[*i]).collect()
}

/// Whether no component collapsed on its way, where rounding is amplified without bound.
fn stands(model: &GaussianMixture<f64>) -> bool {
    model.report().repairs.is_empty()
}

fn same(a: &GaussianMixture<f64>, b: &GaussianMixture<f64>, slack: f64) {
    assert_close("log-likelihood", a.log_likelihood(), b.log_likelihood(), ROUNDING);
    // Where a soft fit settles early, rounding can decide at which iteration it sees that; and until then its parameters
    // move, though the objective stays: about the maximum they differ by the root of what it differs by.
    if a.assignment() == Assignment::Hard || a.report().iterations == b.report().iterations {
        assert_near("weights", a.weights(), b.weights(), slack);
        assert_means("means", a.means(), b.means(), slack);
        assert_covariances("covariances", &a.covariances(), &b.covariances(), slack);
        assert_eq!(a.report().iterations, b.report().iterations);
    }
    for (i, (a, b)) in a.report().trace.iter().zip(&b.report().trace).enumerate() {
        assert_close(&format!("objective after iteration {}", i + 1), *a, *b, ROUNDING);
    }
}

/// Each matrix C becomes A C Aᵀ.
fn transformed(covariances: &Array3<f64>, a: &Array2<f64>) -> Array3<f64> {
    let mut result = covariances.clone();
    for mut matrix in result.outer_iter_mut() {
        let new = a.dot(&matrix).dot(&a.t());
        matrix.assign(&new);
    }
    result
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn integer_weights_are_repetition(case in case(), most in 1usize..4) {
        let n = case.blobs.rows.nrows();
        let repeats: Vec<usize> = (0..n).map(|i| if i % 11 == 3 { 0 } else { 1 + i % most }).collect();
        let mut all: Vec<usize> = repeats.iter().enumerate().flat_map(|(i, times)| vec![i; *times]).collect();
        all.sort_by_key(|i| i % 3);
        let weights: Array1<f64> = repeats.iter().map(|times| *times as f64).collect();
        let start = case.blobs.rough_labels();
        let weighted = case.fit(&case.blobs.rows, &weights, start.clone());
        let repeated = DatasetBase::new(case.blobs.rows.select(Axis(0), &all), ());
        let plain = case.params(pick(&start, &all)).fit(&repeated).unwrap();
        prop_assume!(stands(&plain));
        same(&weighted, &plain, case.slack());
        // Criteria too: n is Σ w.
        let score = weighted.evaluate(&case.blobs.rows, weights.as_slice()).unwrap();
        assert_close("BIC", score.bic, plain.bic(&repeated).unwrap(), ROUNDING);
        assert_close("AIC", score.aic, plain.aic(&repeated).unwrap(), ROUNDING);
        assert_close("ICL", score.icl, plain.icl(&repeated).unwrap(), ROUNDING);
    }

    #[test]
    fn a_row_of_no_weight_is_not_there(case in case(), every in 3usize..7) {
        let n = case.blobs.rows.nrows();
        let there: Vec<usize> = (0..n).filter(|i| i % every != 0).collect();
        let weights = Array1::from_shape_fn(n, |i| if i % every == 0 { 0.0 } else { case.blobs.weights[i] });
        // Such rows may lie anywhere.
        let mut rows = case.blobs.rows.clone();
        rows.outer_iter_mut().step_by(every).for_each(|mut row| row.fill(1e6));
        let start = case.blobs.rough_labels();
        let (present, their_weights) = (rows.select(Axis(0), &there), weights.select(Axis(0), &there));
        let with = case.fit(&rows, &weights, start.clone());
        let without = case.fit(&present, &their_weights, pick(&start, &there));
        prop_assume!(stands(&without));
        same(&with, &without, case.slack());
        prop_assert_eq!(with.sizes(), without.sizes());
    }

    #[test]
    fn the_order_of_rows_does_not_matter(case in case(), seed in any::<u64>()) {
        let order = case.blobs.permutation(seed);
        let (rows, weights) = (&case.blobs.rows, &case.blobs.weights);
        let start = pick(&case.blobs.rough_labels(), &order);
        let shuffled = case.fit(&rows.select(Axis(0), &order), &weights.select(Axis(0), &order), start);
        let plain = case.plain();
        prop_assume!(stands(&plain));
        same(&shuffled, &plain, case.slack());
    }

    #[test]
    fn renaming_components_renames_them(case in case(), by in 0usize..4) {
        let renamed = |c: usize| (c + by) % case.k;
        let start = case.blobs.rough_labels().into_iter().map(renamed).collect();
        let (plain, other) = (case.plain(), case.fit(&case.blobs.rows, &case.blobs.weights, start));
        prop_assume!(stands(&plain));
        let back: Vec<usize> = (0..case.k).map(renamed).collect();
        assert_close("log-likelihood", other.log_likelihood(), plain.log_likelihood(), ROUNDING);
        assert_means("means", &other.means().select(Axis(0), &back), plain.means(), case.slack());
        assert_near("weights", &other.weights().select(Axis(0), &back), plain.weights(), case.slack());
    }

    #[test]
    fn translation_moves_the_means_along(case in case(), by in -1e3..1e3f64) {
        let plain = case.plain();
        prop_assume!(stands(&plain));
        let moved = case.fit(&(&case.blobs.rows + by), &case.blobs.weights, case.blobs.rough_labels());
        assert_close("log-likelihood", moved.log_likelihood(), plain.log_likelihood(), ROUNDING);
        assert_means("means", moved.means(), &(plain.means() + by), case.slack());
        assert_covariances("covariances", &moved.covariances(), &plain.covariances(), case.slack());
    }

    #[test]
    fn rotation_turns_the_ellipsoids_along(case in case(), seed in any::<u64>()) {
        prop_assume!(case.turns());
        let turn = rotation(seed, case.blobs.rows.ncols());
        let plain = case.plain();
        prop_assume!(stands(&plain));
        let turned = case.fit(&case.blobs.rows.dot(&turn), &case.blobs.weights, case.blobs.rough_labels());
        assert_close("log-likelihood", turned.log_likelihood(), plain.log_likelihood(), ROUNDING);
        assert_near("means", turned.means(), &plain.means().dot(&turn), case.slack());
        let expected = transformed(&plain.covariances(), &turn.t().to_owned());
        assert_covariances("covariances", &turned.covariances(), &expected, case.slack());
    }

    /// A unit for each column, where the structure lets columns differ, and otherwise one for all. The log-density of
    /// scaled data is less by the logarithm of the scale.
    #[test]
    fn units_do_not_matter(case in case(), powers in prop::collection::vec(-6.0..6.0f64, 4)) {
        let d = case.blobs.rows.ncols();
        let units = Array1::from_shape_fn(d, |j| 10f64.powf(powers[if case.stretches() { j } else { 0 }]));
        let plain = case.plain();
        prop_assume!(stands(&plain));
        let scaled = case.fit(&(&case.blobs.rows * &units), &case.blobs.weights, case.blobs.rough_labels());
        let shift = case.blobs.weights.sum() * units.mapv(f64::ln).sum();
        let expected = plain.log_likelihood() - shift;
        let slack = ROUNDING * (plain.log_likelihood().abs() + shift.abs());
        prop_assert!((scaled.log_likelihood() - expected).abs() <= slack);
        // What rounding is to an objective depends on its size, and so on the units: a fit that settles early may see it
        // an iteration later, as in `same`.
        prop_assume!(plain.report().iterations == scaled.report().iterations);
        assert_near("weights", scaled.weights(), plain.weights(), case.slack());
        assert_means("means", scaled.means(), &(plain.means() * &units), case.slack());
        let expected = transformed(&plain.covariances(), &Array2::from_diag(&units));
        assert_covariances("covariances", &scaled.covariances(), &expected, case.slack());
        let (labels, again) = (plain.predict(&case.blobs.rows), scaled.predict(&(&case.blobs.rows * &units)));
        prop_assert_eq!(labels, again);
    }

    /// What the assignment rule maximises never falls, and the trace has one entry an iteration. Also with more
    /// components than the data has, some of which shrink: the floor is part of the problem that is solved.
    #[test]
    fn the_objective_never_falls(case in case(), more in 0usize..3) {
        let k = case.k + more;
        let rough = case.blobs.rough_labels().into_iter().enumerate();
        let start: Vec<usize> = rough.map(|(i, label)| if i % 4 == 1 { i / 4 % k } else { label }).collect();
        let model = GaussianMixture::params(k)
            .covariance(case.covariance)
            .assignment(case.assignment)
            .mixing(case.mixing.clone())
            .reg_covariance(0.0)
            .tolerance(0.0)
            .max_n_iterations(60)
            .init_method(GmmInitMethod::Labels(start))
            .fit_weighted(&case.blobs.rows, &case.blobs.weights)
            .unwrap();
        let report = model.report();
        prop_assert_eq!(report.trace.len(), report.iterations);
        prop_assume!(report.repairs.iter().all(|repair| repair.action.name() == "floored"));
        // At the floor variances differ by a factor of 1e10, which costs the density as many digits.
        let rounding = if report.repairs.is_empty() { 1e-9 } else { 1e-6 };
        for pair in report.trace.windows(2) {
            prop_assert!(pair[1] >= pair[0] - rounding * (1.0 + pair[0].abs()), "{} after {}", pair[1], pair[0]);
        }
        let last = report.trace[report.trace.len() - 1];
        let score = model.evaluate(&case.blobs.rows, case.blobs.weights.as_slice()).unwrap();
        assert_close("log-likelihood", score.log_likelihood, model.log_likelihood(), 1e-12);
        match case.assignment {
            Assignment::Soft => assert_close("trace", last, model.log_likelihood(), 1e-12),
            // ICL = −2 L_hard + penalty, BIC = −2 L + penalty.
            Assignment::Hard => {
                let hard = score.log_likelihood - (score.icl - score.bic) / 2.0;
                assert_close("trace", last, hard, 1e-9);
            }
            // A temperature below one counts less than all of the likelihood, and more than the winner's.
            _ => prop_assert!(last <= model.log_likelihood()),
        }
    }

    #[test]
    fn probabilities_are_probabilities_of_the_density(case in case()) {
        let model = case.plain();
        let rows = &case.blobs.rows;
        let probabilities = model.predict_proba(rows);
        let labels = model.predict(rows);
        for (i, row) in probabilities.outer_iter().enumerate() {
            prop_assert!(row.iter().all(|p| (0.0..=1.0).contains(p)));
            assert_close("sum", row.sum(), 1.0, 1e-12);
            prop_assert!(row.iter().all(|p| *p <= row[labels[i]] * (1.0 + 1e-12)), "row {i}: {row} is not {}", labels[i]);
        }
        let scores = model.score_samples(rows);
        assert_close("Σ w ln p", scores.dot(&case.blobs.weights), model.log_likelihood(), 1e-12);
        let exact = Exact::of(&model);
        for (row, score) in rows.outer_iter().zip(&scores) {
            let (expected, slack) = exact.log_density(row);
            prop_assert!((score - expected).abs() <= slack, "ln p is {score}, and not {expected} ± {slack:e}");
        }
        // The precision is the inverse of the covariance.
        for (component, precision) in exact.components.iter().zip(model.precisions().outer_iter()) {
            let error = component.scaled(&(&precision - &component.inverse.rounded()));
            prop_assert!(error <= component.doubt * component.condition, "Σ⁻¹ is off by {error:e}: {component:?}");
        }
    }

    #[test]
    fn what_is_held_stays(case in case(), weights in any::<bool>(), means in any::<bool>(), covariances in any::<bool>()) {
        let start = case.plain();
        let given = |start: &GaussianMixture<f64>| GmmInitMethod::Parameters {
            weights: Some(start.weights().clone()),
            means: start.means().clone(),
            covariances: Some(start.covariance_parameters().clone()),
        };
        let held = Held { weights, means, covariances };
        let params = case.params(Vec::new()).init_method(given(&start)).held(held);
        // Other rows, so that everything would move.
        let model = params.fit(&DatasetBase::new(&case.blobs.rows * 1.5, ())).unwrap();
        prop_assert!(!weights || model.weights() == start.weights());
        prop_assert!(!means || model.means() == start.means());
        prop_assert!(!covariances || model.covariance_parameters() == start.covariance_parameters());
        prop_assert!(means || model.means() != start.means());
    }

    #[test]
    fn single_precision_obeys_too(case in case()) {
        let rows = narrow(&case.blobs.rows);
        let fit = |rows: &Array2<f32>, weights: &Array1<f64>, start: Vec<usize>| {
            GaussianMixture::params(case.k)
                .covariance(case.covariance)
                .assignment(case.assignment)
                .reg_covariance(0.0)
                .tolerance(0.0)
                .max_n_iterations(5)
                .init_method(GmmInitMethod::Labels(start))
                .fit_weighted(rows, weights)
                .unwrap()
        };
        let (start, half) = (case.blobs.rough_labels(), &case.blobs.weights / 2.0);
        let once = fit(&rows, &case.blobs.weights, start.clone());
        let twice = fit(
            &concatenate![Axis(0), rows, rows],
            &concatenate![Axis(0), half, half],
            [start.clone(), start].concat(),
        );
        // Densities are computed in f32, so that a probability is good to some 1e-6, and a row between two components can
        // change sides under hard assignment.
        assert_close("log-likelihood", twice.log_likelihood(), once.log_likelihood(), 1e-4);
        for row in once.predict_proba(&rows).outer_iter() {
            assert_close("sum", f64::from(row.sum()), 1.0, 1e-5);
        }
        // A cluster that ran empty was given other rows: a new start, as it were.
        prop_assume!(once.report().repairs.iter().all(|repair| repair.action.name() == "floored"));
        for pair in once.report().trace.windows(2) {
            prop_assert!(pair[1] >= pair[0] - 1e-5 * (1.0 + pair[0].abs()), "{} after {}", pair[1], pair[0]);
        }
    }
}

/// A mixture with its covariances inverted exactly, and how far from that an inverse in `f64` may be.
struct Exact<'a> {
    model: &'a GaussianMixture<f64>,
    components: Vec<Component>,
}

/// With H the matrix of correlations, Σ = D H D, a Cholesky factor of Σ is exactly that of a matrix whose every entry is off
/// by (d + 1) u √(Σᵢᵢ Σⱼⱼ) at most (Demmel 1989), and a solve with it adds (d + 2) u on each side: 3d(d + 2) u ‖H⁻¹‖
/// of the inverse, and as much again at most for differences and sums. Where hard assignment leaves a component as many
/// rows as columns, the floor alone keeps ‖H⁻¹‖ finite, about 10¹⁰.
#[derive(Debug)]
struct Component {
    deviations: Array1<f64>,
    inverse: ExactInverse,
    /// ‖H⁻¹‖∞
    condition: f64,
    /// The part of the inverse that rounding can change.
    doubt: f64,
}

impl Component {
    fn of(covariance: ArrayView2<f64>) -> Self {
        let d = covariance.nrows() as f64;
        let (deviations, inverse) = (covariance.diag().mapv(f64::sqrt), ExactInverse::of(covariance));
        let mut component = Self { deviations, inverse, condition: 1.0, doubt: 0.0 };
        component.condition = component.scaled(&component.inverse.rounded());
        component.doubt = 6.0 * d * (d + 2.0) * f64::EPSILON / 2.0 * component.condition;
        component
    }

    /// ‖D A D‖∞
    fn scaled(&self, a: &Array2<f64>) -> f64 {
        let row = |(row, deviation): (ArrayView1<f64>, &f64)| deviation * row.mapv(f64::abs).dot(&self.deviations);
        a.outer_iter().zip(&self.deviations).map(row).fold(0.0, f64::max)
    }
}

impl<'a> Exact<'a> {
    fn of(model: &'a GaussianMixture<f64>) -> Self {
        Self { model, components: model.covariances().outer_iter().map(Component::of).collect() }
    }

    /// ln Σₖ wₖ N(x; μₖ, Σₖ), and by how much a density in `f64` may differ.
    fn log_density(&self, row: ArrayView1<f64>) -> (f64, f64) {
        let d = row.len() as f64;
        let terms = self.components.iter().enumerate().map(|(c, Component { inverse, doubt, .. })| {
            let q = inverse.form(row, self.model.means().row(c));
            let density = -0.5 * (q + inverse.log_determinant() + d * std::f64::consts::TAU.ln());
            // Forms that serve many components at once may cost 10⁻¹⁰.
            (self.model.weights()[c].ln() + density, 0.5 * doubt * (d + q) + 1e-10 * (1.0 + q))
        });
        let terms: Vec<(f64, f64)> = terms.collect();
        let most = terms.iter().fold(f64::NEG_INFINITY, |m, (l, _)| m.max(*l));
        let sum: f64 = terms.iter().map(|(l, _)| (l - most).exp()).sum();
        // Each doubt counts by its component's share.
        let slack = terms.iter().map(|(l, slack)| (l - most).exp() / sum * slack).sum();
        (most + sum.ln(), slack)
    }
}
