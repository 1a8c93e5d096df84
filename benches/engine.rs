//! The engine beside a loop written by hand over the same kernels: what its generality costs.
//!
//! ```text
//! cargo bench -p miscela-benches --bench engine
//! ```
//!
//! Both make the same number of passes over the same rows from the same start, with one thread and with two. The loop has
//! its rows cut into as many parts as threads; no lanes, no statistics, no report. The two should differ by 2 % at most.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use miscela_benches::Blobs;
use miscela_distance::L2;
use miscela_em::{Algorithm, KMeansFamily};
use miscela_kernel::{BLOCK_ROWS, Block, Centroids, HardMoments, NearestScratch, Samples, Scatter, Threads};
use ndarray::{Array2, Axis};
use std::hint::black_box;

/// n, d, k.
const SIZES: [(usize, usize, usize); 4] = [(200_000, 2, 100), (100_000, 16, 64), (20_000, 128, 256), (20_000, 784, 10)];
const ITERATIONS: usize = 5;

fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(20);
    for (n, d, k) in SIZES {
        let blobs = Blobs::new(n, d, k);
        let (rows, start) = (blobs.rows.mapv(|x| x as f32), blobs.first_rows(k).mapv(|x| x as f32));
        let offset = rows.mean_axis(Axis(0)).expect("there are rows").to_vec();
        for threads in [1, 2] {
            let size = format!("{n} × {d}, k = {k}, threads = {threads}");
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads are to be had");
            group.bench_function(BenchmarkId::new("engine", &size), |bencher| {
                bencher.iter(|| pool.install(|| by_engine(black_box(&rows), &start, &offset, threads)));
            });
            group.bench_function(BenchmarkId::new("by hand", &size), |bencher| {
                bencher.iter(|| pool.install(|| by_hand(black_box(&rows), &start, &offset, threads)));
            });
        }
    }
    group.finish();
}

fn by_engine(rows: &Array2<f32>, start: &Array2<f32>, offset: &[f32], threads: usize) -> Array2<f32> {
    // Rows are checked once at the door; that is not the engine's.
    let samples = Samples::unchecked(rows);
    // The same work: every row against every centre in every pass.
    let mut family = KMeansFamily::new(start, L2, 0.0, offset.to_vec()).with_algorithm(Algorithm::Lloyd);
    let threads = if threads == 1 { Threads::One } else { Threads::Ambient };
    let run = miscela_em::run(&mut family, &samples, ITERATIONS, threads, &mut ());
    assert_eq!(run.iterations, ITERATIONS, "a fit that is over early is no measure");
    family.centroids()
}

/// Σw, Σw(x − μ) and Σw‖x − μ‖² of each cluster.
#[derive(Clone)]
struct Moments {
    weight: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Moments {
    fn zero(k: usize, d: usize) -> Self {
        Self { weight: vec![0.0; k], first: vec![0.0; k * d], second: vec![0.0; k] }
    }

    fn add(&mut self, other: &Self) {
        let pairs = self.weight.iter_mut().zip(&other.weight).chain(self.first.iter_mut().zip(&other.first));
        pairs.chain(self.second.iter_mut().zip(&other.second)).for_each(|(to, from)| *to += from);
    }
}

fn by_hand(rows: &Array2<f32>, start: &Array2<f32>, offset: &[f32], threads: usize) -> Vec<f32> {
    let (d, k) = (rows.ncols(), start.nrows());
    let rows = rows.as_slice().expect("rows are contiguous");
    let part = (rows.len() / d).div_ceil(threads).next_multiple_of(BLOCK_ROWS) * d;
    let mut labels = vec![0; rows.len() / d];
    let mut centres: Vec<f32> = start.iter().copied().collect();
    for _ in 0..ITERATIONS {
        let index = Centroids::new(&centres, offset);
        let mut sums = vec![Moments::zero(k, d); threads];
        let work = sums.iter_mut().zip(rows.chunks(part)).zip(labels.chunks_mut(part / d));
        let pass = |((sums, rows), labels): ((&mut Moments, &[f32]), &mut [u32])| {
            let mut scratch = NearestScratch::default();
            let Moments { weight, first, second } = sums;
            let mut sums = HardMoments { weight, first, second, scatter: Scatter::Spherical };
            for (rows, labels) in rows.chunks(BLOCK_ROWS * d).zip(labels.chunks_mut(BLOCK_ROWS)) {
                let block = Block::new(rows, d);
                index.assign(&block, labels, &mut scratch);
                sums.add(&block, labels, &centres);
            }
        };
        if threads == 1 {
            work.for_each(pass);
        } else {
            rayon::scope(|scope| work.for_each(|part| scope.spawn(|_| pass(part))));
        }
        let (total, rest) = sums.split_first_mut().expect("there is a thread");
        rest.iter().for_each(|sums| total.add(sums));
        for (i, centre) in centres.iter_mut().enumerate() {
            if total.weight[i / d] > 0.0 {
                *centre = (f64::from(*centre) + total.first[i] / total.weight[i / d]) as f32;
            }
        }
    }
    centres
}

criterion_group!(benches, engine);
criterion_main!(benches);
