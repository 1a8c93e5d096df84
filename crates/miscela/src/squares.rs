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

#[cfg(test)]
mod tests {
    use super::SquaresError::{TooLarge, TooSmall};
    use super::*;
    use miscela_kernel::Threads;
    use ndarray::array;

    /// What is said of two rows that lie so far apart.
    fn apart<F: Float>(distance: F) -> Result<(), SquaresError> {
        let rows = array![[F::zero()], [distance]];
        let samples = Samples::new(&rows).unwrap();
        check_squares::<F>(&Summary::of(&samples, Threads::One), || differ(&samples))
    }

    #[test]
    fn squares_are_held_between_the_limits_of_the_type() {
        for distance in [1e-150, 1.0, 1e150] {
            assert_eq!(apart::<f64>(distance), Ok(()));
        }
        for distance in [1e-18, 1.0, 1e18] {
            assert_eq!(apart::<f32>(distance), Ok(()));
        }
    }

    #[test]
    fn squares_beyond_the_limits_are_refused() {
        for distance in [1e155, 1e300, f64::MAX] {
            assert_eq!(apart::<f64>(distance), Err(TooLarge("f64")));
        }
        for distance in [1e-155, 1e-200, 1e-300, 5e-324] {
            assert_eq!(apart::<f64>(distance), Err(TooSmall("f64")), "{distance:e}");
        }
        assert_eq!(apart::<f32>(1e20), Err(TooLarge("f32")));
        assert_eq!(apart::<f32>(1e-20), Err(TooSmall("f32")));
    }

    #[test]
    fn missing_values_hide_no_overflow() {
        let rows = array![[f64::NAN, -1.6e307], [1.0, 2.0], [3.0, 2.0]];
        let summary = Summary::of(&Samples::with_missing(&rows, None).unwrap(), Threads::One);
        assert_eq!(check_squares::<f64>(&summary, || true), Err(TooLarge("f64")));
    }

    #[test]
    fn equal_rows_have_no_squares_that_could_vanish() {
        assert_eq!(apart::<f64>(0.0), Ok(()));
    }

    #[test]
    fn rows_of_no_weight_do_not_differ() {
        let rows = array![[1.0, 2.0], [1.0, 3.0], [1.0, 2.0]];
        let weighted = |weights: [f64; 3]| differ(&Samples::weighted(&rows, weights.to_vec()).unwrap());
        assert!(weighted([1.0, 1.0, 1.0]));
        assert!(!weighted([1.0, 0.0, 1.0]));
        assert!(weighted([0.0, 1.0, 1.0]));
        assert!(!weighted([0.0, 1.0, 0.0]));
    }

    #[test]
    fn objectives_are_numbers() {
        assert_eq!(check_objective::<f64>(1.0), Ok(()));
        for objective in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(check_objective::<f32>(objective), Err(TooLarge("f32")));
        }
    }
}
