//! Rows and their labels, checked once, for the measures that need nothing else.

use crate::MetricsError;
use crate::dispersion::Dispersion;
use crate::partition::Partition;
use miscela_kernel::{Float, Samples, Threads, UNKNOWN};
use ndarray::{ArrayBase, Data, Ix2};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

/// Rows, n × d, and the cluster of each: what the measures without a truth to compare with are taken of.
///
/// Labels may be of any ordered type and need not be consecutive. A weight counts as so many copies of its row: measures
/// of counts, [`silhouette`](Self::silhouette) and [`calinski_harabasz`](Self::calinski_harabasz), need weights on that
/// scale; for the others only their ratios matter. All measures are the same bits for any number of threads.
///
/// | measure | range | better | cost | not for |
/// |---|---|---|---|---|
/// | [`silhouette`](Self::silhouette) | −1 … 1 | high | O(n²·d), L1 O(n·k·d) | clusters that are not compact |
/// | [`silhouette_sample`](Self::silhouette_sample) | −1 … 1 | high | O(m·n·d) | clusters smaller than n/m rows |
/// | [`calinski_harabasz`](Self::calinski_harabasz) | 0 … ∞ | high | O(n·d) | elongated clusters, outliers |
/// | [`davies_bouldin`](Self::davies_bouldin) | 0 … ∞ | low | O(n·d + k²·d) | clusters of very unequal spread |
/// | [`dunn`](Self::dunn) | 0 … ∞ | high | O(n²·d) | noise: two rows decide it |
/// | [`inertia`](Self::inertia) | 0 … ∞ | low | O(n·d) | comparing different k |
///
/// ```
/// use miscela_metrics::{Clustering, L2};
/// use ndarray::array;
///
/// let rows = array![[0.0, 0.0], [0.0, 1.0], [9.0, 9.0], [9.0, 8.0]];
/// let clustering = Clustering::new(&rows, &[0, 0, 1, 1])?;
/// assert!(clustering.silhouette(&L2)?.mean() > 0.9);
/// assert!(clustering.davies_bouldin()? < 0.1);
/// # Ok::<(), miscela_metrics::MetricsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Clustering<'a, F: Float> {
    pub(crate) samples: Samples<'a, F>,
    /// The cluster of each row; [`UNKNOWN`] for rows that do not count.
    pub(crate) labels: Vec<u32>,
    /// The rows that count, by cluster.
    pub(crate) order: Vec<u32>,
    /// Where in `order` each cluster starts, and the end.
    pub(crate) starts: Vec<usize>,
    /// What each cluster weighs.
    pub(crate) weights: Vec<f64>,
    pub(crate) threads: Threads,
    /// What the measures by centroids share, once one was asked for.
    pub(crate) dispersion: OnceLock<Dispersion>,
}

impl<'a, F: Float> Clustering<'a, F> {
    /// Rows of weight one, and a label for each.
    ///
    /// # Errors
    /// If a number is not finite, or there is not one label a row.
    pub fn new<S: Data<Elem = F>, T: Ord>(
        rows: &'a ArrayBase<S, Ix2>,
        labels: impl IntoIterator<Item = T>,
    ) -> Result<Self, MetricsError> {
        Self::of(Samples::new(rows)?, labels)
    }

    /// Rows with weights, and a label for each.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if weights are not one a row, negative, not finite or all zero.
    pub fn weighted<S: Data<Elem = F>, T: Ord>(
        rows: &'a ArrayBase<S, Ix2>,
        weights: impl Into<Cow<'a, [f64]>>,
        labels: impl IntoIterator<Item = T>,
    ) -> Result<Self, MetricsError> {
        Self::of(Samples::weighted(rows, weights)?, labels)
    }

    /// Rows that have been checked, and a label for each.
    ///
    /// # Errors
    /// If values are missing, or there is not one label a row.
    pub fn of<T: Ord>(samples: Samples<'a, F>, labels: impl IntoIterator<Item = T>) -> Result<Self, MetricsError> {
        if samples.n_missing() > 0 {
            Samples::new(&samples.rows())?;
        }
        let Partition { labels, n_clusters } = Partition::new(labels, |row| {
            // More labels than rows are counted below.
            row < samples.n_rows() && samples.weight(row) > 0.0
        });
        if labels.len() != samples.n_rows() {
            return Err(MetricsError::LabelCount { expected: samples.n_rows(), got: labels.len() });
        }
        let mut starts = vec![0; n_clusters + 1];
        let mut weights = vec![0.0; n_clusters];
        let counting = || labels.iter().enumerate().filter(|(_, c)| **c != UNKNOWN).map(|(row, c)| (row, *c as usize));
        for (row, c) in counting() {
            starts[c + 1] += 1;
            weights[c] += samples.weight(row);
        }
        (0..n_clusters).for_each(|c| starts[c + 1] += starts[c]);
        let (mut next, mut order) = (starts.clone(), vec![0; starts[n_clusters]]);
        for (row, c) in counting() {
            order[next[c]] = row as u32;
            next[c] += 1;
        }
        let (threads, dispersion) = (Threads::Ambient, OnceLock::new());
        Ok(Self { samples, labels, order, starts, weights, threads, dispersion })
    }

    /// Who does the work. The measures are the same, bit for bit.
    pub fn threads(self, threads: Threads) -> Self {
        Self { threads, ..self }
    }

    /// The number of clusters that have a row of positive weight.
    pub fn n_clusters(&self) -> usize {
        self.weights.len()
    }

    /// What each cluster weighs: its number of rows, where each weighs 1. In the order of labels.
    pub fn cluster_weights(&self) -> &[f64] {
        &self.weights
    }

    /// d
    pub(crate) fn width(&self) -> usize {
        self.samples.n_columns()
    }

    /// The places in `order` of the rows of cluster `c`.
    pub(crate) fn places(&self, c: usize) -> Range<usize> {
        self.starts[c]..self.starts[c + 1]
    }

    /// The rows of cluster `c`.
    pub(crate) fn rows_of(&self, c: usize) -> &[u32] {
        &self.order[self.places(c)]
    }

    /// scikit-learn's condition for all of its measures without a truth.
    pub(crate) fn check_count(&self) -> Result<(), MetricsError> {
        let (n_clusters, weight) = (self.n_clusters(), self.samples.total_weight());
        match n_clusters >= 2 && (n_clusters as f64) < weight {
            true => Ok(()),
            false => Err(MetricsError::ClusterCount { n_clusters, weight }),
        }
    }

    /// Copies rows one after the other to `to`, which is as long as they are.
    pub(crate) fn gather(&self, rows: &[u32], to: &mut [F]) {
        to.chunks_exact_mut(self.width()).zip(rows).for_each(|(to, row)| self.samples.copy_row(*row as usize, to));
    }
}
