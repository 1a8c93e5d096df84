//! The arguments as they are typed. What they mean together is worked out in [`plan`](crate::plan).

use crate::memory;
use crate::select::{Ks, Structures, ks, structures};
use crate::values::{
    Metric, anneal_to, assignment, at_least_1, at_least_one, at_least_two, between_0_and_1, degrees, measured, metric,
    missing, not_negative, positive,
};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use miscela::AnyDistance;
use miscela::Search;
use miscela::{
    Algorithm, AnnealTo, Assignment, CanonicalOrder, Collapse, Covariance, Degrees, Empty, Missing, Sizing,
    SplitStrategy,
};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Clusters tables with k-means and Gaussian mixtures.
///
/// A table is a file of rows and named columns: .csv or .tsv (each also .gz; a header is found by itself), .npy, .parquet,
/// .arrow or .feather; a folder of such files; or - for CSV on standard input. Models are kept as .json or .cbor. Labels count
/// from 0.
#[derive(Debug, Parser)]
#[command(name = "miscela", version, max_term_width = 100, after_help = EXAMPLE)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Parses the arguments of the process. A negative number is a value, which its option then refuses by name.
    pub(crate) fn parse_all() -> Result<Self, clap::Error> {
        let command = Self::command().mut_subcommands(|command| {
            command.mut_args(|arg| {
                let has_value = !arg.is_positional() && arg.get_action().takes_values();
                arg.allow_negative_numbers(has_value)
            })
        });
        Self::from_arg_matches(&command.try_get_matches()?)
    }
}

const EXAMPLE: &str = "\
Example:
  miscela fit data.csv -m gmm -k 3 -o model.json --labels labels.csv
  miscela predict model.json more.csv --proba

Exit codes: 0 done, 1 the data or the model is at fault, 2 the call is.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find the clusters of a table
    Fit(Box<FitArgs>),
    /// Label the rows of a table by a model
    Predict(PredictArgs),
    /// Fit mixtures of many kinds, or numbers of clusters, to a table, and choose one
    Select(Box<SelectArgs>),
    /// Judge a model on a table
    Score(ScoreArgs),
    /// Measure a clustering by itself, beside a truth, or both
    Metrics(MetricsArgs),
    /// Write a page to look at: a model and the rows of a table
    Report(ReportArgs),
    /// Fill missing values by a model
    Impute(ImputeArgs),
    /// Draw rows from a mixture
    Sample(SampleArgs),
    /// See a mixture become k-means: a page to touch, whose every step is the engine's
    Play(PlayArgs),
    /// Show what a model file holds
    Info(InfoArgs),
    /// Turn a model file into another format, of miscela or of another tool
    Convert(ConvertArgs),
    /// Print a script that completes commands in a shell
    #[command(after_help = COMPLETIONS_EXAMPLE)]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print a manual page, for man to show
    Man(ManArgs),
}

const COMPLETIONS_EXAMPLE: &str = "\
Examples:
  miscela completions bash > ~/.local/share/bash-completion/completions/miscela
  miscela completions zsh > ~/.zfunc/_miscela
  miscela completions fish > ~/.config/fish/completions/miscela.fish";

const MAN_EXAMPLE: &str = "\
Examples:
  miscela man fit | man -l -
  miscela man > /usr/local/share/man/man1/miscela.1";

#[derive(Debug, Args)]
#[command(after_help = MAN_EXAMPLE)]
pub(crate) struct ManArgs {
    /// The command that the page is about [default: all of them, in short]
    pub(crate) command: Option<String>,
}

