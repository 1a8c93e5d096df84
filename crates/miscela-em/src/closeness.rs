//! How far apart the components of two mixtures are.
//!
//! ```text
//! B = ⅛ Δᵀ Σ̄⁻¹ Δ + ½ ln(|Σ̄| / √(|Σ| |Σ'|))      Δ = μ − μ',  Σ̄ = (Σ + Σ')/2
//! M = √(Δᵀ Σ'⁻¹ Δ)
//! ```
//!
//! The Bhattacharyya distance (1943) knows of means and covariances alike, and is zero only where both are the same; the
//! Mahalanobis distance says how far a mean lies from another in standard deviations of that other.

use crate::parameters::{Mixture, ParameterError};
use miscela_kernel::Float;
use ndarray::{Array2, Array3};

impl<F: Float> Mixture<F> {
    /// The Bhattacharyya distances of these components to those of another mixture of the same columns, k × k'. Cost:
    /// O(k k' d³).
    ///
    /// # Errors
    /// If a covariance is not positive definite.
    ///
    /// # Panics
    /// If the numbers of columns differ.
    pub fn bhattacharyya(&self, other: &Self) -> Result<Array2<f64>, ParameterError> {
        let (k, d) = self.means.dim();
        assert_eq!(d, other.n_columns(), "mixtures of the same columns");
        let (mine, theirs) = (self.covariances.dense(k, d), other.covariances.dense(other.n_components(), d));
        let (ours, others) = (log_determinants(&self.factors()?), log_determinants(&other.factors()?));
        let mut apart = Array2::zeros((k, other.n_components()));
        for ((c, b), apart) in apart.indexed_iter_mut() {
            let pairs = mine.index_axis(ndarray::Axis(0), c);
            let pairs = pairs.iter().zip(theirs.index_axis(ndarray::Axis(0), b));
            let middle: Vec<f64> = pairs.map(|(a, b)| (a.widen() + b.widen()) / 2.0).collect();
            let lower =
                miscela_linalg::cholesky(&middle, d).ok_or(ParameterError::NotPositiveDefinite { component: c })?;
            let delta = difference(self, c, other, b);
            let log_determinant = 2.0 * (0..d).map(|j| lower[j * d + j].ln()).sum::<f64>();
            *apart = squared_length(&lower, &delta) / 8.0 + 0.5 * (log_determinant - 0.5 * (ours[c] + others[b]));
        }
        Ok(apart)
    }

    /// The Mahalanobis distance of the mean of component `c` to component `b` of another mixture of the same columns.
    ///
    /// # Errors
    /// If a covariance is not positive definite.
    pub fn mahalanobis(&self, c: usize, other: &Self, b: usize) -> Result<f64, ParameterError> {
        let factors = other.factors()?;
        let lower: Vec<f64> = factors.index_axis(ndarray::Axis(0), b).iter().copied().collect();
        Ok(squared_length(&lower, &difference(self, c, other, b)).sqrt())
    }
}

/// μ of one component less that of another.
fn difference<F: Float>(mine: &Mixture<F>, c: usize, other: &Mixture<F>, b: usize) -> Vec<f64> {
    mine.means.row(c).iter().zip(other.means.row(b)).map(|(x, y)| x.widen() - y.widen()).collect()
}

/// ln|Σ| of each factored covariance.
fn log_determinants(factors: &Array3<f64>) -> Vec<f64> {
    factors.outer_iter().map(|factor| 2.0 * factor.diag().iter().map(|x| x.ln()).sum::<f64>()).collect()
}

/// ‖L⁻¹ z‖², by forward substitution.
fn squared_length(lower: &[f64], z: &[f64]) -> f64 {
    let d = z.len();
    let mut solved: Vec<f64> = Vec::with_capacity(d);
    for (i, z) in z.iter().enumerate() {
        let known: f64 = solved.iter().zip(&lower[i * d..]).map(|(y, l)| y * l).sum();
        solved.push((z - known) / lower[i * d + i]);
    }
    solved.iter().map(|y| y * y).sum()
}
