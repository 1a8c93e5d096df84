//! Out of local optima: what a fit may do after it has settled.
//!
//! ```text
//! repeat
//!     take components away where they are of least use, and put others where they are of most
//!     settle from there
//!     keep what is better than the best, else go back to the best
//! ```
//!
//! For k-means ([`kmeans`]) a centre is put on a row; for mixtures ([`mixture`]) one component is split and two are merged. What
//! is kept is never worse than what was there before.
//!
//! Chance is a function of a seed and of counts, so that the same seed gives the same bits.

mod kmeans;
mod mixture;

pub use kmeans::KMeansSearch;
pub use mixture::MixtureSearch;

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What is done about local optima, after a fit has settled in one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Search {
    /// Nothing: the optimum that the start led to.
    #[default]
    None,
    /// One component is taken away and another is put elsewhere, again and again (Fränti 2018).
    Swap,
    /// A few more components are taken in, and the same number is given up (Fritzke 2020).
    Breathing,
}

impl Search {
    /// All of them.
    pub const ALL: [Search; 3] = [Search::None, Search::Swap, Search::Breathing];

    /// `none`, `swap` or `breathing`.
    pub fn name(self) -> &'static str {
        match self {
            Search::None => "none",
            Search::Swap => "swap",
            Search::Breathing => "breathing",
        }
    }
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no search's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("search '{0}' is not available; use none, swap or breathing")]
pub struct UnknownSearch(String);

impl FromStr for Search {
    type Err = UnknownSearch;

    fn from_str(name: &str) -> Result<Self, UnknownSearch> {
        Self::ALL.into_iter().find(|search| search.name() == name).ok_or_else(|| UnknownSearch(name.into()))
    }
}

/// What a search did.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct SearchReport {
    /// Which one it was.
    pub method: Search,
    /// Swaps or breaths that were tried.
    pub tried: usize,
    /// Those of them that were kept.
    pub kept: usize,
    /// Iterations that all of them took.
    pub iterations: usize,
    /// Distances of a row to a centre that all of them took; none are counted for mixtures.
    pub distances: u64,
    /// The objective before.
    pub before: f64,
    /// The objective after each that was kept.
    pub trace: Vec<f64>,
}
