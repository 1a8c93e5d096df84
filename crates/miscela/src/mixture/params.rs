//! The parameters of a mixture.

use super::{GaussianMixture, GmmInitMethod, GmmParamsError};
use crate::Float;
use crate::search::{self, SearchBudget, SearchError};
use linfa::ParamGuard;
use miscela_em::{
    Acceleration, Annealing, Assignment, Collapse, Covariance, Degrees, Held, MiniBatch, Missing, Mixing,
    MixtureSettings, Noise, Search, StepSize, Tails,
};
use miscela_kernel::Threads;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

/// Checked parameters of a mixture; see [`GmmParams`].
#[derive(Clone, Debug, PartialEq)]
pub struct GmmValidParams<F, R> {
    n_clusters: usize,
    n_runs: u64,
    max_n_iterations: u64,
    init: GmmInitMethod<F>,
    settings: MixtureSettings,
    tolerance: F,
    reg_covariance: F,
    known: Option<Vec<Option<usize>>>,
    search: Search,
    search_budget: SearchBudget,
    mini_batch: Option<MiniBatch>,
    step_size: StepSize,
    threads: Threads,
    rng: R,
}

/// Parameters of [`GaussianMixture`](crate::GaussianMixture), set one by one and checked when fitting.
///
/// Defaults: full covariances, soft assignment, free weights, one run from k-means, at most 100 iterations, a tolerance of
/// 1e-3 on the mean log-likelihood a row, 1e-6 added to the variances, and a fixed seed of 42.
///
/// ```
/// use miscela::prelude::*;
///
/// let iris = linfa_datasets::iris();
/// let params = GaussianMixture::params(2).covariance(Covariance::Tied).n_runs(3).reg_covariance(0.0);
/// let model = params.fit(&iris)?;
/// assert!(model.report().converged());
/// assert_eq!(model.n_parameters(), 1 + 2 * 4 + 10);
/// # Ok::<(), GmmError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GmmParams<F, R>(GmmValidParams<F, R>);

impl<F: Float> GmmParams<F, Xoshiro256Plus> {
    /// The defaults for this number of components.
    pub fn new(n_clusters: usize) -> Self {
        Self::new_with_rng(n_clusters, Xoshiro256Plus::seed_from_u64(42))
    }
}

impl<F: Float> GmmParams<F, Xoshiro256Plus> {
    /// What a model was fitted with, starting at its parameters. What was annealed goes on as it ended.
    pub(super) fn resuming(model: &GaussianMixture<F>) -> Self {
        let (mixture, settings) = (&model.mixture, &model.settings);
        let mut params = Self::new(model.n_clusters())
            .tolerance(F::narrow(settings.tolerance))
            .reg_covariance(F::narrow(settings.reg_covariance))
            .init_method(mixture.into());
        params.0.settings = MixtureSettings { assignment: settings.assignment.at_end(), ..settings.clone() };
        params
    }
}

impl<F: Float, R> GmmParams<F, R> {
    /// The defaults, drawing random numbers from `rng`.
    pub fn new_with_rng(n_clusters: usize, rng: R) -> Self {
        Self(GmmValidParams {
            n_clusters,
            n_runs: 1,
            max_n_iterations: 100,
            init: GmmInitMethod::KMeans,
            settings: MixtureSettings::default(),
            tolerance: F::narrow(1e-3),
            reg_covariance: F::narrow(1e-6),
            known: None,
            search: Search::None,
            search_budget: SearchBudget::UntilIdle,
            mini_batch: None,
            step_size: StepSize::default(),
            threads: Threads::Ambient,
            rng,
        })
    }

    /// The structure of the covariances.
    pub fn covariance(mut self, covariance: Covariance) -> Self {
        self.0.settings.covariance = covariance;
        self
    }

    /// [`covariance`](Self::covariance) by linfa's name.
    pub fn covariance_type(self, covariance: Covariance) -> Self {
        self.covariance(covariance)
    }

    /// How rows are shared among the components.
    pub fn assignment(mut self, assignment: Assignment) -> Self {
        self.0.settings.assignment = assignment;
        self
    }

    /// Whether the mixing weights are estimated, equal, or given.
    pub fn mixing(mut self, mixing: Mixing) -> Self {
        self.0.settings.mixing = mixing;
        self
    }

