//! What can go wrong with k-means.

use super::KMeansCriterion;
use crate::known::KnownLabelsError;
use crate::search::SearchError;
use crate::squares::SquaresError;
use miscela_distance::{DomainError, MahalanobisError};
use miscela_em::{Algorithm, SizesError, WorkError};
use miscela_init::SeedingError;
use miscela_kernel::SamplesError;
use miscela_metrics::MetricsError;
use miscela_persist::PersistError;

/// A parameter of k-means that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KMeansParamsError {
    /// No clusters.
    #[error("n_clusters cannot be 0")]
    NClusters,
    /// More clusters than the kernels can number.
    #[error("n_clusters cannot be more than {most}, and is {0}", most = miscela_kernel::MAX_CENTROIDS)]
    TooManyClusters(usize),
    /// No runs.
    #[error("n_runs cannot be 0")]
    NRuns,
    /// No number of clusters to select from.
    #[error("there is nothing to select from; give at least one number of clusters")]
    NothingToSelect,
    /// What belongs to a single fit.
    #[error("a selection does not take {0}; fit the numbers of clusters one by one")]
    NotSelected(&'static str),
    /// Silhouettes of too few rows to know their error.
    #[error("silhouettes must be of at least 2 rows, not {0}")]
    SilhouetteRows(usize),
    /// A tolerance below zero or not finite.
    #[error("tolerance must be a finite number, zero or greater, not {0}")]
    Tolerance(f64),
    /// A shortcut that known labels leave no room for.
    #[error(
        "algorithm {0} passes over rows by their nearest centre, and rows of known label may have another; use auto or lloyd"
    )]
    KnownLabels(Algorithm),
    /// A fraction of the rows that is none.
    #[error("the fraction of rows to trim must be from 0 to below 1, and is {0}")]
    Trim(f64),
    /// Bounds between which there is no size.
    #[error(
        "clusters of at least {0} and at most {1} rows cannot be; the minimal size must not exceed the maximal one, which must be at least 1"
    )]
    Sizes(usize, usize),
    /// Rows to be left out, and sizes that count them.
    #[error("rows cannot be trimmed and clusters be kept to their sizes at once; leave trim or the sizes out")]
    TrimSizes,
    /// Rows of known label, where it is decided over all rows where they go.
    #[error("rows of known label have no part in trimming and bounded sizes; leave the one or the other out")]
    KnownTogether,
    /// A shortcut, where every row has to be looked at.
    #[error("algorithm {0} passes over rows, and trimming and bounded sizes look at all of them; use auto or lloyd")]
    EveryRow(Algorithm),
    /// Centres that every split would start from.
    #[error("each split starts from two rows of its own cluster, and centres cannot be given; say how rows are found")]
    GivenSplits,
    /// A search that makes no sense.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// Batches of no rows.
    #[error("the size of batches cannot be 0")]
    BatchSize,
    /// Batches, and something that is about all rows.
    #[error("{0} is decided over all rows at once, and a batch is only some of them; leave that out, or the batches")]
    NotByBatches(&'static str),
    /// A part of the rows that is none.
    #[error("the part of its rows that a centre remembers must be above 0 and at most 1, and is {0}")]
    Memory(f64),
    /// A fraction of the largest count that is none.
    #[error("the ratio below which centres are re-seeded must be from 0 to below 1, and is {0}")]
    ReassignmentRatio(f64),
    /// No threads.
    #[error("the number of threads cannot be 0")]
    NThreads,
    /// Missing values, and a distance that is not known over some of the columns.
    #[error("missing values can only be left out of Euclidean distances; fill them, or use L2")]
    Missing,
}

