//! The parameters of bisecting k-means.

use super::SplitStrategy;
use crate::Float;
use crate::kmeans::{KMeansParams, KMeansParamsError};
use linfa::ParamGuard;
use miscela_distance::Distance;
use miscela_init::KMeansInit;
use miscela_kernel::Threads;

/// Checked parameters of bisecting k-means; see [`BisectingParams`].
#[derive(Clone, Debug, PartialEq)]
pub struct BisectingValidParams<F, R, D> {
    /// What each split is made by, with the number of clusters of the whole.
    pub(super) kmeans: KMeansParams<F, R, D>,
    pub(super) strategy: SplitStrategy,
}

/// Parameters of [`BisectingKMeans`](crate::BisectingKMeans), set one by one and checked when fitting.
///
/// Defaults: the cluster of the greatest inertia is split next, by one run of k-means from greedy k-means++, with at most 300
/// iterations and a tolerance of 1e-4 relative to the mean variance of the cluster's columns; a fixed seed of 42.
///
/// ```
/// use miscela::{SplitStrategy, prelude::*};
///
/// let iris = linfa_datasets::iris();
/// let params = BisectingKMeans::params(4).strategy(SplitStrategy::Largest).n_runs(4).threads(Threads::One);
/// assert_eq!(params.fit(&iris)?.sizes().iter().sum::<usize>(), 150);
/// # Ok::<(), KMeansError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BisectingParams<F, R, D>(BisectingValidParams<F, R, D>);

impl<F: Float, R, D: Distance<F>> BisectingParams<F, R, D> {
    /// The defaults for this number of clusters.
    pub fn new(n_clusters: usize, rng: R, distance: D) -> Self {
        let kmeans = KMeansParams::new(n_clusters, rng, distance);
        Self(BisectingValidParams { kmeans, strategy: SplitStrategy::default() })
    }

    fn map<R2>(
        self,
        change: impl FnOnce(KMeansParams<F, R, D>) -> KMeansParams<F, R2, D>,
    ) -> BisectingParams<F, R2, D> {
        BisectingParams(BisectingValidParams { kmeans: change(self.0.kmeans), strategy: self.0.strategy })
    }

    /// Which cluster is split next.
    pub fn strategy(mut self, strategy: SplitStrategy) -> Self {
        self.0.strategy = strategy;
        self
    }

    /// The number of starts of each split, of which the best result is kept.
    pub fn n_runs(self, n_runs: usize) -> Self {
        self.map(|kmeans| kmeans.n_runs(n_runs))
    }

    /// A split is done when the squared movements of its two centres sum to at most this times the mean variance of the columns
    /// over the rows of the cluster. Zero: go on until no row changes sides.
    pub fn tolerance(self, tolerance: F) -> Self {
        self.map(|kmeans| kmeans.tolerance(tolerance))
    }

    /// Stop each split after this many iterations at the latest; zero splits by the start, which can raise the inertia.
    pub fn max_n_iterations(self, max_n_iterations: u64) -> Self {
        self.map(|kmeans| kmeans.max_n_iterations(max_n_iterations))
    }

    /// How the two rows that a split starts from are found; they cannot be given.
    pub fn init_method(self, init: KMeansInit<F>) -> Self {
        self.map(|kmeans| kmeans.init_method(init))
    }

    /// Who does the work. The result is the same, bit for bit.
    pub fn threads(self, threads: Threads) -> Self {
        self.map(|kmeans| kmeans.threads(threads))
    }

    /// Draws random numbers from `rng`.
    pub fn with_rng<R2>(self, rng: R2) -> BisectingParams<F, R2, D> {
        self.map(|kmeans| kmeans.with_rng(rng))
    }
}

impl<F: Float, R, D: Distance<F>> ParamGuard for BisectingParams<F, R, D> {
    type Checked = BisectingValidParams<F, R, D>;
    type Error = KMeansParamsError;

    fn check_ref(&self) -> Result<&Self::Checked, KMeansParamsError> {
        match self.0.kmeans.check_ref()?.init_method() {
            KMeansInit::Precomputed(_) => Err(KMeansParamsError::GivenSplits),
            _ => Ok(&self.0),
        }
    }

    fn check(self) -> Result<Self::Checked, KMeansParamsError> {
        self.check_ref()?;
        Ok(self.0)
    }
}
