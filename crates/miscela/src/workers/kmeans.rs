//! K-means of rows that are elsewhere.

use super::checkpoints::{Saved, Writer};
use super::{Elsewhere, seeding};
use crate::Float;
use crate::input::samples;
use crate::kmeans::{KMeans, KMeansError, KMeansParams, KMeansParamsError, KMeansValidParams};
use crate::report::{Best, Report, Seconds, timed};
use crate::squares::check_squares;
use linfa::ParamGuard;
use miscela_distance::Centred;
use miscela_em::{
    Algorithm, CentroidFit, Empty, KMeansOver, Observer, Run, Streamed, Summary, Task, WorkError, Workers,
};
use miscela_init::{KMeansInit, SeedingError};
use miscela_kernel::{Source, Threads};
use ndarray::Array2;
use rand::Rng;
use serde::{Serialize, de::DeserializeOwned};

impl<F: Float + Serialize + DeserializeOwned, R: Rng + Clone, D: Centred<F>> KMeansValidParams<F, R, D> {
    /// Fits the rows of a source, which are read once an iteration and never kept.
    ///
    /// Cost: the search of all centroids for each row, and reading. Memory: three chunks of the source, a sample of the rows
    /// for the start, and k·d numbers a lane. Not for rows that fit in memory: [`fit`](linfa::traits::Fit::fit) passes over much of the work.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use miscela::Chunked;
    ///
    /// let iris = linfa_datasets::iris();
    /// let source = Chunked::new(iris.records(), None, 64);
    /// let model = KMeans::params(3).fit_source(&source, &mut ())?;
    /// assert!((model.inertia_sum() - 78.9).abs() < 0.1);
    /// // A summary, a sample, an iteration each, and the fit of the end; more where a cluster ran empty.
    /// assert_eq!(model.report().passes, 3 + model.report().iterations);
    /// # Ok::<(), KMeansError>(())
    /// ```
    ///
    /// # Errors
    /// As a fit in memory; if the rows cannot be read; if what is asked for needs all rows at once.
    pub fn fit_source(&self, source: &dyn Source<F>, observer: &mut dyn Observer) -> Result<KMeans<F, D>, KMeansError> {
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
    pub fn fit_over(&self, elsewhere: Elsewhere<F>) -> Result<KMeans<F, D>, KMeansError> {
        self.clone().with_rng(()).best_over(&self.over_seeds(), elsewhere)
    }

    /// One seed a run; one run where there is no chance in it.
    fn over_seeds(&self) -> Vec<u64> {
        let given = matches!(self.init_method(), KMeansInit::Precomputed(_));
        self.seeds(if given { 1 } else { self.n_runs() })
    }
}

/// A run that has ended.
type Ended<F> = (Array2<F>, CentroidFit);

impl<F: Float + Serialize + DeserializeOwned, D: Centred<F>> KMeansValidParams<F, (), D> {
    /// The best of the runs.
    fn best_over(&self, seeds: &[u64], elsewhere: Elsewhere<F>) -> Result<KMeans<F, D>, KMeansError> {
        let Elsewhere { workers, checkpoints, observer, threads } = elsewhere;
        self.check_over()?;
        let before = workers.passes();
        let mut seconds = Seconds::default();
        let (summary, rows) = timed(&mut seconds.fit, || workers.run(&Task::Summary))?.summary()?;
        summary.check_columns()?;
        if self.distance().is_squared_euclidean() {
            // Whether rows differ is not known where nothing but their sums is.
            check_squares::<f64>(&summary, || false)?;
        }
        let (n_samples, n_clusters) = (rows.positive, self.n_clusters());
        if n_samples < n_clusters as u64 {
            return Err(WorkError::TooFewSamples { n_samples, n_clusters }.into());
        }
        let saved = Saved::new(self.in_words(seeds), rows, summary.clone());
        let saved = checkpoints.as_ref().map_or(Ok(saved.clone()), |file| file.load(saved)).map_err(other)?;
        let mut writer = Writer::<F, Ended<F>> { checkpoints, saved };
        let over = KMeansOver {
            summary: &summary,
            tolerance: self.absolute_tolerance(&summary),
            empty: self.empty(),
            max_iterations: self.iteration_limit(),
            threads,
        };
        // What is remembered of each row is in no checkpoint, and of use only from the second iteration on.
        let remembers = self.algorithm() == Algorithm::Auto && writer.checkpoints.is_none();
        let pays = self.iteration_limit() > 1 && u32::try_from(rows.rows).is_ok();
        let here = if remembers && pays { timed(&mut seconds.fit, || workers.all_rows(rows.rows))? } else { None };
        let here =
            here.as_ref().map(|(rows, weights)| samples(rows, weights.as_deref(), self.missing())).transpose()?;
        // Sums of parts are merged as they come; of rows that are here they are the same every time.
        let here = here.map(|samples| (Summary::of(&samples, threads), samples));
        for seed in seeds.iter().skip(writer.saved.ended) {
            let ((centroids, fit), run) = match writer.saved.checkpoint.take() {
                Some(checkpoint) => timed(&mut seconds.fit, || {
                    self.settled(over.resume(workers, checkpoint, &mut writer, observer)?)
                })?,
                None => {
                    let start = timed(&mut seconds.init, || self.start_over(workers, &summary, *seed, threads))?;
                    timed(&mut seconds.fit, || match &here {
                        Some((summary, samples)) => self.threads().install(|threads| {
                            let ended = self.iterate(samples, summary, &start, *seed, threads, observer);
                            ended.map(|((centroids, fit, _), run)| ((centroids, fit), run))
                        }),
                        None => self.settled(over.run(workers, start, &mut writer, observer)?),
                    })?
                }
            };
            let (objective, cancelled) = (fit.inertia, run.termination.is_asked_for());
            writer.saved.checkpoint = None;
            writer.saved.ended += 1;
            writer.saved.best.offer((centroids, fit), run, objective, |new, old| new < old);
            if cancelled {
                break;
            }
        }
        let best: Best<Ended<F>> = writer.saved.best;
        let Some(((centroids, fit), report)) = best.finish(seconds) else {
            return Err(KMeansParamsError::NRuns.into());
        };
        let (passes, n_missing) = (workers.passes() - before, rows.missing as usize);
        let report = Report { passes, n_missing, ..report };
        let total_weight = summary.total_weight;
        let fitted = crate::kmeans::Fitted { centroids, fit, total_weight, report, joint: None };
        Ok(KMeans::from_fitted(fitted, self.distance().clone()).set_missing(self.missing()))
    }