/// An error in fitting or using k-means.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KMeansError {
    /// A parameter makes no sense.
    #[error("invalid hyperparameter: {0}")]
    InvalidParams(#[from] KMeansParamsError),
    /// The rows or weights are at fault.
    #[error(transparent)]
    Samples(#[from] SamplesError),
    /// The number type does not hold the squares of the rows' deviations.
    #[error(transparent)]
    Squares(#[from] SquaresError),
    /// There are fewer rows than clusters.
    #[error(
        "{n_clusters} clusters were asked for, more than the number of rows, {n_samples}; ask for at most that many"
    )]
    TooFewSamples {
        /// Rows.
        n_samples: usize,
        /// Clusters asked for.
        n_clusters: usize,
    },
    /// No cluster is left that can be split.
    #[error(
        "{n_clusters} clusters were asked for and splitting ends at {most}, with rows in each that are not distinct or that the distance does not tell apart; ask for at most {most}"
    )]
    TooFewGroups {
        /// Clusters asked for.
        n_clusters: usize,
        /// Clusters that there can be.
        most: usize,
    },
    /// A tree of clusters has no cut into so many.
    #[error("a cut into {n_clusters} clusters was asked for, and the tree has cuts into 1 to {most}")]
    Cut {
        /// Clusters asked for.
        n_clusters: usize,
        /// Leaves of the tree.
        most: usize,
    },
    /// Clusters cannot have the sizes asked for.
    #[error(transparent)]
    Sizes(#[from] SizesError),
    /// Known labels are at fault.
    #[error(transparent)]
    KnownLabels(#[from] KnownLabelsError),
    /// A criterion has a value for no number of clusters.
    #[error("no number of clusters can be chosen by {criterion}: {why}")]
    NothingSelected {
        /// The criterion.
        criterion: KMeansCriterion,
        /// What it needs, or what is wrong with the first fit.
        why: String,
    },
    /// A clustering could not be measured.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// No start could be found.
    #[error(transparent)]
    Seeding(#[from] SeedingError),
    /// The distance is not defined on the rows.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// The covariance that the distance was to be made of is none.
    #[error(transparent)]
    Mahalanobis(#[from] MahalanobisError),
    /// The centres cannot be learnt batch by batch.
    #[error(
        "the centres of this distance are not means, and only means can be learnt batch by batch; fit all rows at once"
    )]
    NeedsRows,
    /// Something was asked for that is about all rows.
    #[error("{0} is decided over all rows at once, and a batch is only some of them; use `fit`, or leave it out")]
    NeedsAllRows(&'static str),
    /// A cluster lost all its rows, which was not to be.
    #[error(
        "cluster {cluster} has no row after iteration {iteration}; ask for fewer clusters, start elsewhere, or choose what becomes of empty clusters (empty: farthest, split-largest, keep, drop)"
    )]
    EmptyCluster {
        /// The 0-based cluster.
        cluster: usize,
        /// The iteration, from 1; 0 is the start.
        iteration: usize,
    },
    /// Batches have missing values.
    #[error(
        "centres cannot be learnt batch by batch from rows with missing values; fill them, or fit all rows at once"
    )]
    MissingInBatch,
    /// The model to go on with has another number of clusters.
    #[error("the model has {got} clusters and the parameters ask for {expected}; go on with the number it has")]
    ClusterCount {
        /// Clusters asked for.
        expected: usize,
        /// Clusters of the model.
        got: usize,
    },
    /// The rows have another number of columns than the model.
    #[error("the model was fitted on {expected} columns and the rows have {got}; give the same columns")]
    FeatureCount {
        /// Columns of the model.
        expected: usize,
        /// Columns of the rows.
        got: usize,
    },
    /// The rows are elsewhere and could not be had, or cannot be had all at once.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// A model file could not be read or written.
    #[error(transparent)]
    Persist(#[from] PersistError),
    /// An error of linfa's.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

/// An error in fitting k-means batch by batch, with linfa's convention: a model that has not settled comes back in
/// `NotConverged`, to be handed the next batch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IncrKMeansError<M: std::fmt::Debug> {
    /// A parameter makes no sense.
    #[error("invalid hyperparameter: {0}")]
    InvalidParams(#[from] KMeansParamsError),
    /// The centres still moved by more than the tolerance. No failure: go on with this model.
    #[error("the algorithm has not yet converged; go on with the next batch")]
    NotConverged(M),
    /// The batch could not be used.
    #[error(transparent)]
    Fit(#[from] KMeansError),
    /// An error of linfa's.
    #[error(transparent)]
    LinfaError(#[from] linfa::Error),
}
