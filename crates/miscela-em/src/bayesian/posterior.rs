//! What is believed of a mixture after its rows were shared out: the M-step of variational inference.
//!
//! With Nₖ, x̄ₖ and Sₖ the weight, mean and scatter (about that mean) of the rows that component k has a share in,
//!
//! ```text
//! βₖ = β₀ + Nₖ      mₖ = m₀ + (Nₖ/βₖ)(x̄ₖ − m₀)      νₖ = ν₀ + Nₖ
//! Wₖ = W₀ + Sₖ + β₀Nₖ/βₖ (x̄ₖ − m₀)(x̄ₖ − m₀)ᵀ
//! Dirichlet: αₖ = γ + Nₖ      sticks: aₖ = 1 + Nₖ, bₖ = γ + Σ_{j>k} Nⱼ
//! ```
//!
//! (Bishop 2006, §10.2; Blei & Jordan 2006, §3.) The covariance that is reported and that densities use is Wₖ/νₖ, the inverse
//! of the expected precision. Other structures than full restrict what may be believed, not the model: the scale of each
//! Wishart distribution is diagonal (a multiple of one matrix), or it is the same for all components and then each counts
//! for 1/k of the rows. The best such belief has the diagonal (its mean) or the mean over components in the place of Wₖ, and
//! the bound still never falls. This is what scikit-learn computes.

use super::priors::{Priors, WeightPrior};
use crate::covariance::{Covariance, Regulariser, Within, add_to_variances};
use crate::density::Density;
use crate::parameters::{Mixture, ParameterError};
use crate::statistics::Statistics;
use miscela_kernel::Float;
use ndarray::{Array1, Array2};
use statrs::function::gamma::digamma;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What is believed of the mixing weights.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
pub enum WeightConcentration {
    /// Dirichlet with these parameters, k.
    Dirichlet(Vec<f64>),
    /// What each component breaks off what those before it left, a Beta distribution: its two parameters, k each.
    DirichletProcess(Vec<f64>, Vec<f64>),
}

impl WeightConcentration {
    fn new(prior: WeightPrior, rows: &[f64]) -> Self {
        match prior {
            WeightPrior::Dirichlet(gamma) => Self::Dirichlet(rows.iter().map(|n| gamma + n).collect()),
            WeightPrior::DirichletProcess(gamma) => {
                let mut later = rows.iter().rev().scan(0.0, |later, n| {
                    let before = *later;
                    *later += n;
                    Some(gamma + before)
                });
                let mut rest: Vec<f64> = later.by_ref().collect();
                rest.reverse();
                Self::DirichletProcess(rows.iter().map(|n| 1.0 + n).collect(), rest)
            }
        }
    }

    /// k
    pub fn n_components(&self) -> usize {
        match self {
            Self::Dirichlet(all) | Self::DirichletProcess(all, _) => all.len(),
        }
    }

    /// Whether all numbers are finite and above zero, and there are as many of each.
    pub(super) fn is_sound(&self) -> bool {
        let positive = |all: &[f64]| all.iter().all(|x| x.is_finite() && *x > 0.0);
        match self {
            Self::Dirichlet(all) => positive(all),
            Self::DirichletProcess(a, b) => a.len() == b.len() && positive(a) && positive(b),
        }
    }

    /// The expected weights, k; those of a Dirichlet process are cut off after k sticks and made to sum to one.
    pub fn weights(&self) -> Array1<f64> {
        let mut weights: Array1<f64> = match self {
            Self::Dirichlet(all) => all.iter().copied().collect(),
            Self::DirichletProcess(a, b) => {
                let mut left = 1.0;
                let sticks = a.iter().zip(b).map(|(a, b)| {
                    let stick = left * (a / (a + b));
                    left *= b / (a + b);
                    stick
                });
                sticks.collect()
            }
        };
        weights /= weights.sum();
        weights
    }

    /// E[ln πₖ], k.
    fn expected_logs(&self) -> Vec<f64> {
        match self {
            Self::Dirichlet(all) => {
                let total = digamma(all.iter().sum());
                all.iter().map(|alpha| digamma(*alpha) - total).collect()
            }
            Self::DirichletProcess(a, b) => {
                let mut left = 0.0;
                let sticks = a.iter().zip(b).map(|(a, b)| {
                    let total = digamma(a + b);
                    let stick = left + digamma(*a) - total;
                    left += digamma(*b) - total;
                    stick
                });
                sticks.collect()
            }
        }
    }
}

/// What is believed of a mixture, beside its expected means and the inverses of its expected precisions.
#[derive(Clone, Debug, PartialEq)]
pub struct Posterior {
    /// Of the mixing weights.
    pub weight_concentration: WeightConcentration,
    /// βₖ, k: the precision of the means in units of their components' own; about the rows that each has.
    pub mean_precision: Vec<f64>,
    /// νₖ, k; all the same where the covariances are tied.
    pub degrees_of_freedom: Vec<f64>,
}

impl Posterior {
    /// The density that labels and probabilities follow, exp E[ln πₖ N(x; μₖ, Λₖ⁻¹)], for the expected parameters; an error
    /// names the component whose covariance is not positive definite.
    ///
    /// # Panics
    /// If the posterior is not one of as many components as the parameters.
    pub fn expected_density<F: Float>(&self, expected: &Mixture<F>) -> Result<Density<F>, ParameterError> {
        Ok(self.density(expected)?.0)
    }

