//! The Chebyshev distance, max |a − b|.
//!
//! No rule for the best centre of a cluster is known that needs one pass, so k-means cannot use it.

use crate::columnwise::{Columnwise, columnwise_kernels};
use crate::{Distance, Metric};
use miscela_kernel::Float;

/// max |a − b|, a metric.
///
/// ```
/// use miscela_distance::{Distance, LInf};
/// assert_eq!(LInf.distance(&[1.0, 2.0], &[4.0, -2.0]), 4.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LInf;

impl<F: Float> Columnwise<F> for LInf {
    #[inline(always)]
    fn step(largest: f64, a: f64, b: f64) -> f64 {
        // `f64::max` also minds NaN, at twice the time.
        let difference = (a - b).abs();
        if difference > largest { difference } else { largest }
    }
}

impl<F: Float> Distance<F> for LInf {
    fn distance(&self, a: &[F], b: &[F]) -> f64 {
        a.iter().zip(b).fold(0.0, |largest, (a, b)| <Self as Columnwise<F>>::step(largest, a.widen(), b.widen()))
    }

    columnwise_kernels!(Self: assign, nearest, nearest_two, pairwise);
}

impl<F: Float> Metric<F> for LInf {}

#[cfg(test)]
crate::conformance::conforms!(|_| LInf, Reals: kernels, reduced, zero, symmetric, metric, degree(1));