/// How to answer.
#[derive(Debug, Args)]
pub(crate) struct AnswerArgs {
    /// Answer with one JSON object on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// No summary, no progress, no notes; errors only
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Which columns of a table to use.
#[derive(Debug, Args)]
#[command(next_help_heading = "Table")]
pub(crate) struct ColumnArgs {
    /// Use these columns, in this order
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    pub(crate) columns: Option<Vec<String>>,
    /// Leave these columns out
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', conflicts_with = "columns")]
    pub(crate) exclude: Option<Vec<String>>,
}

/// How much of a table may be in memory.
#[derive(Debug, Args)]
#[command(next_help_heading = "Table")]
pub(crate) struct MemoryArgs {
    /// Read a table whose numbers would take more than this, such as 512M or 2G, in chunks, once a pass [default: half of
    /// what is free]
    #[arg(long, value_name = "SIZE", value_parser = memory::size)]
    pub(crate) memory: Option<u64>,
}

/// What to do about missing values in rows for a model.
#[derive(Debug, Args)]
#[command(next_help_heading = "Table")]
pub(crate) struct MissingArgs {
    /// What to do about missing values: error, or marginal: go by the values that are there [default: as in the fit]
    #[arg(long, value_name = "RULE", value_parser = missing)]
    pub(crate) missing: Option<Missing>,
}

/// How much of a tree of clusters to use.
#[derive(Debug, Args)]
pub(crate) struct CutArgs {
    /// Use the first K clusters that bisecting k-means came to; its model has all numbers up to its own [default: all]
    #[arg(long, value_name = "K", value_parser = at_least_one)]
    pub(crate) cut: Option<usize>,
}

/// How many threads.
#[derive(Debug, Args)]
pub(crate) struct ThreadArgs {
    /// Threads to use; the answer is the same for any number [default: all]
    #[arg(long, value_name = "T")]
    pub(crate) threads: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// k-means
    Kmeans,
    /// k-means that splits in two, again and again: a tree of clusters
    Bisecting,
    /// A Gaussian mixture
    Gmm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dtype {
    F32,
    F64,
}

/// Parameters that can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Weights,
    Means,
    Covariances,
}

/// A method to find where to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Init {
    /// k distinct rows
    Random,
    /// Rows far from each other, the best of a few trials each
    #[value(name = "k-means++")]
    PlusPlus,
    /// k-means||, for large k
    #[value(name = "k-means-parallel")]
    Parallel,
    /// From k-means (mixtures only)
    Kmeans,
    /// From a tree of clusters cut at k, as mclust does; see the library's Agglomerate (mixtures only)
    Hierarchical,
}

/// A prior of the mixing weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bayesian {
    Dirichlet,
    DirichletProcess,
}

const FIT_EXAMPLE: &str = "\
Examples:
  miscela fit faithful.csv -k 2
  miscela fit faithful.csv -m gmm -k 2 --covariance tied -o model.json --plot clusters.svg
  miscela fit faithful.csv -m gmm -k 10 --bayesian dirichlet-process --max-iter 1000
  miscela fit faithful.csv -m bisecting -k 16 -o tree.json
  zcat big.csv.gz | miscela fit - -k 50 --exclude id --weights count --labels labels.csv --json";

#[derive(Debug, Args)]
#[command(after_help = FIT_EXAMPLE)]
pub(crate) struct FitArgs {
    /// The table
    pub(crate) data: PathBuf,
    /// What to fit
    #[arg(short, long, value_enum, default_value = "kmeans")]
    pub(crate) method: Method,
    /// The number of clusters; may be left out where the start says it
    #[arg(short, value_name = "K", value_parser = at_least_one,
          required_unless_present_any = ["init_centers", "init_model", "init_labels"])]
    pub(crate) k: Option<usize>,
    /// Keep the model in this file (.json or .cbor)
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) output: Option<PathBuf>,
    /// Write the label of each row to this table
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// Draw the clusters (.svg or .png): one column as densities, two with ellipses and regions, up to six in pairs, more in the
    /// plane of their principal components
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Draw the objective along the iterations (.svg or .png)
    #[arg(long, value_name = "FILE")]
    pub(crate) plot_trace: Option<PathBuf>,
    /// Number the clusters by weight, the heaviest first, or by centre, the least first coordinate first [default: as found]
    #[arg(long, value_name = "RULE", conflicts_with_all = ["known_labels", "bayesian"])]
    pub(crate) order: Option<CanonicalOrder>,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,

    #[command(flatten)]
    pub(crate) columns: ColumnArgs,
    /// Weights of the rows: a column, or a file of one column
    #[arg(long, value_name = "COLUMN|FILE", help_heading = "Table")]
    pub(crate) weights: Option<String>,
    /// Rows whose cluster is known: a column of labels from 0, empty where it is not known
    #[arg(long, value_name = "COLUMN", help_heading = "Table")]
    pub(crate) known_labels: Option<String>,
    /// Compute in this type of number [default: that of the file; CSV is f64]
    #[arg(long, value_enum, help_heading = "Table")]
    pub(crate) dtype: Option<Dtype>,
    /// What to do about missing values (empty, NA, NaN): error, or marginal: fit to the values that are there
    #[arg(long, value_name = "RULE", default_value = "error", value_parser = missing, help_heading = "Table")]
    pub(crate) missing: Missing,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
    #[command(flatten)]
    pub(crate) scaling: ScalingArgs,

    #[command(flatten)]
    pub(crate) start: StartArgs,
    #[command(flatten)]
    pub(crate) iteration: IterationArgs,
    #[command(flatten)]
    pub(crate) kmeans: KMeansArgs,
    #[command(flatten)]
    pub(crate) bisecting: BisectingArgs,
    #[command(flatten)]
    pub(crate) mixture: MixtureArgs,
}

