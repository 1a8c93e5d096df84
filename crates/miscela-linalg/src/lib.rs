//! The factorisations that mixtures need, of dense row-major matrices in `f64`.
//!
//! They come from faer. Its code is generic, and is compiled here once, rather than in each crate that calls it.

use faer::{MatRef, Side};

/// A lower Cholesky factor, d × d row-major with zeros above, of a symmetric matrix of which the lower triangle is read;
/// `None` if the matrix is not positive definite. Cost: d³/3.
///
/// ```
/// assert_eq!(miscela_linalg::cholesky(&[4.0, 2.0, 2.0, 2.0], 2), Some(vec![2.0, 0.0, 1.0, 1.0]));
/// assert_eq!(miscela_linalg::cholesky(&[1.0, 2.0, 2.0, 1.0], 2), None);
/// ```
///
/// # Panics
/// If there are not d × d numbers.
pub fn cholesky(matrix: &[f64], d: usize) -> Option<Vec<f64>> {
    let view = MatRef::from_row_major_slice(matrix, d, d);
    let factor = view.llt(Side::Lower).ok()?;
    let lower = factor.L();
    let mut out = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            out[i * d + j] = lower[(i, j)];
        }
    }
    out.iter().step_by(d + 1).all(|x| x.is_finite() && *x > 0.0).then_some(out)
}

/// The logarithm of the determinant of a symmetric positive definite matrix, d × d row-major, of which the lower triangle is
/// read and becomes the Cholesky factor; `None` if it is not positive definite. Nothing is allocated, which is why it is not
/// faer's: it is for many small matrices. Cost: d³/3.
///
/// ```
/// let log = miscela_linalg::ln_det(&mut [4.0, 0.0, 2.0, 2.0], 2).expect("the matrix is positive definite");
/// assert!((log - 4.0f64.ln()).abs() < 1e-15);
/// assert_eq!(miscela_linalg::ln_det(&mut [1.0, 0.0, 2.0, 1.0], 2), None);
/// ```
///
/// # Panics
/// If there are not d × d numbers.
pub fn ln_det(matrix: &mut [f64], d: usize) -> Option<f64> {
    assert_eq!(matrix.len(), d * d, "a matrix of d × d numbers");
    let (mut log, mut product) = (0.0, 1.0f64);
    for i in 0..d {
        let (above, row) = matrix.split_at_mut(i * d);
        let row = &mut row[..=i];
        for j in 0..i {
            let other = &above[j * d..=j * d + j];
            let dot: f64 = row[..j].iter().zip(other).map(|(a, b)| a * b).sum();
            row[j] = (row[j] - dot) / other[j];
        }
        let pivot = row[i] - row[..i].iter().map(|a| a * a).sum::<f64>();
        if !(pivot > 0.0 && pivot < f64::INFINITY) {
            return None;
        }
        row[i] = pivot.sqrt();
        // One logarithm for many pivots, as long as their product is far from what cannot be held.
        if (1e-100..1e100).contains(&(product * pivot)) {
            product *= pivot;
        } else {
            log += product.ln() + pivot.ln();
            product = 1.0;
        }
    }
    let log = log + product.ln();
    log.is_finite().then_some(log)
}

/// L⁻¹ A L⁻ᵀ, d × d row-major, of a symmetric matrix A and a lower Cholesky factor L: A in the units of L Lᵀ. Cost: d³.
///
/// ```
/// assert_eq!(miscela_linalg::whitened(&[2.0, 0.0, 0.0, 1.0], &[4.0, 2.0, 2.0, 3.0], 2), [1.0, 1.0, 1.0, 3.0]);
/// ```
///
/// # Panics
/// If there are not d × d numbers.
pub fn whitened(lower: &[f64], matrix: &[f64], d: usize) -> Vec<f64> {
    // L⁻¹ A, column by column; transposed it is A L⁻ᵀ, whose columns are solved again.
    let solve = |matrix: &[f64]| {
        let mut out = vec![0.0; d * d];
        for j in 0..d {
            for i in 0..d {
                let known: f64 = (0..i).map(|l| lower[i * d + l] * out[j * d + l]).sum();
                out[j * d + i] = (matrix[i * d + j] - known) / lower[i * d + i];
            }
        }
        out
    };
    solve(&solve(matrix))
}

