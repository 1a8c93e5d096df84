//! A model of centres that are given.

use super::model::Fitted;
use super::{KMeans, KMeansError};
use crate::Float;
use crate::report::Report;
use miscela_distance::Distance;
use miscela_em::{CentroidFit, Termination};
use miscela_init::SeedingError;
use miscela_kernel::Block;
use ndarray::Array2;

impl<F: Float, D: Distance<F>> KMeans<F, D> {
    /// A model with these centres, k × d, that was fitted to no rows: for centres from elsewhere, or to [start](crate::statistics) from.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::array;
    ///
    /// let model = KMeans::from_centroids(array![[0.0], [9.0]], miscela::L2)?;
    /// assert_eq!(model.predict(&array![[1.0], [8.0], [4.0]]).to_vec(), [0, 1, 0]);
    /// # Ok::<(), KMeansError>(())
    /// ```
    ///
    /// # Errors
    /// If there are no centres or no columns, a number is not finite, or the distance is not defined on the centres.
    pub fn from_centroids(centroids: Array2<F>, distance: D) -> Result<Self, KMeansError> {
        let (k, d) = centroids.dim();
        if k == 0 || d == 0 {
            return Err(SeedingError::Shape { expected: (k.max(1), d.max(1)), got: (k, d) }.into());
        }
        if let Some(((centre, column), value)) = centroids.indexed_iter().find(|(_, x)| !x.is_finite()) {
            let value = miscela_kernel::Float::widen(*value);
            return Err(SeedingError::NotFinite { centre, column, value }.into());
        }
        let all: Vec<F> = centroids.iter().copied().collect();
        distance.check(&Block::new(&all, d)).map_err(SeedingError::CentreDomain)?;
        let fit = CentroidFit { inertia: 0.0, sizes: vec![0; k], weights: vec![0.0; k] };
        let report = Report { n_runs: 0, ..Report::without_iterations(Termination::MaxIterations) };
        let fitted = Fitted { centroids, fit, total_weight: 0.0, report, joint: None };
        Ok(Self::from_fitted(fitted, distance))
    }
}
