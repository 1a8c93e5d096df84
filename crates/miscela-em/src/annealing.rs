//! Deterministic annealing: EM at temperatures that fall.
//!
//! ```text
//! r ∝ exp(l/T),   T = from, from·factor, from·factor², …  down to 1 (soft) or to 0 (hard)
//! ```
//!
//! At a high temperature all components share all rows nearly alike, and the objective T Σ w ln Σₖ exp(lₖ/T) has one
//! maximum, in which the components coincide. As T falls they part, the widest differences between rows first (Rose 1998;
//! for mixtures Ueda & Nakano 1998), and each maximum is followed into that of the next temperature. So less depends on
//! the start.
//!
//! Components that coincide stay together at any temperature: before each temperature above one, every mean is nudged by
//! up to a tenth of the data's deviation, as Rose does, by numbers that are functions of a seed. A temperature is left
//! once its objective has settled, or after ten iterations: where it matters, the next goes on from there. For hard
//! assignment the last temperature is a tenth, and plain classification EM makes the end exact.

use crate::parameters::Mixture;
use crate::summary::Summary;
use miscela_kernel::{Float, uniform};
use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// The most iterations at one temperature.
pub(crate) const STEPS: usize = 10;

/// The lowest temperature before hard assignment.
const LOWEST: f64 = 0.1;

/// The greatest nudge, in the data's deviations.
const NUDGE: f64 = 0.1;

/// How temperatures fall.
///
/// ```
/// use miscela_em::{AnnealTo, Annealing};
///
/// let schedule = Annealing { from: 4.0, factor: 0.5, to: AnnealTo::Soft };
/// assert_eq!(schedule.temperatures().collect::<Vec<_>>(), [4.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Annealing {
    /// The first temperature, 1 or more.
    pub from: f64,
    /// What each is multiplied by, between 0 and 1.
    pub factor: f64,
    /// Where they end.
    pub to: AnnealTo,
}

/// Where annealing ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
pub enum AnnealTo {
    /// At a temperature of one: EM.
    #[default]
    Soft,
    /// Towards zero, and then with hard assignment: classification EM.
    Hard,
}

impl fmt::Display for AnnealTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            AnnealTo::Soft => "soft",
            AnnealTo::Hard => "hard",
        })
    }
}

impl Default for Annealing {
    /// From 2, by a factor of 0.9, to soft: seven temperatures. Higher ones forget more of the start, and not always for the
    /// better.
    fn default() -> Self {
        Self { from: 2.0, factor: 0.9, to: AnnealTo::Soft }
    }
}

impl Annealing {
    /// The temperatures above the end, falling.
    pub fn temperatures(self) -> impl Iterator<Item = f64> {
        let lowest = if self.to == AnnealTo::Hard { LOWEST } else { 1.0 };
        std::iter::successors(Some(self.from), move |t| Some(t * self.factor)).take_while(move |t| *t > lowest)
    }
}

/// Moves every mean a little, by numbers that follow from the seed.
pub(crate) fn nudge<F: Float>(mixture: &mut Mixture<F>, summary: &Summary, seed: u64) {
    let deviations: Vec<f64> = summary.variance.iter().map(|v| v.sqrt()).collect();
    for (i, mean) in mixture.means.iter_mut().enumerate() {
        let along = 2.0 * uniform::unit(uniform::of_row(seed, i)) - 1.0;
        *mean = F::narrow(mean.widen() + NUDGE * along * deviations[i % deviations.len()]);
    }
}
