//! Fitting k-means: starts, the engine's loop, the best of the runs.

use super::model::Fitted;
use super::{KMeans, KMeansError, KMeansParams, KMeansValidParams, Trimming, empty, sizes};
use crate::Float;
use crate::input::{on_whole_rows, samples, samples_by, weights_of};
use crate::known;
use crate::report::{Best, Report, Seconds, timed};
use crate::squares::{check_objective, check_squares, differ};
use linfa::{DatasetBase, ParamGuard, traits::Fit};
use miscela_distance::{CentreRule, Centred, Distance};
use miscela_em::{
    Algorithm, CentroidFit, Family, JointFit, KMeansFamily, KMeansSearch, Observer, Run, Search, Session, Summary,
    Termination, evaluate_centroids, optimal_centres,
};
use miscela_init::{KMeansInit, Seeding};
use miscela_kernel::{BLOCK_ROWS, Samples, SamplesError, Threads};
use ndarray::{Array2, ArrayBase, Axis, Data, Ix2};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;

impl<F: Float, R: Rng + Clone, D: Centred<F>, S: Data<Elem = F>, T> Fit<ArrayBase<S, Ix2>, T, KMeansError>
    for KMeansValidParams<F, R, D>
{
    type Object = KMeans<F, D>;

    /// Fits the clusters of the dataset's rows, weighted by its weights.
    ///
    /// # Errors
    /// On rows that are not finite, weights that are not weights, fewer (distinct) rows than clusters, or a start that does
    /// not fit the data.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<S, Ix2>, T>) -> Result<KMeans<F, D>, KMeansError> {
        self.fit_observed(&dataset.records, weights_of(dataset).as_deref(), &mut ())
    }
}

impl<F: Float, R: Rng + Clone, D: Centred<F>> KMeansValidParams<F, R, D> {
    /// Fits with weights in `f64`, one a row: `&[f64]`, `&Vec<f64>` or `&Array1<f64>`.
    pub fn fit_weighted<'w, S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: impl IntoIterator<Item = &'w f64>,
    ) -> Result<KMeans<F, D>, KMeansError> {
        let weights: Vec<f64> = weights.into_iter().copied().collect();
        self.fit_observed(records, Some(&weights), &mut ())
    }

    /// Fits and tells the observer of each iteration; it may stop the fit, which then keeps what it has.
    pub fn fit_observed<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
        observer: &mut dyn Observer,
    ) -> Result<KMeans<F, D>, KMeansError> {
        let (records, missing) = (records.view(), self.missing());
        self.fit_rows(records.dim(), |threads| samples_by(&records, weights, missing, threads), observer)
    }

    pub(super) fn fit_samples(
        &self,
        samples: &Samples<F>,
        observer: &mut dyn Observer,
    ) -> Result<KMeans<F, D>, KMeansError> {
        self.fit_rows(samples.rows().dim(), |_| Ok(samples.in_order(None)), observer)
    }

    /// Fits n rows of d columns that are taken, and so checked, by those who work on them.
    fn fit_rows<'s>(
        &self,
        (n, d): (usize, usize),
        rows: impl FnOnce(Threads) -> Result<Samples<'s, F>, SamplesError> + Send,
        observer: &mut dyn Observer,
    ) -> Result<KMeans<F, D>, KMeansError> {
        // Given centres leave nothing to chance but the batches that may be drawn: one run.
        let given = matches!(self.init_method(), KMeansInit::Precomputed(_)) && self.mini_batch().is_none();
        let seeds = self.seeds(if given { 1 } else { self.n_runs() });
        // The generator stays here: it need not be able to go to another thread.
        let params = self.clone().with_rng(());
        // Where sizes are bounded, there are as many rows as their weights say.
        let threads = match self.sizes(n) {
            None => self.threads().for_fit(n, self.n_clusters() as f64 * d as f64),
            Some(_) => self.threads(),
        };
        threads.install(|threads| params.fit_from(&rows(threads)?, &seeds, threads, observer))
    }

    /// One seed a run, drawn before any work is shared out.
    pub(crate) fn seeds(&self, count: usize) -> Vec<u64> {
        let mut rng = self.rng().clone();
        (0..count).map(|_| rng.next_u64()).collect()
    }
}

