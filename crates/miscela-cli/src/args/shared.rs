//! Arguments that several commands have.

use crate::memory;
use crate::values::{at_least_one, missing};
use clap::{Args, ValueEnum};
use miscela::Missing;
use std::num::NonZeroUsize;

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

/// What to do to the columns before.
#[derive(Debug, Args)]
#[command(next_help_heading = "Table")]
pub(crate) struct ScalingArgs {
    /// Centre each column and divide it by its standard deviation before the fit; the model remembers it and takes rows as they
    /// are. Leave it out where all columns have one unit
    #[arg(long)]
    pub(crate) standardize: bool,
}
