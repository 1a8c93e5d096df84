//! The Mahalanobis distance, √((a − b)ᵀ Σ⁻¹ (a − b)) (Mahalanobis 1936).
//!
//! With the Cholesky factor Σ = LLᵀ it is ‖L⁻¹(a − b)‖: the Euclidean distance of rows that have been made round. L⁻¹ is
//! triangular too and is computed once; Σ⁻¹ never is. Differences are taken before they are multiplied, so that nearby
//! rows far from the origin keep their digits.

use crate::{CentreRule, Centred, Distance, DomainError, Metric};
use miscela_kernel::{Block, Float};
use ndarray::{Array2, ArrayView2};

/// Why a matrix is no covariance, or no Cholesky factor of one. Rows and columns are 0-based.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MahalanobisError {
    /// The matrix is not square, or it is empty.
    #[error(
        "the matrix has {rows} rows and {columns} columns; give one row and one column for each column of the data"
    )]
    NotSquare {
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// An entry is NaN or infinite.
    #[error("row {row}, column {column} of the matrix is {value}, not a finite number")]
    NotFinite {
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
        /// The entry.
        value: f64,
    },
    /// Two entries that should be the same are not.
    #[error(
        "row {row}, column {column} of the covariance differs from row {column}, column {row}; give a symmetric matrix"
    )]
    NotSymmetric {
        /// The row of one of them.
        row: usize,
        /// Its column.
        column: usize,
    },
    /// A Cholesky factor has an entry above its diagonal.
    #[error("row {row}, column {column} of the Cholesky factor is not zero; give the lower triangle with zeros above")]
    NotTriangular {
        /// The entry's row.
        row: usize,
        /// Its column.
        column: usize,
    },
    /// The covariance is singular to rounding, or has a negative eigenvalue.
    #[error(
        "the covariance is not positive definite at column {column}, which has no variance of its own; remove the column or add to the diagonal"
    )]
    NotPositiveDefinite {
        /// The first column that the ones before it determine.
        column: usize,
    },
    /// A stored distance does not have as many numbers as its width asks for.
    #[error(
        "{got} numbers are stored for a triangle of {width} columns, which has {expected}; the document is damaged"
    )]
    Truncated {
        /// Columns.
        width: usize,
        /// Numbers that there should be.
        expected: usize,
        /// Numbers that there are.
        got: usize,
    },
}

/// √((a − b)ᵀ Σ⁻¹ (a − b)), a metric; it reduces to its square. Cost: d²/2 multiplications a pair of rows.
///
/// It is defined for rows of the width of Σ, which `check` looks at. Not with the covariance of all rows where clusters are what
/// makes them vary: it shrinks the very directions that tell clusters apart; a mixture estimates the covariance within.
///
/// ```
/// use miscela_distance::{Distance, Mahalanobis};
/// use ndarray::array;
///
/// // The first column varies twice as much, so that a difference in it counts half.
/// let distance = Mahalanobis::from_covariance(array![[4.0, 0.0], [0.0, 1.0]].view())?;
/// assert_eq!(distance.distance(&[0.0, 0.0], &[2.0, 0.0]), 1.0);
/// assert_eq!(distance.distance(&[0.0, 0.0], &[0.0, 2.0]), 2.0);
/// # Ok::<(), miscela_distance::MahalanobisError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Triangle", into = "Triangle")
)]
pub struct Mahalanobis(Triangle);

/// A lower triangle, row after row: row i has i + 1 numbers.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
struct Triangle {
    width: usize,
    whitening: Vec<f64>,
}

impl Mahalanobis {
    /// The distance of a covariance matrix Σ, d × d. Cost: O(d³).
    ///
    /// # Errors
    /// If Σ is not square, finite, symmetric (to half its digits; the lower triangle is used) and positive definite.
    pub fn from_covariance<F: Float>(covariance: ArrayView2<F>) -> Result<Self, MahalanobisError> {
        check_square(&covariance)?;
        let s = |i: usize, j: usize| covariance[(i, j)].widen();
        let mut factor = Triangle::zeros(covariance.nrows());
        for i in 0..factor.width {
            for j in 0..=i {
                let scale = s(i, i).abs().sqrt() * s(j, j).abs().sqrt();
                if (s(i, j) - s(j, i)).abs() > F::UNIT_ROUNDOFF.sqrt() * scale {
                    return Err(MahalanobisError::NotSymmetric { row: i, column: j });
                }
                let rest = (0..j).fold(s(i, j), |rest, m| rest - factor.get(i, m) * factor.get(j, m));
                if i > j {
                    *factor.get_mut(i, j) = rest / factor.get(j, j);
                } else if rest > factor.width as f64 * f64::EPSILON * s(i, i) {
                    *factor.get_mut(i, i) = rest.sqrt();
                } else {
                    return Err(MahalanobisError::NotPositiveDefinite { column: i });
                }
            }
        }
        Ok(Self(factor.inverse()))
    }

