//! Conversions from the fitted models of linfa-clustering.
//!
//! The parameters are taken as they are, and measured on rows that the caller gives: a fit of no iterations. (What
//! linfa-clustering 0.8.1 itself keeps would not do: its cluster counts are those of the last run, not of the best, and its
//! mixtures keep no likelihood.)

use crate::{Covariances, Float, GaussianMixture, GmmError, GmmInitMethod, KMeans, KMeansError, KMeansInit};
use linfa::{DatasetBase, traits::Fit};
use linfa_nn::distance::L2Dist;
use ndarray::{ArrayBase, Data, Ix2};

impl<F: Float> KMeans<F> {
    /// A k-means model of linfa-clustering, measured on a dataset.
    ///
    /// # Errors
    /// If the dataset's rows or weights are at fault, or fewer than the model's clusters.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let theirs = linfa_clustering::KMeans::params(3).fit(&iris)?;
    /// let ours = KMeans::from_linfa(&theirs, &iris)?;
    /// assert_eq!(ours.centroids(), theirs.centroids());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_linfa<S: Data<Elem = F>, T>(
        model: &linfa_clustering::KMeans<F, L2Dist>,
        dataset: &DatasetBase<ArrayBase<S, Ix2>, T>,
    ) -> Result<Self, KMeansError> {
        let centroids = model.centroids().clone();
        let params = KMeans::params(centroids.nrows()).max_n_iterations(0);
        params.init_method(KMeansInit::Precomputed(centroids)).fit(dataset)
    }
}

impl<F: Float> GaussianMixture<F> {
    /// A mixture of linfa-clustering, measured on a dataset.
    ///
    /// # Errors
    /// If the dataset's rows or weights are at fault, or fewer than the model's components.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let theirs = linfa_clustering::GaussianMixtureModel::params(3).fit(&iris)?;
    /// let ours = GaussianMixture::from_linfa(&theirs, &iris)?;
    /// assert_eq!(ours.predict(&iris), theirs.predict(&iris));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_linfa<S: Data<Elem = F>, T>(
        model: &linfa_clustering::GaussianMixtureModel<F>,
        dataset: &DatasetBase<ArrayBase<S, Ix2>, T>,
    ) -> Result<Self, GmmError> {
        let start = GmmInitMethod::Parameters {
            weights: Some(model.weights().clone()),
            means: model.means().clone(),
            covariances: Some(Covariances::Full(model.covariances().clone())),
        };
        let params = GaussianMixture::params(model.means().nrows()).max_n_iterations(0).reg_covariance(F::zero());
        params.init_method(start).fit(dataset)
    }
}