/// The inverse of L Lᵀ, d × d row-major, from the lower Cholesky factor L. Cost: d³.
///
/// ```
/// assert_eq!(miscela_linalg::inverse_of_factored(&[2.0, 0.0, 1.0, 1.0], 2), [0.5, -0.5, -0.5, 1.0]);
/// ```
///
/// # Panics
/// If there are not d × d numbers.
pub fn inverse_of_factored(lower: &[f64], d: usize) -> Vec<f64> {
    // Column j of L⁻¹ solves L y = eⱼ; then the inverse is L⁻ᵀ L⁻¹.
    let mut inverse = vec![0.0; d * d];
    for j in 0..d {
        for i in j..d {
            let known: f64 = (j..i).map(|l| lower[i * d + l] * inverse[l * d + j]).sum();
            inverse[i * d + j] = (if i == j { 1.0 } else { 0.0 } - known) / lower[i * d + i];
        }
    }
    let entry = |i: usize, j: usize| (i.max(j)..d).map(|l| inverse[l * d + i] * inverse[l * d + j]).sum();
    (0..d * d).map(|at| entry(at / d, at % d)).collect()
}

/// The eigenvalues of a symmetric matrix, ascending, and their vectors: `vectors[i * d + e]` is entry i of vector e.
#[derive(Clone, Debug, PartialEq)]
pub struct Eigen {
    /// d, ascending.
    pub values: Vec<f64>,
    /// d × d row-major, a vector a column.
    pub vectors: Vec<f64>,
}

/// The eigenvalues and vectors of a symmetric matrix, of which the lower triangle is read; `None` if they cannot be computed
/// or are not finite. Cost: about 9 d³.
///
/// ```
/// let eigen = miscela_linalg::eigen(&[1.0, 2.0, 2.0, 1.0], 2).expect("the matrix is symmetric");
/// assert!((eigen.values[0] + 1.0).abs() < 1e-14 && (eigen.values[1] - 3.0).abs() < 1e-14);
/// ```
///
/// # Panics
/// If there are not d × d numbers.
pub fn eigen(matrix: &[f64], d: usize) -> Option<Eigen> {
    let view = MatRef::from_row_major_slice(matrix, d, d);
    let eigen = view.self_adjoint_eigen(Side::Lower).ok()?;
    let (vectors, values) = (eigen.U(), eigen.S().column_vector());
    let values: Vec<f64> = (0..d).map(|e| values[e]).collect();
    let vectors: Vec<f64> = (0..d * d).map(|at| vectors[(at / d, at % d)]).collect();
    values.iter().chain(&vectors).all(|x| x.is_finite()).then_some(Eigen { values, vectors })
}

impl Eigen {
    /// V f(Λ) Vᵀ: the symmetric matrix with the same vectors and these values. Cost: d³.
    pub fn with_values(&self, values: &[f64]) -> Vec<f64> {
        let d = values.len();
        let mut out = vec![0.0; d * d];
        for (e, value) in values.iter().enumerate() {
            for i in 0..d {
                let scaled = value * self.vectors[i * d + e];
                for j in 0..=i {
                    out[i * d + j] += scaled * self.vectors[j * d + e];
                }
            }
        }
        for i in 0..d {
            for j in 0..i {
                out[j * d + i] = out[i * d + j];
            }
        }
        out
    }
}

/// The symmetric matrix with every eigenvalue below `floor` raised to it, and how many there were; `None` if the
/// eigenvalues cannot be computed. Cost: about 10 d³.
///
/// # Panics
/// If there are not d × d numbers.
pub fn clip_eigenvalues(matrix: &[f64], d: usize, floor: f64) -> Option<(Vec<f64>, usize)> {
    let eigen = eigen(matrix, d)?;
    let raised = eigen.values.iter().filter(|value| **value < floor).count();
    let values: Vec<f64> = eigen.values.iter().map(|value| value.max(floor)).collect();
    let out = eigen.with_values(&values);
    out.iter().all(|x| x.is_finite()).then_some((out, raised))
}

