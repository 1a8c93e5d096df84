//! What to select from, and how.

use super::{GapReference, KMeansCriterion, KMeansSelection};
use crate::input::{samples, samples_of};
use crate::told::{Steps, Told};
use crate::{Float, KMeans, KMeansError, KMeansParams, KMeansParamsError};
use linfa::{DatasetBase, ParamGuard};
use miscela_distance::L2;
use miscela_em::Missing;
use miscela_kernel::Samples;
use ndarray::{ArrayBase, Data, Ix2};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

/// What to select from, and how; made by [`KMeans::select`](crate::KMeans::select).
///
/// Defaults: the silhouette decides; four runs each, so that a poor start is not taken for a poor number; 20 reference sets
/// for the gap; silhouettes of at most 10,000 rows, beyond which they are those of a sample, with its error.
///
/// Not where clusters are long, nested or of very unequal size: all of these measures ask for round ones; select a mixture
/// instead. Not to find out whether there are clusters at all, but for the gap, which alone can speak for one.
#[derive(Clone, Debug, PartialEq)]
pub struct KMeansSelectionParams<F> {
    pub(super) ks: Vec<usize>,
    pub(super) criterion: KMeansCriterion,
    pub(super) n_references: usize,
    pub(super) reference: GapReference,
    pub(super) silhouette_rows: usize,
    pub(super) seed: u64,
    pub(super) each: KMeansParams<F, Xoshiro256Plus, L2>,
    pub(super) told: Told,
}

impl<F: Float> KMeansSelectionParams<F> {
    /// Each of these numbers of clusters. Repeated ones count once.
    pub fn new(ks: impl IntoIterator<Item = usize>) -> Self {
        let mut ks: Vec<usize> = ks.into_iter().collect();
        ks.sort_unstable();
        ks.dedup();
        Self {
            ks,
            criterion: KMeansCriterion::default(),
            n_references: 20,
            reference: GapReference::default(),
            silhouette_rows: 10_000,
            seed: 42,
            each: KMeans::params(1).n_runs(4),
            told: Told::default(),
        }
    }

    /// By what the best is chosen. All of them are in the table.
    pub fn criterion(mut self, criterion: KMeansCriterion) -> Self {
        self.criterion = criterion;
        self
    }

    /// How many reference sets the gap is taken from; each costs a fit for every number of clusters. Zero: no gap.
    pub fn n_references(mut self, n_references: usize) -> Self {
        self.n_references = n_references;
        self
    }

    /// From what the reference sets are drawn.
    pub fn reference(mut self, reference: GapReference) -> Self {
        self.reference = reference;
        self
    }

    /// The most rows that silhouettes are taken of, at least 2; each is measured against all rows.
    pub fn silhouette_rows(mut self, silhouette_rows: usize) -> Self {
        self.silhouette_rows = silhouette_rows;
        self
    }

    /// The seed of all that is random: starts, reference sets, samples.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Has `told` hear of each fit, by whichever thread made it, how many are done and how many there are in all, those of
    /// reference sets among them.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use std::sync::Arc;
    ///
    /// let heard = Arc::new(AtomicUsize::new(0));
    /// let most = Arc::clone(&heard);
    /// let params = KMeans::select(2..=4).n_references(5).told(move |done, _| {
    ///     most.fetch_max(done, Ordering::Relaxed);
    /// });
    /// params.fit(&linfa_datasets::iris())?;
    /// assert_eq!(heard.load(Ordering::Relaxed), 18);
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn told(mut self, told: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        self.told = Told::new(told);
        self
    }

    /// The fits there are, to be counted.
    pub(super) fn steps(&self) -> Steps<'_> {
        self.told.of(self.ks.len() * (1 + self.n_references))
    }

    /// Changes the parameters of every fit: runs, tolerance, iterations, algorithm, threads, …. The number of clusters and the
    /// seed are set for each. Given centres, known labels, missing values,
    /// trimming and bounds on sizes are refused.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let selection = KMeans::select(2..=5).each(|params| params.n_runs(10).tolerance(0.0)).fit(&iris)?;
    /// assert_eq!(selection.best().report().n_runs, 10);
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn each(
        mut self,
        change: impl FnOnce(KMeansParams<F, Xoshiro256Plus, L2>) -> KMeansParams<F, Xoshiro256Plus, L2>,
    ) -> Self {
        self.each = change(self.each);
        self
    }

    /// Fits all numbers of clusters to the dataset's rows, weighted by its weights.
    ///
    /// The answer is the same bits for any number of threads. Cost: for each number a fit for the rows and for each reference set,
    /// and silhouettes; a copy of the rows for each thread that works on a reference set.
    ///
    /// # Errors
    /// If rows, weights or parameters are at fault, or if the criterion has a value for none of the numbers.
    pub fn fit<S: Data<Elem = F>, T>(
        &self,
        dataset: &DatasetBase<ArrayBase<S, Ix2>, T>,
    ) -> Result<KMeansSelection<F>, KMeansError> {
        self.fit_samples(&samples_of(dataset, Missing::Error)?)
    }

    /// Fits with optional weights in `f64`, one a row.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_records<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
    ) -> Result<KMeansSelection<F>, KMeansError> {
        self.fit_samples(&samples(records, weights, Missing::Error)?)
    }

    fn fit_samples(&self, samples: &Samples<F>) -> Result<KMeansSelection<F>, KMeansError> {
        self.check()?;
        self.each.check_ref()?.threads().install(|threads| self.run(samples, threads))
    }

    /// Whether there is something to select from.
    pub(super) fn check(&self) -> Result<(), KMeansError> {
        if self.ks.is_empty() {
            return Err(KMeansParamsError::NothingToSelect.into());
        }
        if self.ks.contains(&0) {
            return Err(KMeansParamsError::NClusters.into());
        }
        if self.silhouette_rows < 2 {
            return Err(KMeansParamsError::SilhouetteRows(self.silhouette_rows).into());
        }
        let each = self.each.check_ref()?;
        if let Some(what) = each.of_one_fit() {
            return Err(KMeansParamsError::NotSelected(what).into());
        }
        Ok(())
    }

    /// The fit of one number of clusters; `seed` is that of its random numbers.
    pub(super) fn fit_one(
        &self,
        samples: &Samples<F>,
        k: usize,
        seed: u64,
        threads: miscela_kernel::Threads,
    ) -> Result<KMeans<F>, KMeansError> {
        let params = self.each.clone().threads(threads).with_rng(Xoshiro256Plus::seed_from_u64(seed)).check()?;
        params.with_n_clusters(k).fit_samples(samples, &mut ())
    }
}