    /// The distance of Σ = LLᵀ, from L, d × d, lower triangular with zeros above. Cost: O(d³).
    ///
    /// # Errors
    /// If L is not square, finite and lower triangular with a positive diagonal.
    pub fn from_cholesky<F: Float>(factor: ArrayView2<F>) -> Result<Self, MahalanobisError> {
        check_square(&factor)?;
        let mut lower = Triangle::zeros(factor.nrows());
        for ((row, column), x) in factor.indexed_iter() {
            if column <= row {
                *lower.get_mut(row, column) = x.widen();
            } else if !x.is_zero() {
                return Err(MahalanobisError::NotTriangular { row, column });
            }
        }
        lower.check_diagonal()?;
        Ok(Self(lower.inverse()))
    }

    /// d
    pub fn width(&self) -> usize {
        self.0.width
    }

    /// L⁻¹, d × d, of Σ = LLᵀ: rows times its transpose are at Euclidean distances. Lower triangular.
    ///
    /// ```
    /// use miscela_distance::Mahalanobis;
    /// use ndarray::array;
    ///
    /// let distance = Mahalanobis::from_cholesky(array![[2.0, 0.0], [1.0, 1.0]].view())?;
    /// assert_eq!(distance.whitening(), array![[0.5, 0.0], [-0.5, 1.0]]);
    /// # Ok::<(), miscela_distance::MahalanobisError>(())
    /// ```
    pub fn whitening(&self) -> Array2<f64> {
        let entry = |(i, j)| if j <= i { self.0.get(i, j) } else { 0.0 };
        Array2::from_shape_fn((self.0.width, self.0.width), entry)
    }
}

fn check_square<F: Float>(matrix: &ArrayView2<F>) -> Result<(), MahalanobisError> {
    let (rows, columns) = matrix.dim();
    if rows != columns || rows == 0 {
        return Err(MahalanobisError::NotSquare { rows, columns });
    }
    match matrix.indexed_iter().find(|(_, x)| !x.is_finite()) {
        Some(((row, column), x)) => Err(MahalanobisError::NotFinite { row, column, value: x.widen() }),
        None => Ok(()),
    }
}

impl Triangle {
    fn zeros(width: usize) -> Self {
        Self { width, whitening: vec![0.0; width * (width + 1) / 2] }
    }

    /// Columns 0 to i of row `i`.
    #[inline]
    fn row(&self, i: usize) -> &[f64] {
        &self.whitening[i * (i + 1) / 2..][..i + 1]
    }

    fn get(&self, i: usize, j: usize) -> f64 {
        self.row(i)[j]
    }

    fn get_mut(&mut self, i: usize, j: usize) -> &mut f64 {
        &mut self.whitening[i * (i + 1) / 2 + j]
    }

    fn check_diagonal(&self) -> Result<(), MahalanobisError> {
        match (0..self.width).find(|i| self.get(*i, *i) <= 0.0) {
            Some(column) => Err(MahalanobisError::NotPositiveDefinite { column }),
            None => Ok(()),
        }
    }

    /// By forward substitution, row after row.
    fn inverse(&self) -> Self {
        let mut inverse = Self::zeros(self.width);
        for i in 0..self.width {
            let diagonal = self.get(i, i);
            for j in 0..i {
                let sum: f64 = (j..i).map(|m| self.get(i, m) * inverse.get(m, j)).sum();
                *inverse.get_mut(i, j) = -sum / diagonal;
            }
            *inverse.get_mut(i, i) = diagonal.recip();
        }
        inverse
    }
}

