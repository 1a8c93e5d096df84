//! The Itakura–Saito divergence, Σ a/b − ln(a/b) − 1, of a row a from a centre b.
//!
//! It is defined for positive numbers and knows ratios only: a spectrum and a louder copy of it are as far apart whatever
//! their level (Itakura & Saito 1968). Being the Bregman divergence of −ln x, it is least in its second argument at the mean
//! (Banerjee et al. 2005). It is neither symmetric nor a metric. Not for data with zeros.
//!
//! Near a = b the formula loses all digits; a series takes its place there, as for the Kullback–Leibler divergence.

use crate::{CentreRule, Centred, Distance, DomainError};
use miscela_kernel::{Block, Float};

/// Σ a/b − ln(a/b) − 1, of a row a from a centre b: neither symmetric nor a metric.
///
/// ```
/// use miscela_distance::{Distance, ItakuraSaito};
/// assert_eq!(ItakuraSaito.distance(&[2.0, 3.0], &[2.0, 3.0]), 0.0);
/// assert_eq!(ItakuraSaito.distance(&[2.0], &[1.0]), ItakuraSaito.distance(&[20.0], &[10.0]));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ItakuraSaito;

impl<F: Float> Distance<F> for ItakuraSaito {
    fn distance(&self, a: &[F], b: &[F]) -> f64 {
        a.iter().zip(b).map(|(a, b)| term(a.widen(), b.widen())).sum()
    }

    fn check(&self, rows: &Block<F>) -> Result<(), DomainError> {
        for (i, row) in rows.rows().enumerate() {
            if let Some(column) = row.iter().position(|x| *x <= F::zero()) {
                return Err(DomainError::NotPositive { row: rows.first() + i, column, value: row[column].widen() });
            }
        }
        Ok(())
    }
}

impl<F: Float> Centred<F> for ItakuraSaito {
    fn centre_rule(&self) -> CentreRule {
        CentreRule::Mean
    }
}

/// a/b − ln(a/b) − 1 ≥ 0.
fn term(a: f64, b: f64) -> f64 {
    if (a - b).abs() < 0.1 * (a + b) {
        return near((a - b) / (a + b));
    }
    // The quotient may overflow or vanish where its logarithm does not.
    let log = if (a / b).is_normal() { (a / b).ln() } else { a.ln() - b.ln() };
    a / b - log - 1.0
}

/// [`term`] for a near b: with v = (a − b)/(a + b) it is 2v²/(1 − v) − 2(v³/3 + v⁵/5 + …).
fn near(v: f64) -> f64 {
    let mut sum = 2.0 * v * v / (1.0 - v);
    let mut power = 2.0 * v;
    for odd in (3..).step_by(2) {
        power *= v * v;
        let next = sum - power / f64::from(odd);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
crate::conformance::conforms!(|_| ItakuraSaito, Positive: kernels, reduced, zero, degree(0), centre);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_equal_numbers_keep_their_digits() {
        // x²/2 to first order, x = a/b − 1; the plain form gives rounding noise.
        let found = ItakuraSaito.distance(&[1.0 + 1e-9], &[1.0]);
        assert!((found / 5e-19 - 1.0).abs() < 1e-6, "{found}");
        // Both forms meet where one takes over from the other.
        for ratio in [0.8, 0.81, 0.82, 0.83, 1.2, 1.22, 1.23, 1.25f64] {
            let plain = ratio - ratio.ln() - 1.0;
            let series = near((ratio - 1.0) / (ratio + 1.0));
            assert!((term(ratio, 1.0) / plain - 1.0).abs() < 1e-12 && (series / plain - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_quotient_that_vanishes_still_has_a_logarithm() {
        let found = ItakuraSaito.distance(&[1e-300], &[1e300]);
        assert!((found / (600.0 * std::f64::consts::LN_10 - 1.0) - 1.0).abs() < 1e-14, "{found}");
        assert_eq!(ItakuraSaito.distance(&[1e300], &[1e-300]), f64::INFINITY);
    }

    #[test]
    fn a_number_that_is_not_positive_is_named() {
        let rows = [1.0f32, 2.0, 3.0, 0.0];
        let expected = DomainError::NotPositive { row: 1, column: 1, value: 0.0 };
        assert_eq!(ItakuraSaito.check(&Block::new(&rows, 2)), Err(expected));
        assert_eq!(ItakuraSaito.check(&Block::new(&[0.5, 1e-300], 2)), Ok(()));
    }
}
