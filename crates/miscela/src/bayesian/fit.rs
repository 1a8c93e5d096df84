//! Fitting a Bayesian mixture: starts, the engine's loop, the best of the runs.

use super::{BayesianMixture, BayesianParams, BayesianValidParams};
use crate::Float;
use crate::input::{samples, samples_of};
use crate::mixture::{Attempt, Finished, Fitted, GaussianMixture, GmmError, GmmValidParams};
use crate::report::timed;
use linfa::{DatasetBase, ParamGuard, traits::Fit};
use miscela_em::{
    self as engine, BayesianFamily, BayesianSettings, Density, Missing, MixtureFit, MixtureSettings, Observer,
    PriorSettings, Priors, evaluate_mixture,
};
use miscela_kernel::Samples;
use ndarray::{ArrayBase, Data, Ix2};
use rand::Rng;

impl<F: Float, R: Rng + Clone, S: Data<Elem = F>, T> Fit<ArrayBase<S, Ix2>, T, GmmError> for BayesianValidParams<F, R> {
    type Object = BayesianMixture<F>;

    /// Fits a Bayesian mixture to the dataset's rows, weighted by its weights.
    ///
    /// # Errors
    /// On rows that are not finite, weights that are not weights, fewer rows than components, priors or a start that do not
    /// fit the data. Not converging is no error but reported.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<S, Ix2>, T>) -> Result<BayesianMixture<F>, GmmError> {
        self.fit_samples(&samples_of(dataset, Missing::Error)?, &mut ())
    }
}

impl<F: Float, R: Rng + Clone> BayesianValidParams<F, R> {
    /// Fits with weights in `f64`, one a row: `&[f64]`, `&Vec<f64>` or `&Array1<f64>`. An integer weight counts as so many
    /// copies of the row, so their scale matters: the prior counts as rows too.
    pub fn fit_weighted<'w, S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: impl IntoIterator<Item = &'w f64>,
    ) -> Result<BayesianMixture<F>, GmmError> {
        let weights: Vec<f64> = weights.into_iter().copied().collect();
        self.fit_observed(records, Some(&weights), &mut ())
    }

    /// Fits and tells the observer of each iteration; it may stop the fit, which then keeps what it has.
    pub fn fit_observed<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
        observer: &mut dyn Observer,
    ) -> Result<BayesianMixture<F>, GmmError> {
        self.fit_samples(&samples(records, weights, Missing::Error)?, observer)
    }

    fn fit_samples(&self, samples: &Samples<F>, observer: &mut dyn Observer) -> Result<BayesianMixture<F>, GmmError> {
        let (params, priors) = (self.mixture.check_ref()?, &self.priors);
        let one_run = |params: &GmmValidParams<F, ()>, attempt: Attempt<F>| run_once(params, priors, attempt);
        let ((family, fit), report) = params.best_run(samples, observer, one_run)?;
        let (lower_bound, evidence_bound) = (family.lower_bound(), family.evidence_bound());
        let (mixture, posterior, priors) = family.into_parts();
        let (settings, total_weight) = (params.settings(), samples.total_weight());
        let fitted = Fitted { mixture, settings, fit, total_weight, report };
        Ok(BayesianMixture::new(GaussianMixture::from_fitted(fitted)?, posterior, priors, lower_bound, evidence_bound)?)
    }
}

/// One run from one start.
fn run_once<F: Float>(
    params: &GmmValidParams<F, ()>,
    priors: &PriorSettings,
    attempt: Attempt<F>,
) -> Result<Finished<(BayesianFamily<F>, MixtureFit)>, GmmError> {
    let Attempt { samples, summary, seed, threads, observer, seconds } = attempt;
    let MixtureSettings { covariance, reg_covariance, tolerance, .. } = params.settings();
    let settings = BayesianSettings { covariance, reg_covariance, tolerance };
    let k = params.n_clusters();
    let (mut family, repairs) = timed(&mut seconds.init, || {
        let (priors, mut repairs) = Priors::new(priors, covariance, k, samples, summary, threads)?;
        let (family, more) = match params.init_method() {
            init if init.is_more_than_means() => {
                let (mixture, _) = params.start(samples, summary, seed, threads)?;
                BayesianFamily::from_mixture(samples, mixture, settings, priors, summary, threads)?
            }
            init => init.share(samples, k, summary, seed, threads, |rows, shares| {
                BayesianFamily::from_shares(rows, shares, settings, priors, k, summary, samples.total_weight(), threads)
            })?,
        };
        repairs.extend(more);
        Ok::<_, GmmError>((family, repairs))
    })?;
    timed(&mut seconds.fit, || {
        let limit = usize::try_from(params.max_n_iterations()).unwrap_or(usize::MAX);
        let mut run = engine::run(&mut family, samples, limit, threads, observer);
        run.repairs.splice(0..0, repairs);
        let mut fit = evaluate_mixture(samples, &Density::new(family.mixture())?, 1.0, threads);
        // Rows go where labels say, which follow from what is believed.
        fit.sizes = evaluate_mixture(samples, family.density(), 1.0, threads).sizes;
        let objective = family.lower_bound();
        Ok(Finished { fitted: (family, fit), run, objective })
    })
}

impl<F: Float, R: Rng + Clone> BayesianParams<F, R> {
    /// [`BayesianValidParams::fit_weighted`] after checking the parameters.
    pub fn fit_weighted<'w, S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: impl IntoIterator<Item = &'w f64>,
    ) -> Result<BayesianMixture<F>, GmmError> {
        self.check_ref()?.fit_weighted(records, weights)
    }

    /// [`BayesianValidParams::fit_observed`] after checking the parameters.
    pub fn fit_observed<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
        observer: &mut dyn Observer,
    ) -> Result<BayesianMixture<F>, GmmError> {
        self.check_ref()?.fit_observed(records, weights, observer)
    }
}
