//! The arguments of `select`.

use super::shared::{AnswerArgs, ColumnArgs, Dtype, MemoryArgs, Method, ScalingArgs, ThreadArgs};
use crate::select::{Ks, Structures, ks, structures};
use crate::values::{at_least_two, missing, not_negative};
use clap::{Args, ValueEnum};
use miscela::Missing;
use std::num::NonZeroUsize;
use std::path::PathBuf;

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
