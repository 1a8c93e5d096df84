//! What can go wrong with a measure.

use miscela_distance::DomainError;
use miscela_kernel::SamplesError;

/// Why a clustering cannot be measured.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// The rows or weights are at fault.
    #[error(transparent)]
    Samples(#[from] SamplesError),
    /// The distance is not defined on the rows.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// The number of labels is not the number of rows, or not that of the other labels.
    #[error("{got} labels for {expected} rows; give one label a row")]
    LabelCount {
        /// Rows.
        expected: usize,
        /// Labels.
        got: usize,
    },
    /// One cluster, or as many as there are rows.
    #[error(
        "there are {n_clusters} clusters of rows that weigh {weight} in all; this measure needs at least 2 clusters, and fewer than that weight (rows, where each weighs 1)"
    )]
    ClusterCount {
        /// Clusters with a row that counts.
        n_clusters: usize,
        /// What all rows weigh; their number where each weighs 1.
        weight: f64,
    },
    /// A sample too small to state its error, or larger than the table.
    #[error("a sample of {size} rows cannot be taken; take at least 2, and at most all {most} rows that count")]
    SampleSize {
        /// Rows asked for.
        size: usize,
        /// Rows of positive weight.
        most: usize,
    },
    /// A measure of counts, and weights that are none.
    #[error(
        "the weights of a cluster sum to {0}, and this measure counts rows by chance; give weights that are whole numbers"
    )]
    Fractional(f64),
    /// Centres of different width.
    #[error("some centres have {expected} columns and the others {got}; give centres of the same columns")]
    ColumnCount {
        /// Columns of the first.
        expected: usize,
        /// Columns of the second.
        got: usize,
    },
}
