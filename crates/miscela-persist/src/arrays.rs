//! Arrays as nested lists, the form they have in documents, and back with their shapes checked.
//!
//! ndarray's own serde form (a version, dimensions, flat data) says less to a reader and to other languages.

use crate::PersistError;
use ndarray::{Array1, Array2, Array3, ArrayView2, ArrayView3};

/// The rows of a matrix (r × c) as lists.
///
/// ```
/// use miscela_persist::{matrix, rows};
/// use ndarray::array;
///
/// let means = array![[0.0, 1.0], [2.0, 3.0]];
/// assert_eq!(rows(means.view()), [[0.0, 1.0], [2.0, 3.0]]);
/// assert_eq!(matrix("means", &rows(means.view()), 2, 2)?, means);
/// # Ok::<(), miscela_persist::PersistError>(())
/// ```
pub fn rows<F: Copy>(matrix: ArrayView2<'_, F>) -> Vec<Vec<F>> {
    matrix.outer_iter().map(|row| row.to_vec()).collect()
}

/// The matrices of a stack (s × r × c), each as a list of rows.
pub fn layers<F: Copy>(stack: ArrayView3<'_, F>) -> Vec<Vec<Vec<F>>> {
    stack.outer_iter().map(rows).collect()
}

/// A vector of `len` numbers.
///
/// # Errors
///
/// [`PersistError::Shape`] for another length.
pub fn vector<F: Copy>(field: &str, list: &[F], len: usize) -> Result<Array1<F>, PersistError> {
    has_len(|| field.to_string(), list, len)?;
    Ok(Array1::from_vec(list.to_vec()))
}

/// A matrix of `n_rows` × `n_columns` numbers.
///
/// # Errors
///
/// [`PersistError::Shape`] for another number of rows, and for the first row of another length, by its number.
///
/// ```
/// use miscela_persist::matrix;
///
/// let error = matrix("centroids", &[vec![0.0, 1.0], vec![2.0]], 2, 2).unwrap_err();
/// assert_eq!(error.to_string(), "`centroids[1]` has length 1 where 2 is needed");
/// ```
pub fn matrix<F: Copy>(
    field: &str,
    rows: &[Vec<F>],
    n_rows: usize,
    n_columns: usize,
) -> Result<Array2<F>, PersistError> {
    has_len(|| field.to_string(), rows, n_rows)?;
    for (i, row) in rows.iter().enumerate() {
        has_len(|| format!("{field}[{i}]"), row, n_columns)?;
    }
    Ok(Array2::from_shape_fn((n_rows, n_columns), |(i, j)| rows[i][j]))
}

/// A stack of `n_layers` matrices of `n_rows` × `n_columns` numbers.
///
/// # Errors
///
/// [`PersistError::Shape`], which names the first list of another length.
///
/// ```
/// use miscela_persist::{layers, stack};
/// use ndarray::array;
///
/// let covariances = array![[[1.0, 0.5], [0.5, 2.0]]];
/// assert_eq!(stack("covariances", &layers(covariances.view()), 1, 2, 2)?, covariances);
/// let error = stack("covariances", &layers(covariances.view()), 1, 2, 3).unwrap_err();
/// assert_eq!(error.to_string(), "`covariances[0][0]` has length 2 where 3 is needed");
/// # Ok::<(), miscela_persist::PersistError>(())
/// ```
pub fn stack<F: Copy>(
    field: &str,
    layers: &[Vec<Vec<F>>],
    n_layers: usize,
    n_rows: usize,
    n_columns: usize,
) -> Result<Array3<F>, PersistError> {
    has_len(|| field.to_string(), layers, n_layers)?;
    for (s, layer) in layers.iter().enumerate() {
        has_len(|| format!("{field}[{s}]"), layer, n_rows)?;
        for (i, row) in layer.iter().enumerate() {
            has_len(|| format!("{field}[{s}][{i}]"), row, n_columns)?;
        }
    }
    Ok(Array3::from_shape_fn((n_layers, n_rows, n_columns), |(s, i, j)| layers[s][i][j]))
}

fn has_len<T>(field: impl Fn() -> String, list: &[T], expected: usize) -> Result<(), PersistError> {
    if list.len() == expected {
        return Ok(());
    }
    Err(PersistError::Shape { field: field(), expected, got: list.len() })
}
