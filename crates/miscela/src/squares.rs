//! Whether the number type holds the squares that fits are made of.

use crate::Float;
use miscela_em::Summary;
use miscela_kernel::Samples;

/// Squared deviations of the rows that the number type does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SquaresError {
    /// They overflow.
    #[error("the rows lie so far apart that {0} does not hold squares of it; divide all columns by a large number")]
    TooLarge(&'static str),
    /// They vanish, and with them what tells rows apart.
    #[error(
        "the rows lie so near to each other that {0} does not hold squares of it; multiply all columns by a large number"
    )]
    TooSmall(&'static str),
}

/// Checks that the variance of the rows, summed over columns, is a normal number, or zero because no two rows `differ`.
pub(crate) fn check_squares<F: Float>(summary: &Summary, differ: impl FnOnce() -> bool) -> Result<(), SquaresError> {
    let name = <F as miscela_kernel::Float>::NAME;
    let [least, most] = [F::min_positive_value(), F::max_value()].map(miscela_kernel::Float::widen);
    let square: f64 = summary.variance.iter().sum();
    // No number is what is left of sums that overflowed.
    if square.is_nan() || square > most {
        return Err(SquaresError::TooLarge(name));
    }
    if square < least && (square > 0.0 || differ()) {
        return Err(SquaresError::TooSmall(name));
    }
    Ok(())
}

/// An objective that squares have made infinite, or no number, is none.
pub(crate) fn check_objective<F: Float>(objective: f64) -> Result<(), SquaresError> {
    if objective.is_finite() { Ok(()) } else { Err(SquaresError::TooLarge(<F as miscela_kernel::Float>::NAME)) }
}

/// Whether two rows that count are not the same.
pub(crate) fn differ<F: Float>(samples: &Samples<F>) -> bool {
    let rows = samples.rows();
    let mut counting = rows.outer_iter().enumerate().filter(|(i, _)| samples.weight(*i) > 0.0);
    let first = counting.next();
    first.is_some_and(|(_, first)| counting.any(|(_, row)| row != first))
}
