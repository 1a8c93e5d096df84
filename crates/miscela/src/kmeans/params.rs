//! The parameters of k-means.

use super::KMeansParamsError;
use crate::Float;
use crate::search::{self, SearchBudget, SearchError};
use linfa::ParamGuard;
use miscela_distance::Distance;
use miscela_em::{Algorithm, Empty, MiniBatch, Missing, Search, Sizes, Sizing};
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
    empty: Empty,
    trim: f64,
    min_size: Option<usize>,
    max_size: Option<usize>,
    sizing: Sizing,
    search: Search,
    search_budget: SearchBudget,
    mini_batch: Option<MiniBatch>,
    memory: Option<f64>,
    reassignment_ratio: f64,
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
            empty: Empty::Farthest,
            trim: 0.0,
            min_size: None,
            max_size: None,
            sizing: Sizing::Exact,
            search: Search::None,
            search_budget: SearchBudget::UntilIdle,
            mini_batch: None,
            memory: None,
            reassignment_ratio: 0.01,
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
    ///
    /// Where rows are single numbers, [`Algorithm::Auto`] takes none: it finds the best of all clusterings by dynamic
    /// programming (Wang & Song 2011) in O(n·log n + k·n) with some 100 bytes a row, and ends with
    /// [`Termination::Optimal`](miscela_em::Termination::Optimal). That is so unless centres are given, labels are known,
    /// values are missing, clusters are trimmed or bounded, batches are drawn, or the limit of iterations is zero; starts, runs
    /// and searches are then of no use and left out. Not where k is so great that k·n steps are too many, or memory is short:
    /// any other algorithm iterates from a start.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::array;
    ///
    /// let rows = DatasetBase::from(array![[1.0], [2.0], [3.0], [40.0], [42.0], [90.0]]);
    /// let best = KMeans::params(3).fit(&rows)?;
    /// assert_eq!(best.centroids(), array![[2.0], [41.0], [90.0]]);
    /// assert_eq!(best.report().termination.name(), "optimal");
    /// # Ok::<(), KMeansError>(())
    /// ```
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

    /// What is done about clusters that lose all their rows.
    ///
    /// ```
    /// use miscela::{Empty, prelude::*};
    /// use ndarray::array;
    ///
    /// let rows = DatasetBase::from(array![[0.0], [1.0], [9.0]]);
    /// let start = KMeansInit::Precomputed(array![[0.0], [9.0], [50.0]]);
    /// let params = KMeans::params(3).init_method(start);
    /// assert_eq!(params.clone().fit(&rows)?.sizes(), [1, 1, 1]);
    /// assert_eq!(params.clone().empty(Empty::Keep).fit(&rows)?.sizes(), [2, 1, 0]);
    /// let fewer = params.clone().empty(Empty::Drop).fit(&rows)?;
    /// assert_eq!((fewer.sizes(), fewer.report().repairs.last().unwrap().action.name()), (&[2, 1][..], "dropped"));
    /// assert!(params.empty(Empty::Error).fit(&rows).is_err());
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn empty(mut self, empty: Empty) -> Self {
        self.0.empty = empty;
        self
    }

    /// Leaves the fraction `alpha` of the rows, those farthest from all centres, out of the update, so that they move nothing:
    /// trimmed k-means (k-means--, Chawla & Gionis 2013). Which they are, [`fit_labels`](crate::KMeans::fit_labels) says;
    /// [`predict`](linfa::traits::Predict) still gives every row its nearest centre, and
    /// [`predict_trimmed`](crate::KMeans::predict_trimmed) none to rows that are farther away than any that counted.
    ///
    /// ⌊αn⌋ rows go; with weights α of all weight, rounded down if weights are whole numbers, where the last row may keep a
    /// part of its weight. `sizes`, `cluster_count` and the inertia are those of the rows that count. Each iteration looks at
    /// every row and every centre.
    ///
    /// Not where there are no outliers: it leaves out as many rows of real clusters. Not with centres of a start that lie on
    /// outliers: nothing is nearer to them, so that they stay; k-means++ likes such rows, and several runs
    /// ([`n_runs`](Self::n_runs)) or a start from random rows help.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::array;
    ///
    /// let rows = array![[0.0], [1.0], [2.0], [10.0], [11.0], [12.0], [99.0]];
    /// let start = KMeansInit::Precomputed(array![[0.0], [12.0]]);
    /// let model = KMeans::params(2).init_method(start).trim(0.15).fit(&DatasetBase::from(rows.clone()))?;
    /// assert_eq!((model.centroids(), model.inertia_sum()), (&array![[1.0], [11.0]], 4.0));
    /// assert_eq!(model.fit_labels().unwrap()[5..], [Some(1), None]);
    /// assert_eq!(model.predict_trimmed(&array![[3.0], [2.0]])?, array![None, Some(0)]);
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn trim(mut self, alpha: f64) -> Self {
        self.0.trim = alpha;
        self
    }

    /// Gives each cluster at least so many rows; see [`max_size`](Self::max_size).
    pub fn min_size(mut self, rows: usize) -> Self {
        self.0.min_size = Some(rows);
        self
    }

    /// Gives each cluster at most so many rows. Rows then need not be in the cluster of the nearest centre, but are shared out
    /// at the least sum of distances that the bounds allow (Bradley, Bennett & Demiriz 2000), or [faster](Self::sizing);
    /// [`fit_labels`](crate::KMeans::fit_labels) says where they are, and [`predict`](linfa::traits::Predict) knows of no
    /// bounds. If only this bound is given, each cluster has at least one row.
    ///
    /// Sizes count rows: a row of weight 3 is three rows, which may be in different clusters (its label is that of most), one
    /// of weight zero is none, and other weights than whole numbers are an error. n × k distances are kept, 8 bytes each, and
    /// some 16 bytes more for each that comes into question.
    ///
    /// Not to make clusters comparable: bounds that the data do not have cut clusters apart. Not to get rid of empty
    /// clusters: that is what [`empty`](Self::empty) is for, at no cost. Not to label other rows: bounds are of the fit.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::array;
    ///
    /// let rows = DatasetBase::from(array![[0.0], [1.0], [2.0], [3.0], [9.0], [50.0]]);
    /// let model = KMeans::params(2).min_size(3).max_size(3).fit(&rows)?;
    /// assert_eq!(model.sizes(), [3, 3]);
    /// let labels = model.fit_labels().unwrap();
    /// assert!(labels[0] == labels[2] && labels[3] == labels[5]);
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn max_size(mut self, rows: usize) -> Self {
        self.0.max_size = Some(rows);
        self
    }

    /// How clusters are kept to their sizes. [`Sizing::Transfers`] takes less memory than the exact way, and less time where
    /// there are many clusters, and ends at sums of distances that can be a good deal greater. Not where the exact way is fast
    /// enough: that finds better clusters, often in fewer iterations.
    pub fn sizing(mut self, sizing: Sizing) -> Self {
        self.0.sizing = sizing;
        self
    }

    /// What is done after the runs about the optimum that the best of them has settled in, which is rarely the best there is
    /// where clusters are many or overlap. [`Search::Breathing`] finds the best known solution of the usual test sets
    /// from practically every start; [`Search::Swap`] does where columns are few, and in one fit of ten not quite where they are
    /// many (64). Where clusters overlap so much that optima abound, both end within half a percent of the best on average. The
    /// result is never worse than without.
    ///
    /// Cost: as many distances as three to seven runs with their seeding, on data of up to 20 clusters, and of swaps up to eleven; a
    /// [`search_budget`](Self::search_budget) says otherwise. Memory: that of two more fits. The
    /// [report](crate::Report::search) counts what was tried and kept. Not to be used where a few percent of the inertia do not matter, where centres shall stay near
    /// those given, or where the clusters of one fit are to be compared with those of another.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::Array2;
    ///
    /// // 25 groups of rows in a square.
    /// let rows = Array2::from_shape_fn((500, 2), |(i, j)| {
    ///     let place = if j == 0 { i % 5 } else { i / 5 % 5 };
    ///     place as f64 + 0.1 * ((i * (7 + 6 * j)) % 11) as f64 / 11.0
    /// });
    /// let dataset = DatasetBase::from(rows);
    /// let plain = KMeans::params(25).init_method(KMeansInit::Random).fit(&dataset)?;
    /// let best = KMeans::params(25).init_method(KMeansInit::Random).search(Search::Breathing).fit(&dataset)?;
    /// assert!(best.inertia_sum() < 0.5 * plain.inertia_sum());
    /// assert!(best.report().search.as_ref().is_some_and(|search| search.kept > 0));
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn search(mut self, search: Search) -> Self {
        self.0.search = search;
        self
    }

    /// How long a [`search`](Self::search) goes on. By default it ends when it stops to gain.
    pub fn search_budget(mut self, budget: SearchBudget) -> Self {
        self.0.search_budget = budget;
        self
    }

    /// Fits by batches drawn from the table instead of all rows in each iteration (Sculley 2010): a number of rows, or a
    /// [`MiniBatch`] that also says when no more is to be gained.
    ///
    /// An iteration is a batch. Rows are drawn by weight, each batch from all parts of the table, and a drawn row moves its
    /// centre by one part in the number of rows that the centre [remembers](Self::memory). The start is found in a few batches of rows.
    /// Centres that win too few rows are [re-seeded](Self::reassignment_ratio). The trace is the inertia of the batches about
    /// the centres before each, smoothed and scaled to the table; sizes and inertia of the model are of all rows. The
    /// [tolerance](Self::tolerance) asks how far the batch by itself would move the centres, and so ends a fit
    /// rarely, unless batches are large. Batches as large as the table are the table.
    ///
    /// Cost: that of the rows drawn, `batch_size` in each of at most [`max_n_iterations`](Self::max_n_iterations), and one pass
    /// over all rows at the end. Memory: a batch, and 8 bytes a row where rows have weights.
    ///
    /// Only for distances whose centre is a plain mean, and not with what needs all rows: trimming, bounded sizes, known
    /// labels, searches, missing values. Not where a fit to all rows is quick: it ends a little lower, and exactly at an optimum.
    ///
    /// ```
    /// use miscela::{MiniBatch, prelude::*};
    /// use ndarray::Array2;
    ///
    /// let rows = Array2::from_shape_fn((20_000, 2), |(i, j)| (i % 5 * (j + 1)) as f64 + (i * 7919 % 101) as f64 / 300.0);
    /// let dataset = DatasetBase::from(rows);
    /// let all = KMeans::params(5).fit(&dataset)?;
    /// let batches = KMeans::params(5).mini_batch(256).fit(&dataset)?;
    /// assert!(batches.inertia_sum() < 1.01 * all.inertia_sum());
    /// assert_eq!(batches.sizes().iter().sum::<usize>(), 20_000);
    /// // So many batches and no fewer.
    /// let params = KMeans::params(5).mini_batch(MiniBatch { batch_size: 256, patience: 0 });
    /// assert_eq!(params.max_n_iterations(10).fit(&dataset)?.report().trace.len(), 10);
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn mini_batch(mut self, batches: impl Into<MiniBatch>) -> Self {
        self.0.mini_batch = Some(batches.into());
        self
    }

    /// In fits by batches: the part of its rows, the latest, that a centre is the mean of; of all of them while they weigh 50 or
    /// less. By default 1 for batches that are [given](KMeansValidParams::partial_fit), all rows that the centre was ever given
    /// (Sculley 2010), and 0.1 for those that are [drawn](Self::mini_batch): with 1 the centres of a poor start are
    /// remembered for ever, and T batches lead about as far as ln T iterations over all rows.
    ///
    /// Shorter for rows whose clusters drift. Not to be so short that a centre remembers few rows: its inertia is higher than
    /// that of the true mean by a part in twice as many.
    pub fn memory(mut self, part: f64) -> Self {
        self.0.memory = Some(part);
        self
    }

    /// In fits by batches, [drawn](Self::mini_batch) or [given](KMeansValidParams::partial_fit): a centre that has won less than
    /// this fraction of what the largest cluster has is put on a row of the batch, drawn by weight and squared distance as
    /// k-means++ draws, if that serves the batch better; it is then among the repairs of the report. Zero: never. By default 0.01, as in scikit-learn.
    ///
    /// Not to be raised where clusters are of very unequal size. [`Empty::Keep`] re-seeds nothing either.
    pub fn reassignment_ratio(mut self, ratio: f64) -> Self {
        self.0.reassignment_ratio = ratio;
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
        } else if !(0.0..1.0).contains(&params.trim) {
            Err(KMeansParamsError::Trim(params.trim))
        } else if params.min_size.zip(params.max_size).is_some_and(|(min, max)| min > max) || params.max_size == Some(0)
        {
            Err(KMeansParamsError::Sizes(params.min_size.unwrap_or(1), params.max_size.unwrap_or(0)))
        } else if params.trim > 0.0 && params.sizes(usize::MAX).is_some() {
            Err(KMeansParamsError::TrimSizes)
        } else if params.needs_all_rows() && params.known.is_some() {
            Err(KMeansParamsError::KnownTogether)
        } else if params.needs_all_rows() && !matches!(params.algorithm, Algorithm::Auto | Algorithm::Lloyd) {
            Err(KMeansParamsError::EveryRow(params.algorithm))
        } else if params.mini_batch.is_some_and(|batches| batches.batch_size == 0) {
            Err(KMeansParamsError::BatchSize)
        } else if let Some(what) = params.needs_all_rows_for().filter(|_| params.mini_batch.is_some()) {
            Err(KMeansParamsError::NotByBatches(what))
        } else if params.memory.is_some_and(|part| !(part > 0.0 && part <= 1.0)) {
            Err(KMeansParamsError::Memory(params.memory.unwrap_or(0.0)))
        } else if !(0.0..1.0).contains(&params.reassignment_ratio) {
            Err(KMeansParamsError::ReassignmentRatio(params.reassignment_ratio))
        } else if params.threads == Threads::Count(0) {
            Err(KMeansParamsError::NThreads)
        } else if params.missing == Missing::Marginal && !params.distance.is_squared_euclidean() {
            Err(KMeansParamsError::Missing)
        } else {
            Ok(params.check_search().map(|()| params)?)
        }
    }

    fn check(self) -> Result<Self::Checked, KMeansParamsError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl<F: Float, R, D: Distance<F>> KMeansValidParams<F, R, D> {
    pub(crate) fn with_rng<R2>(self, rng: R2) -> KMeansValidParams<F, R2, D> {
        let Self {
            n_clusters,
            n_runs,
            tolerance,
            max_n_iterations,
            init,
            algorithm,
            missing,
            known,
            empty,
            trim,
            min_size,
            max_size,
            sizing,
            search,
            search_budget,
            mini_batch,
            memory,
            reassignment_ratio,
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
            empty,
            trim,
            min_size,
            max_size,
            sizing,
            search,
            search_budget,
            mini_batch,
            memory,
            reassignment_ratio,
            threads,
            rng,
            distance,
        }
    }

    /// Whether which rows count or where they go is decided for all of them together.
    pub(super) fn needs_all_rows(&self) -> bool {
        self.trim > 0.0 || self.sizes(usize::MAX).is_some()
    }

    /// What is asked for that batches of rows cannot tell.
    pub(super) fn needs_all_rows_for(&self) -> Option<&'static str> {
        let asked = [
            ("which rows to trim", self.trim > 0.0),
            ("how to keep clusters to their sizes", self.sizes(usize::MAX).is_some()),
            ("where clusters are better placed", self.search != Search::None),
            ("what becomes of rows of known label", self.known.is_some()),
        ];
        asked.into_iter().find(|(_, asked)| *asked).map(|(what, _)| what)
    }

    /// What is asked for that cannot be had of rows that are not all in memory.
    pub(crate) fn over_all_rows(&self) -> Option<&'static str> {
        let asked = [
            ("trimming", self.trim > 0.0),
            ("a bound on the sizes of clusters", self.sizes(usize::MAX).is_some()),
            ("a search for better optima", self.search != Search::None),
            ("known labels", self.known.is_some()),
        ];
        asked.into_iter().find(|(_, asked)| *asked).map(|(what, _)| what)
    }

    /// Whether nothing is given that a search could not heed.
    fn check_search(&self) -> Result<(), SearchError> {
        let given = [
            ("known labels", self.known.is_some()),
            ("missing values", self.missing == Missing::Marginal),
            ("trimmed rows", self.trim > 0.0),
            ("bounded sizes", self.sizes(usize::MAX).is_some()),
            ("clusters that stay empty, or go, by policy", self.empty != Empty::Farthest),
            ("0 iterations", self.max_n_iterations == 0),
        ];
        search::check(self.search, self.search_budget, &given)
    }

    /// The bounds on the sizes of clusters of n rows, if any was given.
    pub fn sizes(&self, n: usize) -> Option<Sizes> {
        let (min, max) = (self.min_size, self.max_size);
        min.or(max).map(|_| Sizes { min: min.unwrap_or(1), max: max.unwrap_or(n), sizing: self.sizing })
    }

    /// What is done about empty clusters.
    pub fn empty(&self) -> Empty {
        self.empty
    }

    /// The fraction of the rows that is left out.
    pub fn trim(&self) -> f64 {
        self.trim
    }

    /// What belongs to one fit and cannot be shared by fits of other numbers of clusters.
    pub(super) fn of_one_fit(&self) -> Option<&'static str> {
        match self.init {
            _ if self.known.is_some() => Some("known labels"),
            KMeansInit::Precomputed(_) => Some("given centres"),
            _ if self.missing == Missing::Marginal => Some("missing values"),
            _ if self.needs_all_rows() => Some("trimming or bounds on sizes"),
            _ => None,
        }
    }

    /// The same for another number of clusters.
    pub(crate) fn with_n_clusters(mut self, n_clusters: usize) -> Self {
        self.n_clusters = n_clusters;
        self
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

    /// What is done about local optima.
    pub fn search(&self) -> Search {
        self.search
    }

    /// How long.
    pub fn search_budget(&self) -> SearchBudget {
        self.search_budget
    }

    /// The batches of a fit by batches.
    pub fn mini_batch(&self) -> Option<MiniBatch> {
        self.mini_batch
    }

    /// The part of its rows that a centre is the mean of in fits by batches, if it was asked for.
    pub(super) fn memory(&self, default: f64) -> f64 {
        self.memory.unwrap_or(default)
    }

    /// Below which fraction of the largest count centres are re-seeded in fits by batches; zero where none is.
    pub fn reassignment_ratio(&self) -> f64 {
        if self.empty.relocates() { self.reassignment_ratio } else { 0.0 }
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