/// A run that has ended: its centres, how they fit, and what became of each row where that is asked for.
type Ended<F> = (Array2<F>, CentroidFit, Option<JointFit>);

impl<F: Float, D: Centred<F>> KMeansValidParams<F, (), D> {
    /// The model that the best of the runs comes to.
    fn fit_from(
        &self,
        samples: &Samples<F>,
        seeds: &[u64],
        threads: Threads,
        observer: &mut dyn Observer,
    ) -> Result<KMeans<F, D>, KMeansError> {
        check_count(samples, self.n_clusters())?;
        check_domain(samples, self.distance())?;
        samples.check_columns()?;
        if self.mini_batch().is_some() {
            self.check_batch(samples)?;
        }
        let known = self.known_labels().map(|known| known::labels(known, samples, self.n_clusters())).transpose()?;
        let samples = match &known {
            Some(known) => &samples.in_order(None).with_known(known),
            None => &samples.in_order(None),
        };
        let fitted = self.best_of_rows(samples, seeds, threads, observer)?;
        check_objective::<F>(fitted.fit.inertia)?;
        let joint = fitted.joint.as_ref().filter(|_| self.trim() > 0.0);
        let trimming = joint.map(|joint| Trimming {
            fraction: self.trim(),
            n_rows: samples.n_positive() - fitted.fit.sizes.iter().sum::<usize>(),
            cutoff: joint.farthest,
        });
        let mut model = KMeans::from_fitted(fitted, self.distance().clone()).set_missing(self.missing());
        model.trimming = trimming;
        Ok(model)
    }

    /// The best of the runs; where sizes count rows, over as many copies of each as its weight says.
    fn best_of_rows(
        &self,
        samples: &Samples<F>,
        seeds: &[u64],
        threads: Threads,
        observer: &mut dyn Observer,
    ) -> Result<Fitted<F>, KMeansError> {
        if let Some(solved) = self.solved(samples, threads) {
            return Ok(solved);
        }
        if self.sizes(samples.n_rows()).is_none() {
            return self.best_of(samples, seeds, threads, observer);
        }
        let Some(copies) = sizes::copies(samples)? else {
            return self.best_of(samples, seeds, threads, observer);
        };
        let rows = samples.rows().select(Axis(0), &copies);
        let mut fitted = self.best_of(&self::samples(&rows, None, self.missing())?, seeds, threads, observer)?;
        fitted.joint = fitted.joint.map(|joint| sizes::labels_of_rows(joint, &copies, samples.n_rows()));
        fitted.report.n_missing = samples.n_missing();
        Ok(fitted)
    }

    /// The best of all clusterings, where rows are numbers and nothing but plain k-means of all of them is asked for.
    fn solved(&self, samples: &Samples<F>, threads: Threads) -> Option<Fitted<F>> {
        let is_free = !matches!(self.init_method(), KMeansInit::Precomputed(_)) && samples.known().is_none();
        let is_plain = self.distance().is_squared_euclidean() && !self.needs_all_rows() && samples.n_missing() == 0;
        let iterates =
            self.algorithm() != Algorithm::Auto || self.iteration_limit() == 0 || self.mini_batch().is_some();
        if !is_free || !is_plain || iterates {
            return None;
        }
        let mut seconds = Seconds::default();
        let (centroids, fit) = timed(&mut seconds.fit, || {
            let centres = optimal_centres(samples, self.n_clusters())?;
            let centroids = Array2::from_shape_vec((centres.len(), 1), centres).ok()?;
            let fit = evaluate_centroids(samples, &super::model::index(&centroids), self.distance(), threads);
            Some((centroids, fit))
        })?;
        let report =
            Report { run_objectives: vec![fit.inertia], seconds, ..Report::without_iterations(Termination::Optimal) };
        Some(Fitted { centroids, fit, total_weight: samples.total_weight(), report, joint: None })
    }

