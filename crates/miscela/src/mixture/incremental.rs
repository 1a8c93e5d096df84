//! Mixtures batch by batch: stepwise EM (Cappé & Moulines 2009).
//!
//! ```text
//! s ← (1 − γ) s + γ ŝ,   γ = (t + t₀)^(−α),   then the M-step of s
//! ```
//!
//! s are the running statistics, a unit of weight, which the model carries; ŝ are those of batch t.

use super::model::Fitted;
use super::{GaussianMixture, GmmError, GmmParams, GmmParamsError, GmmValidParams, IncrGmmError};
use crate::Float;
use crate::input::samples_of;
use crate::report::{Report, Seconds, timed};
use linfa::{DatasetBase, ParamGuard, traits::FitWith};
use miscela_em::{Density, Mixture, Repair, Stepped, Stepwise, Stream, Summary, Termination, evaluate_mixture};
use miscela_kernel::{Samples, Threads};
use ndarray::{ArrayBase, Data, Ix2};
use rand::Rng;

impl<'a, F: Float, R: Rng + Clone, S: Data<Elem = F>, T>
    FitWith<'a, ArrayBase<S, Ix2>, T, IncrGmmError<GaussianMixture<F>>> for GmmValidParams<F, R>
{
    type ObjectIn = Option<GaussianMixture<F>>;
    type ObjectOut = GaussianMixture<F>;

    /// [`partial_fit`](GmmValidParams::partial_fit) with linfa's convention: a model that has not settled comes back as an
    /// error.
    ///
    /// Settled is a model by which the objective of the batch, the mean log-likelihood a row where assignment is soft, rose by
    /// less than the tolerance.
    ///
    /// # Errors
    /// `NotConverged` with the model while it has not settled; `Fit` if the batch is at fault.
    fn fit_with(
        &self,
        model: Option<GaussianMixture<F>>,
        batch: &'a DatasetBase<ArrayBase<S, Ix2>, T>,
    ) -> Result<GaussianMixture<F>, IncrGmmError<GaussianMixture<F>>> {
        let moved = self.partial_fit(model, batch)?;
        if moved.report.converged() { Ok(moved) } else { Err(IncrGmmError::NotConverged(moved)) }
    }
}

impl<F: Float, R: Rng + Clone> GmmValidParams<F, R> {
    /// Moves a model by one batch; without a model, the batch is first used to find a start. Returns the model, whether it has
    /// settled or not; its report says that.
    ///
    /// The model carries [running statistics](GaussianMixture::stream), in its files too, into which those of the batch are
    /// mixed by the [step size](GmmParams::step_size), whatever the weight of the batch: batches should be of about the same
    /// size. A model that was fitted to all rows goes on as one that had seen these rows in batches like this one. The log-likelihood,
    /// sizes and weight of the model are those of the latest batch at the new parameters.
    ///
    /// Cost: that of an iteration over the batch, and of a look at how well it is fitted after it. Not for batches
    /// that have few rows for each parameter: the parameters follow the noise of the latest.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::Array2;
    ///
    /// let params = GaussianMixture::params(2);
    /// let mut model = None;
    /// for batch in 0..20 {
    ///     let noise = |i: usize| ((i * 7919 + batch * 104_729) % 1000) as f64 / 1000.0;
    ///     let rows = Array2::from_shape_fn((100, 1), |(i, _)| 10.0 * (i % 2) as f64 + noise(i) + noise(3 * i + 1));
    ///     model = Some(params.partial_fit(model, &DatasetBase::from(rows))?);
    /// }
    /// let model = model.expect("there were batches");
    /// assert_eq!(model.stream().map(|stream| (stream.batches(), stream.total_weight())), Some((20, 2000.0)));
    /// assert!((model.means()[[0, 0]] - model.means()[[1, 0]]).abs() > 9.8);
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Errors
    /// If the batch or its weights are at fault, if the model has other columns, another number of components or another
    /// structure, or if what is asked for needs all rows at once: noise, known labels, missing values, acceleration, stochastic or
    /// annealed assignment, components that start again or go.
    pub fn partial_fit<S: Data<Elem = F>, T>(
        &self,
        model: Option<GaussianMixture<F>>,
        batch: &DatasetBase<ArrayBase<S, Ix2>, T>,
    ) -> Result<GaussianMixture<F>, GmmError> {
        let samples = samples_of(batch, self.missing())?;
        if samples.n_missing() > 0 {
            return Err(GmmError::MissingInBatch);
        }
        if let Some(what) = self.needs_all_rows_for() {
            return Err(GmmError::NeedsAllRows(what));
        }
        if let Some(model) = &model {
            self.check_same_kind(model, &samples)?;
        }
        let seeds = self.seeds(&samples);
        let params = self.clone().with_rng(());
        self.threads().install(|threads| params.move_by_batch(model, &samples, &seeds, threads))
    }

