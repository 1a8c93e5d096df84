//! Fitting a mixture: starts, the engine's loop, the best of the runs.

use super::model::Fitted;
use super::{GaussianMixture, GmmError, GmmParams, GmmParamsError, GmmValidParams};
use crate::Float;
use crate::input::{samples, samples_of};
use crate::known;
use crate::report::{Best, Report, Seconds, timed};
use linfa::{DatasetBase, ParamGuard, traits::Fit};
use miscela_em::{Assignment, Course, MixtureSearch, Observer, Outcome, Run, Search, Summary, Termination};
use miscela_kernel::{Samples, Threads};
use ndarray::{ArrayBase, Data, Ix2};
use rand::Rng;

impl<F: Float, R: Rng + Clone, S: Data<Elem = F>, T> Fit<ArrayBase<S, Ix2>, T, GmmError> for GmmValidParams<F, R> {
    type Object = GaussianMixture<F>;

    /// Fits a mixture to the dataset's rows, weighted by its weights.
    ///
    /// # Errors
    /// On rows that are not finite, weights that are not weights, fewer (distinct) rows than components, or a start that
    /// does not fit the data. Components that collapse are repaired and reported; not converging is reported too.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<S, Ix2>, T>) -> Result<GaussianMixture<F>, GmmError> {
        self.fit_samples(&samples_of(dataset, self.missing())?, &mut ())
    }
}

