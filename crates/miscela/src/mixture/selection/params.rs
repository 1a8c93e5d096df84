//! What to select from, and how.

use super::{Criterion, Selection};
use crate::input::{samples, samples_of};
use crate::told::Told;
use crate::{Float, GmmError, GmmParams, GmmParamsError, GmmValidParams};
use linfa::{DatasetBase, ParamGuard};
use miscela_em::Covariance;
use miscela_kernel::{Samples, Threads};
use ndarray::{ArrayBase, Data, Ix2};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

/// Where each number of components starts, whatever the structure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectionStart {
    /// From one tree of partitions: [`GmmInitMethod::Hierarchical`](crate::GmmInitMethod::Hierarchical).
    #[default]
    Hierarchical,
    /// From the partition that k-means finds.
    KMeans,
}

/// What to select from, and how; made by [`GaussianMixture::select`](crate::GaussianMixture::select).
///
/// Defaults: BIC, one start from the hierarchy, and fits that can be compared with each other and with mclust's: no ridge on
/// the variances, and iterations until the mean log-likelihood a row rises by less than 1e-8, at most 1,000 of them.
///
/// Rows of one column have two structures, whatever their names: equal variances and varying ones. Of those given that are
/// the same, the last stands in the table.
///
/// A fit that ends with a component on the [floor](crate::RepairAction::Floored) of the variances is in the table, with its
/// error, but is never the best: its likelihood is what the floor makes of it. (mclust gives such fits up.)
#[derive(Clone, Debug, PartialEq)]
pub struct SelectionParams<F> {
    pub(super) ks: Vec<usize>,
    pub(super) covariances: Vec<Covariance>,
    pub(super) criterion: Criterion,
    pub(super) start: SelectionStart,
    pub(super) n_starts: usize,
    pub(super) n_folds: usize,
    pub(super) warm: bool,
    pub(super) seed: u64,
    pub(super) each: GmmParams<F, Xoshiro256Plus>,
    pub(super) told: Told,
}

impl<F: Float> SelectionParams<F> {
    /// Each of these numbers of components with each of these structures. Repeated ones count once.
    pub fn new(ks: impl IntoIterator<Item = usize>, covariances: impl IntoIterator<Item = Covariance>) -> Self {
        let mut ks: Vec<usize> = ks.into_iter().collect();
        ks.sort_unstable();
        ks.dedup();
        let mut distinct = Vec::new();
        for covariance in covariances {
            if !distinct.contains(&covariance) {
                distinct.push(covariance);
            }
        }
        Self {
            ks,
            covariances: distinct,
            criterion: Criterion::default(),
            start: SelectionStart::default(),
            n_starts: 1,
            n_folds: 5,
            warm: false,
            seed: 42,
            each: GmmParams::new(1).tolerance(F::narrow(1e-8)).reg_covariance(F::zero()).max_n_iterations(1_000),
            told: Told::default(),
        }
    }

    /// By what the best is chosen.
    pub fn criterion(mut self, criterion: Criterion) -> Self {
        self.criterion = criterion;
        self
    }

    /// Where each number of components starts.
    pub fn start(mut self, start: SelectionStart) -> Self {
        self.start = start;
        self
    }

    /// How many starts each model has; the fit with the highest objective is kept. Those after the first are the partitions
    /// of so many runs of k-means.
    pub fn n_starts(mut self, n_starts: usize) -> Self {
        self.n_starts = n_starts;
        self
    }

    /// How many folds the rows are dealt to for [`Criterion::HeldOut`]. A row is in one fold with all that it weighs.
    pub fn n_folds(mut self, n_folds: usize) -> Self {
        self.n_folds = n_folds;
        self
    }

    /// Whether each model also starts from the fits, for the same number of components, of those structures in the selection
    /// that are special cases of its own. The likelihood then never falls along the ladder of structures; but structures
    /// wait for each other.
    pub fn warm(mut self, warm: bool) -> Self {
        self.warm = warm;
        self
    }

