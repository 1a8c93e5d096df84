//! K-means batch by batch (Sculley 2010, with whole batches): each centre is the mean of all rows it was ever given.
//!
//! ```text
//! N ← N + Σ w,   c ← c + Σ w (x − c) / N       over the rows of the batch nearest to c
//! ```

use super::fit::{check_count, check_domain};
use super::model::Fitted;
use super::{IncrKMeansError, KMeans, KMeansError, KMeansParams, KMeansValidParams};
use crate::Float;
use crate::input::samples_of;
use crate::report::{Report, Seconds, timed};
use linfa::{DatasetBase, ParamGuard, traits::FitWith};
use miscela_distance::Centred;
use miscela_em::{CentroidFit, Empty, KMeansFamily, Learning, Summary, Tally, Termination, evaluate_centroids};
use miscela_init::Seeding;
use miscela_kernel::{Samples, Threads, uniform};
use ndarray::{Array2, ArrayBase, Data, Ix2};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;

impl<'a, F: Float, R: Rng + Clone, D: Centred<F> + 'a, S: Data<Elem = F>, T>
    FitWith<'a, ArrayBase<S, Ix2>, T, IncrKMeansError<KMeans<F, D>>> for KMeansValidParams<F, R, D>
{
    type ObjectIn = Option<KMeans<F, D>>;
    type ObjectOut = KMeans<F, D>;

    /// [`partial_fit`](KMeansValidParams::partial_fit) with linfa's convention: a model that has not settled comes back as an
    /// error.
    ///
    /// Settled is a model whose centres moved by at most the tolerance times the standard deviation of the batch (the root
    /// of the columns' mean variance), all movements taken together.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::Array2;
    ///
    /// let params = KMeans::params(2).tolerance(1e-3).check()?;
    /// let mut model = None;
    /// for batch in 0..1000 {
    ///     let shift = f64::from(batch % 7) / 7.0;
    ///     let rows = Array2::from_shape_fn((8, 1), |(i, _)| 10.0 * (i % 2) as f64 + shift);
    ///     match params.fit_with(model.take(), &DatasetBase::from(rows)) {
    ///         Ok(settled) => {
    ///             model = Some(settled);
    ///             break;
    ///         }
    ///         Err(IncrKMeansError::NotConverged(moved)) => model = Some(moved),
    ///         Err(error) => return Err(error.into()),
    ///     }
    /// }
    /// assert!(model.is_some_and(|model| model.report().converged()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `NotConverged` with the model while it has not settled; `Fit` if the batch is at fault.
    fn fit_with(
        &self,
        model: Option<KMeans<F, D>>,
        batch: &'a DatasetBase<ArrayBase<S, Ix2>, T>,
    ) -> Result<KMeans<F, D>, IncrKMeansError<KMeans<F, D>>> {
        let moved = self.partial_fit(model, batch)?;
        if moved.report.converged() { Ok(moved) } else { Err(IncrKMeansError::NotConverged(moved)) }
    }
}

impl<F: Float, R: Rng + Clone, D: Centred<F>> KMeansValidParams<F, R, D> {
    /// Moves a model by one batch; without a model, the batch is first used to find a start. Returns the model, whether it has
    /// settled or not; its report says that.
    ///
    /// A row of weight w moves its centre by w/N of the way, where N is the weight of all rows that the centre was given, these
    /// included: each centre is the mean of its rows (Sculley 2010), or of the [latest](super::KMeansParams::memory) of them. Counts go on growing from batch to batch, also those of a
    /// model that was fitted to all rows, and are kept in model files. The inertia of the model is that of the latest batch
    /// about the centres before it. Centres that win too few rows are [re-seeded](super::KMeansParams::reassignment_ratio);
    /// rows they had won are then counted no more.
    ///
    /// Cost: that of an iteration over the batch. Centres move less and less: not for rows whose clusters drift, unless with a
    /// shorter memory.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let params = KMeans::params(3);
    /// let mut model = None;
    /// for batch in iris.sample_chunks(50) {
    ///     model = Some(params.partial_fit(model, &batch)?);
    /// }
    /// let model = model.expect("there were batches");
    /// assert_eq!((model.report().iterations, model.sizes().iter().sum::<usize>()), (3, 150));
    /// # Ok::<(), KMeansError>(())
    /// ```
    ///
    /// # Errors
    /// If the batch or its weights are at fault, if the model has other columns or another number of clusters, or if what is
    /// asked for needs all rows at once, as centres do that are no means.
    pub fn partial_fit<S: Data<Elem = F>, T>(
        &self,
        model: Option<KMeans<F, D>>,
        batch: &DatasetBase<ArrayBase<S, Ix2>, T>,
    ) -> Result<KMeans<F, D>, KMeansError> {
        let samples = samples_of(batch, self.missing())?;
        self.check_batch(&samples)?;
        self.check_batchwise()?;
        let seeds = self.seeds(self.n_runs());
        let params = self.clone().with_rng(());
        self.threads().install(|threads| params.move_by_batch(model, &samples, &seeds, threads))
    }

