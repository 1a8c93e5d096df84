//! Small fits touch no thread pool. Alone in its file: other tests of the same process would start one.
#![cfg(target_os = "linux")]

use miscela::prelude::*;
use ndarray::Array2;

/// The threads that this process has now.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn small_fits_run_on_the_calling_thread_alone() {
    let before = threads();
    let iris = linfa_datasets::iris();
    KMeans::params(3).fit(&iris).unwrap().predict(iris.records());
    GaussianMixture::params(3).fit(&iris).unwrap().predict(iris.records());
    assert_eq!(threads(), before);
    // What is large enough does start the pool, or the line above would say nothing.
    let large = Array2::from_shape_fn((100_000, 4), |(i, j)| ((i * (j + 3)) % 1009) as f64);
    KMeans::params(8).n_runs(1).max_n_iterations(1).fit(&Dataset::from(large)).unwrap();
    assert!(threads() > before);
}
