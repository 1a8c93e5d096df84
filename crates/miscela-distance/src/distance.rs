//! The traits: what a distance must say, and what it gets from that.

use crate::DomainError;
use miscela_kernel::{Block, Centroids, Float, NearestScratch};
use std::fmt::Debug;

/// A measure of how far two rows of equal length are apart.
///
/// `reduced` is a monotone function of the distance that is cheaper and is what k-means adds up: the square for
/// [`L2`](crate::L2), the distance itself unless a file says otherwise. All values are `f64`, whatever the rows are.
/// Where a distance is not symmetric, the row comes first and the centre second.
///
/// The block kernels have a naive form here, which is also their oracle; a distance may bring a faster one with the same
/// answers, to the last bit.
///
/// A distance of your own needs one function:
///
/// ```
/// use miscela_distance::{Distance, Metric};
/// use miscela_kernel::Float;
///
/// /// The number of columns that differ.
/// #[derive(Clone, Debug)]
/// struct Hamming;
///
/// impl<F: Float> Distance<F> for Hamming {
///     fn distance(&self, a: &[F], b: &[F]) -> f64 {
///         a.iter().zip(b).filter(|(a, b)| a != b).count() as f64
///     }
/// }
///
/// impl<F: Float> Metric<F> for Hamming {} // it obeys the triangle inequality
///
/// assert_eq!(Hamming.distance(&[1.0, 0.0, 1.0], &[1.0, 1.0, 1.0]), 1.0);
/// ```
pub trait Distance<F: Float>: Clone + Debug + Send + Sync + Unpin {
    /// The distance of two rows.
    fn distance(&self, a: &[F], b: &[F]) -> f64;

    /// A monotone function of the distance; cheaper, and what k-means adds up.
    fn reduced(&self, a: &[F], b: &[F]) -> f64 {
        self.distance(a, b)
    }

    /// The distance of a reduced distance.
    #[allow(clippy::wrong_self_convention)] // the distance converts; it is not made of the number
    fn from_reduced(&self, reduced: f64) -> f64 {
        reduced
    }

    /// The reduced distance of a distance.
    fn to_reduced(&self, distance: f64) -> f64 {
        distance
    }

    /// Whether `reduced` is Σ(a − b)², so that kernels made for that may be used.
    fn is_squared_euclidean(&self) -> bool {
        false
    }

    /// In which way the distances of a row to many others are summed up.
    fn sums(&self) -> Sums {
        Sums::Pairwise
    }

    /// Whether the distance is defined for all rows of the block. The error names the first row that it is not.
    fn check(&self, rows: &Block<F>) -> Result<(), DomainError> {
        let _ = rows;
        Ok(())
    }

    /// The index of the nearest centroid of each row; ties to the lowest.
    fn assign(&self, rows: &Block<F>, centroids: &Centroids<F>, labels: &mut [u32], scratch: &mut NearestScratch<F>) {
        let _ = scratch;
        for (row, label) in rows.rows().zip(labels) {
            let mut best = f64::INFINITY;
            *label = 0;
            for (c, centroid) in centroids.rows().enumerate() {
                let reduced = self.reduced(row, centroid);
                if reduced < best {
                    (*label, best) = (c as u32, reduced);
                }
            }
        }
    }

    /// The nearest centroid of each row and the reduced distance to it.
    fn nearest(
        &self,
        rows: &Block<F>,
        centroids: &Centroids<F>,
        labels: &mut [u32],
        reduced: &mut [f64],
        scratch: &mut NearestScratch<F>,
    ) {
        self.assign(rows, centroids, labels, scratch);
        for ((row, label), reduced) in rows.rows().zip(labels).zip(reduced) {
            *reduced = self.reduced(row, centroids.row(*label as usize));
        }
    }

    /// The two nearest centroids of each row, nearest first, with their reduced distances; ties to the lowest index.
    /// Where there is only one centroid, the second is it again, infinitely far.
    fn nearest_two(&self, rows: &Block<F>, centroids: &Centroids<F>, two: &mut [[(u32, f64); 2]]) {
        for (row, two) in rows.rows().zip(two) {
            *two = [(0, f64::INFINITY); 2];
            for (c, centroid) in centroids.rows().enumerate() {
                let found = (c as u32, self.reduced(row, centroid));
                if found.1 < two[0].1 {
                    *two = [found, two[0]];
                } else if found.1 < two[1].1 {
                    two[1] = found;
                }
            }
        }
    }

    /// The reduced distances of all rows to all centroids, row by row: n × k numbers.
    fn pairwise(&self, rows: &Block<F>, centroids: &Centroids<F>, reduced: &mut [f64]) {
        for (row, reduced) in rows.rows().zip(reduced.chunks_exact_mut(centroids.len())) {
            for (centroid, reduced) in centroids.rows().zip(reduced) {
                *reduced = self.reduced(row, centroid);
            }
        }
    }
}

/// In which way the distances of a row to many others can be summed up: what a measure such as the silhouette lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sums {
    /// One by one.
    Pairwise,
    /// The distance is √Σ(a − b)²: one by one, by a kernel made for it.
    Euclidean,
    /// The distance is Σ(a − b)²: from the mean of the others alone.
    SquaredEuclidean,
    /// The distance is Σ|a − b|: from the others in the order of each column.
    Manhattan,
}

/// A [`Distance`] that obeys the triangle inequality, d(a, c) ≤ d(a, b) + d(b, c), is symmetric, and is 0 for equal rows
/// only.
///
/// ```compile_fail,E0277
/// fn with_bounds<D: miscela_distance::Metric<f64>>(_: D) {}
/// with_bounds(miscela_distance::SquaredL2); // 2² > 1² + 1²
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not obey the triangle inequality",
    note = "what needs it, such as bounds that skip distances, would give wrong answers with this distance"
)]
pub trait Metric<F: Float>: Distance<F> {}
