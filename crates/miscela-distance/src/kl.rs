//! The generalised Kullback–Leibler divergence, Σ a ln(a/b) − a + b, of a row a from a centre b.
//!
//! It is defined for numbers that are not negative, with 0·ln 0 = 0, and is +∞ where b = 0 < a. For rows that sum to one
//! it is Σ a ln(a/b) (Kullback & Leibler 1951). Being a Bregman divergence, it is least in its second argument at the
//! mean (Banerjee et al. 2005). It is neither symmetric nor a metric.
//!
//! One term is the deviance of a Poisson count; near a = b it is computed by the series of Loader (2000), because the
//! formula loses all digits there.

use crate::{CentreRule, Centred, Distance, DomainError};
use miscela_kernel::{Block, Float};

/// Σ a ln(a/b) − a + b, of a row a from a centre b: neither symmetric nor a metric.
///
/// For counts and shares. Not for measurements that may be negative, and not where a difference counts the same at every
/// level: small numbers weigh more here.
///
/// ```
/// use miscela_distance::{Distance, Kl};
/// assert_eq!(Kl.distance(&[1.0, 0.0], &[1.0, 2.0]), 2.0);
/// assert_eq!(Kl.distance(&[1.0, 2.0], &[1.0, 0.0]), f64::INFINITY);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Kl;

impl<F: Float> Distance<F> for Kl {
    fn distance(&self, a: &[F], b: &[F]) -> f64 {
        a.iter().zip(b).map(|(a, b)| term(a.widen(), b.widen())).sum()
    }

    fn check(&self, rows: &Block<F>) -> Result<(), DomainError> {
        for (i, row) in rows.rows().enumerate() {
            if let Some(column) = row.iter().position(|x| *x < F::zero()) {
                return Err(DomainError::Negative { row: rows.first() + i, column, value: row[column].widen() });
            }
        }
        Ok(())
    }
}

impl<F: Float> Centred<F> for Kl {
    fn centre_rule(&self) -> CentreRule {
        CentreRule::Mean
    }
}

/// a ln(a/b) − a + b ≥ 0.
fn term(a: f64, b: f64) -> f64 {
    if a == 0.0 {
        b
    } else if b == 0.0 {
        f64::INFINITY
    } else if (a - b).abs() < 0.1 * (a + b) {
        near(a, b)
    } else {
        // The quotient may overflow or vanish where its logarithm does not.
        let log = if (a / b).is_normal() { (a / b).ln() } else { a.ln() - b.ln() };
        a * log - a + b
    }
}

/// [`term`] for a near b: with v = (a − b)/(a + b) it is (a − b)v + 2a(v³/3 + v⁵/5 + …).
fn near(a: f64, b: f64) -> f64 {
    let v = (a - b) / (a + b);
    let mut sum = (a - b) * v;
    let mut power = 2.0 * a * v;
    for odd in (3..).step_by(2) {
        power *= v * v;
        let next = sum + power / f64::from(odd);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
crate::conformance::conforms!(|_| Kl, NotNegative: kernels, reduced, zero, degree(1), centre);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_equal_numbers_keep_their_digits() {
        // a²/2b to first order; the plain form gives rounding noise.
        let found = Kl.distance(&[1.0 + 1e-9], &[1.0]);
        assert!((found / 5e-19 - 1.0).abs() < 1e-6, "{found}");
        // Both forms meet where one takes over from the other.
        for ratio in [0.8, 0.81, 0.82, 0.83, 1.2, 1.22, 1.23, 1.25f64] {
            let plain = ratio * ratio.ln() - ratio + 1.0;
            assert!((term(ratio, 1.0) / plain - 1.0).abs() < 1e-13 && (near(ratio, 1.0) / plain - 1.0).abs() < 1e-13);
        }
    }

    #[test]
    fn extreme_quotients_are_finite() {
        let found = Kl.distance(&[1e200], &[1e-200]);
        assert!((found / (1e200 * (400.0 * 10f64.ln() - 1.0)) - 1.0).abs() < 1e-13, "{found}");
        assert!((Kl.distance(&[1e-200], &[1e200]) / 1e200 - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_negative_number_is_named() {
        let rows = [1.0f32, 0.0, 0.0, -0.5];
        let expected = DomainError::Negative { row: 1, column: 1, value: -0.5 };
        assert_eq!(Kl.check(&Block::new(&rows, 2)), Err(expected));
        assert_eq!(Kl.check(&Block::new(&[0.0, -0.0], 2)), Ok(()));
    }
}
