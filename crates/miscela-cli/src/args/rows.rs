//! The arguments of commands that take rows to a model or a clustering.

use super::shared::{AnswerArgs, ColumnArgs, CutArgs, MemoryArgs, MissingArgs, ThreadArgs};
use crate::values::{at_least_two, measured};
use clap::Args;
use miscela::AnyDistance;
use std::path::PathBuf;

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
    /// Call rows by this column, which is none of the model's
    #[arg(long, value_name = "COLUMN")]
    pub(crate) id: Option<String>,
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