/// A thin singular value decomposition A = U S Vᵀ with r = min(m, n) values.
#[derive(Clone, Debug, PartialEq)]
pub struct Svd {
    /// m × r row-major.
    pub u: Vec<f64>,
    /// r, descending.
    pub values: Vec<f64>,
    /// n × r row-major.
    pub v: Vec<f64>,
}

/// The thin singular value decomposition of an m × n matrix; `None` if it cannot be computed or is not finite.
///
/// ```
/// let svd = miscela_linalg::svd(&[3.0, 0.0, 0.0, -2.0, 0.0, 0.0], 3, 2).expect("the matrix is finite");
/// assert!((svd.values[0] - 3.0).abs() < 1e-14 && (svd.values[1] - 2.0).abs() < 1e-14);
/// ```
///
/// # Panics
/// If there are not m × n numbers.
pub fn svd(matrix: &[f64], m: usize, n: usize) -> Option<Svd> {
    let svd = MatRef::from_row_major_slice(matrix, m, n).thin_svd().ok()?;
    let (u, s, v, r) = (svd.U(), svd.S().column_vector(), svd.V(), m.min(n));
    let values: Vec<f64> = (0..r).map(|e| s[e]).collect();
    let u: Vec<f64> = (0..m * r).map(|at| u[(at / r, at % r)]).collect();
    let v: Vec<f64> = (0..n * r).map(|at| v[(at / r, at % r)]).collect();
    values.iter().chain(&u).chain(&v).all(|x| x.is_finite()).then_some(Svd { u, values, v })
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A · Bᵀ of row-major matrices, m × r and n × r.
    fn times_transpose(a: &[f64], b: &[f64], r: usize) -> Vec<f64> {
        let rows = |x: &[f64]| x.chunks(r).map(<[f64]>::to_vec).collect::<Vec<_>>();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
        rows(a).iter().flat_map(|a| rows(b).iter().map(|b| dot(a, b)).collect::<Vec<f64>>()).collect()
    }

    fn close(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{a} {b}"));
    }

    proptest! {
        #[test]
        fn a_factor_times_its_transpose_is_the_matrix(root in prop::collection::vec(-1.0..1.0f64, 16)) {
            let mut matrix = times_transpose(&root, &root, 4);
            (0..4).for_each(|i| matrix[i * 5] += 0.1);
            let lower = cholesky(&matrix, 4).unwrap();
            close(&times_transpose(&lower, &lower, 4), &matrix);
        }

        #[test]
        fn eigenvalues_and_vectors_make_the_matrix(root in prop::collection::vec(-1.0..1.0f64, 16)) {
            let matrix: Vec<f64> = (0..16).map(|at| root[at] + root[at % 4 * 4 + at / 4]).collect();
            let eigen = eigen(&matrix, 4).unwrap();
            prop_assert!(eigen.values.is_sorted());
            close(&eigen.with_values(&eigen.values), &matrix);
        }

        #[test]
        fn singular_values_and_vectors_make_the_matrix((m, n, numbers) in (1usize..6, 1usize..6)
            .prop_flat_map(|(m, n)| (Just(m), Just(n), prop::collection::vec(-1.0..1.0f64, m * n)))) {
            let (svd, r) = (svd(&numbers, m, n).unwrap(), m.min(n));
            prop_assert!(svd.values.iter().rev().is_sorted());
            let scaled: Vec<f64> = svd.u.iter().enumerate().map(|(at, u)| u * svd.values[at % r]).collect();
            close(&times_transpose(&scaled, &svd.v, r), &numbers);
        }
    }

    #[test]
    fn what_is_not_positive_definite_has_no_factor() {
        assert!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!(cholesky(&[0.0], 1).is_none());
    }

    #[test]
    fn only_small_eigenvalues_are_raised() {
        // Eigenvalues 3 and −1, vectors (1, 1)/√2 and (1, −1)/√2.
        let (clipped, raised) = clip_eigenvalues(&[1.0, 2.0, 2.0, 1.0], 2, 0.5).unwrap();
        assert_eq!(raised, 1);
        close(&clipped, &[1.75, 1.25, 1.25, 1.75]);
    }
}
