//! How much nearer is a row to its own cluster than to the next?
//!
//! ```text
//! a  =  the mean distance to the other rows of the own cluster
//! b  =  the least, over the other clusters, of the mean distance to their rows
//! s  =  (b − a) / max(a, b),      0 where the own cluster has no other row
//! ```
//!
//! The mean of s over all rows is the silhouette of the clustering (Rousseeuw 1987). The sums of distances behind a and b
//! come from the kernel for the Euclidean distance, in O(n²·d); by sorting columns for L1, in O(n·k·d); from centroids for
//! the squared Euclidean distance, in O(n·k·d); and pair by pair otherwise. The distances themselves are never kept.

mod linear;
mod sample;

pub use sample::Estimate;

use crate::pairs::{HELD_ROWS, Held};
use crate::{Clustering, MetricsError};
use miscela_distance::{Distance, Sums};
use miscela_kernel::{BLOCK_ROWS, Float};

/// The silhouette of each row, and their mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Silhouette {
    values: Vec<f64>,
    mean: f64,
}

impl Silhouette {
    /// s of each row, from −1 (it belongs elsewhere) to 1; 0 for rows that are alone, and for those of no weight.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The weighted mean over the rows.
    pub fn mean(&self) -> f64 {
        self.mean
    }
}

impl<F: Float> Clustering<'_, F> {
    /// The silhouette of each row under a distance: scikit-learn's `silhouette_samples` and `silhouette_score`.
    ///
    /// Weights are copies: a row of weight 2 has a neighbour at distance 0. A cluster that weighs no more than 1 is a
    /// single row.
    ///
    /// **Not** for clusters that are no compact lumps: two rings, or a density that snakes, score worse than any cut through
    /// them. It favours few clusters of like size, and for n beyond some 10⁵ its n² pairs take long: use
    /// [`silhouette_sample`](Self::silhouette_sample), or L1.
    ///
    /// Cost: by L2 2·d + 2 operations and a root for each of n² pairs, shared among the threads; by L1 and the
    /// squared L2 O(n·k·d); by others n² distances. Memory: 32 bytes a row and a block of rows a thread, by L1 190 bytes a row.
    ///
    /// # Errors
    /// If there is one cluster only, or as many as rows; or if the distance is not defined on a row.
    ///
    /// ```
    /// use miscela_metrics::{Clustering, L1};
    /// use ndarray::array;
    ///
    /// let rows = array![[0.0], [2.0], [5.0]];
    /// let silhouette = Clustering::new(&rows, &[0, 0, 1])?.silhouette(&L1)?;
    /// // a = 2 and b = 5; a = 2 and b = 3; alone.
    /// assert_eq!(silhouette.values(), [3.0 / 5.0, 1.0 / 3.0, 0.0]);
    /// # Ok::<(), miscela_metrics::MetricsError>(())
    /// ```
    pub fn silhouette<D: Distance<F>>(&self, distance: &D) -> Result<Silhouette, MetricsError> {
        self.check_count()?;
        self.check_domain(distance)?;
        let by_place = match distance.sums() {
            Sums::Manhattan => linear::manhattan(self),
            Sums::SquaredEuclidean => linear::squared(self),
            _ => self.pairwise(distance, &self.order),
        };
        let mut values = vec![0.0; self.samples.n_rows()];
        self.order.iter().zip(by_place).for_each(|(row, s)| values[*row as usize] = s);
        let total: f64 = values.iter().enumerate().map(|(row, s)| self.samples.weight(row) * s).sum();
        Ok(Silhouette { values, mean: total / self.samples.total_weight() })
    }

    /// The silhouettes of the listed rows, pair by pair.
    fn pairwise<D: Distance<F>>(&self, distance: &D, rows: &[u32]) -> Vec<f64> {
        let blocks: Vec<&[u32]> = rows.chunks(HELD_ROWS).collect();
        let operations = (rows.len() * self.order.len() * (self.width() + 4)) as f64;
        let silhouettes = |rows: &[u32]| {
            let mut held = Held::new(self, distance, rows);
            let (mut means, mut sums) = (Means::new(rows.len()), vec![0.0; rows.len()]);
            for c in 0..self.n_clusters() {
                held.sums(c, &mut sums);
                means.take(self, rows, c, &sums);
            }
            means.silhouettes(self, rows)
        };
        let all = self
            .threads
            .install(|threads| threads.for_work(operations).map(blocks.len(), |block| silhouettes(blocks[block])));
        all.concat()
    }

    pub(crate) fn check_domain<D: Distance<F>>(&self, distance: &D) -> Result<(), MetricsError> {
        let (n, mut scratch) = (self.samples.n_rows(), Vec::new());
        for first in (0..n).step_by(BLOCK_ROWS) {
            distance.check(&self.samples.block(first..(first + BLOCK_ROWS).min(n), &mut scratch))?;
        }
        Ok(())
    }
}

/// The mean distance of rows to their own cluster, and to the nearest other one so far.
struct Means {
    own: Vec<f64>,
    other: Vec<f64>,
}

impl Means {
    fn new(n: usize) -> Self {
        Self { own: vec![0.0; n], other: vec![f64::INFINITY; n] }
    }

    /// Takes the weighted sums of the distances of the listed rows to cluster `c`.
    fn take<F: Float>(&mut self, clustering: &Clustering<F>, rows: &[u32], c: usize, sums: &[f64]) {
        let weight = clustering.weights[c];
        for (i, (row, sum)) in rows.iter().zip(sums).enumerate() {
            match clustering.labels[*row as usize] as usize == c {
                true => self.own[i] = sum / (weight - 1.0),
                false => self.other[i] = self.other[i].min(sum / weight),
            }
        }
    }

    fn silhouettes<F: Float>(self, clustering: &Clustering<F>, rows: &[u32]) -> Vec<f64> {
        let of = |((row, a), b): ((&u32, f64), f64)| {
            let weight = clustering.weights[clustering.labels[*row as usize] as usize];
            let s = (b - a) / a.max(b);
            // Alone; or all rows are the same one.
            if weight <= 1.0 || s.is_nan() { 0.0 } else { s }
        };
        rows.iter().zip(self.own).zip(self.other).map(of).collect()
    }
}
