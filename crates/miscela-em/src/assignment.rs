//! How a row is shared among the components, and how the components share the rows.

use miscela_kernel::Float;
use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// How a row is shared among the components in the E-step.
///
/// All three are one rule, r ∝ exp(l/T) for the log-densities l, at a temperature T: one is EM, towards zero the densest
/// component takes all.
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
}

impl Assignment {
    pub(crate) fn temperature<F: Float>(self) -> F {
        match self {
            Assignment::Tempered(temperature) => F::narrow(temperature),
            _ => F::one(),
        }
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Assignment::Soft => f.write_str("soft"),
            Assignment::Hard => f.write_str("hard"),
            Assignment::Tempered(temperature) => write!(f, "tempered at {temperature}"),
        }
    }
}

/// The mixing weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Mixing {
    /// Estimated: each component's share of the rows.
    #[default]
    Free,
    /// All 1/k and not estimated: part of what makes k-means.
    Equal,
}

/// Which parameters stay as they were given at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Held {
    /// Mixing weights.
    pub weights: bool,
    /// Means.
    pub means: bool,
    /// Covariances.
    pub covariances: bool,
}
