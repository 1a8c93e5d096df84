//! The Euclidean distance, √Σ(a − b)², and its square.
//!
//! Both order rows alike, and both reduce to the square. Differences are taken directly and summed in `f64`, so that
//! nearby rows far from the origin keep their digits; `assign` uses the fused kernel, whose labels are exactly those of
//! the direct form.

use crate::columnwise::{Columnwise, columnwise_kernels};
use crate::{CentreRule, Centred, Distance, Metric, Sums};
use miscela_kernel::{Block, Centroids, Float, NearestScratch, squared_distance};

/// √Σ(a − b)², a metric.
///
/// ```
/// use miscela_distance::{Distance, L2};
/// assert_eq!(L2.distance(&[0.0, 0.0], &[3.0, 4.0]), 5.0);
/// assert_eq!(L2.reduced(&[0.0, 0.0], &[3.0, 4.0]), 25.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct L2;

/// Σ(a − b)²: what k-means minimises; not a metric.
///
/// ```
/// use miscela_distance::{Distance, SquaredL2};
/// assert_eq!(SquaredL2.distance(&[0.0, 0.0], &[3.0, 4.0]), 25.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SquaredL2;

impl<F: Float> Columnwise<F> for SquaredL2 {
    #[inline(always)]
    fn step(sum: f64, a: f64, b: f64) -> f64 {
        sum + (a - b) * (a - b)
    }
}

impl<F: Float> Distance<F> for L2 {
    fn distance(&self, a: &[F], b: &[F]) -> f64 {
        squared_distance(a, b).sqrt()
    }

    fn reduced(&self, a: &[F], b: &[F]) -> f64 {
        squared_distance(a, b)
    }

    fn from_reduced(&self, reduced: f64) -> f64 {
        reduced.sqrt()
    }

    fn to_reduced(&self, distance: f64) -> f64 {
        distance * distance
    }

    fn is_squared_euclidean(&self) -> bool {
        true
    }

    fn sums(&self) -> Sums {
        Sums::Euclidean
    }

    fn assign(&self, rows: &Block<F>, centroids: &Centroids<F>, labels: &mut [u32], scratch: &mut NearestScratch<F>) {
        centroids.assign(rows, labels, scratch);
    }

    columnwise_kernels!(SquaredL2: nearest_two, pairwise);
}

impl<F: Float> Metric<F> for L2 {}

impl<F: Float> Centred<F> for L2 {
    fn centre_rule(&self) -> CentreRule {
        CentreRule::Mean
    }
}

impl<F: Float> Distance<F> for SquaredL2 {
    fn distance(&self, a: &[F], b: &[F]) -> f64 {
        squared_distance(a, b)
    }

    fn is_squared_euclidean(&self) -> bool {
        true
    }

    fn sums(&self) -> Sums {
        Sums::SquaredEuclidean
    }

    fn assign(&self, rows: &Block<F>, centroids: &Centroids<F>, labels: &mut [u32], scratch: &mut NearestScratch<F>) {
        centroids.assign(rows, labels, scratch);
    }

    columnwise_kernels!(SquaredL2: nearest_two, pairwise);
}

impl<F: Float> Centred<F> for SquaredL2 {
    fn centre_rule(&self) -> CentreRule {
        CentreRule::Mean
    }
}

#[cfg(test)]
crate::conformance::conforms!(|_| L2, Reals: kernels, reduced, zero, symmetric, metric, degree(1), centre);

#[cfg(test)]
mod squared {
    use super::*;
    crate::conformance::conforms!(|_| SquaredL2, Reals: kernels, reduced, zero, symmetric, degree(2), centre);
}
