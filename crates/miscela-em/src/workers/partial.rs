//! What a task has gathered of some of the rows, which adds up.

use crate::inference::{CentroidFit, MixtureFit};
use crate::missing::ColumnMoments;
use crate::statistics::{MergeError, Statistics};
use crate::summary::Summary;
use crate::workers::WorkError;
use crate::workers::picks::Picks;
use miscela_kernel::{Float, Samples};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What a task has gathered of some of the rows.
///
/// Merging is associative and commutative, but for rounding.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub enum Partial<F> {
    /// Means and variances, and how many rows.
    Summary(Summary, RowCount),
    /// The statistics of an E-step.
    Statistics {
        /// The sums.
        statistics: Statistics,
        /// A fingerprint of the rows' labels, where they have such: another whenever a row has another.
        labels: u64,
    },
    /// What there is of rows with gaps.
    Observed(Box<Observed>),
    /// How well centroids fit.
    CentroidFit(CentroidFit),
    /// How well a mixture fits.
    MixtureFit(MixtureFit),
    /// A number.
    Number(f64),
    /// Some of the rows.
    Picks(Picks<F>),
}

/// What there is of rows with gaps, about given points.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Observed {
    /// Of the rows with each missing value at the point.
    pub statistics: Statistics,
    /// Of the values that are there.
    pub columns: ColumnMoments,
}

impl Observed {
    /// Fails unless it is of so many components and columns: it may come from elsewhere.
    pub(super) fn check(&self, k: usize, d: usize) -> Result<(), MergeError> {
        let sums = self.statistics.sums();
        if (sums.k(), sums.width) == (k, d) && self.columns.has_shape(k, d) {
            return Ok(());
        }
        Err(MergeError::Shape(sums.k(), k, sums.width, d))
    }
}

/// How many rows there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct RowCount {
    /// All of them.
    pub rows: u64,
    /// Those of positive weight.
    pub positive: u64,
    /// Values that are missing.
    #[cfg_attr(feature = "serde", serde(default))]
    pub missing: u64,
}

impl RowCount {
    pub(super) fn of<F: Float>(samples: &Samples<F>) -> Self {
        let (rows, positive) = (samples.n_rows() as u64, samples.n_positive() as u64);
        Self { rows, positive, missing: samples.n_missing() as u64 }
    }

    fn add(&mut self, other: Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.positive = self.positive.saturating_add(other.positive);
        self.missing = self.missing.saturating_add(other.missing);
    }
}

impl<F: Float> Partial<F> {
    /// Adds what the same task gathered of other rows.
    ///
    /// # Errors
    /// If it is another kind of sum or of another shape, and for statistics, which know whose they are, if they were taken under other
    /// parameters.
    pub fn merge(&mut self, other: Self) -> Result<(), MergeError> {
        match (&mut *self, other) {
            (Partial::Summary(all, counts), Partial::Summary(more, more_counts)) => {
                let widths = [&all.mean, &all.variance, &more.mean, &more.variance].map(Vec::len);
                let seen = [&all.observed, &more.observed].map(|seen| seen.as_ref().map_or(widths[0], Vec::len));
                let alike = widths == [widths[0]; 4] && seen == [widths[0]; 2];
                if !alike || all.covariance.is_some() || more.covariance.is_some() {
                    return Err(MergeError::Shape(1, 1, widths[0], widths[2]));
                }
                *all = all.merged(&more);
                counts.add(more_counts);
            }
            (
                Partial::Statistics { statistics, labels },
                Partial::Statistics { statistics: more, labels: more_labels },
            ) => {
                statistics.merge(&more)?;
                *labels = labels.wrapping_add(more_labels);
            }
            (Partial::Observed(all), Partial::Observed(more)) => {
                more.check(all.statistics.sums().k(), all.statistics.sums().width)?;
                all.statistics.merge(&more.statistics)?;
                all.columns.add(&more.columns);
            }
            (Partial::CentroidFit(all), Partial::CentroidFit(more)) => {
                more.check(all.sizes.len())?;
                all.add(&more);
            }
            (Partial::MixtureFit(all), Partial::MixtureFit(more)) => {
                more.check(all.sizes.len())?;
                all.add(&more);
            }
            (Partial::Number(all), Partial::Number(more)) => *all += more,
            (Partial::Picks(all), Partial::Picks(more)) => all.merge(more),
            (all, more) => return Err(MergeError::Kind(all.kind(), more.kind())),
        }
        Ok(())
    }

    fn kind(&self) -> &'static str {
        match self {
            Partial::Summary(..) => "a summary",
            Partial::Statistics { .. } => "statistics",
            Partial::Observed(_) => "what there is of rows with gaps",
            Partial::CentroidFit(_) => "the fit of centroids",
            Partial::MixtureFit(_) => "the fit of a mixture",
            Partial::Number(_) => "a number",
            Partial::Picks(_) => "picked rows",
        }
    }

    fn unexpected(&self, expected: &'static str) -> WorkError {
        WorkError::Unexpected { expected, got: self.kind() }
    }

    /// The summary that was asked for.
    ///
    /// # Errors
    /// If it is something else; so may the others end.
    pub fn summary(self) -> Result<(Summary, RowCount), WorkError> {
        if let Partial::Summary(summary, counts) = self {
            Ok((summary, counts))
        } else {
            Err(self.unexpected("a summary"))
        }
    }

    /// The statistics, and the fingerprint of the labels.
    ///
    /// # Errors
    /// As [`summary`](Self::summary).
    pub fn statistics(self) -> Result<(Statistics, u64), WorkError> {
        match self {
            Partial::Statistics { statistics, labels } => Ok((statistics, labels)),
            other => Err(other.unexpected("statistics")),
        }
    }

    /// What there is of rows with gaps, of so many components and columns.
    ///
    /// # Errors
    /// As [`summary`](Self::summary), and if it is of others.
    pub fn observed(self, k: usize, d: usize) -> Result<Observed, WorkError> {
        let Partial::Observed(observed) = self else { return Err(self.unexpected("what there is of rows with gaps")) };
        observed.check(k, d)?;
        Ok(*observed)
    }

    /// The fit of centroids.
    ///
    /// # Errors
    /// As [`summary`](Self::summary).
    pub fn centroid_fit(self) -> Result<CentroidFit, WorkError> {
        if let Partial::CentroidFit(fit) = self { Ok(fit) } else { Err(self.unexpected("the fit of centroids")) }
    }

    /// The fit of a mixture.
    ///
    /// # Errors
    /// As [`summary`](Self::summary).
    pub fn mixture_fit(self) -> Result<MixtureFit, WorkError> {
        if let Partial::MixtureFit(fit) = self { Ok(fit) } else { Err(self.unexpected("the fit of a mixture")) }
    }

    /// The number.
    ///
    /// # Errors
    /// As [`summary`](Self::summary).
    pub fn number(self) -> Result<f64, WorkError> {
        if let Partial::Number(number) = self { Ok(number) } else { Err(self.unexpected("a number")) }
    }

    /// The rows.
    ///
    /// # Errors
    /// As [`summary`](Self::summary).
    pub fn picks(self) -> Result<Picks<F>, WorkError> {
        if let Partial::Picks(picks) = self { Ok(picks) } else { Err(self.unexpected("picked rows")) }
    }
}