    /// A uniform component beside the k others, for rows that belong to none of them: mclust's noise.
    ///
    /// Noise has the label k, the last column of [`predict_proba`](crate::GaussianMixture::predict_proba), and a weight that
    /// is estimated, by which those of the components sum to less than one. The rows that start as noise are those far from
    /// all others, 10 % at most, unless labels (k is noise) or responsibilities (k + 1 columns) say which.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::{Array2, Axis, concatenate};
    ///
    /// let iris = linfa_datasets::iris();
    /// let outliers = Array2::from_shape_fn((8, 4), |(i, j)| ((7 * i + 5 * j) % 12) as f64 * 3.0 - 12.0);
    /// let rows = concatenate![Axis(0), *iris.records(), outliers];
    /// let model = GaussianMixture::params(3).noise(Noise::Hypervolume).fit(&DatasetBase::from(rows.view()))?;
    /// assert!(model.noise().is_some_and(|noise| noise.weight > 0.03));
    /// assert!(model.sizes()[3] >= 7, "rows by label, the noise last");
    /// assert_eq!(model.predict_proba(&rows).dim(), (158, 4));
    /// # Ok::<(), GmmError>(())
    /// ```
    pub fn noise(mut self, noise: Noise) -> Self {
        self.0.settings.noise = Some(noise);
        self
    }

    /// Gaussian components, or Student-t ones, whose tails are heavier: outliers then pull less.
    ///
    /// The degrees of freedom are given, or estimated between 0.1 and 10,000, starting at 10. Means are the components'
    /// centres; what [`covariances`](crate::GaussianMixture::covariances) gives are their scale matrices, ν/(ν − 2) times
    /// smaller than the covariances, which exist where ν > 2. Every structure, assignment and criterion goes with it. A fit
    /// that looks for its own start does so without the rows that are far from all others, 10 % at most.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let model = GaussianMixture::params(2).tails(Tails::Student(Degrees::Shared)).fit(&iris)?;
    /// let degrees = model.degrees().expect("the components are Student-t");
    /// assert!(degrees[0] == degrees[1] && degrees[0] < 100.0);
    /// assert_eq!(model.n_parameters(), 1 + 2 * 4 + 2 * 10 + 1);
    /// # Ok::<(), GmmError>(())
    /// ```
    pub fn tails(mut self, tails: Tails) -> Self {
        self.0.settings.tails = tails;
        self
    }

    /// Which parameters stay as the start gives them.
    pub fn held(mut self, held: Held) -> Self {
        self.0.settings.held = held;
        self
    }

    /// Fewer iterations where components overlap, to the same fixed points: for soft and tempered assignment.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let params = GaussianMixture::params(3).tolerance(1e-9).max_n_iterations(1000).reg_covariance(0.0);
    /// let plain = params.clone().fit(&iris)?;
    /// let fast = params.acceleration(Acceleration::Squarem).fit(&iris)?;
    /// assert!(fast.report().iterations + fast.report().given_up < plain.report().iterations);
    /// assert!((fast.log_likelihood() - plain.log_likelihood()).abs() < 1e-4);
    /// # Ok::<(), GmmError>(())
    /// ```
    pub fn acceleration(mut self, acceleration: Acceleration) -> Self {
        self.0.settings.acceleration = acceleration;
        self
    }

    /// What is done about a component that collapses onto few rows.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// // With mclust's default prior no covariance can become singular.
    /// let model = GaussianMixture::params(9).collapse(Collapse::Prior).reg_covariance(0.0).fit(&iris)?;
    /// assert!(model.report().repairs.is_empty());
    /// # Ok::<(), GmmError>(())
    /// ```
    pub fn collapse(mut self, collapse: Collapse) -> Self {
        self.0.settings.collapse = collapse;
        self
    }

    /// Stop when the mean log-likelihood a row (or what another assignment maximises) rises by less. Zero: go on until
    /// nothing changes.
    pub fn tolerance(mut self, tolerance: F) -> Self {
        self.0.tolerance = tolerance;
        self
    }

