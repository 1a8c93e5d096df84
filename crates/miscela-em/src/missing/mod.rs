//! Values that are not there, NaN in the rows.
//!
//! Both families fit what *is* there, as Little & Rubin (2002) would, and make nothing up on the way:
//!
//! ```text
//! mixtures  Σ w ln Σₖ wₖ N(x_O; μₖ_O, Σₖ_OO)   O the columns of the row that have a value: the marginal likelihood
//! k-means   Σ w minₖ Σ_{j ∈ O} (xⱼ − cₖⱼ)²     partial distances, not scaled up
//! ```
//!
//! That is maximum likelihood where values are missing at random: whether one is missing may depend on those that are there,
//! not on itself. The E-step of a mixture completes each row, component by component, with its conditional mean and adds its
//! conditional covariance to the scatter (Ghahramani & Jordan 1994); the sums are then those of complete rows, so that every
//! covariance structure's M-step takes them.
//!
//! | file | holds |
//! |---|---|
//! | `pattern` | one Gaussian seen through some of its columns: density, conditional mean and covariance |
//! | `marginal` | a mixture so seen: the E-step |
//! | `incomplete` | a fitted mixture so seen: labels, densities, imputation |
//! | `gaps` | the rows of a block that have gaps, sorted by pattern, and the block without them |
//! | `columns` | moments column by column over the values that are there |
//! | `partial` | k-means by partial distances |
//! | `start` | start parameters from a partition |
//!
//! Rows without gaps take the fast path that they take anyhow.

mod columns;
mod gaps;
mod incomplete;
mod marginal;
mod partial;
mod pattern;
mod start;

pub use columns::ColumnMoments;
pub(crate) use columns::column_moments;
pub(crate) use gaps::Gaps;
pub use incomplete::{IncompleteDensity, filled};
pub(crate) use marginal::{Marginal, Rule};
pub(crate) use partial::{alike, moved_centres, observed_centres, squared_partial_distance};
pub use partial::{partial_distances, partial_fit, partial_impute, partial_nearest, partial_nearest_of};
pub(crate) use start::{completed, from_shares, give_all_to, observed_means, sums_at_means};

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What is done about missing values, NaN.
///
/// ```
/// use miscela_em::Missing;
///
/// assert_eq!("marginal".parse(), Ok(Missing::Marginal));
/// assert_eq!(Missing::default().name(), "error");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Missing {
    /// They are an error, which counts them.
    #[default]
    Error,
    /// The values that are there are fitted: by their marginal likelihood for mixtures, by partial distances for k-means.
    Marginal,
}

impl Missing {
    /// `error` or `marginal`.
    pub fn name(self) -> &'static str {
        match self {
            Missing::Error => "error",
            Missing::Marginal => "marginal",
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Missing {
    type Err = UnknownMissing;

    fn from_str(name: &str) -> Result<Self, UnknownMissing> {
        let all = [Missing::Error, Missing::Marginal];
        all.into_iter().find(|missing| missing.name() == name).ok_or_else(|| UnknownMissing(name.into()))
    }
}

/// A name that stands for no way to treat missing values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' says nothing about missing values; use error or marginal")]
pub struct UnknownMissing(String);
