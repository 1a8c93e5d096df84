//! K-means batch by batch (Sculley 2010, with whole batches): each centre is the mean of all rows it was ever given.
//!
//! ```text
//! N ← N + Σ w,   c ← c + Σ w (x − c) / N       over the rows of the batch nearest to c
//! ```

use super::fit::{check_count, check_domain};
use super::model::Fitted;
use super::{IncrKMeansError, KMeans, KMeansError, KMeansValidParams};
use crate::Float;
use crate::input::samples_of;
use crate::report::{Report, Seconds, timed};
use linfa::{DatasetBase, traits::FitWith};
use miscela_distance::{CentreRule, Centred};
use miscela_em::{CentroidFit, Empty, KMeansFamily, Search, Summary, Termination, evaluate_centroids, summarize};
use miscela_init::Seeding;
use miscela_kernel::{Samples, Threads};
use ndarray::{Array2, ArrayBase, Data, Ix2};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;

impl<'a, F: Float, R: Rng + Clone, D: Centred<F> + 'a, S: Data<Elem = F>, T>
    FitWith<'a, ArrayBase<S, Ix2>, T, IncrKMeansError<KMeans<F, D>>> for KMeansValidParams<F, R, D>
{
    type ObjectIn = Option<KMeans<F, D>>;
    type ObjectOut = KMeans<F, D>;

    /// Moves a model by one batch; without a model, the batch is first used to find a start.
    ///
    /// Settled is a model whose centres moved by at most the tolerance times the standard deviation of the batch (the root
    /// of the columns' mean variance), all movements taken together. Its counts go on growing from batch to batch; its
    /// inertia is that of the latest batch about the centres before it.
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
        let samples = samples_of(batch, self.missing()).map_err(KMeansError::from)?;
        if samples.n_missing() > 0 {
            return Err(KMeansError::MissingInBatch.into());
        }
        let seeds = self.seeds(self.n_runs());
        let params = self.clone().with_rng(());
        let moved = self.threads().install(|threads| params.move_by_batch(model, &samples, &seeds, threads))?;
        if moved.report.converged() { Ok(moved) } else { Err(IncrKMeansError::NotConverged(moved)) }
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
        if self.distance().centre_rule() != CentreRule::Mean {
            return Err(KMeansError::NeedsRows);
        }
        self.check_batchwise()?;
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
            let fit = evaluate_centroids(samples, model.search(), model.distance(), threads);
            let offset = summary.mean.iter().map(|m| F::narrow(*m)).collect();
            let mut family = KMeansFamily::new(&model.centroids, model.distance.clone(), 0.0, offset);
            let mut counts: Vec<f64> = model.cluster_count.iter().map(|count| count.widen()).collect();
            let shift2 = family.absorb(&summarize(&family, samples, threads), &mut counts);
            let settled = shift2.sqrt() <= self.tolerance().widen() * summary.mean_variance().sqrt();
            model.cluster_count = counts.into_iter().map(F::narrow).collect();
            model.set_centroids(family.centroids());
            model.inertia_sum = fit.inertia;
            model.total_weight = samples.total_weight();
            model.sizes.iter_mut().zip(fit.sizes).for_each(|(size, more)| *size += more);
            model.report.iterations += 1;
            model.report.trace.push(model.inertia_sum);
            model.report.run_objectives = vec![model.inertia_sum];
            model.report.termination = if settled { Termination::Tolerance } else { Termination::MaxIterations };
        });
        model.report.seconds.fit += seconds;
        Ok(model)
    }

    /// Whether nothing is asked for that only all rows together can tell.
    fn check_batchwise(&self) -> Result<(), KMeansError> {
        if self.trim() > 0.0 {
            return Err(KMeansError::NeedsAllRows("which rows to trim"));
        }
        if self.sizes(usize::MAX).is_some() {
            return Err(KMeansError::NeedsAllRows("how to keep clusters to their sizes"));
        }
        if self.search() != Search::None {
            return Err(KMeansError::NeedsAllRows("where clusters are better placed"));
        }
        match self.empty() {
            // Centres without rows in a batch keep their place in any case.
            Empty::Farthest | Empty::Keep => Ok(()),
            _ => Err(KMeansError::NeedsAllRows("which clusters are empty")),
        }
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
        let report = Report {
            n_runs: self.n_runs(),
            iterations: 0,
            termination: Termination::MaxIterations,
            trace: Vec::new(),
            run_objectives: Vec::new(),
            repairs: Vec::new(),
            n_missing: 0,
            given_up: 0,
            search: None,
            seconds,
        };
        let fit = CentroidFit { inertia: 0.0, sizes: vec![0; k], weights: vec![0.0; k] };
        let fitted = Fitted { centroids, fit, total_weight: 1.0, report, joint: None };
        Ok(KMeans::from_fitted(fitted, self.distance().clone()))
    }
}