    /// Whether this could be a posterior of k components of `d` columns.
    pub fn is_sound(&self, k: usize, d: usize) -> bool {
        let above = |all: &[f64], least: f64| all.len() == k && all.iter().all(|x| x.is_finite() && *x > least);
        self.weight_concentration.n_components() == k
            && self.weight_concentration.is_sound()
            && above(&self.mean_precision, 0.0)
            && above(&self.degrees_of_freedom, d as f64 - 1.0)
    }

    /// What rows are shared by where this is believed of a mixture with these expected parameters, and the ln|Σ| of each
    /// shape.
    pub(super) fn density<F: Float>(&self, expected: &Mixture<F>) -> Result<(Density<F>, Vec<f64>), ParameterError> {
        let log_weights = self.log_weights(expected.n_columns());
        Density::with_log_weights(expected, |c| log_weights[c])
    }

    /// What stands in the place of ln wₖ in the densities of a mixture that is believed so, k:
    /// E[ln πₖ] + ½ (E[ln|Λₖ|] − ln|νₖ Wₖ⁻¹| − d/βₖ).
    fn log_weights(&self, d: usize) -> Vec<f64> {
        let logs = self.weight_concentration.expected_logs();
        let adjusted = logs.iter().zip(self.mean_precision.iter().zip(&self.degrees_of_freedom));
        let adjusted = adjusted.map(|(log, (beta, nu))| {
            let halves: f64 = (0..d).map(|j| digamma(0.5 * (nu - j as f64)) - (0.5 * nu).ln()).sum();
            log + 0.5 * (halves - d as f64 / beta)
        });
        adjusted.collect()
    }
}

/// The posterior and expected parameters for the statistics. The ridge counts as so much more variance of each row.
pub(super) fn update<F: Float>(
    statistics: &Statistics,
    priors: &Priors,
    covariance: Covariance,
    ridge: f64,
    regulariser: &mut Regulariser,
) -> (Posterior, Mixture<F>) {
    let sums = statistics.sums();
    let (k, d, scatter) = (sums.k(), sums.width, sums.scatter);
    let rows: f64 = sums.weight.iter().sum();
    let prior_scatter = priors.scatter(scatter);
    let mean_precision: Vec<f64> = sums.weight.iter().map(|n| priors.mean_precision + n).collect();
    let counted = |n: f64| priors.degrees_of_freedom + if covariance.is_tied() { rows / k as f64 } else { n };
    let degrees_of_freedom: Vec<f64> = sums.weight.iter().map(|n| counted(*n)).collect();
    let mut means = Array2::zeros((k, d));
    let mut covariances = Vec::with_capacity(k);
    for (c, mut mean) in means.outer_iter_mut().enumerate() {
        let (n, beta) = (sums.weight[c], mean_precision[c]);
        let about = statistics.shift(c).iter().zip(statistics.movement(c)).zip(&priors.mean);
        let difference: Vec<f64> = about.map(|((shift, moved), prior)| shift - prior + moved).collect();
        let expected = priors.mean.iter().zip(&difference).map(|(prior, difference)| prior + n / beta * difference);
        mean.iter_mut().zip(expected).for_each(|(to, m)| *to = F::narrow(m));
        let mut spread = statistics.scatter_about_mean(c);
        spread.iter_mut().zip(&prior_scatter).for_each(|(s, prior)| *s += prior);
        scatter.add_row(priors.mean_precision * n / beta, &difference, &mut spread);
        add_to_variances(&mut spread, d, n * ridge, scatter);
        spread.iter_mut().for_each(|s| *s /= degrees_of_freedom[c]);
        covariances.push(spread);
    }
    // Where one shape serves all, each component has 1/k of a say in it.
    let within = Within { width: d, weight: vec![1.0; k], covariance: covariances, previous: None };
    let covariances = covariance.structure().estimate(&within, regulariser).cast();
    let weight_concentration = WeightConcentration::new(priors.weights, &sums.weight);
    let weights = weight_concentration.weights().mapv(F::narrow);
    (Posterior { weight_concentration, mean_precision, degrees_of_freedom }, Mixture::new(weights, means, covariances))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy.special.digamma and gammaln: the crate behind these is trusted no further than it is tested.
    #[test]
    fn special_functions_have_their_digits() {
        let digammas = [
            (1e-3, -1000.5755719318103),
            (0.1, -10.423754940411076),
            (0.5, -1.9635100260214235),
            (1.0, -0.5772156649015329),
            (3.25, 1.016990911068179),
            (57.3, 4.039549239957579),
            (1e6, 13.81551005796419),
        ];
        for (x, expected) in digammas {
            let got: f64 = digamma(x);
            assert!((got - expected).abs() <= 1e-13 * f64::max(1.0, f64::abs(expected)), "{x}: {got} {expected}");
        }
    }

    #[test]
    fn sticks_are_what_is_left_of_one() {
        let sticks = WeightConcentration::new(WeightPrior::DirichletProcess(0.5), &[3.0, 1.0, 0.0]);
        assert_eq!(sticks, WeightConcentration::DirichletProcess(vec![4.0, 2.0, 1.0], vec![1.5, 0.5, 0.5]));
        let weights = sticks.weights();
        assert!((weights.sum() - 1.0).abs() < 1e-15);
        // 4/5.5 to (1.5/5.5)(2/2.5) to (1.5/5.5)(0.5/2.5)(1/1.5)
        assert!((weights[0] / weights[1] - 4.0 / 1.2).abs() < 1e-14);
        assert!((weights[1] / weights[2] - 1.2 / 0.2).abs() < 1e-13);
    }
}
