//! Inverses of covariances with twice the digits: what computed ones are held against.

use crate::Double;
use ndarray::{Array2, ArrayView1, ArrayView2};

/// The inverse and the determinant of a covariance Σ.
#[derive(Clone, Debug)]
pub struct ExactInverse {
    inverse: Array2<Double>,
    log_determinant: f64,
}

impl ExactInverse {
    /// Of a positive definite matrix, by elimination.
    pub fn of(covariance: ArrayView2<f64>) -> Self {
        let d = covariance.nrows();
        let mut rest = covariance.mapv(|x| Double(x, 0.0));
        let mut inverse = Array2::from_shape_fn((d, d), |(i, j)| Double(f64::from(u8::from(i == j)), 0.0));
        let mut log_determinant = 0.0;
        for p in 0..d {
            let pivot = rest[[p, p]];
            log_determinant += pivot.0.ln() + pivot.1 / pivot.0;
            for matrix in [&mut inverse, &mut rest] {
                matrix.row_mut(p).mapv_inplace(|x| x / pivot);
            }
            for i in (0..d).filter(|i| *i != p) {
                let factor = rest[[i, p]];
                for matrix in [&mut inverse, &mut rest] {
                    (0..d).for_each(|j| matrix[[i, j]] = matrix[[i, j]] - factor * matrix[[p, j]]);
                }
            }
        }
        Self { inverse, log_determinant }
    }

    /// ln|Σ|
    pub fn log_determinant(&self) -> f64 {
        self.log_determinant
    }

    /// Σ⁻¹, rounded.
    pub fn rounded(&self) -> Array2<f64> {
        self.inverse.mapv(|x| x.0)
    }

    /// (x − μ)ᵀ Σ⁻¹ (x − μ)
    pub fn form(&self, x: ArrayView1<f64>, mean: ArrayView1<f64>) -> f64 {
        let z: Vec<Double> = x.iter().zip(mean).map(|(x, m)| Double(*x, 0.0) - Double(*m, 0.0)).collect();
        let terms = self.inverse.indexed_iter().map(|((i, j), p)| z[i] * *p * z[j]);
        terms.fold(Double(0.0, 0.0), |sum, term| sum + term).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn digits_that_a_single_number_has_not_are_kept() {
        let third = Double(1.0, 0.0) / Double(3.0, 0.0);
        let rest = third * Double(3.0, 0.0) - Double(1.0, 0.0);
        assert!(third.1 != 0.0 && rest.0.abs() < 1e-31);
        // 2ᵉ + 1 and 2ᵉ have one in common, of 10⁻¹².
        let e = 2f64.powi(40);
        let near = array![[e + 1.0, e], [e, e]];
        let exact = ExactInverse::of(near.view());
        assert!((exact.log_determinant() - 40.0 * 2f64.ln()).abs() < 1e-14);
        let expected = array![[1.0, -1.0], [-1.0, 1.0 + 1.0 / e]];
        assert_eq!(exact.rounded(), expected);
        assert_eq!(exact.form(array![2.0, 1.0].view(), array![1.0, 1.0].view()), 1.0);
    }
}
