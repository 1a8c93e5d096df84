//! K-means beside Rust peers: the same rows, the same number of iterations, one run, all rows, all threads.
//!
//! ```text
//! cargo bench -p miscela-benches --bench kmeans
//! ```
//!
//! What the figures can be held against:
//!
//! | peer | type | start | what else differs |
//! |---|---|---|---|
//! | linfa-clustering | `f32`, `f64` | ours | gives an error and no model at the limit of iterations |
//! | fastkmeans-rs | `f32` | its own random rows | no labels: one assignment less. Its limit on rows a cluster is lifted, its tolerance off |
//! | kmeans_uni | `f32` | its own k-means++, in its time | k more passes against one centre each: about one iteration; it stops where its centres stand still |
//! | superkmeans-rs | `f32` | its own random rows | without its inexact pruning (`use_blas_only`, on matrixmultiply), which finds other labels; no labels |
//!
//! Blobs overlap, so that none settles within the iterations.

use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main, measurement::WallTime};
use linfa_nn::distance::L2Dist;
use miscela::prelude::*;
use miscela_benches::Blobs;
use ndarray::Array2;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;
use std::hint::black_box;

type Group<'a> = BenchmarkGroup<'a, WallTime>;

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
        let (rows32, start32) = (rows.mapv(|x| x as f32), start.mapv(|x| x as f32));
        ours(&mut group, "miscela f32", &size, &rows32, &start32);
        ours(&mut group, "miscela f64", &size, &rows, &start);
        linfa_clustering(&mut group, "linfa-clustering f32", &size, &rows32, &start32);
        linfa_clustering(&mut group, "linfa-clustering f64", &size, &rows, &start);
        fastkmeans(&mut group, &size, &rows32, k);
        kmeans_uni(&mut group, &size, &rows32, k);
        superkmeans(&mut group, &size, &rows32, k);
    }
    group.finish();
}

fn ours<F: Float>(group: &mut Group, name: &str, size: &str, rows: &Array2<F>, start: &Array2<F>) {
    let dataset = DatasetBase::from(rows.view());
    let params = KMeans::<F>::params(start.nrows())
        .init_method(KMeansInit::Precomputed(start.clone()))
        .tolerance(F::zero())
        .max_n_iterations(ITERATIONS);
    let model = params.fit(&dataset).expect("the fit is a good one");
    assert_eq!(model.report().iterations as u64, ITERATIONS, "a fit that is over early is no measure");
    group.bench_function(BenchmarkId::new(name, size), |bencher| {
        bencher.iter(|| params.fit(black_box(&dataset)));
    });
}

fn linfa_clustering<F: linfa::Float>(group: &mut Group, name: &str, size: &str, rows: &Array2<F>, start: &Array2<F>) {
    use linfa_clustering::{KMeans, KMeansInit};
    let dataset = DatasetBase::from(rows.view());
    let params = KMeans::params_with(start.nrows(), Xoshiro256Plus::seed_from_u64(42), L2Dist)
        .n_runs(1)
        .init_method(KMeansInit::Precomputed(start.clone()))
        // As good as none, which is not allowed.
        .tolerance(F::min_positive_value())
        .max_n_iterations(ITERATIONS);
    group.bench_function(BenchmarkId::new(name, size), |bencher| {
        bencher.iter(|| params.fit(black_box(&dataset)).is_err());
    });
}

fn fastkmeans(group: &mut Group, size: &str, rows: &Array2<f32>, k: usize) {
    use fastkmeans_rs::{FastKMeans, KMeansConfig};
    let config =
        KMeansConfig::new(k).with_max_iters(ITERATIONS as usize).with_tol(-1.0).with_max_points_per_centroid(None);
    group.bench_function(BenchmarkId::new("fastkmeans-rs f32", size), |bencher| {
        bencher.iter(|| FastKMeans::with_config(config.clone()).train(black_box(&rows.view())));
    });
}

fn kmeans_uni(group: &mut Group, size: &str, rows: &Array2<f32>, k: usize) {
    use kmeans_uni::KMeansBuilder;
    let config = KMeansBuilder::new(k)
        .iterations(ITERATIONS as usize)
        .attempts(1)
        .tolerance(0.0)
        .cpu_simd()
        .euclidean()
        .seed(42)
        .parallel();
    let numbers = rows.as_slice().expect("rows are contiguous");
    group.bench_function(BenchmarkId::new("kmeans_uni f32", size), |bencher| {
        bencher.iter(|| config.fit(black_box(numbers), rows.ncols()));
    });
}

fn superkmeans(group: &mut Group, size: &str, rows: &Array2<f32>, k: usize) {
    use superkmeans::{SuperKMeans, SuperKMeansConfig};
    let config = SuperKMeansConfig {
        iters: ITERATIONS as u32,
        use_blas_only: true,
        early_termination: false,
        tol: 0.0,
        suppress_warnings: true,
        ..SuperKMeansConfig::default()
    };
    let numbers = rows.as_slice().expect("rows are contiguous");
    group.bench_function(BenchmarkId::new("superkmeans-rs f32", size), |bencher| {
        bencher
            .iter(|| SuperKMeans::with_config(k, rows.ncols(), config.clone()).train(black_box(numbers), rows.nrows()));
    });
}

criterion_group!(benches, kmeans);
criterion_main!(benches);
