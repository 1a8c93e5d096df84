//! Mixtures of rows that are elsewhere.

use super::checkpoints::{Saved, Writer};
use super::{Elsewhere, seeding};
use crate::Float;
use crate::mixture::{
    GaussianMixture, GmmError, GmmInitMethod, GmmParams, GmmParamsError, GmmValidParams, MixtureScore,
};
use crate::report::{Best, Report, Seconds, timed};
use crate::squares::check_squares;
use linfa::ParamGuard;
use miscela_em::{
    Acceleration, Mixture, MixtureOver, Observer, Outcome, Repair, Streamed, Summary, Task, WorkError, Workers,
    check_settings, start_over,
};
use miscela_init::KMeansInit;
use miscela_kernel::{Samples, Scatter, Source, Threads};
use ndarray::Array2;
use rand::Rng;
use serde::{Serialize, de::DeserializeOwned};

impl<F: Float + Serialize + DeserializeOwned, R: Rng + Clone> GmmValidParams<F, R> {
    /// Fits the rows of a source, which are read once an iteration and never kept.
    ///
    /// Cost: an E-step in memory, and reading, an iteration. Memory: three chunks of the source, a sample of the rows for the
    /// start, and the statistics of each lane. For rows that fit in memory [`fit`](linfa::traits::Fit::fit) does as well and finds its start
    /// among all of them.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use miscela::Chunked;
    ///
    /// let iris = linfa_datasets::iris();
    /// let source = Chunked::new(iris.records(), None, 64);
    /// let model = GaussianMixture::params(3).fit_source(&source, &mut ())?;
    /// let in_memory = GaussianMixture::params(3).fit(&iris)?;
    /// assert!((model.score(&iris)? - in_memory.score(&iris)?).abs() < 1e-9);
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Errors
    /// As a fit in memory; if the rows cannot be read; if what is asked for needs all rows at once.
    pub fn fit_source(
        &self,
        source: &dyn Source<F>,
        observer: &mut dyn Observer,
    ) -> Result<GaussianMixture<F>, GmmError> {
        // The generator stays here: it need not be able to go to another thread.
        let (seeds, params) = (self.over_seeds(), self.clone().with_rng(()));
        self.threads().install(|threads| {
            let workers = &mut Streamed::new(source, threads).with_missing(params.missing());
            params.best_over(&seeds, Elsewhere { workers, checkpoints: None, observer, threads })
        })
    }

    /// Fits the rows that some workers have: [`fit_source`](Self::fit_source) for rows of any kind, with checkpoints.
    ///
    /// # Errors
    /// As [`fit_source`](Self::fit_source), and if a checkpoint cannot be read or written or is of another fit.
    pub fn fit_over(&self, elsewhere: Elsewhere<F>) -> Result<GaussianMixture<F>, GmmError> {
        self.clone().with_rng(()).best_over(&self.over_seeds(), elsewhere)
    }

    /// One seed a run; one run where there is no chance in it.
    fn over_seeds(&self) -> Vec<u64> {
        self.drawn_seeds(if self.init_method().is_given() { 1 } else { self.n_runs() })
    }
}

impl<F: Float + Serialize + DeserializeOwned> GmmValidParams<F, ()> {
    /// The best of the runs.
    fn best_over(&self, seeds: &[u64], elsewhere: Elsewhere<F>) -> Result<GaussianMixture<F>, GmmError> {
        let Elsewhere { workers, checkpoints, observer, threads } = elsewhere;
        self.check_over(checkpoints.is_some())?;
        let before = workers.passes();
        let mut seconds = Seconds::default();
        let (mut summary, rows) = timed(&mut seconds.fit, || workers.run(&Task::Summary))?.summary()?;
        summary.check_columns()?;
        check_squares::<F>(&summary, || false)?;
        let (n_samples, n_clusters) = (rows.positive, self.n_clusters());
        if n_samples < n_clusters as u64 {
            return Err(WorkError::TooFewSamples { n_samples, n_clusters }.into());
        }
        if self.settings().needs_covariance() && !summary.has_gaps() && rows.positive > summary.mean.len() as u64 {
            let statistics =
                workers.run(&Task::Scatter { about: summary.offset(), scatter: Scatter::Full })?.statistics()?.0;
            let scatter = statistics.scatter_about_mean(0);
            summary.covariance = Some(scatter.into_iter().map(|s| s / summary.total_weight).collect());
        }
        let saved = Saved::new(self.in_words(seeds), rows, summary.clone());
        let saved = checkpoints.as_ref().map_or(Ok(saved.clone()), |file| file.load(saved));
        let saved = saved.map_err(|error| WorkError::Other(Box::new(error)))?;
        let mut writer = Writer::<F, Outcome<F>> { checkpoints, saved };
        let max_iterations = usize::try_from(self.max_n_iterations()).unwrap_or(usize::MAX);
        let over = MixtureOver { summary: &summary, settings: self.settings(), max_iterations, threads };
        let mut failed = None;
        for seed in seeds.iter().skip(writer.saved.ended) {
            let mut outcome = match writer.saved.checkpoint.take() {
                Some(checkpoint) => {
                    timed(&mut seconds.fit, || over.resume(workers, checkpoint, &mut writer, observer))?
                }
                None => {
                    let start = timed(&mut seconds.init, || self.start_elsewhere(workers, &summary, *seed, threads));
                    let (start, repairs) = match start {
                        Ok(start) => start,
                        Err(GmmError::Work(error)) => return Err(error.into()),
                        // One start that cannot be used does not cost the runs from the others.
                        Err(error) => {
                            failed = failed.or(Some(error));
                            writer.saved.ended += 1;
                            continue;
                        }
                    };
                    writer.saved.repairs = repairs;
                    timed(&mut seconds.fit, || over.run(workers, start, &mut writer, observer))?
                }
            };
            let (mut run, objective) = (std::mem::take(&mut outcome.run), outcome.objective);
            run.repairs.splice(0..0, std::mem::take(&mut writer.saved.repairs));
            let cancelled = run.termination.is_asked_for();
            writer.saved.checkpoint = None;
            writer.saved.ended += 1;
            writer.saved.best.offer(outcome, run, objective, |new, old| new > old);
            if cancelled {
                break;
            }
        }
        let best: Best<Outcome<F>> = writer.saved.best;
        let none = || failed.unwrap_or(GmmParamsError::NRuns.into());
        let (outcome, report) = best.finish(seconds).ok_or_else(none)?;
        let (passes, n_missing) = (workers.passes() - before, rows.missing as usize);
        let report = Report { passes, n_missing, ..report };
        let total_weight = summary.total_weight;
        GaussianMixture::of_outcome(outcome, self.settings(), total_weight, report)
    }