    /// The best of as many runs as there are seeds.
    pub(crate) fn best_of(
        &self,
        samples: &Samples<F>,
        seeds: &[u64],
        threads: Threads,
        observer: &mut dyn Observer,
    ) -> Result<Fitted<F>, KMeansError> {
        let sizes = self.sizes(samples.n_rows());
        sizes.map_or(Ok(()), |sizes| sizes.check(samples.n_rows(), self.n_clusters()))?;
        let mut seconds = Seconds::default();
        let summary = timed(&mut seconds.fit, || Summary::of(samples, threads));
        if self.distance().is_squared_euclidean() {
            // Whatever the rows are, what they are told apart by is decided in f64 where it is in doubt.
            check_squares::<f64>(&summary, || differ(samples))?;
        }
        let mut best = Best::new();
        for seed in seeds {
            let mut rng = Xoshiro256Plus::seed_from_u64(*seed);
            let start = timed(&mut seconds.init, || self.start(samples, &summary, threads, &mut rng))?;
            let (ended, run) =
                timed(&mut seconds.fit, || self.iterate(samples, &summary, &start, *seed, threads, observer))?;
            let (objective, cancelled) = (ended.1.inertia, run.termination.is_asked_for());
            best.offer(ended, run, objective, |new, old| new < old);
            if cancelled {
                break;
            }
        }
        let Some(((centroids, fit, joint), mut report)) = best.finish(seconds) else {
            return Err(super::KMeansParamsError::NRuns.into());
        };
        report.n_missing = samples.n_missing();
        let total_weight = if joint.is_some() { fit.weights.iter().sum() } else { samples.total_weight() };
        let mut fitted = Fitted { centroids, fit, total_weight, report, joint };
        if self.search() != Search::None && !fitted.report.termination.is_asked_for() {
            self.refine(&mut fitted, samples, &summary, seeds, threads, observer);
        }
        Ok(fitted)
    }

    /// One run, from its start to its end.
    pub(crate) fn iterate(
        &self,
        samples: &Samples<F>,
        summary: &Summary,
        start: &Array2<F>,
        seed: u64,
        threads: Threads,
        observer: &mut dyn Observer,
    ) -> Result<(Ended<F>, Run), KMeansError> {
        let mut family = self
            .family(start, summary)
            .with_empty(self.empty())
            .with_trim(self.trim())
            .with_sizes(self.sizes(samples.n_rows()))
            .with_missing(samples);
        let mut session = Session::new(&family, samples, threads);
        let mut run = match self.batches(samples, seed, threads) {
            Some(batches) => batches.run(&mut family, observer),
            None => session.run(&mut family, self.iteration_limit(), observer),
        };
        let evaluate = |family: &KMeansFamily<F, D>, session: &mut _| family.evaluate(session, samples, threads);
        let has_empty = |fit: &CentroidFit| fit.weights.contains(&0.0);
        let fit = session.conclude(&mut family, &mut run, evaluate, has_empty);
        let mut joint = self.needs_all_rows().then(|| family.joint_fit(&mut session, samples));
        let (centroids, fit) = empty::settle(Family::empty(&family), family.centroids(), fit, &mut joint, &mut run)?;
        Ok(((centroids, fit, joint), run))
    }

    /// Goes on to better optima from the best run.
    fn refine(
        &self,
        fitted: &mut Fitted<F>,
        samples: &Samples<F>,
        summary: &Summary,
        seeds: &[u64],
        threads: Threads,
        observer: &mut dyn Observer,
    ) {
        let mut seconds = 0.0;
        timed(&mut seconds, || {
            let mut family = self.family(&fitted.centroids, summary);
            let search = KMeansSearch {
                samples,
                method: self.search(),
                seed: seeds.iter().fold(0, |all, seed| all ^ seed),
                max_iterations: self.iteration_limit(),
                budget: self.search_budget().iterations(),
                threads,
            };
            let mut observer = self.search_budget().clocked(observer);
            let (fit, report) = search.run(&mut family, &mut observer);
            if report.kept > 0 {
                (fitted.centroids, fitted.fit) = (family.centroids(), fit);
            }
            if observer.cancelled {
                fitted.report.termination = observer.reason();
            }
            fitted.report.search = Some(report);
        });
        fitted.report.seconds.fit += seconds;
    }

