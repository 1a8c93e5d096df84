//! What a distance asks of rows.

/// What a row must satisfy for a distance to be defined on it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainError {
    /// The row has no direction.
    #[error(
        "row {row} is all zeros, and the cosine of an angle to it is undefined; remove such rows or use another distance"
    )]
    ZeroRow {
        /// 0-based row.
        row: usize,
    },
    /// The distance needs numbers that are not negative.
    #[error(
        "row {row}, column {column} is {value}; this distance is defined for numbers that are not negative, so remove such rows or use another distance"
    )]
    Negative {
        /// 0-based row.
        row: usize,
        /// 0-based column.
        column: usize,
        /// The value.
        value: f64,
    },
    /// The distance needs positive numbers.
    #[error(
        "row {row}, column {column} is {value}; this distance is defined for positive numbers, so remove such rows or use another distance"
    )]
    NotPositive {
        /// 0-based row.
        row: usize,
        /// 0-based column.
        column: usize,
        /// The value.
        value: f64,
    },
    /// The distance was made for rows of another width.
    #[error("the distance is defined for {expected} columns, and the rows have {got}; make it from rows of this width")]
    Width {
        /// Columns the distance knows.
        expected: usize,
        /// Columns of the rows.
        got: usize,
    },
    /// The order of an Lp distance that was not made here is not one of a metric.
    #[error(transparent)]
    Order(#[from] crate::LpError),
}
