//! How far apart are rows?
//!
//! A [`Distance`] measures two rows of equal length. [`Metric`] marks those that obey the triangle inequality, and
//! [`Centred`] those for which the best centre of a cluster is known, so that k-means may use them. Each distance is one
//! file.

mod l2;

pub use l2::{L2, SquaredL2};

use miscela_kernel::{Block, Centroids, Float, NearestScratch};
use std::fmt::Debug;

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
    #[error("row {row}, column {column} is {value}; this distance is defined for numbers that are not negative")]
    Negative {
        /// 0-based row.
        row: usize,
        /// 0-based column.
        column: usize,
        /// The value.
        value: f64,
    },
    /// The distance was made for rows of another width.
    #[error("the distance is defined for {expected} columns, and the rows have {got}")]
    Width {
        /// Columns the distance knows.
        expected: usize,
        /// Columns of the rows.
        got: usize,
    },
}

/// A measure of how far two rows of equal length are apart.
///
/// `reduced` is a monotone function of the distance that is cheaper and is what k-means adds up: the square for
/// [`L2`], the distance itself unless a file says otherwise. All values are `f64`, whatever the rows are.
///
/// The block kernels have a naive form here, which is also their oracle; a distance may bring a faster one with the same
/// answers.
pub trait Distance<F: Float>: Clone + Debug + Send + Sync + Unpin {
    /// The distance of two rows.
    fn distance(&self, a: &[F], b: &[F]) -> f64;

    /// A monotone function of the distance; cheaper, and what k-means adds up.
    fn reduced(&self, a: &[F], b: &[F]) -> f64 {
        self.distance(a, b)
    }

    /// The distance of a reduced distance.
    fn from_reduced(&self, reduced: f64) -> f64 {
        reduced
    }

    /// The reduced distance of a distance.
    fn to_reduced(&self, distance: f64) -> f64 {
        distance
    }

    /// Whether the distance is defined for all rows of the block.
    fn check(&self, rows: &Block<F>) -> Result<(), DomainError> {
        let _ = rows;
        Ok(())
    }

    /// The index of the nearest centroid of each row; ties to the lowest.
    fn assign(&self, rows: &Block<F>, centroids: &Centroids<F>, labels: &mut [u32], scratch: &mut NearestScratch<F>) {
        let _ = scratch;
        for (row, label) in rows.rows().zip(labels) {
            *label = naive_nearest(self, row, centroids).0;
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

    /// The two nearest centroids of each row, nearest first, with their reduced distances. Where there is only one
    /// centroid, the second is it again, infinitely far.
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

/// A [`Distance`] that obeys the triangle inequality, d(a, c) ≤ d(a, b) + d(b, c).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not obey the triangle inequality",
    note = "what needs it, such as bounds that skip distances, would give wrong answers with this distance"
)]
pub trait Metric<F: Float>: Distance<F> {}

/// How the centre of a cluster follows from its rows, so that their summed reduced distance to it is least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CentreRule {
    /// The weighted mean (L2, and every Bregman divergence: Banerjee et al. 2005).
    Mean,
    /// The weighted mean of the rows' directions, scaled to length one (Dhillon & Modha 2001).
    NormalisedMean,
    /// The weighted median of each column.
    Median,
}

/// A [`Distance`] for which the best centre of a cluster is known, so that k-means never raises its own objective.
#[diagnostic::on_unimplemented(
    message = "k-means has no centre rule for `{Self}`",
    note = "k-means needs to know which centre minimises the summed distances of a cluster; use a distance that says so, such as `L2`"
)]
pub trait Centred<F: Float>: Distance<F> {
    /// How the centre follows from the rows.
    const CENTRE: CentreRule;
}

/// The nearest centroid by trying all; ties to the lowest index.
fn naive_nearest<F: Float, D: Distance<F> + ?Sized>(distance: &D, row: &[F], centroids: &Centroids<F>) -> (u32, f64) {
    let mut best = (0, f64::INFINITY);
    for (c, centroid) in centroids.rows().enumerate() {
        let reduced = distance.reduced(row, centroid);
        if reduced < best.1 {
            best = (c as u32, reduced);
        }
    }
    best
}
