//! How far do two labellings of the same rows agree?
//!
//! All measures come from the table of how many rows have label i in one and j in the other.

mod expected;
mod information;
mod pairs;

pub use pairs::PairConfusion;

use crate::MetricsError;
use crate::partition::Partition;
use miscela_kernel::SamplesError;
use std::collections::BTreeMap;

/// Two labellings of the same rows, counted against each other: the measures that compare a clustering with a truth, or with
/// another clustering.
///
/// Labels may be of any ordered types; which label is which does not matter. A weight counts as so many copies of its row.
/// Without rows, or where both labellings say the same, agreement is complete, as in scikit-learn.
///
/// | measure | range | agreement by chance | symmetric | not for |
/// |---|---|---|---|---|
/// | [`ari`](Self::ari) | −0.5 … 1 | 0 | yes | clusters of very unequal size: the large ones decide |
/// | [`ami`](Self::ami) | −1 … 1 | 0 | yes | many rows and clusters of many sizes: it costs the most |
/// | [`nmi`](Self::nmi), [`v_measure`](Self::v_measure) | 0 … 1 | above 0 | yes | comparing different k |
/// | [`homogeneity`](Self::homogeneity) | 0 … 1 | above 0 | no | alone: single rows score 1 |
/// | [`completeness`](Self::completeness) | 0 … 1 | above 0 | no | alone: one cluster scores 1 |
/// | [`fowlkes_mallows`](Self::fowlkes_mallows) | 0 … 1 | above 0 | yes | few clusters |
/// | [`rand`](Self::rand) | 0 … 1 | near 1 for many clusters | yes | anything but as the raw share |
/// | [`variation_of_information`](Self::variation_of_information) | 0 … 2 ln k | – | yes | comparing data sets |
///
/// ```
/// use miscela_metrics::Agreement;
///
/// let agreement = Agreement::new(["cat", "cat", "dog", "dog"], [1, 1, 0, 0])?;
/// assert_eq!(agreement.ari(), 1.0);
/// assert_eq!(Agreement::new([0, 0, 1, 1], [0, 1, 0, 1])?.ari(), -0.5);
/// # Ok::<(), miscela_metrics::MetricsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// Cells with a row: first label, second label, weight; in that order.
    cells: Vec<(usize, usize, f64)>,
    first: Vec<f64>,
    second: Vec<f64>,
    total: f64,
}

impl Agreement {
    /// Counts the labels of rows of weight one, the truth first where there is one.
    ///
    /// # Errors
    /// If there are not as many labels in both. Cost: O(n log k).
    pub fn new<T: Ord, U: Ord>(
        truth: impl IntoIterator<Item = T>,
        labels: impl IntoIterator<Item = U>,
    ) -> Result<Self, MetricsError> {
        Self::count(Partition::new(truth, |_| true), Partition::new(labels, |_| true), |_| 1.0)
    }

    /// Counts the labels of rows with weights.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if there is not a weight for each row, or one is negative or not finite.
    pub fn weighted<T: Ord, U: Ord>(
        truth: impl IntoIterator<Item = T>,
        labels: impl IntoIterator<Item = U>,
        weights: &[f64],
    ) -> Result<Self, MetricsError> {
        let weight = |row: usize| weights.get(row).copied().unwrap_or(0.0);
        if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
            return Err(SamplesError::BadWeight { row, value: weights[row] }.into());
        }
        let counts = |row: usize| weight(row) > 0.0;
        let (truth, labels) = (Partition::new(truth, counts), Partition::new(labels, counts));
        if weights.len() != labels.labels.len() {
            return Err(SamplesError::WeightCount { expected: labels.labels.len(), got: weights.len() }.into());
        }
        Self::count(truth, labels, weight)
    }

    fn count(truth: Partition, labels: Partition, weight: impl Fn(usize) -> f64) -> Result<Self, MetricsError> {
        if truth.labels.len() != labels.labels.len() {
            return Err(MetricsError::LabelCount { expected: truth.labels.len(), got: labels.labels.len() });
        }
        let mut cells: BTreeMap<(u32, u32), f64> = BTreeMap::new();
        for (row, pair) in truth.labels.into_iter().zip(labels.labels).enumerate() {
            let w = weight(row);
            if w > 0.0 {
                *cells.entry(pair).or_insert(0.0) += w;
            }
        }
        let (mut first, mut second) = (vec![0.0; truth.n_clusters], vec![0.0; labels.n_clusters]);
        let cells: Vec<_> = cells.into_iter().map(|((i, j), w)| (i as usize, j as usize, w)).collect();
        for (i, j, w) in &cells {
            first[*i] += w;
            second[*j] += w;
        }
        Ok(Self { total: first.iter().sum(), cells, first, second })
    }

    /// Σ w; the number of rows where there are no weights.
    pub fn total_weight(&self) -> f64 {
        self.total
    }

    /// The numbers of clusters, of the truth and of the labels.
    pub fn n_clusters(&self) -> (usize, usize) {
        (self.first.len(), self.second.len())
    }
}