#[cfg(feature = "serde")]
impl From<Mahalanobis> for Triangle {
    fn from(distance: Mahalanobis) -> Self {
        distance.0
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Triangle> for Mahalanobis {
    type Error = MahalanobisError;

    fn try_from(triangle: Triangle) -> Result<Self, MahalanobisError> {
        let (width, got) = (triangle.width, triangle.whitening.len());
        if width == 0 {
            return Err(MahalanobisError::NotSquare { rows: 0, columns: 0 });
        }
        let expected = width.saturating_mul(width.saturating_add(1)) / 2;
        if got != expected {
            return Err(MahalanobisError::Truncated { width, expected, got });
        }
        for row in 0..width {
            if let Some(column) = triangle.row(row).iter().position(|x| !x.is_finite()) {
                return Err(MahalanobisError::NotFinite { row, column, value: triangle.get(row, column) });
            }
        }
        triangle.check_diagonal()?;
        Ok(Self(triangle))
    }
}

impl<F: Float> Distance<F> for Mahalanobis {
    fn distance(&self, a: &[F], b: &[F]) -> f64 {
        self.reduced(a, b).sqrt()
    }

    fn reduced(&self, a: &[F], b: &[F]) -> f64 {
        debug_assert_eq!((a.len(), b.len()), (self.width(), self.width()));
        (0..self.width()).fold(0.0, |sum, i| {
            let terms = self.0.row(i).iter().zip(a).zip(b);
            let y: f64 = terms.map(|((w, a), b)| w * (a.widen() - b.widen())).sum();
            sum + y * y
        })
    }

    fn from_reduced(&self, reduced: f64) -> f64 {
        reduced.sqrt()
    }

    fn to_reduced(&self, distance: f64) -> f64 {
        distance * distance
    }

    fn check(&self, rows: &Block<F>) -> Result<(), DomainError> {
        if rows.width() == self.width() {
            Ok(())
        } else {
            Err(DomainError::Width { expected: self.width(), got: rows.width() })
        }
    }
}

impl<F: Float> Metric<F> for Mahalanobis {}

impl<F: Float> Centred<F> for Mahalanobis {
    fn centre_rule(&self) -> CentreRule {
        CentreRule::Mean
    }
}

/// A covariance of the given width that is neither diagonal nor badly conditioned.
#[cfg(test)]
pub(crate) fn example(width: usize) -> Mahalanobis {
    let factor = ndarray::Array2::from_shape_fn((width, width), |(i, j)| match i.cmp(&j) {
        std::cmp::Ordering::Greater => 0.5 / (i + j) as f64,
        std::cmp::Ordering::Equal => 1.0 + i as f64 / 4.0,
        std::cmp::Ordering::Less => 0.0,
    });
    Mahalanobis::from_covariance(factor.dot(&factor.t()).view()).expect("positive definite")
}

#[cfg(test)]
crate::conformance::conforms!(example, Reals: kernels, reduced, zero, symmetric, metric, degree(1), centre);

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn it_is_the_formula() {
        // Σ⁻¹ = [[2, −1], [−1, 3]] / 5
        let distance = Mahalanobis::from_covariance(array![[3.0, 1.0], [1.0, 2.0]].view()).unwrap();
        let (x, y) = (1.5, -0.75);
        let expected = (2.0 * x * x - 2.0 * x * y + 3.0 * y * y) / 5.0;
        assert!((distance.reduced(&[1e6 + x, y], &[1e6, 0.0]) / expected - 1.0).abs() < 1e-14);
    }

    #[test]
    fn both_ways_to_make_it_agree() {
        let factor = array![[2.0f32, 0.0, 0.0], [-1.0, 0.5, 0.0], [0.25, 3.0, 1.0]];
        let (a, b) = ([1.0, 2.0, 3.0], [-1.0, 0.5, 2.0]);
        let from_factor = Mahalanobis::from_cholesky(factor.view()).unwrap();
        let from_covariance = Mahalanobis::from_covariance(factor.dot(&factor.t()).view()).unwrap();
        let ratio: f64 = from_factor.distance(&a, &b) / from_covariance.distance(&a, &b);
        assert!((ratio - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_scale_of_the_covariance_does_not_matter() {
        for scale in [1e-300, 1e-150, 1e150, 1e300] {
            let distance = Mahalanobis::from_covariance((array![[3.0, 1.0], [1.0, 2.0]] * scale).view()).unwrap();
            let found = distance.distance(&[f64::sqrt(scale), 0.0], &[0.0, 0.0]);
            assert!((found - 0.4f64.sqrt()).abs() < 1e-14, "{scale}: {found}");
            let skewed = |by: f64| Mahalanobis::from_covariance((array![[3.0, 1.0], [1.0 + by, 2.0]] * scale).view());
            assert!(skewed(1e-9).is_ok());
            assert_eq!(skewed(1e-6), Err(MahalanobisError::NotSymmetric { row: 1, column: 0 }));
        }
    }

    #[test]
    fn matrices_that_are_no_covariance_are_refused() {
        let refused = |matrix: Array2<f64>| Mahalanobis::from_covariance(matrix.view()).unwrap_err();
        assert_eq!(refused(array![[1.0, 0.0]]), MahalanobisError::NotSquare { rows: 1, columns: 2 });
        assert_eq!(refused(Array2::zeros((0, 0))), MahalanobisError::NotSquare { rows: 0, columns: 0 });
        assert_eq!(refused(array![[1.0, 0.1], [0.2, 1.0]]), MahalanobisError::NotSymmetric { row: 1, column: 0 });
        let infinite = refused(array![[1.0, f64::INFINITY], [0.0, 1.0]]);
        assert_eq!(infinite, MahalanobisError::NotFinite { row: 0, column: 1, value: f64::INFINITY });
        for singular in
            [array![[1.0, 0.1], [0.1, 0.01]], array![[1.0, 2.0], [2.0, 1.0]], array![[1.0, 0.0], [0.0, 0.0]]]
        {
            assert_eq!(refused(singular), MahalanobisError::NotPositiveDefinite { column: 1 });
        }
        let refused = |matrix: Array2<f64>| Mahalanobis::from_cholesky(matrix.view()).unwrap_err();
        assert_eq!(refused(array![[1.0, 0.5], [0.0, 1.0]]), MahalanobisError::NotTriangular { row: 0, column: 1 });
        assert_eq!(refused(array![[1.0, 0.0], [0.0, -1.0]]), MahalanobisError::NotPositiveDefinite { column: 1 });
    }

    #[test]
    fn rows_of_another_width_are_refused() {
        let expected = DomainError::Width { expected: 3, got: 2 };
        assert_eq!(example(3).check(&Block::new(&[0.0f32; 4], 2)), Err(expected));
        assert_eq!(example(2).check(&Block::new(&[0.0f32; 4], 2)), Ok(()));
    }
}