    /// Whether nothing is asked for that only all rows together can tell.
    fn check_batchwise(&self) -> Result<(), KMeansError> {
        if let Some(what) = self.needs_all_rows_for() {
            return Err(KMeansError::NeedsAllRows(what));
        }
        match self.empty() {
            // Centres without rows in a batch keep their place in any case.
            Empty::Farthest | Empty::Keep => Ok(()),
            _ => Err(KMeansError::NeedsAllRows("which clusters are empty")),
        }
    }
}

impl<F: Float, R: Rng + Clone, D: Centred<F>> KMeansParams<F, R, D> {
    /// [`KMeansValidParams::partial_fit`] after checking the parameters.
    pub fn partial_fit<S: Data<Elem = F>, T>(
        &self,
        model: Option<KMeans<F, D>>,
        batch: &DatasetBase<ArrayBase<S, Ix2>, T>,
    ) -> Result<KMeans<F, D>, KMeansError> {
        self.check_ref()?.partial_fit(model, batch)
    }
}

impl<F: Float, D: Centred<F>> KMeansValidParams<F, (), D> {
    fn move_by_batch(
        &self,
        model: Option<KMeans<F, D>>,
        samples: &Samples<F>,
        seeds: &[u64],
        threads: Threads,
    ) -> Result<KMeans<F, D>, KMeansError> {
        check_domain(samples, self.distance())?;
        let mut model = match model {
            Some(model) if model.n_features() != samples.n_columns() => {
                let (expected, got) = (model.n_features(), samples.n_columns());
                return Err(KMeansError::FeatureCount { expected, got });
            }
            Some(model) if model.n_clusters() != self.n_clusters() => {
                let (expected, got) = (self.n_clusters(), model.n_clusters());
                return Err(KMeansError::ClusterCount { expected, got });
            }
            Some(model) => model,
            None => self.start_from(samples, seeds, threads)?,
        };
        let mut seconds = 0.0;
        timed(&mut seconds, || {
            let summary = Summary::of(samples, threads);
            let counts = || model.cluster_count.iter().map(|count| count.widen()).collect();
            let mut tally = model.tally.take().unwrap_or_else(|| Tally::new(counts()));
            let seed = seeds.iter().fold(0, |all, seed| all ^ seed);
            let seed = uniform::of_row(seed, model.report.iterations);
            let learning = Learning { memory: self.memory(1.0), reseed_below: self.reassignment_ratio(), seed };
            let offset = summary.offset();
            let mut family = KMeansFamily::new(&model.centroids, model.distance.clone(), 0.0, offset);
            let step = family.take_in(samples, &mut tally, learning, threads);
            let settled = step.shift2.sqrt() <= self.tolerance().widen() * summary.mean_variance().sqrt();
            model.set_centroids(family.centroids());
            model.cluster_count = tally.counts.iter().map(|count| F::narrow(*count)).collect();
            model.tally = Some(tally);
            model.inertia_sum = step.fit.inertia;
            model.total_weight = samples.total_weight();
            model.sizes.iter_mut().zip(step.fit.sizes).for_each(|(size, more)| *size += more);
            step.repairs.iter().for_each(|(c, ..)| model.sizes[*c] = 0);
            let settled = settled && step.repairs.is_empty();
            model.report.note_batch(model.inertia_sum, step.repairs, settled);
        });
        model.report.seconds.fit += seconds;
        Ok(model)
    }

    /// A model at the best of the starts on this batch, with no rows in it yet.
    fn start_from(&self, samples: &Samples<F>, seeds: &[u64], threads: Threads) -> Result<KMeans<F, D>, KMeansError> {
        check_count(samples, self.n_clusters())?;
        let mut seconds = Seconds::default();
        let mut best: Option<(f64, Array2<F>)> = None;
        timed(&mut seconds.init, || {
            for seed in seeds {
                let mut rng = Xoshiro256Plus::seed_from_u64(*seed);
                let (k, distance) = (self.n_clusters(), self.distance());
                let centres = self.init_method().seed(samples, k, distance, threads, &mut rng)?.centres;
                let index = super::model::index(&centres);
                let inertia = evaluate_centroids(samples, &index, distance, threads).inertia;
                if best.as_ref().is_none_or(|(least, _)| inertia < *least) {
                    best = Some((inertia, centres));
                }
            }
            Ok::<_, KMeansError>(())
        })?;
        let Some((_, centroids)) = best else { return Err(super::KMeansParamsError::NRuns.into()) };
        let k = self.n_clusters();
        let n_runs = self.n_runs();
        let report = Report { n_runs, seconds, ..Report::without_iterations(Termination::MaxIterations) };
        let fit = CentroidFit { inertia: 0.0, sizes: vec![0; k], weights: vec![0.0; k] };
        let fitted = Fitted { centroids, fit, total_weight: 1.0, report, joint: None };
        Ok(KMeans::from_fitted(fitted, self.distance().clone()))
    }
}
