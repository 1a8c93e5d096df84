//! Mixtures of scaled rows as densities of the rows.

use super::covariances::{closure, rescaled};
use super::{ColumnScaling, Scaled};
use crate::mixture::Fitted;
use crate::report::Report;
use crate::{BayesianMixture, Float, GaussianMixture, GmmError, MixtureScore, Selection};
use miscela_em::{Covariances, Mixture, MixtureFit, MixtureSettings, Uniform, Workers};
use ndarray::{Array1, Array2, ArrayBase, Data, Ix2};

impl ColumnScaling {
    /// A mixture of scaled rows as the same of the rows: x = shift + scale · z has the means and covariances that follow.
    pub fn unscaled_mixture<F: Float>(&self, mixture: &Mixture<F>) -> Mixture<F> {
        let noise = |noise: &Uniform| Uniform {
            weight: noise.weight,
            log_volume: noise.log_volume + self.log_scale(),
            lower: self.unscaled_point(&noise.lower),
            upper: self.unscaled_point(&noise.upper),
        };
        Mixture {
            weights: mixture.weights.clone(),
            means: self.unscaled(&mixture.means),
            covariances: rescaled(&mixture.covariances, mixture.n_components(), self.scale()),
            noise: mixture.noise.as_ref().map(noise),
            degrees: mixture.degrees.clone(),
        }
    }

    /// Covariances of the rows, for k components, as those of scaled rows: what a start from covariances needs.
    pub fn scaled_covariances<F: Float>(&self, covariances: &Covariances<F>, k: usize) -> Covariances<F> {
        let inverse: Vec<f64> = self.scale().iter().map(|scale| 1.0 / scale).collect();
        rescaled(covariances, k, &inverse)
    }

    fn unscaled_point(&self, point: &[f64]) -> Vec<f64> {
        let columns = point.iter().zip(self.shift()).zip(self.scale());
        columns.map(|((x, shift), scale)| x * scale + shift).collect()
    }
}

impl<F: Float> Scaled<GaussianMixture<F>> {
    /// The means, k × d.
    pub fn means(&self) -> Array2<F> {
        self.scaling().unscaled(self.model().means())
    }

    /// The densest component of each row, n.
    ///
    /// # Errors
    /// As [`GaussianMixture::try_predict`].
    pub fn try_predict<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Result<Array1<usize>, GmmError> {
        self.model().try_predict(&self.scaled(records))
    }

    /// The probability of each component for each row, n × k.
    ///
    /// # Panics
    /// As [`GaussianMixture::predict_proba`].
    pub fn predict_proba<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array2<F> {
        self.model().predict_proba(&self.scaled(records))
    }

    /// ln p(x) of each row, n: the density of scaled rows over the volume of a unit. Of a row with gaps that of the values that
    /// are there.
    ///
    /// # Panics
    /// As [`GaussianMixture::score_samples`].
    pub fn score_samples<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array1<f64> {
        let mut densities = self.model().score_samples(&self.scaled(records));
        for (density, row) in densities.iter_mut().zip(records.outer_iter()) {
            let there = row.iter().zip(self.scaling().scale()).filter(|(x, _)| !x.is_nan());
            *density -= there.map(|(_, scale)| scale.ln()).sum::<f64>();
        }
        densities
    }

