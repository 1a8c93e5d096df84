//! Covariances in other units.

use crate::Float;
use miscela_em::{Covariance, Covariances};
use ndarray::{Array1, Array2, ArrayViewMut2, Axis};

/// D Σ D of each covariance, D the diagonal of `by` (d), in the least shape that holds them: spheres become ellipsoids along
/// the columns. For k components.
pub(super) fn rescaled<F: Float>(covariances: &Covariances<F>, k: usize, by: &[f64]) -> Covariances<F> {
    let d = by.len();
    let squares: Vec<f64> = by.iter().map(|s| s * s).collect();
    let times = |variance: F, j: usize| F::narrow(variance.widen() * squares[j]);
    let matrix = |mut matrix: ArrayViewMut2<F>| {
        matrix.indexed_iter_mut().for_each(|((i, j), x)| *x = F::narrow(x.widen() * by[i] * by[j]));
    };
    match covariances {
        Covariances::Tied(one) => {
            let mut one = one.clone();
            matrix(one.view_mut());
            Covariances::Tied(one)
        }
        Covariances::Diagonal(all) => {
            Covariances::Diagonal(Array2::from_shape_fn((k, d), |(c, j)| times(all[[c, j]], j)))
        }
        Covariances::TiedDiagonal(one) => Covariances::TiedDiagonal(Array1::from_shape_fn(d, |j| times(one[j], j))),
        Covariances::Spherical(all) => Covariances::Diagonal(Array2::from_shape_fn((k, d), |(c, j)| times(all[c], j))),
        Covariances::TiedSpherical(one) => Covariances::TiedDiagonal(Array1::from_shape_fn(d, |j| times(*one, j))),
        full => {
            let mut all = full.dense(k, d);
            all.axis_iter_mut(Axis(0)).for_each(matrix);
            Covariances::Full(all)
        }
    }
}

/// The least structure that holds what the columns of one of this structure may become when they are scaled: shared volumes
/// and matrices stay shared, shared shapes stay so along the columns alone, and shared axes do not.
pub(super) fn closure(covariance: Covariance) -> Covariance {
    match covariance {
        Covariance::TiedSpherical => Covariance::TiedDiagonal,
        Covariance::Spherical => Covariance::Vei,
        Covariance::Eev | Covariance::Eve => Covariance::Evv,
        Covariance::Vev | Covariance::Vve => Covariance::Full,
        closed => closed,
    }
}
