//! Mixtures in `f64`: fits of a known number of iterations from a known partition.
//!
//! linfa-clustering is not beside them, as it neither starts from a partition nor keeps a model at the limit; scikit-learn
//! is, in `compare.py`.
//!
//! ```text
//! cargo bench -p miscela-benches --bench mixture
//! ```

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use miscela::prelude::*;
use miscela_benches::Blobs;
use std::hint::black_box;

/// Structure, n, d, k.
const SIZES: [(Covariance, usize, usize, usize); 5] = [
    (Covariance::Full, 200_000, 2, 10),
    (Covariance::Full, 100_000, 16, 16),
    (Covariance::Full, 20_000, 64, 8),
    (Covariance::Diagonal, 100_000, 16, 16),
    (Covariance::Diagonal, 100_000, 64, 64),
];
const ITERATIONS: u64 = 5;

fn mixture(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mixture");
    group.sample_size(10);
    for (covariance, n, d, k) in SIZES {
        let blobs = Blobs::new(n, d, k);
        let start = GmmInitMethod::Labels(blobs.blurred_labels(k));
        let dataset = DatasetBase::from(blobs.rows);
        let params = GaussianMixture::<f64>::params(k)
            .covariance(covariance)
            .init_method(start)
            .tolerance(0.0)
            .max_n_iterations(ITERATIONS);
        let model = params.fit(&dataset).expect("the fit is a good one");
        assert_eq!(model.report().iterations as u64, ITERATIONS, "a fit that is over early is no measure");
        let size = format!("{n} × {d}, k = {k}, {ITERATIONS} iterations");
        group.bench_function(BenchmarkId::new(covariance.name(), size), |bencher| {
            bencher.iter(|| params.fit(black_box(&dataset)));
        });
    }
    group.finish();
}

criterion_group!(benches, mixture);
criterion_main!(benches);