/// What to do to the columns before.
#[derive(Debug, Args)]
#[command(next_help_heading = "Table")]
pub(crate) struct ScalingArgs {
    /// Centre each column and divide it by its standard deviation before the fit; the model remembers it and takes rows as they
    /// are. Leave it out where all columns have one unit
    #[arg(long)]
    pub(crate) standardize: bool,
}

/// Where to start.
#[derive(Debug, Args)]
#[command(next_help_heading = "Start")]
pub(crate) struct StartArgs {
    /// How to find a start [default: k-means++, and kmeans for a mixture]
    #[arg(long, value_name = "METHOD", value_enum, group = "where")]
    pub(crate) init: Option<Init>,
    /// Rows tried for each centre of k-means++; 1 is the classic method [default: 2 + ln k]
    #[arg(long, value_name = "N")]
    pub(crate) init_trials: Option<NonZeroUsize>,
    /// Start from these centres (a table, k rows): the means of a mixture
    #[arg(long, value_name = "FILE", group = "where")]
    pub(crate) init_centers: Option<PathBuf>,
    /// Mixing weights that go with --init-centers (one column)
    #[arg(long, value_name = "FILE")]
    pub(crate) init_weights: Option<PathBuf>,
    /// Covariances that go with --init-centers (k × d × d)
    #[arg(long, value_name = "FILE.npy")]
    pub(crate) init_covariances: Option<PathBuf>,
    /// Start from this partition of the rows (labels from 0)
    #[arg(long, value_name = "FILE", group = "where")]
    pub(crate) init_labels: Option<PathBuf>,
    /// Start from this model
    #[arg(long, value_name = "MODEL", group = "where")]
    pub(crate) init_model: Option<PathBuf>,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
    /// Starts to try; the best result is kept (a start without chance is tried once)
    #[arg(long, value_name = "R", default_value = "1")]
    pub(crate) n_runs: NonZeroUsize,
    /// Go on from the best start to better optima: none, swap, breathing; at the cost of three to twelve more
    /// starts (mixtures: four to fifteen), and worth it where there are many clusters or they overlap
    #[arg(long, value_name = "HOW", default_value = "none")]
    pub(crate) search: Search,
    /// Search for this many iterations [default: until nothing is gained]
    #[arg(long, value_name = "N", value_parser = at_least_one, conflicts_with = "search_seconds")]
    pub(crate) search_iterations: Option<usize>,
    /// Search for so long; the result then depends on the clock
    #[arg(long, value_name = "S", value_parser = positive)]
    pub(crate) search_seconds: Option<f64>,
}

/// When to stop.
#[derive(Debug, Args)]
#[command(next_help_heading = "Iterations")]
pub(crate) struct IterationArgs {
    /// Stop after this many iterations; 0 evaluates the start [default: 300, and 100 for a
    /// mixture]
    #[arg(long, value_name = "N")]
    pub(crate) max_iter: Option<u64>,
    /// Fit by batches of N rows drawn from the table, an iteration each: for large tables; centres follow counts, mixtures
    /// stepwise EM [default: all rows in each iteration]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) batch_size: Option<usize>,
    /// Stop when less than this changes; 0: when nothing does [default: 1e-4, and 1e-3 for a mixture]
    #[arg(long, value_name = "T", value_parser = not_negative)]
    pub(crate) tol: Option<f64>,
    /// Stop when so many seconds have passed, after the pass that is under way, and keep what there is
    #[arg(long, value_name = "S", value_parser = positive)]
    pub(crate) time_limit: Option<f64>,
    /// Write down in this file how far the fit has come, and go on from there if it is there already; gone when all is done. The
    /// rows are read in chunks then, or taken as if they were
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Seconds from a checkpoint to the next; 0: one in each iteration [default: 60]
    #[arg(long, value_name = "S", value_parser = not_negative, requires = "checkpoint")]
    pub(crate) checkpoint_every: Option<f64>,
    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
}

