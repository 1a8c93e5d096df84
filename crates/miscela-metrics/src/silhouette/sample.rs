//! The silhouette of a sample of rows, each measured against all rows.
//!
//! ```text
//! s̄  =  Σ wᵢ sᵢ / Σ wᵢ        over m rows drawn without replacement
//! standard error²  =  (1 − m/n) · Σ wᵢ² (sᵢ − s̄)² / (m (m − 1) w̄²)
//! ```
//!
//! The rows that are left out are left out of the mean only, never of a and b, so that s̄ estimates the silhouette of the
//! whole table, and its error is that of a ratio under simple random sampling (Cochran 1977, §6.3). scikit-learn's
//! `sample_size` forgets the other rows altogether, which is another quantity: clusters get thinner, and some vanish.

use super::Silhouette;
use crate::{Clustering, MetricsError};
use miscela_distance::Distance;
use miscela_kernel::Float;
use miscela_kernel::uniform::of_row;

/// A mean over a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error; 0 where the sample is all rows.
    pub standard_error: f64,
    /// The rows of the sample.
    pub size: usize,
}

impl<F: Float> Clustering<'_, F> {
    /// The mean silhouette, estimated from `size` rows drawn by `seed`, with its standard error.
    ///
    /// The same seed draws the same rows. **Not** where a cluster is so small that the sample may miss it: its rows then have
    /// no say in the mean. Cost: `size`·n pairs instead of n².
    ///
    /// # Errors
    /// As [`silhouette`](Self::silhouette), and if the sample has fewer than 2 rows or more than there are.
    ///
    /// ```
    /// use miscela_metrics::{Clustering, L2};
    /// use ndarray::Array2;
    ///
    /// let rows = Array2::from_shape_fn((300, 2), |(i, j)| (i % 3 * 10) as f64 + ((i * (j + 5)) as f64).sin());
    /// let clustering = Clustering::new(&rows, (0..300).map(|i| i % 3))?;
    /// let estimate = clustering.silhouette_sample(&L2, 100, 42)?;
    /// let exact = clustering.silhouette(&L2)?.mean();
    /// assert!((estimate.value - exact).abs() < 3.0 * estimate.standard_error);
    /// # Ok::<(), miscela_metrics::MetricsError>(())
    /// ```
    pub fn silhouette_sample<D: Distance<F>>(
        &self,
        distance: &D,
        size: usize,
        seed: u64,
    ) -> Result<Estimate, MetricsError> {
        self.check_count()?;
        self.check_domain(distance)?;
        let n = self.order.len();
        if !(2..=n).contains(&size) {
            return Err(MetricsError::SampleSize { size, most: n });
        }
        if size == n {
            let silhouette: Silhouette = self.silhouette(distance)?;
            return Ok(Estimate { value: silhouette.mean(), standard_error: 0.0, size });
        }
        // The rows with the least random numbers, in the order of clusters.
        let mut rows = self.order.clone();
        rows.select_nth_unstable_by_key(size, |row| (of_row(seed, *row as usize), *row));
        rows.truncate(size);
        rows.sort_unstable_by_key(|row| (self.labels[*row as usize], *row));
        let silhouettes = self.pairwise(distance, &rows);
        let weights: Vec<f64> = rows.iter().map(|row| self.samples.weight(*row as usize)).collect();
        let total: f64 = weights.iter().sum();
        let value = weights.iter().zip(&silhouettes).map(|(w, s)| w * s).sum::<f64>() / total;
        let spread: f64 = weights.iter().zip(&silhouettes).map(|(w, s)| (w * (s - value)).powi(2)).sum();
        let (m, left_out) = (size as f64, 1.0 - size as f64 / n as f64);
        let standard_error = (left_out * spread * m / (m - 1.0)).sqrt() / total;
        Ok(Estimate { value, standard_error, size })
    }
}
