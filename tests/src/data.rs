//! The data sets of `data/`, and the weights that recorded weighted fits used.

use ndarray::{Array1, Array2, Axis};
use std::path::{Path, PathBuf};

/// A file or folder of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A data set by the name that the records use: `faithful`, `penguins@scaled`, `china_pixels`, …; n × d.
///
/// # Panics
/// If there is no such file.
pub fn data(name: &str) -> Array2<f64> {
    if let Some(name) = name.strip_suffix("@scaled") {
        return scaled(data(name));
    }
    let candidates = [format!("data/{name}.csv"), format!("data/{name}.csv.gz"), format!("data/{name}.u8.npy.gz")];
    let path = candidates.iter().map(|path| repository(path)).find(|path| path.exists());
    let path = path.unwrap_or_else(|| panic!("there is no data set {name}"));
    miscela_table::read(path).unwrap_or_else(|error| panic!("{error}")).into_f64()
}

/// The labels in a file of the repository.
///
/// # Panics
/// If they cannot be read.
pub fn labels(path: &str) -> Vec<usize> {
    miscela_table::read_labels(repository(path)).unwrap_or_else(|error| panic!("{error}"))
}

/// Each column centred and divided by its sample standard deviation (n − 1).
pub fn scaled(mut rows: Array2<f64>) -> Array2<f64> {
    let deviations = rows.std_axis(Axis(0), 1.0);
    let means = rows.sum_axis(Axis(0)) / rows.nrows() as f64;
    rows.outer_iter_mut().for_each(|mut row| {
        row -= &means;
        row /= &deviations;
    });
    rows
}

/// The weights of the recorded weighted fits: (1 + (i mod 5))/5.
pub fn step_weights(n: usize) -> Array1<f64> {
    Array1::from_shape_fn(n, |i| (1 + i % 5) as f64 / 5.0)
}

/// The same numbers in `f32`.
pub fn narrow(rows: &Array2<f64>) -> Array2<f32> {
    rows.mapv(|x| x as f32)
}
