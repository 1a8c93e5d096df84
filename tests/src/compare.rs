//! Closeness, relative to the scale on which a number matters.

use miscela_em::Covariance;
use ndarray::{Array2, Array3, ArrayBase, ArrayD, Axis, Data, Dimension, Ix1, Ix2, Ix3};

/// |got − expected| ≤ tolerance · |expected|.
///
/// # Panics
/// If it is not so.
#[track_caller]
pub fn assert_close(what: &str, got: f64, expected: f64, tolerance: f64) {
    let error = (got - expected).abs();
    // Not `error > …`, so that a NaN fails too.
    assert!(error <= tolerance * expected.abs(), "{what}: {got}, expected {expected}, off by {error:e}");
}

/// Every difference at most `tolerance · scale`, where the scale is the largest expected entry.
///
/// # Panics
/// If it is not so.
#[track_caller]
pub fn assert_near<A: Data<Elem = f64>, B: Data<Elem = f64>, D: Dimension>(
    what: &str,
    got: &ArrayBase<A, D>,
    expected: &ArrayBase<B, D>,
    tolerance: f64,
) {
    assert_eq!(got.shape(), expected.shape(), "{what}");
    let scale = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    for (index, (a, b)) in got.iter().zip(expected).enumerate() {
        let error = (a - b).abs();
        assert!(error <= tolerance * scale, "{what}, entry {index}: {a}, expected {b}, off by {error:e} of {scale:e}");
    }
}

/// Means agree column by column, each on the scale of its largest entry.
///
/// # Panics
/// If they do not.
#[track_caller]
pub fn assert_means(what: &str, got: &Array2<f64>, expected: &Array2<f64>, tolerance: f64) {
    assert_eq!(got.dim(), expected.dim(), "{what}");
    for (j, (a, b)) in got.axis_iter(Axis(1)).zip(expected.axis_iter(Axis(1))).enumerate() {
        assert_near(&format!("{what}, column {j}"), &a, &b, tolerance);
    }
}

/// Covariances agree, each entry on the scale √(Σᵢᵢ Σⱼⱼ).
///
/// # Panics
/// If they do not.
#[track_caller]
pub fn assert_covariances(what: &str, got: &Array3<f64>, expected: &Array3<f64>, tolerance: f64) {
    assert_eq!(got.dim(), expected.dim(), "{what}");
    for ((c, i, j), b) in expected.indexed_iter() {
        let (a, scale) = (got[[c, i, j]], (expected[[c, i, i]] * expected[[c, j, j]]).sqrt());
        let error = (a - b).abs();
        assert!(
            error <= tolerance * scale,
            "{what}, component {c}, entry {i}, {j}: {a}, expected {b}, off by {error:e} of {scale:e}"
        );
    }
}

/// scikit-learn's layouts (k × d × d, d × d, k × d, k) as matrices, k × d × d.
///
/// # Panics
/// If the array is not of the structure's layout.
pub fn dense(covariance: Covariance, array: ArrayD<f64>, k: usize, d: usize) -> Array3<f64> {
    let mut dense = Array3::zeros((k, d, d));
    let wrong = "not the layout of this structure";
    match covariance {
        Covariance::Full => dense.assign(&array.into_dimensionality::<Ix3>().expect(wrong)),
        Covariance::Tied => {
            let shared = array.into_dimensionality::<Ix2>().expect(wrong);
            dense.outer_iter_mut().for_each(|mut matrix| matrix.assign(&shared));
        }
        Covariance::Diagonal => {
            let all = array.into_dimensionality::<Ix2>().expect(wrong);
            dense.outer_iter_mut().zip(all.outer_iter()).for_each(|(mut matrix, row)| matrix.diag_mut().assign(&row));
        }
        Covariance::Spherical => {
            let all = array.into_dimensionality::<Ix1>().expect(wrong);
            dense.outer_iter_mut().zip(&all).for_each(|(mut matrix, variance)| matrix.diag_mut().fill(*variance));
        }
        other => panic!("scikit-learn has no {other}"),
    }
    dense
}
