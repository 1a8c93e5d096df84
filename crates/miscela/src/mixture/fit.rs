//! Fitting a mixture: starts, the engine's loop, the best of the runs.

use super::model::Fitted;
use super::{GaussianMixture, GmmError, GmmParams, GmmParamsError, GmmValidParams};
use crate::Float;
use crate::input::{samples, samples_of};
use crate::known;
use crate::report::{Best, Report, Seconds, timed};
use crate::squares::{check_squares, differ};
use linfa::{DatasetBase, ParamGuard, traits::Fit};
use miscela_em::{
    Assignment, Course, Mixture, MixtureSearch, MixtureSettings, Observer, Outcome, Repair, Run, Search,
    StepwiseBatches, Stream, Summary, drawn_rows,
};
use miscela_kernel::{Samples, Threads};
use ndarray::{ArrayBase, Axis, Data, Ix2};
use rand::Rng;

/// The batches whose rows the start of a fit by batches is found in.
const START_BATCHES: usize = 3;
/// The rows for each component that it is found in, at least.
const START_ROWS: usize = 100;

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
        if self.mini_batch().is_some() && samples.n_missing() > 0 {
            return Err(GmmError::MissingInBatch);
        }
        let ((mut outcome, stream), mut report) = self.best_run(samples, observer, GmmValidParams::run)?;
        if self.search() != Search::None && !report.termination.is_asked_for() {
            // The outcome's run went into the report.
            outcome.run.repairs.clone_from(&report.repairs);
            outcome = self.refine(outcome, samples, &mut report, observer);
        }
        let model = GaussianMixture::of_outcome(outcome, self.settings(), samples.total_weight(), report)?;
        Ok(GaussianMixture { stream, ..model })
    }

    /// One seed a run, drawn before any work is shared out; one run where there is no chance in it.
    pub(super) fn seeds(&self, samples: &Samples<F>) -> Vec<u64> {
        let chance = || {
            let drawn = self.mini_batch().is_some() || draws(self.settings().assignment);
            drawn || self.init_method().is_random(samples)
        };
        self.drawn_seeds(if self.n_runs() > 1 && chance() { self.n_runs() } else { 1 })
    }

    /// So many seeds.
    pub(crate) fn drawn_seeds(&self, count: u64) -> Vec<u64> {
        let mut rng = self.rng().clone();
        (0..count).map(|_| rng.next_u64()).collect()
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
            report.termination = observer.reason();
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
        let seeds = self.seeds(samples);
        // The generator stays here: it need not be able to go to another thread.
        let params = self.clone().with_rng(());
        // Two products for each entry of a triangle, and the exponential; where values are missing, a factorisation for each pattern.
        let width = samples.n_columns() as f64;
        let threads = match samples.n_missing() {
            0 => self.threads().for_fit(n_samples, n_clusters as f64 * (width * width + 8.0)),
            _ => self.threads(),
        };
        threads.install(|threads| {
            let mut seconds = Seconds::default();
            let summary = timed(&mut seconds.fit, || params.summary(samples, threads));
            check_squares::<F>(&summary, || differ(samples))?;
            let (mut best, mut failed) = (Best::new(), None);
            for seed in seeds {
                let (summary, seconds) = (&summary, &mut seconds);
                match run(&params, Attempt { samples, summary, seed, threads, observer, seconds }) {
                    Ok(Finished { fitted, run, objective }) => {
                        let cancelled = run.termination.is_asked_for();
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

impl<F: Float> GaussianMixture<F> {
    /// The model that a fit has come to.
    pub(crate) fn of_outcome(
        outcome: Outcome<F>,
        settings: MixtureSettings,
        total_weight: f64,
        report: Report,
    ) -> Result<Self, GmmError> {
        let Outcome { mixture, fit, .. } = outcome;
        Ok(Self::from_fitted(Fitted { mixture, settings, fit, total_weight, report })?)
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

/// What a run ended with, and what batches have come to, if there were any.
type Ended<F> = (Outcome<F>, Option<Stream>);

impl<F: Float> GmmValidParams<F, ()> {
    /// One run from one start.
    fn run(&self, attempt: Attempt<F>) -> Result<Finished<Ended<F>>, GmmError> {
        let Attempt { samples, summary, seed, threads, observer, seconds } = attempt;
        let (start, repairs) = timed(&mut seconds.init, || self.start_for(samples, summary, seed, threads))?;
        timed(&mut seconds.fit, || {
            let course = self.course(samples, summary, seed, threads);
            let (mut outcome, stream) = match self.mini_batch() {
                Some(batch) => StepwiseBatches { course, batch, step_size: self.step_size() }.run(start, observer)?,
                None => (course.run(start, observer)?, None),
            };
            let (mut run, objective) = (std::mem::take(&mut outcome.run), outcome.objective);
            run.repairs.splice(0..0, repairs);
            Ok(Finished { fitted: (outcome, stream), run, objective })
        })
    }

    /// The start of a run; of one by batches found in some of the rows, if it is to be found.
    fn start_for(
        &self,
        samples: &Samples<F>,
        summary: &Summary,
        seed: u64,
        threads: Threads,
    ) -> Result<(Mixture<F>, Vec<Repair>), GmmError> {
        let batch = self.mini_batch().filter(|_| !self.init_method().is_given());
        let count =
            batch.map(|batch| batch.batch_size.saturating_mul(START_BATCHES).max(self.n_clusters() * START_ROWS));
        if let Some(count) = count.filter(|count| *count < samples.n_positive()) {
            let rows = samples.rows().select(Axis(0), &drawn_rows(samples, count, seed));
            let drawn = self::samples(&rows, None, self.missing())?;
            // Where these hold too few values, all rows may not.
            if let Ok(start) = self.start(&drawn, summary, seed, threads) {
                return Ok(start);
            }
        }
        self.start(samples, summary, seed, threads)
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