impl<F: Float, R: Rng + Clone> GmmValidParams<F, R> {
    /// Fits with weights in `f64`, one a row: `&[f64]`, `&Vec<f64>` or `&Array1<f64>`.
    pub fn fit_weighted<'w, S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: impl IntoIterator<Item = &'w f64>,
    ) -> Result<GaussianMixture<F>, GmmError> {
        let weights: Vec<f64> = weights.into_iter().copied().collect();
        self.fit_observed(records, Some(&weights), &mut ())
    }

    /// Fits and tells the observer of each iteration; it may stop the fit, which then keeps what it has.
    pub fn fit_observed<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
        observer: &mut dyn Observer,
    ) -> Result<GaussianMixture<F>, GmmError> {
        self.fit_samples(&samples(records, weights, self.missing())?, observer)
    }

    pub(super) fn fit_samples(
        &self,
        samples: &Samples<F>,
        observer: &mut dyn Observer,
    ) -> Result<GaussianMixture<F>, GmmError> {
        let (mut outcome, mut report) = self.best_run(samples, observer, GmmValidParams::run)?;
        if self.search() != Search::None && report.termination != Termination::Cancelled {
            // The outcome's run went into the report.
            outcome.run.repairs.clone_from(&report.repairs);
            outcome = self.refine(outcome, samples, &mut report, observer);
        }
        let Outcome { mixture, fit, .. } = outcome;
        let (settings, total_weight) = (self.settings(), samples.total_weight());
        Ok(GaussianMixture::from_fitted(Fitted { mixture, settings, fit, total_weight, report })?)
    }

    /// Goes on to better optima from the best run.
    fn refine(
        &self,
        best: Outcome<F>,
        samples: &Samples<F>,
        report: &mut Report,
        observer: &mut dyn Observer,
    ) -> Outcome<F> {
        let seed = self.rng().clone().next_u64();
        let params = self.clone().with_rng(());
        let mut seconds = 0.0;
        let mut observer = self.search_budget().clocked(observer);
        let (best, searched) = timed(&mut seconds, || {
            self.threads().install(|threads| {
                let summary = &params.summary(samples, threads);
                let course = params.course(samples, summary, seed, threads);
                let budget = params.search_budget().iterations();
                MixtureSearch { course, method: params.search(), budget }.run(best, &mut observer)
            })
        });
        if observer.cancelled {
            report.termination = Termination::Cancelled;
        }
        report.search = Some(searched);
        report.seconds.fit += seconds;
        best
    }

    /// The best of the runs from as many starts as asked for, and the report.
    pub(crate) fn best_run<T: Send>(
        &self,
        samples: &Samples<F>,
        observer: &mut dyn Observer,
        run: impl Fn(&GmmValidParams<F, ()>, Attempt<F>) -> Result<Finished<T>, GmmError> + Sync,
    ) -> Result<(T, Report), GmmError> {
        let (n_samples, n_clusters) = (samples.n_rows(), self.n_clusters());
        if n_clusters > n_samples {
            return Err(GmmError::TooFewSamples { n_samples, n_clusters });
        }
        samples.check_columns()?;
        let known = self.known_labels().map(|known| known::labels(known, samples, n_clusters)).transpose()?;
        let samples = match &known {
            Some(known) => &samples.in_order(None).with_known(known),
            None => &samples.in_order(None),
        };
        let chance = || self.init_method().is_random(samples) || draws(self.settings().assignment);
        let n_runs = if self.n_runs() > 1 && chance() { self.n_runs() } else { 1 };
        let mut rng = self.rng().clone();
        let seeds: Vec<u64> = (0..n_runs).map(|_| rng.next_u64()).collect();
        // The generator stays here: it need not be able to go to another thread.
        let params = self.clone().with_rng(());
        self.threads().install(|threads| {
            let mut seconds = Seconds::default();
            let summary = timed(&mut seconds.fit, || params.summary(samples, threads));
            let (mut best, mut failed) = (Best::new(), None);
            for seed in seeds {
                let (summary, seconds) = (&summary, &mut seconds);
                match run(&params, Attempt { samples, summary, seed, threads, observer, seconds }) {
                    Ok(Finished { fitted, run, objective }) => {
                        let cancelled = run.termination == Termination::Cancelled;
                        best.offer(fitted, run, objective, |new, old| new > old);
                        if cancelled {
                            break;
                        }
                    }
                    // One start that cannot be used does not cost the runs from the others.
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            let (fitted, mut report) =
                best.finish(seconds).ok_or_else(|| failed.unwrap_or(GmmParamsError::NRuns.into()))?;
            report.n_missing = samples.n_missing();
            Ok((fitted, report))
        })
    }
}

/// Whether a seed has a part in the iterations themselves.
fn draws(assignment: Assignment) -> bool {
    matches!(assignment, Assignment::Stochastic | Assignment::Annealed(_))
}

/// What one run from one start is given.
pub(crate) struct Attempt<'a, 's, F: Float> {
    pub(crate) samples: &'a Samples<'s, F>,
    pub(crate) summary: &'a Summary,
    pub(crate) seed: u64,
    pub(crate) threads: Threads,
    pub(crate) observer: &'a mut dyn Observer,
    pub(crate) seconds: &'a mut Seconds,
}

/// What one run found, how it went, and the objective by which runs are compared.
pub(crate) struct Finished<T> {
    pub(crate) fitted: T,
    pub(crate) run: Run,
    pub(crate) objective: f64,
}

impl<F: Float> GmmValidParams<F, ()> {
    /// One run from one start.
    fn run(&self, attempt: Attempt<F>) -> Result<Finished<Outcome<F>>, GmmError> {
        let Attempt { samples, summary, seed, threads, observer, seconds } = attempt;
        let (start, repairs) = timed(&mut seconds.init, || self.start(samples, summary, seed, threads))?;
        timed(&mut seconds.fit, || {
            let mut outcome = self.course(samples, summary, seed, threads).run(start, observer)?;
            let (mut run, objective) = (std::mem::take(&mut outcome.run), outcome.objective);
            run.repairs.splice(0..0, repairs);
            Ok(Finished { fitted: outcome, run, objective })
        })
    }

    /// What there is to know of the rows.
    fn summary(&self, samples: &Samples<F>, threads: Threads) -> Summary {
        match Summary::of(samples, threads) {
            summary if self.settings().needs_covariance() => summary.with_covariance(samples, threads),
            summary => summary,
        }
    }

    fn course<'a, 's>(
        &self,
        samples: &'a Samples<'s, F>,
        summary: &'a Summary,
        seed: u64,
        threads: Threads,
    ) -> Course<'a, 's, F> {
        let max_iterations = usize::try_from(self.max_n_iterations()).unwrap_or(usize::MAX);
        Course { samples, summary, settings: self.settings(), seed, max_iterations, threads }
    }
}

impl<F: Float, R: Rng + Clone> GmmParams<F, R> {
    /// [`GmmValidParams::fit_weighted`] after checking the parameters.
    pub fn fit_weighted<'w, S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: impl IntoIterator<Item = &'w f64>,
    ) -> Result<GaussianMixture<F>, GmmError> {
        self.check_ref()?.fit_weighted(records, weights)
    }

    /// [`GmmValidParams::fit_observed`] after checking the parameters.
    pub fn fit_observed<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
        observer: &mut dyn Observer,
    ) -> Result<GaussianMixture<F>, GmmError> {
        self.check_ref()?.fit_observed(records, weights, observer)
    }
}