    /// Added to every variance in each M-step. With zero the likelihood never falls; collapsing components are still kept
    /// from zero by a floor relative to the data's variance, and reported.
    pub fn reg_covariance(mut self, reg_covariance: F) -> Self {
        self.0.reg_covariance = reg_covariance;
        self
    }

    /// The number of starts, of which the best result is kept. Where chance has no part in a start, there is one.
    pub fn n_runs(mut self, n_runs: u64) -> Self {
        self.0.n_runs = n_runs;
        self
    }

    /// Stop after this many iterations at the latest; zero evaluates the start.
    pub fn max_n_iterations(mut self, max_n_iterations: u64) -> Self {
        self.0.max_n_iterations = max_n_iterations;
        self
    }

    /// Where to start.
    pub fn init_method(mut self, init: GmmInitMethod<F>) -> Self {
        self.0.init = init;
        self
    }

    /// What to do about missing values, NaN. With [`Missing::Marginal`] the likelihood is that of the values which are there:
    /// maximum likelihood if values are missing at random (Ghahramani & Jordan 1994). Without missing values it changes nothing.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let mut iris = linfa_datasets::iris();
    /// iris.records[[7, 2]] = f64::NAN;
    /// let model = GaussianMixture::params(3).missing(Missing::Marginal).fit(&iris)?;
    /// let whole = model.impute(&iris.records)?;
    /// assert!((whole[[7, 2]] - 1.5).abs() < 0.3); // it was 1.5
    /// # Ok::<(), GmmError>(())
    /// ```
    pub fn missing(mut self, missing: Missing) -> Self {
        self.0.settings.missing = missing;
        self
    }

    /// Rows of known label, which stay there: one entry a row, none where it is unknown.
    ///
    /// The log-likelihood of the fit, and the criteria by it, count ln(wₖ Nₖ(x)) of its own component for a known row. What is
    /// asked of a dataset later ([`score`](GaussianMixture::score), [`bic`](GaussianMixture::bic), …) knows no labels.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// // The species of every tenth flower.
    /// let known = iris.targets().iter().enumerate().map(|(i, species)| (i % 10 == 0).then_some(*species));
    /// let model = GaussianMixture::params(3).known_labels(known).fit(&iris)?;
    /// let wrong = model.predict(&iris).iter().zip(iris.targets()).filter(|(a, b)| a != b).count();
    /// assert!(wrong <= 6);
    /// # Ok::<(), GmmError>(())
    /// ```
    pub fn known_labels(mut self, labels: impl IntoIterator<Item = Option<usize>>) -> Self {
        self.0.known = Some(labels.into_iter().collect());
        self
    }

    /// What is done after the runs about the optimum that the best of them has settled in. [`Search::Swap`] splits one
    /// component and merges two (Ueda et al. 2000), over and over; [`Search::Breathing`] splits several, settles, and merges as
    /// many. The result is never worse than without, by what the assignment maximises.
    ///
    /// The likelihood has no bound where a component collapses onto few rows: so nothing is kept that needed
    /// [repairs](crate::Report::repairs) which the best before did not; that has a component which gathers less weight than it
    /// has means and variances of its own, where the best has none; or one that varies in some direction by no more than
    /// [`reg_covariance`](Self::reg_covariance) adds, as rows of equal rounded values do.
    ///
    /// Cost: the time of four to fifteen runs on the sets of the quality command of the benchmarks, most of it for splits, which are
    /// fitted beforehand to the rows of their component alone; a [`search_budget`](Self::search_budget) says otherwise. The
    /// [report](crate::Report::search) counts iterations over all rows, and what was tried and kept. Memory: 16 bytes a row and
    /// component that has a hundredth of it, and that of another fit.
    ///
    /// Not to be used where there are more components than the rows support: the greatest likelihood is then a matter of
    /// chance rows, and a [prior](Collapse::Prior) or fewer components help more. Not where components shall stay near those
    /// given. Not in place of a tighter [`tolerance`](Self::tolerance): a search does not go on with what EM left undone.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::Array2;
    ///
    /// // 9 groups of rows in a square.
    /// let rows = Array2::from_shape_fn((450, 2), |(i, j)| {
    ///     let place = if j == 0 { i % 3 } else { i / 3 % 3 };
    ///     5.0 * place as f64 + ((i * (37 + 16 * j)) % 101) as f64 / 101.0
    /// });
    /// let dataset = DatasetBase::from(rows);
    /// let params = GaussianMixture::params(9).covariance(Covariance::Spherical).init_method(GmmInitMethod::Random);
    /// let plain = params.clone().fit(&dataset)?;
    /// let best = params.search(Search::Swap).fit(&dataset)?;
    /// assert!(best.log_likelihood() > plain.log_likelihood() + 100.0);
    /// assert!(best.report().search.as_ref().is_some_and(|search| search.kept > 0));
    /// # Ok::<(), GmmError>(())
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

