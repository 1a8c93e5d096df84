//! A model over some of its columns.

use super::{GaussianMixture, GmmError};
use crate::Float;
use miscela_em::MixtureSettings;

impl<F: Float> GaussianMixture<F> {
    /// The model of these columns alone, 0-based, in this order, with their names.
    ///
    /// Covariances keep their shape, and the structure becomes the freest of that shape: what components share in all columns
    /// they need not share in some. Like a model [from parameters](Self::from_parameters), it has seen no rows.
    /// Cost: the entries are picked out, and factored.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::s;
    ///
    /// let iris = linfa_datasets::iris();
    /// let model = GaussianMixture::params(3).fit(&iris)?;
    /// let petals = model.marginal(&[2, 3])?;
    /// let log_densities = petals.score_samples(&iris.records().slice(s![.., 2..]));
    /// assert_eq!((petals.feature_names(), log_densities.len()), (&model.feature_names()[2..], 150));
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Errors
    /// If no column is chosen, one twice, or one that is not there.
    pub fn marginal(&self, columns: &[usize]) -> Result<Self, GmmError> {
        let mixture = self.mixture.marginal(columns)?;
        let covariance = mixture.covariances.freest_structure();
        let mut marginal = Self::without_rows(mixture, MixtureSettings { covariance, ..self.settings.clone() })?;
        marginal.feature_names = columns.iter().map(|column| self.feature_names[*column].clone()).collect();
        Ok(marginal)
    }
}
