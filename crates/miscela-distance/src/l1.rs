//! The Manhattan distance, Σ|a − b|.
//!
//! The sum of each column is least at that column's weighted median, so k-means with this distance is k-medians
//! (Bradley, Mangasarian & Street 1997), which outliers pull less than means.

use crate::columnwise::{Columnwise, columnwise_kernels};
use crate::{CentreRule, Centred, Distance, Metric, Sums};
use miscela_kernel::Float;

/// Σ|a − b|, a metric.
///
/// Not where means are what is wanted, and not for k-means of streams: a median needs all rows of its cluster at once, and costs
/// O(n·d·log n) an iteration.
///
/// ```
/// use miscela_distance::{Distance, L1};
/// assert_eq!(L1.distance(&[1.0, 2.0], &[4.0, -2.0]), 7.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct L1;

impl<F: Float> Columnwise<F> for L1 {
    #[inline(always)]
    fn step(sum: f64, a: f64, b: f64) -> f64 {
        sum + (a - b).abs()
    }
}

impl<F: Float> Distance<F> for L1 {
    fn distance(&self, a: &[F], b: &[F]) -> f64 {
        a.iter().zip(b).fold(0.0, |sum, (a, b)| <Self as Columnwise<F>>::step(sum, a.widen(), b.widen()))
    }

    fn sums(&self) -> Sums {
        Sums::Manhattan
    }

    columnwise_kernels!(Self: assign, nearest, nearest_two, pairwise);
}

impl<F: Float> Metric<F> for L1 {}

impl<F: Float> Centred<F> for L1 {
    fn centre_rule(&self) -> CentreRule {
        CentreRule::Median
    }
}

#[cfg(test)]
crate::conformance::conforms!(|_| L1, Reals: kernels, reduced, zero, symmetric, metric, degree(1), centre);