    fn family(&self, centres: &Array2<F>, summary: &Summary) -> KMeansFamily<F, D> {
        let offset = summary.offset();
        let tolerance = self.absolute_tolerance(summary);
        KMeansFamily::new(centres, self.distance().clone(), tolerance, offset).with_algorithm(self.algorithm())
    }

    pub(crate) fn iteration_limit(&self) -> usize {
        usize::try_from(self.max_n_iterations()).unwrap_or(usize::MAX)
    }

    /// Start centres, k × d.
    fn start(
        &self,
        samples: &Samples<F>,
        summary: &Summary,
        threads: Threads,
        rng: &mut Xoshiro256Plus,
    ) -> Result<Array2<F>, KMeansError> {
        let (init, k, distance) = (self.init_method(), self.n_clusters(), self.distance());
        if let Some(centres) = self.start_of_drawn(samples, threads, rng) {
            return Ok(centres);
        }
        match samples.known().filter(|_| !matches!(init, KMeansInit::Precomputed(_))) {
            Some(known) => Ok(known::centres(samples, known, k, init, distance, threads, rng)?),
            None => on_whole_rows(samples, summary, |whole| Ok(init.seed(whole, k, distance, threads, rng)?.centres)),
        }
    }

    pub(crate) fn absolute_tolerance(&self, summary: &Summary) -> f64 {
        let relative = miscela_kernel::Float::widen(self.tolerance());
        match self.distance().centre_rule() {
            // Centres are directions: unit vectors, whatever the scale of the rows.
            CentreRule::NormalisedMean => relative / summary.variance.len() as f64,
            _ => relative * summary.mean_variance(),
        }
    }
}

/// Whether there are as many rows as clusters.
pub(crate) fn check_count<F: Float>(samples: &Samples<F>, n_clusters: usize) -> Result<(), KMeansError> {
    let n_samples = samples.n_rows();
    if n_clusters > n_samples {
        return Err(KMeansError::TooFewSamples { n_samples, n_clusters });
    }
    Ok(())
}

/// Whether the distance is defined on the rows.
pub(crate) fn check_domain<F: Float, D: Distance<F>>(samples: &Samples<F>, distance: &D) -> Result<(), KMeansError> {
    let mut scratch = Vec::new();
    for first in (0..samples.n_rows()).step_by(BLOCK_ROWS) {
        let rows = first..(first + BLOCK_ROWS).min(samples.n_rows());
        distance.check(&samples.block(rows, &mut scratch))?;
    }
    Ok(())
}

impl<F: Float, D: Centred<F>> KMeansParams<F, (), D> {
    /// The centres that one run finds from this seed: the same as that of a k-means fit whose generator gives the seed.
    pub(crate) fn run_from(
        &self,
        samples: &Samples<F>,
        seed: u64,
        threads: Threads,
    ) -> Result<ndarray::Array2<F>, KMeansError> {
        Ok(self.check_ref()?.best_of(samples, &[seed], threads, &mut ())?.centroids)
    }
}

impl<F: Float, R: Rng + Clone, D: Centred<F>> KMeansParams<F, R, D> {
    /// [`KMeansValidParams::fit_weighted`] after checking the parameters.
    pub fn fit_weighted<'w, S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: impl IntoIterator<Item = &'w f64>,
    ) -> Result<KMeans<F, D>, KMeansError> {
        self.check_ref()?.fit_weighted(records, weights)
    }

    /// [`KMeansValidParams::fit_observed`] after checking the parameters.
    pub fn fit_observed<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
        observer: &mut dyn Observer,
    ) -> Result<KMeans<F, D>, KMeansError> {
        self.check_ref()?.fit_observed(records, weights, observer)
    }
}