    /// The start parameters of one run, and what had to be repaired for them.
    fn start_elsewhere(
        &self,
        workers: &mut dyn Workers<F>,
        summary: &Summary,
        seed: u64,
        threads: Threads,
    ) -> Result<(Mixture<F>, Vec<Repair>), GmmError> {
        let (k, d, settings) = (self.n_clusters(), summary.mean.len(), self.settings());
        match self.init_method() {
            GmmInitMethod::Parameters { .. } | GmmInitMethod::Mixture(_) => {
                let by_nearest_mean = |means: &Array2<F>| Ok(start_over(workers, means, &settings, summary)?);
                self.given_start(d, None, by_nearest_mean)
            }
            GmmInitMethod::KMeansPara => {
                let means: Array2<F> =
                    seeding::centres::<F, GmmError>(workers, &KMeansInit::KMeansPara, k, summary, seed, threads)?;
                Ok(start_over(workers, &means, &settings, summary)?)
            }
            // As in memory, of the rows of a sample.
            _ => {
                let (rows, weights) = seeding::sample(workers, k, d, seed)?;
                self.start(&Samples::with_missing(&rows, Some(weights.into()))?, summary, seed, threads)
            }
        }
    }

    /// Whether nothing is asked for that needs all rows at once.
    fn check_over(&self, checkpoints: bool) -> Result<(), WorkError> {
        let asked = [
            ("a fit by batches that are drawn", self.mini_batch().is_some()),
            ("a start from labels", matches!(self.init_method(), GmmInitMethod::Labels(_))),
            ("a start from responsibilities", matches!(self.init_method(), GmmInitMethod::Responsibilities(_))),
        ];
        let asked = asked.into_iter().find(|(_, asked)| *asked).map(|(what, _)| what);
        if let Some(what) = asked.or(self.over_all_rows()) {
            return Err(WorkError::NeedsRows(what));
        }
        if checkpoints && self.settings().acceleration != Acceleration::None {
            return Err(WorkError::NoCheckpoints("an accelerated fit"));
        }
        check_settings(&self.settings())
    }

    /// All that the course of a fit depends on.
    fn in_words(&self, seeds: &[u64]) -> String {
        let bits = |numbers: &mut dyn Iterator<Item = &F>| numbers.map(|x| x.widen().to_bits()).collect::<Vec<u64>>();
        let start = match self.init_method() {
            GmmInitMethod::Parameters { weights, means, covariances } => {
                let covariances = covariances.iter().flat_map(|covariances| covariances.iter());
                format!("{:?}", bits(&mut weights.iter().flatten().chain(means).chain(covariances)))
            }
            GmmInitMethod::Mixture(Mixture { weights, means, covariances, degrees, .. }) => {
                let numbers = bits(&mut weights.iter().chain(means).chain(covariances.iter()));
                format!("{numbers:?} {degrees:?}")
            }
            found => format!("{found:?}"),
        };
        format!("mixture {:?} {start}", (self.n_clusters(), self.settings(), seeds))
    }
}

impl<F: Float> GaussianMixture<F> {
    /// Likelihood and criteria on the rows that some workers have, in one pass. `n_samples` counts rows of positive weight.
    ///
    /// # Errors
    /// If the rows cannot be had, or have another number of columns.
    pub fn score_over(&self, workers: &mut dyn Workers<F>) -> Result<MixtureScore, GmmError> {
        let task = Task::MixtureFit { mixture: self.mixture.clone(), temperature: 1.0 };
        let fit = workers.run(&task)?.mixture_fit()?;
        Ok(self.score_from(&fit))
    }
}

impl<F: Float + Serialize + DeserializeOwned, R: Rng + Clone> GmmParams<F, R> {
    /// [`GmmValidParams::fit_source`] after checking the parameters.
    pub fn fit_source(
        &self,
        source: &dyn Source<F>,
        observer: &mut dyn Observer,
    ) -> Result<GaussianMixture<F>, GmmError> {
        self.check_ref()?.fit_source(source, observer)
    }

    /// [`GmmValidParams::fit_over`] after checking the parameters.
    pub fn fit_over(&self, elsewhere: Elsewhere<F>) -> Result<GaussianMixture<F>, GmmError> {
        self.check_ref()?.fit_over(elsewhere)
    }
}
