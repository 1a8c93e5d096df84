//! What a structure's estimate is made of: the scatter of the components about their means.

use crate::Covariances;
use miscela_kernel::Scatter;
use ndarray::{Array2, Array3, ArrayView2};

/// The covariance of each component about its mean, as much of it as the structure's scatter keeps: the trace, the
/// diagonal, or the lower triangle.
pub(crate) struct Within {
    pub(crate) width: usize,
    /// Nₖ
    pub(crate) weight: Vec<f64>,
    /// Sₖ/Nₖ
    pub(crate) covariance: Vec<Vec<f64>>,
    /// The covariances before, where the estimate goes on from them.
    pub(crate) previous: Option<Covariances<f64>>,
}

/// As much of a matrix as a scatter keeps.
pub(crate) fn kept(matrix: ArrayView2<f64>, scatter: Scatter) -> Vec<f64> {
    match scatter {
        Scatter::Spherical => vec![matrix.diag().sum()],
        Scatter::Diagonal => matrix.diag().to_vec(),
        Scatter::Full => (0..matrix.nrows()).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|at| matrix[at]).collect(),
    }
}

/// Adds to every variance in as much of a matrix of `width` columns as the scatter keeps.
pub(crate) fn add_to_variances(covariance: &mut [f64], width: usize, ridge: f64, scatter: Scatter) {
    match scatter {
        Scatter::Spherical => covariance[0] += ridge * width as f64,
        Scatter::Diagonal => covariance.iter_mut().for_each(|variance| *variance += ridge),
        // The diagonal of a lower triangle is at 0, 2, 5, …
        Scatter::Full => (0..width).for_each(|j| covariance[j * (j + 3) / 2] += ridge),
    }
}

impl Within {
    /// Nₖ / Σ N
    pub(crate) fn shares(&self) -> Vec<f64> {
        let total: f64 = self.weight.iter().sum();
        self.weight.iter().map(|n| n / total).collect()
    }

    /// Σ Nₖ (Sₖ/Nₖ) / Σ Nₖ
    pub(crate) fn pooled(&self) -> Vec<f64> {
        let mut pooled = vec![0.0; self.covariance[0].len()];
        for (share, covariance) in self.shares().iter().zip(&self.covariance) {
            pooled.iter_mut().zip(covariance).for_each(|(p, c)| *p += share * c);
        }
        pooled
    }

    /// Adds to every variance: each structure stays itself, as all of Sₖ/Nₖ is moved alike.
    pub(crate) fn add_to_variances(&mut self, ridge: f64, scatter: Scatter) {
        let width = self.width;
        self.covariance.iter_mut().for_each(|covariance| add_to_variances(covariance, width, ridge, scatter));
    }

    /// The whole matrix of a component, d × d, from its lower triangle.
    pub(crate) fn matrix(&self, c: usize) -> Vec<f64> {
        whole(&self.covariance[c], self.width)
    }
}

/// The whole matrix, d × d, of a lower triangle.
pub(crate) fn whole(lower: &[f64], d: usize) -> Vec<f64> {
    let mut matrix = vec![0.0; d * d];
    let mut packed = lower.iter();
    for i in 0..d {
        for (j, value) in (0..=i).zip(packed.by_ref()) {
            (matrix[i * d + j], matrix[j * d + i]) = (*value, *value);
        }
    }
    matrix
}

/// The mean of the logarithms of a matrix' eigenvalues: ln |Σ|/d. Not a number where it is not positive definite.
pub(crate) fn log_volume(matrix: &[f64], d: usize) -> f64 {
    miscela_linalg::ln_det(&mut matrix.to_vec(), d).map_or(f64::NAN, |log| log / d as f64)
}

/// The variances of each component.
pub(crate) fn diagonal(d: usize, all: &[Vec<f64>]) -> Covariances<f64> {
    Covariances::Diagonal(Array2::from_shape_fn((all.len(), d), |(c, j)| all[c][j]))
}

/// One whole matrix a component.
pub(crate) fn full(d: usize, matrices: impl ExactSizeIterator<Item = Vec<f64>>) -> Covariances<f64> {
    let mut all = Array3::zeros((matrices.len(), d, d));
    for (mut to, matrix) in all.outer_iter_mut().zip(matrices) {
        to.iter_mut().zip(matrix).for_each(|(to, from)| *to = from);
    }
    Covariances::Full(all)
}
