//! The Minkowski distance, (Σ|a − b|ᵖ)^(1/p), for p ≥ 1.
//!
//! p = 1 is [`L1`](crate::L1), p = 2 is [`L2`](crate::L2), and large p tend to [`LInf`](crate::LInf); these are faster.
//! The differences are divided by the largest of them before they are raised, so that no p overflows.

use crate::{Distance, Metric};
use miscela_kernel::Float;

/// The order of an Lp distance is not one of a metric.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "p is {p}, and Lp is a distance for finite p of at least 1; use such a p, or the L∞ distance for an infinite one"
)]
pub struct LpError {
    /// The order.
    pub p: f64,
}

/// (Σ|a − b|ᵖ)^(1/p) with p ≥ 1, a metric (Minkowski's inequality).
///
/// ```
/// use miscela_distance::{Distance, Lp};
///
/// let l3 = Lp::new(3.0)?;
/// assert!((l3.distance(&[0.0, 0.0], &[3.0, 4.0]) - 91.0f64.cbrt()).abs() < 1e-12);
/// assert!(Lp::new(0.5).is_err());
/// # Ok::<(), miscela_distance::LpError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "f64", into = "f64"))]
pub struct Lp {
    p: f64,
}

impl Lp {
    /// The distance of order `p`. An error if `p` is below 1 or not finite.
    pub fn new(p: f64) -> Result<Self, LpError> {
        if p.is_finite() && p >= 1.0 { Ok(Self { p }) } else { Err(LpError { p }) }
    }

    /// The order.
    pub fn p(&self) -> f64 {
        self.p
    }
}

impl TryFrom<f64> for Lp {
    type Error = LpError;

    fn try_from(p: f64) -> Result<Self, LpError> {
        Self::new(p)
    }
}

impl From<Lp> for f64 {
    fn from(lp: Lp) -> f64 {
        lp.p
    }
}

impl<F: Float> Distance<F> for Lp {
    fn distance(&self, a: &[F], b: &[F]) -> f64 {
        minkowski(self.p, a, b)
    }
}

impl<F: Float> Metric<F> for Lp {}

/// The formula, for any p > 0.
pub(crate) fn minkowski<F: Float>(p: f64, a: &[F], b: &[F]) -> f64 {
    let differences = || a.iter().zip(b).map(|(a, b)| (a.widen() - b.widen()).abs());
    let largest = differences().fold(0.0, f64::max);
    if largest == 0.0 || largest.is_infinite() {
        return largest;
    }
    largest * differences().map(|x| (x / largest).powf(p)).sum::<f64>().powf(p.recip())
}

#[cfg(test)]
crate::conformance::conforms!(|_| Lp { p: 2.5 }, Reals: kernels, reduced, zero, symmetric, metric, degree(1));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{L1, L2, LInf};

    #[test]
    fn special_orders_are_the_other_distances() {
        let (a, b) = ([1.0, -2.0, 0.5], [0.25, 7.0, 0.5]);
        let lp = |p| Lp::new(p).map(|lp| lp.distance(&a, &b));
        let close = |x: f64, y: f64| (x - y).abs() <= 1e-14 * y;
        assert_eq!(Lp::new(2.5).map(|lp| lp.p()).unwrap(), 2.5);
        assert!(close(lp(1.0).unwrap(), L1.distance(&a, &b)));
        assert!(close(lp(2.0).unwrap(), L2.distance(&a, &b)));
        assert!(close(lp(1e6).unwrap(), LInf.distance(&a, &b)));
    }

    #[test]
    fn orders_without_a_metric_are_refused() {
        for p in [0.0, 0.999, -1.0, f64::INFINITY, f64::NAN] {
            assert!(Lp::new(p).is_err(), "{p}");
        }
    }

    #[test]
    fn nothing_overflows() {
        let lp = Lp::new(700.0).unwrap();
        assert!((lp.distance(&[1e300, 1e300], &[0.0, 0.0]) / 1e300 - 2f64.powf(1.0 / 700.0)).abs() < 1e-14);
        assert_eq!(lp.distance(&[1e-300], &[0.0]), 1e-300);
    }
}
