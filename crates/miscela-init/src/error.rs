//! Why there are no centres to start from.

use miscela_distance::DomainError;
use miscela_kernel::SamplesError;

/// Why a [`Seeding`](crate::Seeding) found no centres.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SeedingError {
    /// k is 0.
    #[error("0 centres were asked for; ask for at least one")]
    NoCentres,
    /// k is more than there are rows.
    #[error("{k} centres were asked for and there are only {n_rows} rows; ask for at most {n_rows}")]
    TooFewRows {
        /// n
        n_rows: usize,
        /// k
        k: usize,
    },
    /// k is more than there are different rows that count.
    #[error(
        "{k} centres were asked for and only {distinct} rows of positive weight are distinct; ask for at most {distinct}"
    )]
    TooFewDistinct {
        /// The number of different rows of positive weight.
        distinct: usize,
        /// k
        k: usize,
    },
    /// The given centres are too many, too few, or of another width than the rows.
    #[error(
        "the given centres are {} × {} and must be {} × {}: a row for each centre, a column for each column of the data",
        got.0, got.1, expected.0, expected.1
    )]
    Shape {
        /// (k, d)
        expected: (usize, usize),
        /// (rows, columns) of the given centres.
        got: (usize, usize),
    },
    /// A given centre is NaN or infinite.
    #[error("given centre {centre}, column {column} is {value}, not a finite number")]
    NotFinite {
        /// 0-based centre.
        centre: usize,
        /// 0-based column.
        column: usize,
        /// The value.
        value: f64,
    },
    /// k-means++ was told to try no candidates.
    #[error("k-means++ was given 0 trials; give 1 for the classic method or more for the greedy one")]
    NoTrials,
    /// k-means‖ was told to draw nothing.
    #[error("k-means|| was given an oversampling of {0}; it must be a positive finite number")]
    Oversampling(f64),
    /// Numbers overflow when they are squared.
    #[error("the rows hold numbers that are too large to be squared; rescale the columns")]
    TooLarge,
    /// The distance is not defined on a row.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// The distance is not defined on a given centre.
    #[error("of the given centres, {0}")]
    CentreDomain(DomainError),
    /// The rows that stand for the others, or their weights, are out of range.
    #[error(transparent)]
    Samples(#[from] SamplesError),
}
