//! How long k-means takes in a process that has fitted before: what a program that calls the library sees.
//!
//! ```text
//! fit ROWS.npy START.npy ITERATIONS THREADS REPEATS CENTRES.npy       seconds, the best of the repeats, and iterations
//! ```
//!
//! Rows and start are of the same type. The centres are written for comparison.

use miscela::prelude::*;
use ndarray::Array2;
use ndarray_npy::{ReadableElement, WritableElement, read_npy, write_npy};
use std::error::Error;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [rows, start, iterations, threads, repeats, centres] = &args[..] else {
        return Err("usage: fit ROWS.npy START.npy ITERATIONS THREADS REPEATS CENTRES.npy".into());
    };
    let (limit, threads, repeats) = (iterations.parse()?, Threads::Count(threads.parse()?), repeats.parse()?);
    let (seconds, done) = match read_npy::<_, Array2<f32>>(rows) {
        Ok(rows) => best(&rows, read_npy(start)?, limit, threads, repeats, centres)?,
        Err(_) => best::<f64>(&read_npy(rows)?, read_npy(start)?, limit, threads, repeats, centres)?,
    };
    println!("{seconds:.9} {done}");
    Ok(())
}

fn best<F: Float + ReadableElement + WritableElement>(
    rows: &Array2<F>,
    start: Array2<F>,
    limit: u64,
    threads: Threads,
    repeats: usize,
    centres: &str,
) -> Result<(f64, usize), Box<dyn Error>> {
    let params = KMeans::params(start.nrows()).init_method(KMeansInit::Precomputed(start));
    let params = params.tolerance(F::zero()).max_n_iterations(limit).threads(threads);
    let (mut least, mut iterations) = (Duration::MAX, 0);
    for _ in 0..repeats {
        let start = Instant::now();
        let model = params.fit_observed(rows, None, &mut ())?;
        least = least.min(start.elapsed());
        iterations = model.report().iterations;
        write_npy(centres, model.centroids())?;
    }
    Ok((least.as_secs_f64(), iterations))
}
