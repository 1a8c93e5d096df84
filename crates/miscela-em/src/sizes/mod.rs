//! Clusters of bounded size: the assignment step of k-means under minimum and maximum numbers of rows.
//!
//! ```text
//! min over labels of  Σ D(xᵢ, c of label i)      such that  min ≤ rows of each cluster ≤ max
//! ```
//!
//! The exact way is a flow of minimal cost (`flow`, after Bradley, Bennett & Demiriz 2000), the fast one improves labels by
//! moves and exchanges (`transfers`). Neither ever raises the sum, and the centres of the labels do not either.

mod flow;
mod transfers;

use crate::joint::Joint;
use std::fmt;
use std::str::FromStr;

/// How rows are assigned to clusters of bounded size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sizing {
    /// At the least sum of distances there is.
    #[default]
    Exact,
    /// By moves and exchanges of two rows that lower the sum, from the labels of the iteration before.
    Transfers,
}

impl Sizing {
    /// All of them.
    pub const ALL: [Sizing; 2] = [Sizing::Exact, Sizing::Transfers];

    /// `exact` or `transfers`.
    pub fn name(self) -> &'static str {
        match self {
            Sizing::Exact => "exact",
            Sizing::Transfers => "transfers",
        }
    }
}

impl fmt::Display for Sizing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no way to assign rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no way to keep clusters to their sizes; use exact or transfers")]
pub struct UnknownSizing(String);

impl FromStr for Sizing {
    type Err = UnknownSizing;

    fn from_str(name: &str) -> Result<Self, UnknownSizing> {
        Self::ALL.into_iter().find(|sizing| sizing.name() == name).ok_or_else(|| UnknownSizing(name.into()))
    }
}

/// How many rows a cluster may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// At least.
    pub min: usize,
    /// At most.
    pub max: usize,
    /// How rows are assigned.
    pub sizing: Sizing,
}

/// Why rows cannot be shared out so.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SizesError {
    /// Too few rows for the least sizes.
    #[error("{k} clusters of at least {min} rows need {needed} rows, and there are {n}; lower the minimal size", needed = k.saturating_mul(*min))]
    TooFew {
        /// Rows.
        n: usize,
        /// Clusters.
        k: usize,
        /// The least size.
        min: usize,
    },
    /// Too many rows for the greatest sizes.
    #[error("{k} clusters of at most {max} rows hold {held} rows, and there are {n}; raise the maximal size", held = k.saturating_mul(*max))]
    TooMany {
        /// Rows.
        n: usize,
        /// Clusters.
        k: usize,
        /// The greatest size.
        max: usize,
    },
    /// A weight is no count.
    #[error(
        "the weight of row {row} is {weight}, and sizes count rows: with bounds on them weights must be whole numbers"
    )]
    Weight {
        /// 0-based row.
        row: usize,
        /// Its weight.
        weight: f64,
    },
}

impl Sizes {
    /// Whether n rows can be shared out among k clusters.
    pub fn check(&self, n: usize, k: usize) -> Result<(), SizesError> {
        if k.saturating_mul(self.min) > n {
            Err(SizesError::TooFew { n, k, min: self.min })
        } else if k.saturating_mul(self.max) < n {
            Err(SizesError::TooMany { n, k, max: self.max })
        } else {
            Ok(())
        }
    }

    /// Renews the labels of rows whose distances to all centres are `costs`, n × k; returns how many changed.
    pub(crate) fn assign(&self, costs: &[f64], k: usize, labels: &mut [u32], joint: &mut Joint) -> u64 {
        let before = labels.to_vec();
        match self.sizing {
            Sizing::Exact => {
                joint.prices.resize(k, 0.0);
                flow::assign(costs, (self.min, self.max.min(labels.len())), &mut joint.prices, labels);
            }
            Sizing::Transfers => transfers::assign(costs, k, (self.min, self.max), labels),
        }
        before.iter().zip(labels).filter(|(old, new)| old != new).count() as u64
    }
}