/// What k-means alone has.
#[derive(Debug, Args)]
#[command(next_help_heading = "k-means")]
pub(crate) struct KMeansArgs {
    /// How to iterate: auto, lloyd, bounds, groups, prefix; auto does not iterate over one column, but finds the best clusters
    /// there are [default: auto]
    #[arg(long, value_name = "NAME")]
    pub(crate) algorithm: Option<Algorithm>,
    /// The distance: l2 (means), l1 (medians), cosine (directions), kl (counts and shares), itakura-saito (spectra), mahalanobis
    /// (by the covariance of the rows) [default: l2]
    #[arg(long, value_name = "NAME", value_parser = metric)]
    pub(crate) metric: Option<Metric>,
    /// What to do about clusters that lose all rows: farthest: take the row farthest from its centre, split-largest, keep,
    /// drop, error [default: farthest]
    #[arg(long, value_name = "POLICY")]
    pub(crate) empty: Option<Empty>,
    /// Leave out the fraction A of the rows, those farthest from all centres: they get label K
    #[arg(long, value_name = "A", value_parser = between_0_and_1, conflicts_with = "known_labels")]
    pub(crate) trim: Option<f64>,
    /// Give each cluster at least N rows; a row of weight w is w rows
    #[arg(long, value_name = "N", conflicts_with_all = ["trim", "known_labels"])]
    pub(crate) min_size: Option<usize>,
    /// Give each cluster at most N rows [and at least 1]
    #[arg(long, value_name = "N", value_parser = at_least_one, conflicts_with_all = ["trim", "known_labels"])]
    pub(crate) max_size: Option<usize>,
    /// How sizes are kept: exact, at the least sum of distances, or transfers, faster [default: exact]
    #[arg(long, value_name = "NAME")]
    pub(crate) sizing: Option<Sizing>,
}

/// What bisecting k-means alone has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Bisecting k-means")]
pub(crate) struct BisectingArgs {
    /// Which cluster is split next: greatest-inertia, where there is most to gain, or largest, for like sizes [default:
    /// greatest-inertia]
    #[arg(long, value_name = "STRATEGY")]
    pub(crate) split: Option<SplitStrategy>,
}

/// What mixtures alone have.
#[derive(Debug, Args)]
#[command(next_help_heading = "Mixtures")]
pub(crate) struct MixtureArgs {
    /// How free the shapes are: full, tied, diag, spherical, tied-diag, tied-spherical, or a name of mclust's: EII VII EEI
    /// VEI EVI VVI EEE VEE EVE VVE EEV VEV EVV VVV [default: full]
    #[arg(long, value_name = "NAME")]
    pub(crate) covariance: Option<Covariance>,
    /// How rows are shared among components: soft, hard, stochastic, annealed [default: soft]
    #[arg(long, value_name = "RULE", value_parser = assignment)]
    pub(crate) assignment: Option<Assignment>,
    /// Share rows softly at this temperature: 1 is soft, towards 0 it is hard
    #[arg(long, value_name = "T", value_parser = positive, conflicts_with = "assignment")]
    pub(crate) temperature: Option<f64>,
    /// The temperature that --assignment annealed starts from [default: 2]
    #[arg(long, value_name = "T", value_parser = at_least_1)]
    pub(crate) anneal_from: Option<f64>,
    /// What each of its temperatures is multiplied by [default: 0.9]
    #[arg(long, value_name = "F", value_parser = between_0_and_1)]
    pub(crate) anneal_factor: Option<f64>,
    /// Where it ends: soft, hard [default: soft]
    #[arg(long, value_name = "RULE", value_parser = anneal_to)]
    pub(crate) anneal_to: Option<AnnealTo>,
    /// Let a uniform component take the rows that belong to no cluster (label K); its density is 1/VOLUME [default: that of
    /// the data]
    #[arg(long, value_name = "VOLUME", value_parser = positive)]
    pub(crate) noise: Option<Option<f64>>,
    /// How the components' densities fall off: gaussian, student [default: gaussian]
    #[arg(long, value_name = "NAME", value_parser = ["gaussian", "student"])]
    pub(crate) tails: Option<String>,
    /// The degrees of freedom of --tails student: a number, or estimated: shared, each [default: shared]
    #[arg(long, value_name = "N|RULE", value_parser = degrees)]
    pub(crate) degrees: Option<Degrees>,
    /// Fewer iterations where components overlap (SQUAREM)
    #[arg(long)]
    pub(crate) accelerate: bool,
    /// Fix the mixing weights at 1/k
    #[arg(long, conflicts_with = "init_weights")]
    pub(crate) equal_weights: bool,
    /// Fix the mixing weights at these (one column)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["init_weights", "equal_weights"])]
    pub(crate) given_weights: Option<PathBuf>,
    /// Keep what the start gives: weights, means, covariances
    #[arg(long, value_name = "A,B,…", value_enum, value_delimiter = ',')]
    pub(crate) hold: Vec<Part>,
    /// Believe rather than estimate, so that needless components lose their rows; with this prior of the weights:
    /// dirichlet, dirichlet-process
    #[arg(long, value_name = "PRIOR", value_enum, hide_possible_values = true,
          conflicts_with_all = ["temperature", "anneal_from", "anneal_factor", "anneal_to", "accelerate", "equal_weights",
                                "given_weights", "hold", "noise", "tails", "degrees", "known_labels", "collapse", "init_weights",
                                "init_covariances"])]
    pub(crate) bayesian: Option<Bayesian>,
    /// The concentration of that prior: the lower, the fewer components stay [default: 1/k]
    #[arg(long, value_name = "X", value_parser = positive)]
    pub(crate) concentration: Option<f64>,
    /// What is done about a component that collapses onto few rows: floor, shrink, prior, respawn, drop [default: floor]
    #[arg(long, value_name = "POLICY")]
    pub(crate) collapse: Option<Collapse>,
    /// Added to every variance [default: 1e-6]
    #[arg(long, value_name = "R", value_parser = not_negative)]
    pub(crate) reg_covar: Option<f64>,
}

