//! The arguments of commands that take a model alone.

use super::shared::AnswerArgs;
use crate::values::at_least_one;
use clap::Args;
use std::path::PathBuf;

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