    /// Fits by batches drawn from the table instead of all rows in each iteration: stepwise EM (Cappé & Moulines 2009); a number
    /// of rows, or a [`MiniBatch`] that also says when no more is to be gained.
    ///
    /// An iteration is a batch. Rows are drawn by weight, each batch from all parts of the table, and the statistics of a batch
    /// are mixed into those of the batches before by the [step size](Self::step_size); then comes the M-step of the structure. A
    /// start that is not given is found in a few batches of rows. The trace is what the assignment rule maximises, over the
    /// batches at the parameters before each, smoothed and scaled to the table, the density of a prior aside; likelihood and sizes of the model are of all
    /// rows. The [tolerance](Self::tolerance) asks how much the objective of the batch would rise if it were all
    /// there is, and so ends a fit rarely, unless batches are large. Batches as large as the table are the table.
    ///
    /// Cost: that of the rows drawn, `batch_size` in each of at most [`max_n_iterations`](Self::max_n_iterations), a look at
    /// how well each batch is fitted after it, and one pass over all rows at the end.
    ///
    /// For soft, hard and tempered assignment, and not with what needs all rows: noise, known labels, acceleration, components
    /// that start again or go, missing values. Not where batches have fewer rows than a component has parameters, many times
    /// over; and not where a fit to all rows is quick: it ends a little higher.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use rand::SeedableRng;
    ///
    /// let covariances = Covariances::Spherical(ndarray::array![1.0, 0.5, 2.0]);
    /// let means = ndarray::array![[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]];
    /// let truth = miscela::Mixture::new(ndarray::array![0.5, 0.3, 0.2], means, covariances);
    /// let truth = GaussianMixture::from_parameters(truth, Covariance::Spherical)?;
    /// let rows = truth.sample(20_000, &mut rand_xoshiro::Xoshiro256Plus::seed_from_u64(1)).0;
    /// let dataset = DatasetBase::from(rows);
    /// let all = GaussianMixture::params(3).fit(&dataset)?;
    /// let batches = GaussianMixture::params(3).mini_batch(500).fit(&dataset)?;
    /// assert!(batches.score(&dataset)? > all.score(&dataset)? - 0.01);
    /// # Ok::<(), GmmError>(())
    /// ```
    pub fn mini_batch(mut self, batches: impl Into<MiniBatch>) -> Self {
        self.0.mini_batch = Some(batches.into());
        self
    }

    /// In fits by batches, [drawn](Self::mini_batch) or [given](GmmValidParams::partial_fit): how much a batch counts, γ = (t +
    /// offset)^(−exponent). By default the exponent is 0.7 and the offset 1, so that the first batch counts wholly.
    pub fn step_size(mut self, step_size: StepSize) -> Self {
        self.0.step_size = step_size;
        self
    }

    /// Who does the work. The result is the same, bit for bit.
    pub fn threads(mut self, threads: Threads) -> Self {
        self.0.threads = threads;
        self
    }

    /// Draws random numbers from `rng`.
    pub fn with_rng<R2>(self, rng: R2) -> GmmParams<F, R2> {
        GmmParams(self.0.with_rng(rng))
    }
}

impl<F: Float, R> ParamGuard for GmmParams<F, R> {
    type Checked = GmmValidParams<F, R>;
    type Error = GmmParamsError;

