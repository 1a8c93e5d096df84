//! Mixtures made from parameters, without rows.

use super::model::Fitted;
use super::{GaussianMixture, GmmError};
use crate::Float;
use crate::report::Report;
use miscela_em::{
    Covariance, Degrees, Mixture, MixtureFit, MixtureSettings, Noise, ParameterError, Tails, Termination,
};

impl<F: Float> GaussianMixture<F> {
    /// A model of given weights, means and covariances. The covariances must be in the shape of the structure; what else it
    /// demands of them is taken on trust.
    ///
    /// No rows were seen: sizes, total weight and log-likelihood are zero and the report is empty. What is asked of rows that
    /// are handed over ([`bic`](Self::bic), [`score`](Self::score), …) is as for a model that was fitted.
    ///
    /// ```
    /// use miscela::{Mixture, prelude::*};
    /// use ndarray::array;
    ///
    /// let covariances = Covariances::Spherical(array![1.0, 2.0]);
    /// let parameters = Mixture::new(array![0.25, 0.75], array![[0.0, 0.0], [5.0, 5.0]], covariances);
    /// let model = GaussianMixture::from_parameters(parameters, Covariance::Spherical)?;
    /// assert_eq!(model.try_predict(&array![[4.0, 6.0]])?, array![1]);
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Errors
    /// If shapes disagree, numbers are not finite, weights do not sum to one, or a covariance is not positive definite.
    pub fn from_parameters(mixture: Mixture<F>, covariance: Covariance) -> Result<Self, GmmError> {
        mixture.check()?;
        if !covariance.has_shape(&mixture.covariances) {
            return Err(GmmError::CovarianceShape { covariance });
        }
        let noise = mixture.noise.as_ref().map(|_| Noise::Hypervolume);
        let tails = if mixture.degrees.is_some() { Tails::Student(Degrees::Each) } else { Tails::Gaussian };
        Ok(Self::without_rows(mixture, MixtureSettings { covariance, noise, tails, ..MixtureSettings::default() })?)
    }

    pub(super) fn without_rows(mixture: Mixture<F>, settings: MixtureSettings) -> Result<Self, ParameterError> {
        let fit = MixtureFit {
            log_likelihood: 0.0,
            classification_log_likelihood: 0.0,
            tempered_log_likelihood: 0.0,
            total_weight: 0.0,
            sizes: vec![0; mixture.n_labels()],
        };
        let report = Report { n_runs: 0, ..Report::without_iterations(Termination::MaxIterations) };
        Self::from_fitted(Fitted { mixture, settings, fit, total_weight: 0.0, report })
    }
}
