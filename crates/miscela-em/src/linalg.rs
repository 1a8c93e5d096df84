//! The two factorisations that mixtures need, from faer.

use faer::{MatRef, Side};

/// A lower Cholesky factor, d × d row-major with zeros above, of a symmetric matrix given row-major; `None` if the matrix
/// is not positive definite.
pub(crate) fn cholesky(matrix: &[f64], d: usize) -> Option<Vec<f64>> {
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

/// The symmetric matrix with every eigenvalue below `floor` raised to it, and how many there were; `None` if the
/// eigenvalues cannot be computed.
pub(crate) fn clip_eigenvalues(matrix: &[f64], d: usize, floor: f64) -> Option<(Vec<f64>, usize)> {
    let view = MatRef::from_row_major_slice(matrix, d, d);
    let eigen = view.self_adjoint_eigen(Side::Lower).ok()?;
    let (vectors, values) = (eigen.U(), eigen.S().column_vector());
    let raised = (0..d).filter(|e| values[*e] < floor).count();
    let mut out = vec![0.0; d * d];
    for e in 0..d {
        let value = values[e].max(floor);
        for i in 0..d {
            for j in 0..=i {
                out[i * d + j] += value * vectors[(i, e)] * vectors[(j, e)];
            }
        }
    }
    for i in 0..d {
        for j in 0..i {
            out[j * d + i] = out[i * d + j];
        }
    }
    out.iter().all(|x| x.is_finite()).then_some((out, raised))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factor_times_its_transpose_is_the_matrix() {
        let matrix = [4.0, 2.0, 0.4, 2.0, 5.0, 1.0, 0.4, 1.0, 3.0];
        let lower = cholesky(&matrix, 3).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                let product: f64 = (0..3).map(|l| lower[i * 3 + l] * lower[j * 3 + l]).sum();
                assert!((product - matrix[i * 3 + j]).abs() < 1e-14);
            }
        }
        assert!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!(cholesky(&[0.0], 1).is_none());
    }

    #[test]
    fn only_small_eigenvalues_are_raised() {
        // Eigenvalues 3 and −1, vectors (1, 1)/√2 and (1, −1)/√2.
        let (clipped, raised) = clip_eigenvalues(&[1.0, 2.0, 2.0, 1.0], 2, 0.5).unwrap();
        assert_eq!(raised, 1);
        for (got, expected) in clipped.iter().zip([1.75, 1.25, 1.25, 1.75]) {
            assert!((got - expected).abs() < 1e-14);
        }
    }
}