const SELECT_EXAMPLE: &str = "\
Examples:
  miscela select faithful.csv -k 1..9
  miscela select faithful.csv -k 2,4,8 --covariance full,tied --criterion icl -o model.json
  miscela select faithful.csv -m kmeans -k 1..9 --criterion gap

The table shows the criterion: * marks the best, ! what cannot be chosen and says why, ? what has not converged.";

/// From where each number of components starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SelectInit {
    /// A tree of clusters cut at each k, as mclust does
    Hierarchical,
    /// From k-means
    Kmeans,
}

#[derive(Debug, Args)]
#[command(after_help = SELECT_EXAMPLE)]
pub(crate) struct SelectArgs {
    /// The table
    pub(crate) data: PathBuf,
    /// What to fit
    #[arg(short, long, value_enum, default_value = "gmm")]
    pub(crate) method: Method,
    /// The numbers of components or clusters: 1..9 (both inclusive) or 2,4,8
    #[arg(short, value_name = "K", value_parser = ks)]
    pub(crate) k: Ks,
    /// The structures of the covariances: all, or names as full,tied,VEI [default: all]
    #[arg(long, value_name = "NAMES", value_parser = structures)]
    pub(crate) covariance: Option<Structures>,
    /// By what the best is chosen: bic, aic, icl, held-out; for kmeans silhouette, gap, calinski-harabasz, davies-bouldin,
    /// elbow [default: bic, and silhouette for kmeans]
    #[arg(long, value_name = "NAME")]
    pub(crate) criterion: Option<String>,
    /// Parts of the rows of which each is held out once [default: 5]
    #[arg(long, value_name = "N", value_parser = at_least_two)]
    pub(crate) folds: Option<usize>,
    /// Keep the best model in this file (.json or .cbor)
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) output: Option<PathBuf>,
    /// Draw the criterion over the number of components, a line for each structure, or for kmeans inertia, silhouette and gap
    /// (.svg or .png)
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,

    #[command(flatten)]
    pub(crate) columns: ColumnArgs,
    /// Weights of the rows: a column, or a file of one column
    #[arg(long, value_name = "COLUMN|FILE", help_heading = "Table")]
    pub(crate) weights: Option<String>,
    /// Compute in this type of number [default: that of the file; CSV is f64]
    #[arg(long, value_enum, help_heading = "Table")]
    pub(crate) dtype: Option<Dtype>,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
    #[command(flatten)]
    pub(crate) scaling: ScalingArgs,
    /// What to do about missing values (empty, NA, NaN): error, or marginal: fit to the values that are there
    #[arg(long, value_name = "RULE", default_value = "error", value_parser = missing, help_heading = "Table")]
    pub(crate) missing: Missing,

    /// Where each number of components starts, whatever the structure [default: hierarchical; k-means++ for kmeans]
    #[arg(long, value_name = "METHOD", value_enum, help_heading = "Start")]
    pub(crate) init: Option<SelectInit>,
    /// Starts of each model; of a mixture those after the first are from k-means [default: 1, and 4 for kmeans]
    #[arg(long, value_name = "R", help_heading = "Start")]
    pub(crate) n_runs: Option<NonZeroUsize>,
    /// Start each structure from the fits of its special cases too
    #[arg(long, help_heading = "Start")]
    pub(crate) warm: bool,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 42, help_heading = "Start")]
    pub(crate) seed: u64,

    /// Stop each fit after this many iterations [default: 1000, and 300 for kmeans]
    #[arg(long, value_name = "N", help_heading = "Iterations")]
    pub(crate) max_iter: Option<u64>,
    /// Stop each fit when the mean log-likelihood rises, or centres move, by less [default: 1e-8, and 1e-4 for kmeans]
    #[arg(long, value_name = "T", value_parser = not_negative, help_heading = "Iterations")]
    pub(crate) tol: Option<f64>,
    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
    /// Fix the mixing weights at 1/k
    #[arg(long, help_heading = "Mixtures")]
    pub(crate) equal_weights: bool,
    /// Added to every variance [default: 0]
    #[arg(long, value_name = "R", value_parser = not_negative, help_heading = "Mixtures")]
    pub(crate) reg_covar: Option<f64>,

    /// Sets without clusters that the gap is taken from; 0: no gap [default: 20]
    #[arg(long, value_name = "B", help_heading = "K-means")]
    pub(crate) references: Option<usize>,
    /// The box that these are drawn from, along principal axes or columns [default: principal-axes]
    #[arg(long, value_name = "BOX", value_enum, help_heading = "K-means")]
    pub(crate) reference_box: Option<ReferenceBox>,
    /// Take silhouettes of at most so many rows, a sample [default: 10000]
    #[arg(long, value_name = "N", value_parser = at_least_two, help_heading = "K-means")]
    pub(crate) silhouette_rows: Option<usize>,
}

