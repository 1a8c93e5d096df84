//! The ladder: k-means → hard → soft, from the most tied covariances to the freest, each rung from where the last ended.
//!
//! Where a rung's family of models holds that of the rung before (soft after hard, free weights after equal ones, a
//! structure that is freer), its start is as likely as the end of that, and EM does not lower it: with the same
//! `reg_covariance`, zero, and no repair, no rung ends below the last.

use super::{GaussianMixture, GmmInitMethod, GmmParams};
use crate::Float;
use crate::kmeans::KMeans;
use miscela_distance::Distance;
use rand_xoshiro::Xoshiro256Plus;

impl<F: Float, D: Distance<F>> From<&KMeans<F, D>> for GmmInitMethod<F> {
    /// Starts from the clusters of k-means: its centres, with weights and covariances of the partition by the nearest.
    fn from(model: &KMeans<F, D>) -> Self {
        GmmInitMethod::means(model.centroids().clone())
    }
}

impl<F: Float> From<&GaussianMixture<F>> for GmmInitMethod<F> {
    /// Starts from the parameters of a mixture, brought to the structure asked for.
    fn from(model: &GaussianMixture<F>) -> Self {
        model.parameters().into()
    }
}

impl<F: Float, D: Distance<F>> KMeans<F, D> {
    /// Parameters of a mixture that starts from these clusters: full covariances and soft assignment, unless changed.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let kmeans = KMeans::params(3).fit(&iris)?;
    /// let tied = kmeans.promote().covariance(Covariance::Tied).fit(&iris)?;
    /// let full = tied.promote().covariance(Covariance::Full).fit(&iris)?;
    /// assert!(full.log_likelihood() >= tied.log_likelihood());
    /// println!("BIC {} and {}", tied.bic(&iris)?, full.bic(&iris)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn promote(&self) -> GmmParams<F, Xoshiro256Plus> {
        GmmParams::new(self.centroids().nrows()).init_method(self.into())
    }
}

impl<F: Float> GaussianMixture<F> {
    /// Parameters that start from this mixture and follow its settings, to be changed one by one: see
    /// [`KMeans::promote`](crate::KMeans::promote). What was annealed goes on as it ended.
    pub fn promote(&self) -> GmmParams<F, Xoshiro256Plus> {
        GmmParams::resuming(self)
    }
}
