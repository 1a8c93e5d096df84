//! What else a k-means model says of rows: the centres near them, and what its clusters look like.

use super::{KMeans, KMeansError};
use crate::Float;
use miscela_distance::Distance;
use miscela_em::{ClusterSummary, cluster_summaries, nearest_m};
use miscela_kernel::Threads;
use ndarray::{Array2, ArrayBase, Data, Ix2};

impl<F: Float, D: Distance<F>> KMeans<F, D> {
    /// The m nearest centres of each row, the nearest first, and the distances (not squared) to them, n × m each; all k where m is
    /// greater. The lowest index comes first among equals. Cost: O(nkd + nk), and no n × k matrix; use
    /// [`distances`](Self::distances) for all distances in the order of the clusters.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let model = KMeans::params(3).fit(&iris)?;
    /// let (centres, distances) = model.nearest_centroids(iris.records(), 2)?;
    /// assert_eq!(centres.column(0), model.predict(&iris));
    /// // How sure a label is: 0 between two centres, 1 at one of them.
    /// let margin = 1.0 - distances[[0, 0]] / distances[[0, 1]];
    /// assert!(margin > 0.9);
    /// # Ok::<(), KMeansError>(())
    /// ```
    ///
    /// # Errors
    /// If rows are not finite, or of another width than the model.
    pub fn nearest_centroids<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        m: usize,
    ) -> Result<(Array2<usize>, Array2<F>), KMeansError> {
        let samples = self.checked(records, None)?;
        let partial = samples.n_missing() > 0;
        Ok(nearest_m(&samples, self.search(), self.distance(), m, partial, Threads::Ambient))
    }

    /// Of the rows that are nearest to each centre: how many, their weight and inertia, their mean, and how far they are; k
    /// summaries. Cost: that of [`predict`](linfa::traits::Predict) and another pass over the rows.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let model = KMeans::params(3).fit(&iris)?;
    /// for (label, cluster) in model.summaries(iris.records(), None)?.iter().enumerate() {
    ///     println!("{label}: {} rows within {:.2}", cluster.size, cluster.radius);
    ///     assert_eq!(cluster.size, model.sizes()[label]);
    /// }
    /// # Ok::<(), KMeansError>(())
    /// ```
    ///
    /// # Errors
    /// If rows or weights are at fault, or the width is another.
    pub fn summaries<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
    ) -> Result<Vec<ClusterSummary>, KMeansError> {
        let samples = self.checked(records, weights)?;
        let partial = samples.n_missing() > 0;
        Ok(cluster_summaries(&samples, self.search(), self.distance(), partial, Threads::Ambient))
    }

    /// The nearest centre of one row of the right width; nothing is allocated.
    pub(super) fn nearest_to_row(&self, row: &[F]) -> usize {
        if self.missing() == miscela_em::Missing::Marginal && row.iter().any(|x| x.is_nan()) {
            return miscela_em::partial_nearest_of(row, self.search()).0 as usize;
        }
        if self.distance().is_squared_euclidean() {
            return miscela_kernel::nearest_direct(row, self.search()).0 as usize;
        }
        let mut best = (0, f64::INFINITY);
        for (c, centre) in self.search().rows().enumerate() {
            let reduced = self.distance().reduced(row, centre);
            if reduced < best.1 {
                best = (c, reduced);
            }
        }
        best.0
    }
}