/// The box that reference sets are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReferenceBox {
    PrincipalAxes,
    Columns,
}

const PREDICT_EXAMPLE: &str = "\
Examples:
  miscela predict model.json more.csv -o labels.csv
  miscela predict model.json more.csv --id name --proba --log-density
  miscela predict tree.json more.csv --cut 4 -o labels.csv --plot clusters.svg";

#[derive(Debug, Args)]
#[command(after_help = PREDICT_EXAMPLE)]
pub(crate) struct PredictArgs {
    /// The model
    pub(crate) model: PathBuf,
    /// The table; its columns are found by the model's names for them, else taken in order
    pub(crate) data: PathBuf,
    /// The probability of each component, p0, p1, …, instead of labels
    #[arg(long)]
    pub(crate) proba: bool,
    /// The logarithm of the mixture's density at each row: log_density, instead of labels
    #[arg(long)]
    pub(crate) log_density: bool,
    /// One less the greatest probability of each row: uncertainty, instead of labels
    #[arg(long)]
    pub(crate) uncertainty: bool,
    #[command(flatten)]
    pub(crate) cut: CutArgs,
    /// Write this column first
    #[arg(long, value_name = "COLUMN", conflicts_with = "append")]
    pub(crate) id: Option<String>,
    /// Write all columns of the table first
    #[arg(long)]
    pub(crate) append: bool,
    /// Write to this table instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Draw the rows by their labels too, as fit does (.svg or .png)
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
    #[command(flatten)]
    pub(crate) columns: ColumnArgs,
    #[command(flatten)]
    pub(crate) missing: MissingArgs,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
}

const SCORE_EXAMPLE: &str = "\
Example:
  miscela score model.json held-out.csv --json";

#[derive(Debug, Args)]
#[command(after_help = SCORE_EXAMPLE)]
pub(crate) struct ScoreArgs {
    /// The model
    pub(crate) model: PathBuf,
    /// The table; its columns are found by the model's names for them, else taken in order
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) cut: CutArgs,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
    #[command(flatten)]
    pub(crate) columns: ColumnArgs,
    /// Weights of the rows: a column, or a file of one column
    #[arg(long, value_name = "COLUMN|FILE", help_heading = "Table")]
    pub(crate) weights: Option<String>,
    #[command(flatten)]
    pub(crate) missing: MissingArgs,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
}

const REPORT_EXAMPLE: &str = "\
Example:
  miscela fit faithful.csv -m gmm -k 2 -o model.json
  miscela report model.json faithful.csv -o page.html

The page is one file that loads nothing, of less than 2 MB however many rows there are: a sample of them is drawn as points.
It shows these points, names of columns, and the commands of model and page, with names of files.";

