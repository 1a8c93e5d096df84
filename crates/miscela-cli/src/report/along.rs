//! Covariances along a few axes: what a picture needs of matrices that may be large.

use crate::model::Number;
use miscela::{Covariances, GaussianMixture};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

/// B Σ Bᵀ of component `c`, for a basis B, a × d.
pub(super) fn along<F: Number>(mixture: &GaussianMixture<F>, c: usize, basis: ArrayView2<f64>) -> Array2<f64> {
    let d = basis.ncols();
    let whole = |matrix: ArrayView2<F>| basis.dot(&matrix.mapv(F::widen)).dot(&basis.t());
    let diagonal = |variances: ArrayView1<F>| (&basis * &variances.mapv(F::widen)).dot(&basis.t());
    let same = |variance: F| diagonal(Array1::from_elem(d, variance).view());
    match mixture.covariance_parameters() {
        Covariances::Full(all) => whole(all.index_axis(Axis(0), c)),
        Covariances::Tied(one) => whole(one.view()),
        Covariances::Diagonal(all) => diagonal(all.row(c)),
        Covariances::TiedDiagonal(one) => diagonal(one.view()),
        Covariances::Spherical(all) => same(all[c]),
        Covariances::TiedSpherical(one) => same(*one),
        other => whole(other.dense(mixture.n_clusters(), d).index_axis(Axis(0), c)),
    }
}
