//! K-means beside linfa-clustering: the same rows, the same start, the same number of iterations, one run.
//!
//! ```text
//! cargo bench -p miscela-benches --bench kmeans
//! ```

use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main, measurement::WallTime};
use linfa_nn::distance::L2Dist;
use miscela::prelude::*;
use miscela_benches::Blobs;
use ndarray::Array2;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;
use std::hint::black_box;

/// n, d, k.
const SIZES: [(usize, usize, usize); 3] = [(100_000, 2, 100), (200_000, 16, 64), (20_000, 128, 64)];
const ITERATIONS: u64 = 5;

fn kmeans(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kmeans");
    group.sample_size(10);
    for (n, d, k) in SIZES {
        let size = format!("{n} × {d}, k = {k}, {ITERATIONS} iterations");
        let blobs = Blobs::new(n, d, k);
        let (rows, start) = (blobs.rows.clone(), blobs.first_rows(k));
        ours(&mut group, "miscela f32", &size, rows.mapv(|x| x as f32), start.mapv(|x| x as f32));
        ours(&mut group, "miscela f64", &size, rows.clone(), start.clone());
        theirs(&mut group, &size, rows, start);
    }
    group.finish();
}

fn ours<F: Float>(group: &mut BenchmarkGroup<WallTime>, name: &str, size: &str, rows: Array2<F>, start: Array2<F>) {
    let dataset = DatasetBase::from(rows);
    let params = KMeans::<F>::params(start.nrows())
        .init_method(KMeansInit::Precomputed(start))
        .tolerance(F::zero())
        .max_n_iterations(ITERATIONS);
    let model = params.fit(&dataset).expect("the fit is a good one");
    assert_eq!(model.report().iterations as u64, ITERATIONS, "a fit that is over early is no measure");
    group.bench_function(BenchmarkId::new(name, size), |bencher| {
        bencher.iter(|| params.fit(black_box(&dataset)));
    });
}

fn theirs(group: &mut BenchmarkGroup<WallTime>, size: &str, rows: Array2<f64>, start: Array2<f64>) {
    use linfa_clustering::{KMeans, KMeansInit};
    let dataset = DatasetBase::from(rows);
    let params = KMeans::params_with(start.nrows(), Xoshiro256Plus::seed_from_u64(42), L2Dist)
        .n_runs(1)
        .init_method(KMeansInit::Precomputed(start))
        // As good as none, which is not allowed.
        .tolerance(f64::MIN_POSITIVE)
        .max_n_iterations(ITERATIONS);
    group.bench_function(BenchmarkId::new("linfa-clustering f64", size), |bencher| {
        // At the limit it gives an error and no model.
        bencher.iter(|| params.fit(black_box(&dataset)).is_err());
    });
}

criterion_group!(benches, kmeans);
criterion_main!(benches);