    fn check_ref(&self) -> Result<&Self::Checked, GmmParamsError> {
        let params = &self.0;
        let (tolerance, ridge) = (params.tolerance.widen(), params.reg_covariance.widen());
        let MixtureSettings { covariance, collapse, held, ref mixing, .. } = params.settings;
        let accelerated = params.settings.acceleration != Acceleration::None;
        let given = matches!(mixing, Mixing::Given(_)) || params.known.is_some() || accelerated;
        let not_negative = |x: f64| x.is_finite() && x >= 0.0;
        match params.settings.noise {
            Some(_) if params.settings.missing != Missing::Error => return Err(GmmParamsError::Missing("noise")),
            Some(Noise::Volume(volume)) if !(volume.is_finite() && volume > 0.0) => {
                return Err(GmmParamsError::Volume(volume));
            }
            _ => {}
        }
        match params.settings.tails {
            Tails::Student(_) if params.settings.missing != Missing::Error => {
                return Err(GmmParamsError::Missing("Student-t components"));
            }
            Tails::Student(Degrees::Given(degrees)) if !(degrees.is_finite() && degrees > 0.0) => {
                return Err(GmmParamsError::Degrees(degrees));
            }
            _ => {}
        }
        if let Some(what) = params.needs_all_rows_for().filter(|_| params.mini_batch.is_some()) {
            return Err(GmmParamsError::NotByBatches(what));
        }
        match params.settings.assignment {
            _ if params.n_clusters == 0 => Err(GmmParamsError::NClusters),
            _ if params.n_runs == 0 => Err(GmmParamsError::NRuns),
            _ if !not_negative(tolerance) => Err(GmmParamsError::Tolerance(tolerance)),
            _ if !not_negative(ridge) => Err(GmmParamsError::RegCovariance(ridge)),
            Assignment::Hard | Assignment::Stochastic if params.settings.acceleration != Acceleration::None => {
                Err(GmmParamsError::Acceleration(params.settings.assignment))
            }
            _ if params.settings.tails != Tails::Gaussian
                && !matches!(collapse, Collapse::Floor | Collapse::Shrink) =>
            {
                Err(GmmParamsError::TailsAndCollapse(collapse))
            }
            _ if collapse == Collapse::Prior && !covariance.has_prior() => Err(GmmParamsError::NoPrior(covariance)),
            _ if collapse.replaces() && (held != Held::default() || given) => {
                Err(GmmParamsError::HeldAndReplaced(collapse))
            }
            _ if params.mini_batch.is_some_and(|batches| batches.batch_size == 0) => Err(GmmParamsError::BatchSize),
            _ if !params.step_size.is_usable() => Err(GmmParamsError::StepSize(params.step_size)),
            _ if params.threads == Threads::Count(0) => Err(GmmParamsError::NThreads),
            Assignment::Tempered(t) if !usable_temperature::<F>(t) => Err(GmmParamsError::Temperature(t)),
            Assignment::Annealed(Annealing { from, .. }) if !(from >= 1.0 && usable_temperature::<F>(from)) => {
                Err(GmmParamsError::AnnealFrom(from))
            }
            Assignment::Annealed(Annealing { factor, .. }) if !(factor > 0.0 && factor < 1.0) => {
                Err(GmmParamsError::AnnealFactor(factor))
            }
            _ => {
                params.settings.mixing.check(params.n_clusters)?;
                params.check_search()?;
                Ok(params)
            }
        }
    }

