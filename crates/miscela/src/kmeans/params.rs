//! The parameters of k-means.

use super::KMeansParamsError;
use crate::Float;
use linfa::ParamGuard;
use miscela_distance::Distance;
use miscela_em::{Algorithm, Missing};
use miscela_init::KMeansInit;
use miscela_kernel::Threads;

/// Checked parameters of k-means; see [`KMeansParams`].
#[derive(Clone, Debug, PartialEq)]
pub struct KMeansValidParams<F, R, D> {
    n_clusters: usize,
    n_runs: usize,
    tolerance: F,
    max_n_iterations: u64,
    init: KMeansInit<F>,
    algorithm: Algorithm,
    missing: Missing,
    known: Option<Vec<Option<usize>>>,
    threads: Threads,
    rng: R,
    distance: D,
}

/// Parameters of [`KMeans`](crate::KMeans), set one by one and checked when fitting.
///
/// Defaults: one run from greedy k-means++, at most 300 iterations, a tolerance of 1e-4 relative to the columns' mean
/// variance, and a fixed seed of 42. (linfa-clustering differs in having ten runs and an absolute tolerance that may not
/// be zero.)
///
/// ```
/// use miscela::prelude::*;
/// use ndarray::array;
///
/// let rows = array![[0.0, 0.0], [0.0, 1.0], [9.0, 9.0], [9.0, 8.0]];
/// let start = KMeansInit::Precomputed(array![[0.0, 0.0], [9.0, 9.0]]);
/// let model = KMeans::params(2).init_method(start).tolerance(0.0).threads(Threads::One).fit_weighted(&rows, &[1.0, 3.0, 1.0, 1.0])?;
/// assert_eq!(model.centroids(), array![[0.0, 0.75], [9.0, 8.5]]);
/// assert_eq!(model.report().termination.name(), "labels-unchanged");
/// # Ok::<(), KMeansError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct KMeansParams<F, R, D>(KMeansValidParams<F, R, D>);

impl<F: Float, R, D: Distance<F>> KMeansParams<F, R, D> {
    /// The defaults for this number of clusters.
    pub fn new(n_clusters: usize, rng: R, distance: D) -> Self {
        Self(KMeansValidParams {
            n_clusters,
            n_runs: 1,
            tolerance: F::narrow(1e-4),
            max_n_iterations: 300,
            init: KMeansInit::KMeansPlusPlus,
            algorithm: Algorithm::Auto,
            missing: Missing::Error,
            known: None,
            threads: Threads::Ambient,
            rng,
            distance,
        })
    }

    /// The number of starts, of which the best result is kept.
    pub fn n_runs(mut self, n_runs: usize) -> Self {
        self.0.n_runs = n_runs;
        self
    }

    /// Stop when the squared movements of all centres sum to at most this times the mean variance of the columns. Zero:
    /// go on until no row changes its cluster.
    pub fn tolerance(mut self, tolerance: F) -> Self {
        self.0.tolerance = tolerance;
        self
    }

    /// Stop after this many iterations at the latest; zero evaluates the start.
    pub fn max_n_iterations(mut self, max_n_iterations: u64) -> Self {
        self.0.max_n_iterations = max_n_iterations;
        self
    }

    /// Where to start.
    pub fn init_method(mut self, init: KMeansInit<F>) -> Self {
        self.0.init = init;
        self
    }