    /// Whether a model is one that these parameters can go on with.
    fn check_same_kind(&self, model: &GaussianMixture<F>, samples: &Samples<F>) -> Result<(), GmmError> {
        let (expected, got) = (model.n_features(), samples.n_columns());
        if expected != got {
            return Err(GmmError::FeatureCount { expected, got });
        }
        let (expected, got) = (self.n_clusters(), model.n_clusters());
        if expected != got {
            return Err(GmmError::ComponentCount { expected, got });
        }
        let settings = self.settings();
        let differing = [
            ("covariance structure", settings.covariance != model.covariance()),
            ("rule of assignment", settings.assignment != model.assignment() && model.stream.is_some()),
            ("kind of tails", settings.tails != model.tails()),
            ("kind of noise", model.noise().is_some()),
        ];
        let other = differing.into_iter().find(|(_, differs)| *differs);
        other.map_or(Ok(()), |(what, _)| Err(GmmError::OtherKind(what)))
    }
}

impl<F: Float, R: Rng + Clone> GmmParams<F, R> {
    /// [`GmmValidParams::partial_fit`] after checking the parameters.
    pub fn partial_fit<S: Data<Elem = F>, T>(
        &self,
        model: Option<GaussianMixture<F>>,
        batch: &DatasetBase<ArrayBase<S, Ix2>, T>,
    ) -> Result<GaussianMixture<F>, GmmError> {
        self.check_ref()?.partial_fit(model, batch)
    }
}

impl<F: Float> GmmValidParams<F, ()> {
    fn move_by_batch(
        &self,
        model: Option<GaussianMixture<F>>,
        batch: &Samples<F>,
        seeds: &[u64],
        threads: Threads,
    ) -> Result<GaussianMixture<F>, GmmError> {
        let settings = self.settings();
        let (mixture, stream, mut report, names) = match model {
            Some(model) => {
                let stream = model.stream.unwrap_or_else(|| {
                    let batches = (model.total_weight / batch.total_weight()).ceil() as usize;
                    Stream::of_mixture(&model.mixture, &settings, model.total_weight, batches)
                });
                (model.mixture, Some(stream), model.report, Some(model.feature_names))
            }
            None => {
                let (start, report) = self.start_from(batch, seeds, threads)?;
                (start, None, report, None)
            }
        };
        let mut seconds = 0.0;
        let stepped = timed(&mut seconds, || {
            let stepwise = Stepwise { settings: &settings, step_size: self.step_size(), total_weight: None, threads };
            stepwise.step(mixture, stream, batch)
        });
        let Stepped { mixture, stream, fit, before, rise, repairs, .. } = stepped?;
        let settled = rise < settings.tolerance;
        report.note_batch((before + rise) * batch.total_weight(), repairs, settled);
        report.seconds.fit += seconds;
        let total_weight = batch.total_weight();
        let model = GaussianMixture::from_fitted(Fitted { mixture, settings, fit, total_weight, report })?;
        let feature_names = names.unwrap_or(model.feature_names);
        Ok(GaussianMixture { stream: Some(stream), feature_names, ..model })
    }

    /// The best of the starts by how well each fits the first batch, and a report without rows.
    fn start_from(
        &self,
        batch: &Samples<F>,
        seeds: &[u64],
        threads: Threads,
    ) -> Result<(Mixture<F>, Report), GmmError> {
        let (n_samples, n_clusters) = (batch.n_rows(), self.n_clusters());
        if n_clusters > n_samples {
            return Err(GmmError::TooFewSamples { n_samples, n_clusters });
        }
        let mut seconds = Seconds::default();
        let mut best: Option<(f64, Mixture<F>, Vec<Repair>)> = None;
        timed(&mut seconds.init, || {
            let summary = Summary::of(batch, threads);
            let needs_covariance = self.settings().needs_covariance();
            let summary = if needs_covariance { summary.with_covariance(batch, threads) } else { summary };
            for seed in seeds {
                let (start, repairs) = self.start(batch, &summary, *seed, threads)?;
                let likelihood = evaluate_mixture(batch, &Density::new(&start)?, 1.0, threads).log_likelihood;
                if best.as_ref().is_none_or(|(most, ..)| likelihood > *most) {
                    best = Some((likelihood, start, repairs));
                }
            }
            Ok::<_, GmmError>(())
        })?;
        let Some((_, start, repairs)) = best else { return Err(GmmParamsError::NRuns.into()) };
        let n_runs = seeds.len();
        let report = Report::without_iterations(Termination::MaxIterations);
        Ok((start, Report { n_runs, repairs, seconds, ..report }))
    }
}