    /// The seed of all that is random: starts beyond the first, samples of more than 2,000 rows, and folds.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Has `told` hear of each fit, by whichever thread made it, how many are done and how many there are in all.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use std::sync::Arc;
    ///
    /// let heard = Arc::new(AtomicUsize::new(0));
    /// let most = Arc::clone(&heard);
    /// let params = GaussianMixture::select(1..=3, [Covariance::Full, Covariance::Tied]).told(move |done, _| {
    ///     most.fetch_max(done, Ordering::Relaxed);
    /// });
    /// params.fit(&linfa_datasets::iris())?;
    /// assert_eq!(heard.load(Ordering::Relaxed), 6);
    /// # Ok::<(), GmmError>(())
    /// ```
    pub fn told(mut self, told: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        self.told = Told::new(told);
        self
    }

    /// Changes the parameters of every fit: weights, assignment, tolerance, iterations, threads, …. The number of
    /// components, the structure, the starts and the seed are set for each. Noise and known labels are refused: their rows
    /// have no part in the shared starts.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let equal = |params: GmmParams<f64, _>| params.mixing(Mixing::Equal).tolerance(1e-6);
    /// let selection = GaussianMixture::select(1..=4, [Covariance::Full, Covariance::Tied]).each(equal).fit(&iris)?;
    /// assert_eq!(*selection.best().mixing(), Mixing::Equal);
    /// # Ok::<(), GmmError>(())
    /// ```
    pub fn each(mut self, change: impl FnOnce(GmmParams<F, Xoshiro256Plus>) -> GmmParams<F, Xoshiro256Plus>) -> Self {
        self.each = change(self.each);
        self
    }

    /// Fits all models to the dataset's rows, weighted by its weights.
    ///
    /// The answer is the same bits for any number of threads. Cost: a fit for each model, structure and start, and the
    /// hierarchy once; all models are kept until the best is known.
    ///
    /// # Errors
    /// If rows, weights or parameters are at fault, or if no model could be fitted: then the error is the first of theirs.
    pub fn fit<S: Data<Elem = F>, T>(
        &self,
        dataset: &DatasetBase<ArrayBase<S, Ix2>, T>,
    ) -> Result<Selection<F>, GmmError> {
        self.fit_samples(&samples_of(dataset, self.each.check_ref()?.missing())?)
    }

    /// Fits with optional weights in `f64`, one a row.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_records<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
    ) -> Result<Selection<F>, GmmError> {
        self.fit_samples(&samples(records, weights, self.each.check_ref()?.missing())?)
    }

    fn fit_samples(&self, samples: &Samples<F>) -> Result<Selection<F>, GmmError> {
        self.check()?;
        let threads = self.each.check_ref()?.threads();
        threads.install(|threads| self.run(samples, threads))
    }

    /// Whether there is something to select from.
    pub(super) fn check(&self) -> Result<(), GmmError> {
        if self.ks.is_empty() || self.covariances.is_empty() {
            return Err(GmmParamsError::NothingToSelect.into());
        }
        if self.ks.contains(&0) {
            return Err(GmmParamsError::NClusters.into());
        }
        if self.n_starts == 0 {
            return Err(GmmParamsError::NRuns.into());
        }
        if self.criterion == Criterion::HeldOut && self.n_folds < 2 {
            return Err(GmmParamsError::NFolds(self.n_folds).into());
        }
        // What is wrong with all of the fits is no matter of a row of the table.
        let each = self.each.check_ref()?;
        if let Some(what) = each.of_one_fit() {
            return Err(GmmParamsError::NotSelected(what).into());
        }
        Ok(())
    }

    /// The parameters of one fit.
    pub(super) fn of(
        &self,
        k: usize,
        covariance: Covariance,
        threads: Threads,
    ) -> Result<GmmValidParams<F, Xoshiro256Plus>, GmmParamsError> {
        let rng = Xoshiro256Plus::seed_from_u64(self.seed);
        let params = self.each.clone().covariance(covariance).n_runs(1).threads(threads).with_rng(rng).check()?;
        Ok(params.with_n_clusters(k))
    }
}
