//! The least distance between clusters beside the greatest within one (Dunn 1974).

use crate::pairs::{HELD_ROWS, Held};
use crate::{Clustering, MetricsError};
use miscela_distance::Distance;
use miscela_kernel::Float;

impl<F: Float> Clustering<'_, F> {
    /// The least distance of two rows of different clusters, divided by the greatest of two rows of one cluster; higher is
    /// better. Infinite where all clusters are single points; 0 where two clusters share a point. Weights other than 0 do
    /// not matter.
    ///
    /// **Not** for data with any noise: one pair of rows decides the numerator and one the denominator. It answers whether
    /// clusters are separate at all, not how good they are.
    ///
    /// Cost: half of all pairs, as in [`silhouette`](Self::silhouette).
    ///
    /// # Errors
    /// If there is one cluster only, or as many as rows; or if the distance is not defined on a row.
    ///
    /// ```
    /// use miscela_metrics::{Clustering, L2};
    /// use ndarray::array;
    ///
    /// let rows = array![[0.0], [2.0], [10.0], [12.0]];
    /// assert_eq!(Clustering::new(&rows, &[0, 0, 1, 1])?.dunn(&L2)?, 8.0 / 2.0);
    /// # Ok::<(), miscela_metrics::MetricsError>(())
    /// ```
    pub fn dunn<D: Distance<F>>(&self, distance: &D) -> Result<f64, MetricsError> {
        self.check_count()?;
        self.check_domain(distance)?;
        // Blocks do not reach across clusters.
        let blocks: Vec<(usize, &[u32])> =
            (0..self.n_clusters()).flat_map(|c| self.rows_of(c).chunks(HELD_ROWS).map(move |rows| (c, rows))).collect();
        let extremes = |(own, rows): (usize, &[u32])| {
            let mut held = Held::new(self, distance, rows);
            let (_, diameter) = held.extremes(own);
            let gaps = (own + 1..self.n_clusters()).map(|other| held.extremes(other).0);
            (gaps.fold(f64::INFINITY, f64::min), diameter)
        };
        let operations = (self.order.len() * self.order.len() * (self.width() + 4)) as f64;
        let all = self
            .threads
            .install(|threads| threads.for_work(operations).map(blocks.len(), |block| extremes(blocks[block])));
        let gap = all.iter().map(|(gap, _)| *gap).fold(f64::INFINITY, f64::min);
        let diameter = all.iter().map(|(_, diameter)| *diameter).fold(0.0, f64::max);
        Ok(if gap == 0.0 { 0.0 } else { gap / diameter })
    }
}