#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLE)]
pub(crate) struct ReportArgs {
    /// The model
    pub(crate) model: PathBuf,
    /// The table; its columns are found by the model's names for them, else taken in order
    pub(crate) data: PathBuf,
    /// Write the page to this file (.html)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) cut: CutArgs,
    /// Seed of the sample of rows that are drawn
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
    #[command(flatten)]
    pub(crate) columns: ColumnArgs,
    /// Weights of the rows: a column, or a file of one column
    #[arg(long, value_name = "COLUMN|FILE", help_heading = "Table")]
    pub(crate) weights: Option<String>,
    #[command(flatten)]
    pub(crate) missing: MissingArgs,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
}

const METRICS_EXAMPLE: &str = "\
Examples:
  miscela metrics --labels labels.csv --truth species.csv
  miscela metrics --labels labels.csv --data iris.csv --json --plot silhouette.svg
  miscela metrics --labels labels.csv --data large.npy --sample 5000

Silhouette and Dunn index look at all pairs of rows, and at compact clusters only; Calinski-Harabasz and Davies-Bouldin know
clusters by their centroids; ARI is led by large clusters; NMI and V grow with the number of clusters, ARI and AMI do not.";

#[derive(Debug, Args)]
#[command(after_help = METRICS_EXAMPLE)]
pub(crate) struct MetricsArgs {
    /// The labels: one column of whole numbers, or the column label of a table
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: PathBuf,
    /// Labels to compare with: ARI, AMI, NMI, homogeneity, completeness, V, Fowlkes-Mallows, variation of information
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,
    /// The rows that were labelled: silhouette, Calinski-Harabasz, Davies-Bouldin, Dunn, inertia
    #[arg(long, value_name = "DATA")]
    pub(crate) data: Option<PathBuf>,
    /// The distance of silhouette and Dunn index: l2, sqeuclidean, l1, linf, cosine, kl, itakura-saito
    #[arg(long, value_name = "NAME", default_value = "l2", value_parser = measured, requires = "data")]
    pub(crate) metric: AnyDistance,
    /// Estimate the silhouette from this many rows, with its standard error; and leave out the Dunn index
    #[arg(long, value_name = "N", value_parser = at_least_two, requires = "data")]
    pub(crate) sample: Option<usize>,
    /// Seed of that sample
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
    /// Draw the silhouette of every row (.svg or .png)
    #[arg(long, value_name = "FILE", requires = "data", conflicts_with = "sample")]
    pub(crate) plot: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
    #[command(flatten)]
    pub(crate) columns: ColumnArgs,
    /// Weights of the rows, as copies of them: a column of the data, or a file of one column
    #[arg(long, value_name = "COLUMN|FILE", help_heading = "Table")]
    pub(crate) weights: Option<String>,
}

const IMPUTE_EXAMPLE: &str = "\
Example:
  miscela fit holes.csv -m gmm -k 3 --missing marginal -o model.json
  miscela impute model.json holes.csv -o whole.csv";

#[derive(Debug, Args)]
#[command(after_help = IMPUTE_EXAMPLE)]
pub(crate) struct ImputeArgs {
    /// The model: a mixture fills in what it expects given the rest of the row, k-means the centre's value
    pub(crate) model: PathBuf,
    /// The table; its columns are found by the model's names for them, else taken in order
    pub(crate) data: PathBuf,
    /// Write to this table instead of standard output; all else in it stays as it is
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
    #[command(flatten)]
    pub(crate) columns: ColumnArgs,
}

const SAMPLE_EXAMPLE: &str = "\
Example:
  miscela sample mixture.json -n 1000 --seed 7 -o points.csv";

#[derive(Debug, Args)]
#[command(after_help = SAMPLE_EXAMPLE)]
pub(crate) struct SampleArgs {
    /// The model, a mixture
    pub(crate) model: PathBuf,
    /// Rows to draw
    #[arg(short, value_name = "N", value_parser = at_least_one)]
    pub(crate) n: usize,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
    /// Write to this table instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write the component that each row was drawn from to this table
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

/// A method to find the centres that the page starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlayInit {
    /// k distinct rows
    Random,
    /// Rows far from each other
    #[value(name = "k-means++")]
    PlusPlus,
}

const PLAY_EXAMPLE: &str = "\
Examples:
  miscela play
  miscela play measurements.csv --columns length,width -k 3
  miscela play faithful.csv --export page.html

The page is served on 127.0.0.1 alone, at an address that holds a random token and is printed; whoever knows it can use it, until
Ctrl-C ends the command. An exported page is one file of less than 2 MB that needs no server and loads nothing.";

