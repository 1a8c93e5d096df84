//! Which cluster is split next.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Which cluster of a [`BisectingKMeans`](crate::BisectingKMeans) is split next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SplitStrategy {
    /// That of the greatest inertia, where there is most to gain. Not where a few rows far off from everything must not become
    /// clusters of their own.
    #[default]
    GreatestInertia,
    /// The heaviest, for clusters of like sizes. Not where clusters have very unequal sizes: the large ones are cut apart.
    Largest,
}

impl SplitStrategy {
    /// All of them.
    pub const ALL: [SplitStrategy; 2] = [SplitStrategy::GreatestInertia, SplitStrategy::Largest];

    /// `greatest-inertia` or `largest`.
    pub fn name(self) -> &'static str {
        match self {
            SplitStrategy::GreatestInertia => "greatest-inertia",
            SplitStrategy::Largest => "largest",
        }
    }
}

impl fmt::Display for SplitStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no strategy's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' does not say which cluster to split next; use greatest-inertia or largest")]
pub struct UnknownSplitStrategy(String);

impl FromStr for SplitStrategy {
    type Err = UnknownSplitStrategy;

    fn from_str(name: &str) -> Result<Self, UnknownSplitStrategy> {
        Self::ALL.into_iter().find(|strategy| strategy.name() == name).ok_or_else(|| UnknownSplitStrategy(name.into()))
    }
}
