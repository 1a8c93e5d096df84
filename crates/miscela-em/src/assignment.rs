//! How a row is shared among the components, and how the components share the rows.

use crate::annealing::{AnnealTo, Annealing};
use crate::parameters::ParameterError;
use miscela_kernel::Float;
use ndarray::Array1;
use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// How a row is shared among the components in the E-step.
///
/// All are one rule, r ∝ exp(l/T) for the log-densities l, at a temperature T: one is EM, towards zero the densest
/// component takes all. Stochastic EM draws by the shares of EM; annealing lets the temperature fall.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Assignment {
    /// By the probability of each component: EM, which maximises the likelihood.
    #[default]
    Soft,
    /// Wholly to the densest component: classification EM (Celeux & Govaert 1992), which maximises
    /// Σ w maxₖ ln(wₖ Nₖ(x)).
    Hard,
    /// At this temperature, above zero; maximises T Σ w ln Σₖ exp(ln(wₖ Nₖ(x))/T) (Ueda & Nakano 1998).
    Tempered(f64),
    /// Wholly to a component that is drawn by the probabilities: stochastic EM (Celeux & Diebolt 1985), which wanders
    /// around maxima of the likelihood, and away from poor ones. It takes all the iterations it is given, and the best
    /// parameters it came by, its start included, are kept.
    ///
    /// A row of weight w is ⌈w⌉ copies that are drawn one by one, each with its part of the weight; beyond 64 copies it
    /// is 64 of a greater weight.
    Stochastic,
    /// At temperatures that fall from [one](Annealing::from) at which all components share all rows nearly alike, to
    /// soft or hard assignment: less depends on the start.
    Annealed(Annealing),
}

impl Assignment {
    /// `soft`, `hard`, `tempered`, `stochastic` or `annealed`.
    pub fn name(self) -> &'static str {
        match self {
            Assignment::Soft => "soft",
            Assignment::Hard => "hard",
            Assignment::Tempered(_) => "tempered",
            Assignment::Stochastic => "stochastic",
            Assignment::Annealed(_) => "annealed",
        }
    }

    pub(crate) fn temperature<F: Float>(self) -> F {
        match self {
            Assignment::Tempered(temperature) => F::narrow(temperature),
            _ => F::one(),
        }
    }

    /// What the last of its iterations follow.
    pub fn at_end(self) -> Self {
        match self {
            Assignment::Annealed(Annealing { to: AnnealTo::Soft, .. }) => Assignment::Soft,
            Assignment::Annealed(Annealing { to: AnnealTo::Hard, .. }) => Assignment::Hard,
            other => other,
        }
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Assignment::Tempered(temperature) => write!(f, "tempered at {temperature}"),
            Assignment::Annealed(Annealing { from, to, .. }) => write!(f, "annealed from {from} to {to}"),
            other => f.write_str(other.name()),
        }
    }
}

/// The mixing weights.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Mixing {
    /// Estimated: each component's share of the rows.
    #[default]
    Free,
    /// All 1/k and not estimated: part of what makes k-means.
    Equal,
    /// These, one a component, not negative and summing to one, and not estimated.
    Given(Vec<f64>),
}

impl Mixing {
    /// The weights of k components, where they are not estimated: they share `left`, which is one but for noise.
    pub fn fixed<F: Float>(&self, k: usize, left: f64) -> Option<Array1<F>> {
        match self {
            Mixing::Free => None,
            Mixing::Equal => Some(Array1::from_elem(k, F::narrow(left / k as f64))),
            Mixing::Given(weights) => Some(weights.iter().map(|w| F::narrow(w * left)).collect()),
        }
    }

    /// Whether these can be the weights of k components of d columns.
    pub fn check(&self, k: usize) -> Result<(), ParameterError> {
        let Mixing::Given(weights) = self else { return Ok(()) };
        let sum: f64 = weights.iter().sum();
        if weights.len() != k {
            Err(ParameterError::WeightCount { got: weights.len(), k })
        } else if weights.iter().any(|w| w.is_nan() || *w < 0.0) || (sum - 1.0).abs() > 1e-6 {
            Err(ParameterError::Weights { sum })
        } else {
            Ok(())
        }
    }
}

/// Which parameters stay as they were given at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Held {
    /// Mixing weights.
    pub weights: bool,
    /// Means.
    pub means: bool,
    /// Covariances.
    pub covariances: bool,
}