    /// What the policy makes of clusters that ended empty.
    fn settled(&self, ended: (Array2<F>, CentroidFit, Run)) -> Result<(Ended<F>, Run), KMeansError> {
        let (centroids, fit, mut run) = ended;
        Ok((crate::kmeans::settle(self.empty(), centroids, fit, &mut None, &mut run)?, run))
    }

    /// Whether nothing is asked for that needs all rows at once.
    fn check_over(&self) -> Result<(), WorkError> {
        let by_algorithm = !matches!(self.algorithm(), Algorithm::Auto | Algorithm::Lloyd);
        let asked = [
            ("a distance other than l2", !self.distance().is_squared_euclidean()),
            ("an algorithm that remembers something of each row", by_algorithm),
            ("a fit by batches that are drawn", self.mini_batch().is_some()),
            ("to split the largest cluster where one is empty", self.empty() == Empty::SplitLargest),
        ];
        let asked = asked.into_iter().find(|(_, asked)| *asked).map(|(what, _)| what);
        asked.or(self.over_all_rows()).map_or(Ok(()), |what| Err(WorkError::NeedsRows(what)))
    }

    fn start_over(
        &self,
        workers: &mut dyn Workers<F>,
        summary: &Summary,
        seed: u64,
        threads: Threads,
    ) -> Result<Array2<F>, KMeansError> {
        let (init, k, d) = (self.init_method(), self.n_clusters(), summary.mean.len());
        match init {
            KMeansInit::Precomputed(centres) if centres.dim() == (k, d) => Ok(centres.clone()),
            KMeansInit::Precomputed(centres) => {
                Err(SeedingError::Shape { expected: (k, d), got: centres.dim() }.into())
            }
            _ => seeding::centres(workers, init, k, summary, seed, threads),
        }
    }

    /// All that the course of a fit depends on.
    fn in_words(&self, seeds: &[u64]) -> String {
        let start: Vec<u64> = match self.init_method() {
            KMeansInit::Precomputed(centres) => centres.iter().map(|x| x.widen().to_bits()).collect(),
            _ => Vec::new(),
        };
        let (k, tolerance) = (self.n_clusters(), self.tolerance().widen());
        let words = (k, tolerance, self.init_method().name(), self.empty().name(), self.missing(), seeds, start);
        format!("k-means {words:?}")
    }
}

fn other(error: super::CheckpointError) -> WorkError {
    WorkError::Other(Box::new(error))
}

impl<F: Float + Serialize + DeserializeOwned, R: Rng + Clone, D: Centred<F>> KMeansParams<F, R, D> {
    /// [`KMeansValidParams::fit_source`] after checking the parameters.
    pub fn fit_source(&self, source: &dyn Source<F>, observer: &mut dyn Observer) -> Result<KMeans<F, D>, KMeansError> {
        self.check_ref()?.fit_source(source, observer)
    }

    /// [`KMeansValidParams::fit_over`] after checking the parameters.
    pub fn fit_over(&self, elsewhere: Elsewhere<F>) -> Result<KMeans<F, D>, KMeansError> {
        self.check_ref()?.fit_over(elsewhere)
    }
}