    fn check(self) -> Result<Self::Checked, GmmParamsError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl<F: Float, R> GmmValidParams<F, R> {
    /// Whether nothing is given that a search could not heed.
    fn check_search(&self) -> Result<(), SearchError> {
        let MixtureSettings { assignment, held, missing, ref mixing, .. } = self.settings;
        let given = [
            ("known labels", self.known.is_some()),
            ("missing values", missing == Missing::Marginal),
            ("held parameters", held != Held::default()),
            ("given weights", matches!(mixing, Mixing::Given(_))),
            ("draws of stochastic assignment", assignment == Assignment::Stochastic),
            ("0 iterations", self.max_n_iterations == 0),
        ];
        search::check(self.search, self.search_budget, &given)
    }

    /// What is done about local optima.
    pub fn search(&self) -> Search {
        self.search
    }

    /// How long.
    pub fn search_budget(&self) -> SearchBudget {
        self.search_budget
    }

    /// The number of components.
    pub fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    /// The number of starts.
    pub fn n_runs(&self) -> u64 {
        self.n_runs
    }

    /// The limit of iterations.
    pub fn max_n_iterations(&self) -> u64 {
        self.max_n_iterations
    }

    /// The tolerance on the mean objective a row.
    pub fn tolerance(&self) -> F {
        self.tolerance
    }

    /// What is added to every variance.
    pub fn reg_covariance(&self) -> F {
        self.reg_covariance
    }

    /// The structure of the covariances.
    pub fn covariance(&self) -> Covariance {
        self.settings.covariance
    }

    /// What to do about missing values.
    pub fn missing(&self) -> Missing {
        self.settings.missing
    }

    /// What is done about a component that collapses.
    pub fn collapse(&self) -> Collapse {
        self.settings.collapse
    }

    /// Where to start.
    pub fn init_method(&self) -> &GmmInitMethod<F> {
        &self.init
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

    /// The batches of a fit by batches.
    pub fn mini_batch(&self) -> Option<MiniBatch> {
        self.mini_batch
    }

    /// How much a batch counts, in fits by batches.
    pub fn step_size(&self) -> StepSize {
        self.step_size
    }

    /// What is asked for that batches of rows cannot tell.
    pub(super) fn needs_all_rows_for(&self) -> Option<&'static str> {
        let MixtureSettings { assignment, collapse, acceleration, .. } = self.settings;
        let asked = [
            ("where noise is", self.settings.noise.is_some()),
            ("what becomes of rows of known label", self.known.is_some()),
            ("how far acceleration may go", acceleration != Acceleration::None),
            ("which parameters that were drawn are the best", assignment == Assignment::Stochastic),
            ("when it is cool enough", matches!(assignment, Assignment::Annealed(_))),
            ("where components start again, or which of them go,", collapse.replaces()),
            ("where components are better placed", self.search != Search::None),
        ];
        asked.into_iter().find(|(_, asked)| *asked).map(|(what, _)| what)
    }

    /// What is asked for that cannot be had of rows that are not all in memory, beside what the engine refuses by itself.
    pub(crate) fn over_all_rows(&self) -> Option<&'static str> {
        let asked =
            [("known labels", self.known.is_some()), ("a search for better optima", self.search != Search::None)];
        asked.into_iter().find(|(_, asked)| *asked).map(|(what, _)| what)
    }

    /// What there is in it that belongs to one fit and not to a selection of many.
    pub(super) fn of_one_fit(&self) -> Option<&'static str> {
        let noise = self.settings.noise.map(|_| "noise");
        let search = (self.search != Search::None).then_some("a search");
        noise.or(self.known.as_ref().map(|_| "known labels")).or(search)
    }

    /// The same for another number of components.
    pub(super) fn with_n_clusters(mut self, n_clusters: usize) -> Self {
        self.n_clusters = n_clusters;
        self
    }

    /// The same from another start.
    pub(super) fn with_init(mut self, init: GmmInitMethod<F>) -> Self {
        self.init = init;
        self
    }

    /// The same on this thread alone.
    pub(super) fn on_one_thread(mut self) -> Self {
        self.threads = Threads::One;
        self
    }

    pub(crate) fn with_rng<R2>(self, rng: R2) -> GmmValidParams<F, R2> {
        let Self {
            n_clusters,
            n_runs,
            max_n_iterations,
            init,
            settings,
            tolerance,
            reg_covariance,
            known,
            search,
            search_budget,
            mini_batch,
            step_size,
            threads,
            rng: _,
        } = self;
        GmmValidParams {
            n_clusters,
            n_runs,
            max_n_iterations,
            init,
            settings,
            tolerance,
            reg_covariance,
            known,
            search,
            search_budget,
            mini_batch,
            step_size,
            threads,
            rng,
        }
    }

    /// All that the engine needs.
    pub(crate) fn settings(&self) -> MixtureSettings {
        MixtureSettings {
            tolerance: self.tolerance.widen(),
            reg_covariance: self.reg_covariance.widen(),
            ..self.settings.clone()
        }
    }
}

/// Whether a temperature and its inverse are positive numbers of the type that densities are computed in.
fn usable_temperature<F: Float>(temperature: f64) -> bool {
    let narrowed = <F as miscela_kernel::Float>::narrow(temperature);
    narrowed.is_normal() && narrowed > F::zero() && (F::one() / narrowed).is_normal()
}
