//! What the arguments of `fit` mean together, and where they contradict each other: seen before any file is touched.

use crate::args::{Bayesian, FitArgs, Init, Method, MixtureArgs, Part};
use crate::data::Weights;
use crate::error::Failure;
use crate::progress::Bounds;
use crate::values::Metric;
use crate::{paths, plot};
use miscela::{
    Acceleration, Algorithm, Annealing, Assignment, CentreRule, Centred, Collapse, Covariance, Degrees, Empty, Held,
    KnownLabelsError, L2, Missing, Mixing, Noise, Sizing, SplitStrategy, Tails, Threads,
};
use miscela::{Search, SearchBudget};
use std::path::Path;
use std::time::{Duration, Instant};

/// What to fit.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) args: &'a FitArgs,
    pub(crate) weights: Option<Weights>,
    pub(crate) start: Start<'a>,
    pub(crate) kind: Kind,
    pub(crate) threads: Threads,
    pub(crate) search: Search,
    pub(crate) search_budget: SearchBudget,
}

/// Where to start.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start<'a> {
    /// As the method does if nothing is said.
    Default,
    Named(Init),
    Centres {
        means: &'a Path,
        weights: Option<&'a Path>,
        covariances: Option<&'a Path>,
    },
    Labels(&'a Path),
    Model(&'a Path),
}

/// The settings of one kind of model.
#[derive(Debug)]
pub(crate) enum Kind {
    KMeans(KMeansSettings),
    Bisecting(BisectingSettings),
    Mixture(MixtureSettings),
    Bayesian(BayesianSettings),
}

#[derive(Debug)]
pub(crate) struct KMeansSettings {
    pub(crate) metric: Metric,
    pub(crate) algorithm: Algorithm,
    pub(crate) empty: Empty,
    /// The fraction of the rows to leave out.
    pub(crate) trim: Option<f64>,
    pub(crate) min_size: Option<usize>,
    pub(crate) max_size: Option<usize>,
    pub(crate) sizing: Sizing,
    /// Rows tried for each centre of k-means++.
    pub(crate) trials: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct BisectingSettings {
    pub(crate) metric: Metric,
    pub(crate) strategy: SplitStrategy,
    /// Rows tried for the second centre of a split by k-means++.
    pub(crate) trials: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct MixtureSettings {
    pub(crate) covariance: Option<Covariance>,
    pub(crate) assignment: Assignment,
    pub(crate) mixing: Mixing,
    pub(crate) held: Held,
    pub(crate) acceleration: Acceleration,
    pub(crate) collapse: Collapse,
    pub(crate) noise: Option<Noise>,
    pub(crate) tails: Option<Tails>,
    pub(crate) reg_covariance: Option<f64>,
}

#[derive(Debug)]
pub(crate) struct BayesianSettings {
    pub(crate) covariance: Option<Covariance>,
    pub(crate) prior: Bayesian,
    /// Of the prior; 1/k if it is not given.
    pub(crate) concentration: Option<f64>,
    pub(crate) reg_covariance: Option<f64>,
}

impl<'a> Plan<'a> {
    pub(crate) fn of(args: &'a FitArgs) -> Result<Self, Failure> {
        let plan = Self {
            args,
            weights: args.weights.as_deref().map(Weights::named),
            start: Start::of(args),
            kind: Kind::of(args)?,
            threads: threads(args.iteration.threads.threads),
            search: args.start.search,
            search_budget: search_budget(args)?,
        };
        check_batches(args)?;
        check_checkpoint(args)?;
        plan.check_files()?;
        Ok(plan)
    }

    /// How long the fit may go on, that began then: bisecting k-means has a run for each split.
    pub(crate) fn bounds(&self, start: Instant) -> Bounds {
        let (args, limit) = (self.args, self.args.iteration.time_limit);
        let splits = match self.kind {
            Kind::Bisecting(_) => args.k.map_or(1, |k| k.saturating_sub(1).max(1)),
            _ => 1,
        };
        let limit = limit.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Bounds { runs: splits * args.start.n_runs.get(), end: limit.and_then(|limit| start.checked_add(limit)) }
    }

    /// The files to be written.
    pub(crate) fn written(&self) -> [Option<&'a Path>; 5] {
        let args = self.args;
        [&args.output, &args.labels, &args.plot, &args.plot_trace, &args.iteration.checkpoint]
            .map(|path| path.as_deref())
    }

    fn check_files(&self) -> Result<(), Failure> {
        let args = self.args;
        paths::tables(&args.data)?;
        args.output.as_deref().map_or(Ok(()), paths::model)?;
        args.labels.as_deref().map_or(Ok(()), paths::table)?;
        plot::check(args.plot.as_deref())?;
        plot::check(args.plot_trace.as_deref())?;
        let starts = self.start.check_files()?;
        let weights = self.weights.as_ref().and_then(Weights::file);
        let given = args.mixture.given_weights.as_deref();
        given.map_or(Ok(()), paths::table)?;
        let read = [Some(args.data.as_path()), weights, given, starts[0], starts[1], starts[2]];
        let [output, labels, plot, trace, checkpoint] = self.written();
        let stdout = args.answer.json.then_some(Path::new(miscela_table::STANDARD_STREAM));
        paths::apart(&read, &[output, labels, plot, trace, checkpoint, stdout])
    }
}

/// A flag, its value where that matters, and whether it was given.
type Flag = (&'static str, &'static str, bool);

/// What needs all rows at once, whatever it is that has not got them.
fn of_all_rows(args: &FitArgs) -> [Flag; 10] {
    let (kmeans, mixture) = (&args.kmeans, &args.mixture);
    let assignment = mixture.assignment.filter(|it| matches!(it, Assignment::Stochastic | Assignment::Annealed(_)));
    let collapse = mixture.collapse.filter(|policy| policy.replaces());
    [
        ("--trim", "", kmeans.trim.is_some()),
        ("--min-size", "", kmeans.min_size.is_some()),
        ("--max-size", "", kmeans.max_size.is_some()),
        ("--search ", args.start.search.name(), args.start.search != Search::None),
        ("--known-labels", "", args.known_labels.is_some()),
        ("--bayesian", "", mixture.bayesian.is_some()),
        ("--noise", "", mixture.noise.is_some()),
        ("--accelerate", "", mixture.accelerate),
        ("--assignment ", assignment.map_or("", Assignment::name), assignment.is_some()),
        ("--collapse ", collapse.map_or("", Collapse::name), collapse.is_some()),
    ]
}

/// Refuses what batches of rows cannot tell.
fn check_batches(args: &FitArgs) -> Result<(), Failure> {
    let metric = match &args.kmeans.metric {
        Some(Metric::Named(metric)) if Centred::<f64>::centre_rule(metric) != CentreRule::Mean => Some(metric.name()),
        _ => None,
    };
    let of_batches = [
        ("--metric ", metric.unwrap_or_default(), metric.is_some()),
        ("--missing ", args.missing.name(), args.missing != Missing::Error),
    ];
    let flags = [&of_all_rows(args)[..], &of_batches].concat();
    match flags.iter().find(|(.., given)| *given && args.iteration.batch_size.is_some()) {
        Some((flag, value, _)) => {
            Err(Failure::call(format!("{flag}{value} needs all rows at once; leave it or --batch-size out")))
        }
        None => Ok(()),
    }
}

/// Refuses what a checkpoint does not keep.
fn check_checkpoint(args: &FitArgs) -> Result<(), Failure> {
    let kmeans = &args.kmeans;
    let metric = args.kmeans.metric.is_some() && metric(args) != Metric::Named(L2.into());
    let algorithm = kmeans.algorithm.filter(|it| !matches!(it, Algorithm::Auto | Algorithm::Lloyd));
    let of_checkpoints = [
        ("-m bisecting", "", args.method == Method::Bisecting),
        ("--metric other than l2", "", metric),
        ("--algorithm ", algorithm.map_or("", Algorithm::name), algorithm.is_some()),
        ("--empty ", Empty::SplitLargest.name(), kmeans.empty == Some(Empty::SplitLargest)),
        ("--batch-size", "", args.iteration.batch_size.is_some()),
        ("--init-labels", "", args.start.init_labels.is_some()),
    ];
    let flags = [&of_all_rows(args)[..], &of_checkpoints].concat();
    match flags.iter().find(|(.., given)| *given && args.iteration.checkpoint.is_some()) {
        Some((flag, value, _)) => Err(Failure::call(format!(
            "{flag}{value} remembers more of the rows than a checkpoint keeps; leave it or --checkpoint out"
        ))),
        None => Ok(()),
    }
}

/// How long a search goes on.
fn search_budget(args: &FitArgs) -> Result<SearchBudget, Failure> {
    let start = &args.start;
    let budget = start.search_iterations.map(SearchBudget::Iterations);
    let budget = budget.or(start.search_seconds.map(SearchBudget::Seconds));
    if start.search == Search::None {
        let named = if start.search_seconds.is_some() { "--search-seconds" } else { "--search-iterations" };
        return budget.map_or(Ok(SearchBudget::UntilIdle), |_| {
            Err(Failure::call(format!("{named} is for a search; give --search swap or --search breathing")))
        });
    }
    Ok(budget.unwrap_or_default())
}

impl<'a> Start<'a> {
    /// Which of the ways to start was given; no two can be.
    fn of(args: &'a FitArgs) -> Self {
        let start = &args.start;
        if let Some(means) = &start.init_centers {
            let (weights, covariances) = (start.init_weights.as_deref(), start.init_covariances.as_deref());
            return Start::Centres { means, weights, covariances };
        }
        let labels = start.init_labels.as_deref().map(Start::Labels);
        let model = start.init_model.as_deref().map(Start::Model);
        labels.or(model).or(start.init.map(Start::Named)).unwrap_or(Start::Default)
    }

    /// The files to start from, whose endings are right.
    fn check_files(&self) -> Result<[Option<&'a Path>; 3], Failure> {
        match *self {
            Start::Default | Start::Named(_) => Ok([None; 3]),
            Start::Centres { means, weights, covariances } => {
                paths::table(means)?;
                weights.map_or(Ok(()), paths::table)?;
                covariances.map_or(Ok(()), paths::array)?;
                Ok([Some(means), weights, covariances])
            }
            Start::Labels(labels) => paths::table(labels).map(|()| [Some(labels), None, None]),
            Start::Model(model) => paths::model(model).map(|()| [Some(model), None, None]),
        }
    }
}

impl Kind {
    /// Whether differences of all columns count the same, whatever their units.
    pub(crate) fn measures_plainly(&self, args: &FitArgs) -> bool {
        use Covariance::{Spherical, TiedSpherical};
        let is_sphere = |covariance| matches!(covariance, Some(Spherical | TiedSpherical));
        match self {
            Kind::KMeans(_) | Kind::Bisecting(_) => args.kmeans.metric.is_none(),
            Kind::Mixture(settings) => is_sphere(settings.covariance),
            Kind::Bayesian(settings) => is_sphere(settings.covariance),
        }
    }

    /// Whether there is a choice of what to do about missing values.
    pub(crate) fn takes_gaps(&self) -> bool {
        matches!(self, Kind::KMeans(_) | Kind::Mixture(_))
    }

    fn of(args: &FitArgs) -> Result<Self, Failure> {
        let (start, kmeans, mixture) = (&args.start, &args.kmeans, &args.mixture);
        match args.method {
            Method::Kmeans => {
                refuse("-m gmm", &of_mixtures(args))?;
                refuse("-m bisecting", &of_trees(args))?;
                check_trials(args)?;
                if kmeans.sizing.is_some() && kmeans.min_size.or(kmeans.max_size).is_none() {
                    return Err(Failure::call("--sizing is for --min-size and --max-size; give one, or leave it out"));
                }
                let metric = metric(args);
                let euclidean = metric == Metric::Named(L2.into());
                if !euclidean && kmeans.algorithm.is_some_and(|it| !matches!(it, Algorithm::Auto | Algorithm::Lloyd)) {
                    return Err(Failure::call(
                        "--algorithm other than lloyd is for --metric l2; leave one of the two out",
                    ));
                }
                if !euclidean && args.missing != Missing::Error {
                    return Err(Failure::call(format!(
                        "--missing {} is for --metric l2; leave one of the two out, or impute the rows before",
                        args.missing
                    )));
                }
                Ok(Kind::KMeans(KMeansSettings {
                    metric,
                    algorithm: kmeans.algorithm.unwrap_or_default(),
                    empty: kmeans.empty.unwrap_or_default(),
                    trim: kmeans.trim,
                    min_size: kmeans.min_size,
                    max_size: kmeans.max_size,
                    sizing: kmeans.sizing.unwrap_or_default(),
                    trials: start.init_trials.map(usize::from),
                }))
            }
            Method::Bisecting => {
                refuse("-m gmm", &of_mixtures(args))?;
                refuse("-m kmeans", &of_kmeans(args))?;
                let fits = [
                    ("--order", args.order.is_some()),
                    ("--search", start.search != Search::None),
                    ("--batch-size", args.iteration.batch_size.is_some()),
                    ("--known-labels", args.known_labels.is_some()),
                    ("--missing marginal", args.missing != Missing::Error),
                    ("--init-centers", start.init_centers.is_some()),
                    ("--init-labels", start.init_labels.is_some()),
                    ("--init-model", start.init_model.is_some()),
                ];
                refuse("-m kmeans or -m gmm", &fits)?;
                check_trials(args)?;
                Ok(Kind::Bisecting(BisectingSettings {
                    metric: metric(args),
                    strategy: args.bisecting.split.unwrap_or_default(),
                    trials: start.init_trials.map(usize::from),
                }))
            }
            Method::Gmm => {
                refuse("-m kmeans", &of_kmeans(args))?;
                let shared = [("--metric", kmeans.metric.is_some()), ("--init-trials", start.init_trials.is_some())];
                refuse("-m kmeans", &shared)?;
                refuse("-m bisecting", &of_trees(args))?;
                // Not `requires` of the parser: it does not ask for what conflicts with another flag.
                let (bayesian, centres) = (mixture.bayesian.is_some(), start.init_centers.is_some());
                without("--bayesian", bayesian, &[("--concentration", mixture.concentration.is_some())])?;
                let with_centres = [
                    ("--init-weights", start.init_weights.is_some()),
                    ("--init-covariances", start.init_covariances.is_some()),
                ];
                without("--init-centers", centres, &with_centres)?;
                if args.known_labels.is_some() && start.init == Some(Init::Hierarchical) {
                    return Err(Failure::call(KnownLabelsError::Hierarchical));
                }
                if mixture.noise.is_some() && start.init_labels.is_some() && args.k.is_none() {
                    return Err(Failure::call(
                        "--init-labels does not tell clusters from noise; give -k, the label of noise",
                    ));
                }
                if let Some(prior) = mixture.bayesian {
                    if start.search != Search::None {
                        return Err(Failure::call(
                            "--search is not available with --bayesian; leave one of the two out",
                        ));
                    }
                    if mixture.assignment.is_some_and(|assignment| assignment != Assignment::Soft) {
                        return Err(Failure::call("--bayesian shares rows softly; leave --assignment out"));
                    }
                    if args.missing != Missing::Error {
                        let sentence = format!(
                            "--missing {} is not available with --bayesian; impute the rows before",
                            args.missing
                        );
                        return Err(Failure::call(sentence));
                    }
                    return Ok(Kind::Bayesian(BayesianSettings {
                        covariance: mixture.covariance,
                        prior,
                        concentration: mixture.concentration,
                        reg_covariance: mixture.reg_covar,
                    }));
                }
                Ok(Kind::Mixture(MixtureSettings {
                    covariance: mixture.covariance,
                    assignment: assignment(mixture)?,
                    mixing: if mixture.equal_weights { Mixing::Equal } else { Mixing::Free },
                    held: held(&mixture.hold),
                    acceleration: if mixture.accelerate { Acceleration::Squarem } else { Acceleration::None },
                    tails: tails(mixture)?,
                    noise: mixture.noise.map(|volume| volume.map_or(Noise::Hypervolume, Noise::Volume)),
                    collapse: mixture.collapse.unwrap_or_default(),
                    reg_covariance: mixture.reg_covar,
                }))
            }
        }
    }
}

/// The flags of mixtures alone.
fn of_mixtures(args: &FitArgs) -> [(&'static str, bool); 21] {
    let (start, mixture) = (&args.start, &args.mixture);
    [
        ("--covariance", mixture.covariance.is_some()),
        ("--assignment", mixture.assignment.is_some()),
        ("--temperature", mixture.temperature.is_some()),
        ("--anneal-from", mixture.anneal_from.is_some()),
        ("--anneal-factor", mixture.anneal_factor.is_some()),
        ("--anneal-to", mixture.anneal_to.is_some()),
        ("--accelerate", mixture.accelerate),
        ("--equal-weights", mixture.equal_weights),
        ("--given-weights", mixture.given_weights.is_some()),
        ("--hold", !mixture.hold.is_empty()),
        ("--noise", mixture.noise.is_some()),
        ("--bayesian", mixture.bayesian.is_some()),
        ("--concentration", mixture.concentration.is_some()),
        ("--collapse", mixture.collapse.is_some()),
        ("--tails", mixture.tails.is_some()),
        ("--degrees", mixture.degrees.is_some()),
        ("--reg-covar", mixture.reg_covar.is_some()),
        ("--init-weights", start.init_weights.is_some()),
        ("--init-covariances", start.init_covariances.is_some()),
        ("--init kmeans", start.init == Some(Init::Kmeans)),
        ("--init hierarchical", start.init == Some(Init::Hierarchical)),
    ]
}

/// The flags of plain k-means alone.
fn of_kmeans(args: &FitArgs) -> [(&'static str, bool); 6] {
    let kmeans = &args.kmeans;
    [
        ("--algorithm", kmeans.algorithm.is_some()),
        ("--empty", kmeans.empty.is_some()),
        ("--trim", kmeans.trim.is_some()),
        ("--min-size", kmeans.min_size.is_some()),
        ("--max-size", kmeans.max_size.is_some()),
        ("--sizing", kmeans.sizing.is_some()),
    ]
}

/// The flags of bisecting k-means alone.
fn of_trees(args: &FitArgs) -> [(&'static str, bool); 1] {
    [("--split", args.bisecting.split.is_some())]
}

fn check_trials(args: &FitArgs) -> Result<(), Failure> {
    let plus_plus = matches!(Start::of(args), Start::Default | Start::Named(Init::PlusPlus));
    match args.start.init_trials {
        Some(_) if !plus_plus => Err(Failure::call("--init-trials is for --init k-means++; leave one of the two out")),
        _ => Ok(()),
    }
}

/// The distance asked for.
fn metric(args: &FitArgs) -> Metric {
    args.kmeans.metric.clone().unwrap_or_else(|| Metric::Named(L2.into()))
}

/// How rows are shared, by the flags that say it.
fn assignment(args: &MixtureArgs) -> Result<Assignment, Failure> {
    let given = args.temperature.map(Assignment::Tempered).or(args.assignment).unwrap_or_default();
    let MixtureArgs { anneal_from, anneal_factor, anneal_to, .. } = *args;
    if args.accelerate && matches!(given, Assignment::Hard | Assignment::Stochastic) {
        return Err(Failure::call(format!("--accelerate is not for {given} assignment; leave one of the two out")));
    }
    match given {
        Assignment::Annealed(default) => Ok(Assignment::Annealed(Annealing {
            from: anneal_from.unwrap_or(default.from),
            factor: anneal_factor.unwrap_or(default.factor),
            to: anneal_to.unwrap_or(default.to),
        })),
        _ if anneal_from.is_some() || anneal_factor.is_some() || anneal_to.is_some() => Err(Failure::call(
            "--anneal-from, --anneal-factor and --anneal-to are for --assignment annealed; add it or leave them out",
        )),
        other => Ok(other),
    }
}

fn held(parts: &[Part]) -> Held {
    let holds = |part| parts.contains(&part);
    Held { weights: holds(Part::Weights), means: holds(Part::Means), covariances: holds(Part::Covariances) }
}

/// How densities fall off, where that is said.
fn tails(mixture: &MixtureArgs) -> Result<Option<Tails>, Failure> {
    match (mixture.tails.as_deref(), mixture.degrees) {
        (Some("student"), degrees) => Ok(Some(Tails::Student(degrees.unwrap_or(Degrees::Shared)))),
        (_, Some(_)) => Err(Failure::call("--degrees is for --tails student; leave it out or change the tails")),
        (tails, None) => Ok(tails.map(|_| Tails::Gaussian)),
    }
}

/// Refuses flags that the method has no use for.
fn refuse(method: &str, flags: &[(&str, bool)]) -> Result<(), Failure> {
    match flags.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(Failure::call(format!("{flag} is for {method}; leave it out or change the method"))),
        None => Ok(()),
    }
}

/// Refuses flags that are nothing without another, if that is not there.
fn without(other: &str, is_there: bool, flags: &[(&str, bool)]) -> Result<(), Failure> {
    match flags.iter().find(|(_, given)| *given && !is_there) {
        Some((flag, _)) => Err(Failure::call(format!("{flag} is for {other}; add it or leave it out"))),
        None => Ok(()),
    }
}

/// The threads asked for, or all.
pub(crate) fn threads(count: Option<std::num::NonZeroUsize>) -> Threads {
    count.map_or(Threads::Ambient, |count| Threads::Count(count.get()))
}