    /// Likelihood and criteria on rows with optional weights in `f64`, to be compared with those of fits to the rows as they are.
    /// The free parameters are those of the model of scaled rows.
    ///
    /// # Errors
    /// As [`GaussianMixture::evaluate`].
    pub fn evaluate<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
    ) -> Result<MixtureScore, GmmError> {
        let score = self.model().evaluate(&self.scaled(records), weights)?;
        let weight = |i: usize| weights.map_or(1.0, |weights| weights[i]);
        let there = records.indexed_iter().filter(|(_, x)| !x.is_nan());
        let log_scale = there.map(|((i, j), _)| weight(i) * self.scaling().scale()[j].ln()).sum();
        Ok(score.less(log_scale))
    }

    /// Likelihood and criteria on the rows, as they are, that some workers have, in one pass.
    ///
    /// # Errors
    /// As [`GaussianMixture::score_over`] and [`unscaled`](Self::unscaled).
    pub fn score_over(&self, workers: &mut dyn Workers<F>) -> Result<MixtureScore, GmmError> {
        Ok(self.unscaled()?.score_over(workers)?.with_parameters(self.model().n_parameters()))
    }

    /// Likelihood and criteria on the rows of the fit.
    pub fn training_score(&self) -> MixtureScore {
        let score = self.model().training_score();
        let log_scale = self.scaling().log_scale_of_all(score.total_weight);
        score.less(log_scale)
    }

    /// The same density as a mixture of the rows, which needs no scaling.
    ///
    /// A structure that is another in other units is widened to one that holds both, which has more free parameters: spheres become
    /// ellipsoids along the columns, shared shapes and axes are shared no more. Criteria of the fit are those of
    /// [`training_score`](Self::training_score). What batches have come to is left behind.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let scaled = Standardized(GaussianMixture::params(3).covariance(Covariance::Spherical)).fit(&iris)?;
    /// let plain = scaled.unscaled()?;
    /// assert_eq!(plain.covariance(), Covariance::Vei);
    /// let (a, b) = (scaled.score_samples(iris.records()), plain.score_samples(iris.records()));
    /// assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9));
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Errors
    /// If the number type has no room for the variances in the units of the rows.
    pub fn unscaled(&self) -> Result<GaussianMixture<F>, GmmError> {
        let (model, score) = (self.model(), self.training_score());
        let log_scale = self.scaling().log_scale_of_all(score.total_weight);
        let covariance = closure(model.covariance());
        let mixture = self.scaling().unscaled_mixture(&model.mixture);
        mixture.check()?;
        let fitted = Fitted {
            mixture,
            settings: MixtureSettings { covariance, ..model.settings.clone() },
            fit: MixtureFit {
                log_likelihood: score.log_likelihood,
                classification_log_likelihood: model.classification_log_likelihood() - log_scale,
                tempered_log_likelihood: score.log_likelihood,
                total_weight: score.total_weight,
                sizes: model.sizes().to_vec(),
            },
            total_weight: score.total_weight,
            report: model.report().clone().less(log_scale),
        };
        Ok(GaussianMixture::from_fitted(fitted)?.with_feature_names(model.feature_names().to_vec()))
    }
}

impl<F: Float> Scaled<BayesianMixture<F>> {
    /// The mixture of the expected parameters.
    pub fn mixture(&self) -> Scaled<GaussianMixture<F>> {
        Scaled::new(self.scaling().clone(), self.model().mixture().clone())
    }

    /// The likeliest component of each row, n.
    ///
    /// # Errors
    /// As [`BayesianMixture::try_predict`].
    pub fn try_predict<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Result<Array1<usize>, GmmError> {
        self.model().try_predict(&self.scaled(records))
    }

    /// The probability of each component for each row, n × k.
    ///
    /// # Panics
    /// As [`BayesianMixture::predict_proba`].
    pub fn predict_proba<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array2<F> {
        self.model().predict_proba(&self.scaled(records))
    }

    /// The lower bound that was maximised, of a density of the rows.
    pub fn lower_bound(&self) -> f64 {
        self.model().lower_bound() - self.log_scale_of_fit()
    }

    /// The lower bound of the log-evidence of the rows.
    pub fn evidence_bound(&self) -> f64 {
        self.model().evidence_bound() - self.log_scale_of_fit()
    }

    fn log_scale_of_fit(&self) -> f64 {
        self.scaling().log_scale_of_all(self.model().mixture().training_score().total_weight)
    }
}

impl<F: Float> Selection<F> {
    /// The table of a selection among mixtures of scaled rows, with likelihoods and criteria of the rows. All change by the same,
    /// so that the best stays so; it is still one of scaled rows.
    pub fn of_scaled(self, scaling: &ColumnScaling) -> Self {
        let total_weight = self.best().training_score().total_weight;
        self.less(scaling.log_scale_of_all(total_weight), scaling.log_scale())
    }
}

impl MixtureScore {
    /// Of a model with so many free parameters.
    fn with_parameters(mut self, n_parameters: usize) -> Self {
        let more = n_parameters as f64 - self.n_parameters as f64;
        self.n_parameters = n_parameters;
        self.bic += more * self.total_weight.ln();
        self.icl += more * self.total_weight.ln();
        self.aic += 2.0 * more;
        self
    }

    /// With a log-likelihood that is lower by this.
    pub(crate) fn less(mut self, log_scale: f64) -> Self {
        self.log_likelihood -= log_scale;
        self.mean_log_likelihood = self.log_likelihood / self.total_weight;
        self.bic += 2.0 * log_scale;
        self.aic += 2.0 * log_scale;
        self.icl += 2.0 * log_scale;
        self
    }
}

impl Report {
    /// With objectives that are lower by this.
    fn less(mut self, log_scale: f64) -> Self {
        let before = self.search.as_mut().map(|search| &mut search.before);
        let objectives = self.trace.iter_mut().chain(&mut self.run_objectives).chain(before);
        objectives.for_each(|objective| *objective -= log_scale);
        self
    }
}