#[derive(Debug, Args)]
#[command(after_help = PLAY_EXAMPLE)]
pub(crate) struct PlayArgs {
    /// A table of two columns, or of more with --columns A,B; shown in standard deviations [default: sets that are built in]
    pub(crate) data: Option<PathBuf>,
    /// The number of components to begin with, from 1 to 8
    #[arg(short, value_name = "K", default_value = "4", value_parser = at_least_one)]
    pub(crate) k: usize,
    /// How to find the centres to begin with
    #[arg(long, value_name = "METHOD", value_enum, default_value = "k-means++")]
    pub(crate) init: PlayInit,
    /// Seed of the random numbers to begin with
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
    /// Serve on this port [default: one that is free]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true, conflicts_with = "export")]
    pub(crate) port: u16,
    /// Serve nothing: write the page to this file (.html), with every step on the way computed beforehand
    #[arg(long, value_name = "FILE")]
    pub(crate) export: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
    #[command(flatten)]
    pub(crate) columns: ColumnArgs,
}

const INFO_EXAMPLE: &str = "\
Example:
  miscela info model.json";

#[derive(Debug, Args)]
#[command(after_help = INFO_EXAMPLE)]
pub(crate) struct InfoArgs {
    /// The model
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

const CONVERT_EXAMPLE: &str = "\
Formats, by the ending:
  .json .cbor   miscela's own, the whole model
  .npz          the arrays of scikit-learn's KMeans or GaussianMixture; read and written
  .onnx         a graph for onnxruntime and its like; written only
  .pmml         a ClusteringModel for scoring engines, of k-means; written only

Examples:
  miscela convert model.json -o model.cbor
  miscela convert model.json -o model.onnx
  miscela convert sklearn.npz -o model.json";

#[derive(Debug, Args)]
#[command(after_help = CONVERT_EXAMPLE)]
pub(crate) struct ConvertArgs {
    /// The model: .json, .cbor, or .npz of scikit-learn's arrays
    pub(crate) model: PathBuf,
    /// The file to write; its ending is the format: .json, .cbor, .npz, .onnx or .pmml
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use miscela::prelude::*;

    #[test]
    fn the_definitions_hold_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_of_fit_knows_the_defaults_of_the_library() {
        let (kmeans, mixture) = (KMeans::<f64>::params(1), GaussianMixture::<f64>::params(1));
        let (kmeans, mixture) = (kmeans.check().unwrap(), mixture.check().unwrap());
        let help = |id: &str| {
            let command = Arguments::command();
            let fit = command.find_subcommand("fit").unwrap();
            fit.get_arguments().find(|arg| arg.get_id() == id).unwrap().get_help().unwrap().to_string()
        };
        let limits = (kmeans.max_n_iterations(), mixture.max_n_iterations());
        let expected = format!("[default: {}, and {} for a mixture]", limits.0, limits.1);
        assert!(help("max_iter").contains(&expected), "{expected}");
        let tolerances = (kmeans.tolerance(), mixture.tolerance());
        assert!(help("tol").contains(&format!("[default: {:e}, and {:e} for a mixture]", tolerances.0, tolerances.1)));
        assert!(help("reg_covar").contains(&format!("[default: {:e}]", mixture.reg_covariance())));
    }

    #[test]
    fn the_help_of_fit_knows_all_names() {
        let command = Arguments::command();
        let fit = command.find_subcommand("fit").unwrap();
        let knows = |id: &str, names: &mut dyn Iterator<Item = &'static str>| {
            let help = fit.get_arguments().find(|arg| arg.get_id() == id).unwrap().get_help().unwrap().to_string();
            names.for_each(|name| assert!(help.contains(name), "{help}: {name}"));
        };
        knows("algorithm", &mut Algorithm::ALL.into_iter().map(Algorithm::name));
        knows("empty", &mut Empty::ALL.into_iter().map(Empty::name));
        knows("sizing", &mut Sizing::ALL.into_iter().map(Sizing::name));
        knows("split", &mut SplitStrategy::ALL.into_iter().map(SplitStrategy::name));
        knows("order", &mut CanonicalOrder::ALL.into_iter().map(CanonicalOrder::name));
        knows("collapse", &mut Collapse::ALL.into_iter().map(Collapse::name));
        knows(
            "covariance",
            &mut Covariance::all().flat_map(|covariance| [covariance.name(), covariance.mclust_name()]),
        );
    }

    #[test]
    fn every_command_shows_an_example() {
        for command in Arguments::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("miscela {} ", command.get_name())), "{help}");
        }
    }
}
