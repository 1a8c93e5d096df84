//! By what numbers of clusters are compared.

use super::KMeansSelectionRow;
use std::fmt;
use std::str::FromStr;

/// Values that differ by less than this, relative, are tied; the fewest clusters are then chosen.
const TIE: f64 = 1e-10;

/// By what numbers of clusters are compared.
///
/// | criterion | chooses | not for |
/// |---|---|---|
/// | [`Silhouette`](Self::Silhouette) | the greatest | asking whether there are clusters at all: it has no value for one |
/// | [`Gap`](Self::Gap) | the first that the next does not beat by a standard error | many clusters in few rows; clusters within clusters, where it stops at the outer ones |
/// | [`CalinskiHarabasz`](Self::CalinskiHarabasz) | the greatest | clusters of unequal spread, and outliers |
/// | [`DaviesBouldin`](Self::DaviesBouldin) | the least | clusters of unequal size: it is a mean over clusters |
/// | [`Elbow`](Self::Elbow) | the bend of the inertia | anything but a first look: it depends on which numbers are tried |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KMeansCriterion {
    /// The mean silhouette (Rousseeuw 1987).
    #[default]
    Silhouette,
    /// The gap statistic (Tibshirani, Walther & Hastie 2001): the least k with gap(k) ≥ gap(k′) − se(k′), k′ the next in the
    /// table; if there is none, the greatest gap.
    Gap,
    /// The ratio of variances between and within clusters (Caliński & Harabasz 1974).
    CalinskiHarabasz,
    /// The mean overlap with the most similar cluster (Davies & Bouldin 1979).
    DaviesBouldin,
    /// Where the inertia lies farthest below the straight line from its first to its last value, both axes scaled to 0 … 1
    /// (Satopää et al. 2011).
    Elbow,
}

/// A name that no criterion has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no criterion {name:?} for k-means; choose one of {}", KMeansCriterion::ALL.map(KMeansCriterion::name).join(", "))]
pub struct UnknownKMeansCriterion {
    /// The name.
    pub name: String,
}

impl KMeansCriterion {
    /// All criteria.
    pub const ALL: [KMeansCriterion; 5] =
        [Self::Silhouette, Self::Gap, Self::CalinskiHarabasz, Self::DaviesBouldin, Self::Elbow];

    /// `silhouette`, `gap`, `calinski-harabasz`, `davies-bouldin` or `elbow`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Silhouette => "silhouette",
            Self::Gap => "gap",
            Self::CalinskiHarabasz => "calinski-harabasz",
            Self::DaviesBouldin => "davies-bouldin",
            Self::Elbow => "elbow",
        }
    }

    /// The value of a row of the table, where it has one.
    pub fn of(self, row: &KMeansSelectionRow) -> Option<f64> {
        match self {
            Self::Silhouette => row.silhouette,
            Self::Gap => row.gap,
            Self::CalinskiHarabasz => row.calinski_harabasz,
            Self::DaviesBouldin => row.davies_bouldin,
            Self::Elbow => row.elbow,
        }
    }

    /// The row to choose and by how much it leads; the rows by number of clusters. None if no row has a value.
    pub(super) fn choose(self, table: &[KMeansSelectionRow]) -> Option<(usize, Option<f64>)> {
        let sign = if self == Self::DaviesBouldin { -1.0 } else { 1.0 };
        let merit = |row: &KMeansSelectionRow| Some(sign * self.of(row)?).filter(|merit| merit.is_finite());
        let merits: Vec<(usize, f64)> =
            table.iter().enumerate().filter_map(|(at, row)| Some((at, merit(row)?))).collect();
        if self == Self::Gap {
            let lead = |pair: &[(usize, f64)]| pair[0].1 - (pair[1].1 - table[pair[1].0].gap_se.unwrap_or(0.0));
            if let Some(pair) = merits.windows(2).find(|pair| lead(pair) >= 0.0) {
                return Some((pair[0].0, Some(lead(pair))));
            }
        }
        let greatest = merits.iter().map(|(_, merit)| *merit).fold(f64::NEG_INFINITY, f64::max);
        let is_tied = |merit: f64| greatest - merit <= TIE * greatest.abs();
        let best = merits.iter().find(|(_, merit)| is_tied(*merit))?.0;
        if self == Self::Elbow && greatest <= 0.0 {
            return None;
        }
        let others = merits.iter().filter(|(at, _)| *at != best).map(|(_, merit)| *merit);
        let next = others.fold(f64::NEG_INFINITY, f64::max);
        // The gap still rises where it ends: nothing is ahead of what was not tried.
        let margin = (next.is_finite() && self != Self::Gap).then_some(greatest - next);
        Some((best, margin))
    }

    /// What this criterion asks for, where no row has a value.
    pub(super) fn needs(self) -> &'static str {
        match self {
            Self::Gap => "it needs reference sets, and clusters that are more than single points",
            Self::Elbow => "it needs at least three numbers of clusters, and a curve that bends",
            _ => "it needs at least two clusters, and fewer than rows",
        }
    }
}

impl fmt::Display for KMeansCriterion {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for KMeansCriterion {
    type Err = UnknownKMeansCriterion;

    fn from_str(name: &str) -> Result<Self, UnknownKMeansCriterion> {
        let found = Self::ALL.into_iter().find(|criterion| criterion.name() == name);
        found.ok_or_else(|| UnknownKMeansCriterion { name: name.into() })
    }
}