    /// How the iterations are carried out.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.0.algorithm = algorithm;
        self
    }

    /// What to do about missing values, NaN. With [`Missing::Marginal`] distances are over the columns that a row shows, and
    /// each entry of a centre is the mean of the values that are there; only for Euclidean distances.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::array;
    ///
    /// let rows = array![[0.0, 1.0], [0.2, f64::NAN], [9.0, f64::NAN], [9.2, 5.0]];
    /// let model = KMeans::params(2).missing(Missing::Marginal).fit(&DatasetBase::from(rows.clone()))?;
    /// let whole = model.impute(&rows)?;
    /// assert_eq!((whole[[1, 1]], whole[[2, 1]], model.report().n_missing), (1.0, 5.0, 2));
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn missing(mut self, missing: Missing) -> Self {
        self.0.missing = missing;
        self
    }

    /// Rows of known label, which stay there: one entry a row, none where it is unknown.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// // The species of every tenth flower.
    /// let known = iris.targets().iter().enumerate().map(|(i, species)| (i % 10 == 0).then_some(*species));
    /// let model = KMeans::params(3).known_labels(known).fit(&iris)?;
    /// let wrong = model.predict(&iris).iter().zip(iris.targets()).filter(|(a, b)| a != b).count();
    /// assert!(wrong <= 17);
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn known_labels(mut self, labels: impl IntoIterator<Item = Option<usize>>) -> Self {
        self.0.known = Some(labels.into_iter().collect());
        self
    }

    /// Who does the work. The result is the same, bit for bit.
    pub fn threads(mut self, threads: Threads) -> Self {
        self.0.threads = threads;
        self
    }

    /// Draws random numbers from `rng`.
    pub fn with_rng<R2>(self, rng: R2) -> KMeansParams<F, R2, D> {
        KMeansParams(self.0.with_rng(rng))
    }
}

impl<F: Float, R, D: Distance<F>> ParamGuard for KMeansParams<F, R, D> {
    type Checked = KMeansValidParams<F, R, D>;
    type Error = KMeansParamsError;

    fn check_ref(&self) -> Result<&Self::Checked, KMeansParamsError> {
        let params = &self.0;
        let tolerance = miscela_kernel::Float::widen(params.tolerance);
        if params.n_clusters == 0 {
            Err(KMeansParamsError::NClusters)
        } else if params.n_clusters > miscela_kernel::MAX_CENTROIDS {
            Err(KMeansParamsError::TooManyClusters(params.n_clusters))
        } else if params.n_runs == 0 {
            Err(KMeansParamsError::NRuns)
        } else if !tolerance.is_finite() || tolerance < 0.0 {
            Err(KMeansParamsError::Tolerance(tolerance))
        } else if params.known.is_some() && !matches!(params.algorithm, Algorithm::Auto | Algorithm::Lloyd) {
            Err(KMeansParamsError::KnownLabels(params.algorithm))
        } else if params.threads == Threads::Count(0) {
            Err(KMeansParamsError::NThreads)
        } else if params.missing == Missing::Marginal && !params.distance.is_squared_euclidean() {
            Err(KMeansParamsError::Missing)
        } else {
            Ok(params)
        }
    }

    fn check(self) -> Result<Self::Checked, KMeansParamsError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl<F: Float, R, D: Distance<F>> KMeansValidParams<F, R, D> {
    pub(super) fn with_rng<R2>(self, rng: R2) -> KMeansValidParams<F, R2, D> {
        let Self {
            n_clusters,
            n_runs,
            tolerance,
            max_n_iterations,
            init,
            algorithm,
            missing,
            known,
            threads,
            rng: _,
            distance,
        } = self;
        KMeansValidParams {
            n_clusters,
            n_runs,
            tolerance,
            max_n_iterations,
            init,
            algorithm,
            missing,
            known,
            threads,
            rng,
            distance,
        }
    }

    /// The number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    /// The number of starts.
    pub fn n_runs(&self) -> usize {
        self.n_runs
    }

    /// The tolerance, relative to the mean variance of the columns.
    pub fn tolerance(&self) -> F {
        self.tolerance
    }

    /// The limit of iterations.
    pub fn max_n_iterations(&self) -> u64 {
        self.max_n_iterations
    }

    /// Where to start.
    pub fn init_method(&self) -> &KMeansInit<F> {
        &self.init
    }

    /// How the iterations are carried out.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What to do about missing values.
    pub fn missing(&self) -> Missing {
        self.missing
    }

    /// Who does the work.
    pub fn threads(&self) -> Threads {
        self.threads
    }

    /// Rows of known label.
    pub fn known_labels(&self) -> Option<&[Option<usize>]> {
        self.known.as_deref()
    }

    /// The random number generator.
    pub fn rng(&self) -> &R {
        &self.rng
    }

    /// The distance.
    pub fn distance(&self) -> &D {
        &self.distance
    }
}
