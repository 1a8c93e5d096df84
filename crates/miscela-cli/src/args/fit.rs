//! The arguments of `fit`.

use super::shared::{AnswerArgs, ColumnArgs, Dtype, MemoryArgs, Method, ScalingArgs, ThreadArgs};
use crate::values::{
    Metric, anneal_to, assignment, at_least_1, at_least_one, between_0_and_1, degrees, metric, missing, not_negative,
    positive,
};
use clap::{Args, ValueEnum};
use miscela::{
    Algorithm, AnnealTo, Assignment, CanonicalOrder, Collapse, Covariance, Degrees, Empty, Missing, Search, Sizing,
    SplitStrategy,
};
use std::num::NonZeroUsize;
use std::path::PathBuf;

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
    /// How to iterate: auto, lloyd, bounds, groups, tree, prefix; auto does not iterate over one column, but finds the best clusters
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
