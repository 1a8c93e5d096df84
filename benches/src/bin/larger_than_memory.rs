//! Fits of a Parquet data set of several times the memory that they may take: how long a pass takes beside reading alone and
//! computing alone, and how much memory was resident at most.
//!
//! ```sh
//! cargo run --release -p miscela-benches --bin larger_than_memory -- [BUDGET_MB] [TIMES] [FOLDER]
//! ```
//!
//! Writes TIMES × BUDGET_MB of numbers (4 × 256 MB) to a new folder within FOLDER (the system's temporary folder), and removes it.
//! Each measurement is a process of its own.

use miscela::prelude::*;
use miscela::{Chunk, Chunks, Covariance, GmmInitMethod, KMeansInit, Origin, Source, SourceError};
use miscela_table::{Blocks, ReadOptions, chunk_rows, write_rows};
use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256Plus;
use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

type Done<T> = Result<T, Box<dyn Error>>;

/// Columns.
const D: usize = 16;
const FILES: u64 = 8;
/// Components, and how many iterations are timed after the first.
const K: usize = 64;
const ITERATIONS: u64 = 5;

fn main() -> Done<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["read", folder] => read(Path::new(folder)),
        ["compute", method, rows] => report(method, &Again { chunk: rows_like(chunk_rows(D)), rows: rows.parse()? }),
        ["fit", method, folder] => report(method, &Blocks::open(folder, &ReadOptions::default())?),
        _ => all(&words),
    }
}

fn all(words: &[&str]) -> Done<()> {
    let number = |i: usize, default: u64| words.get(i).map_or(Ok(default), |word| word.parse());
    let (budget, times) = (number(0, 256)?, number(1, 4)?);
    let rows = (budget << 20) * times / (8 * D as u64);
    let folder = match words.get(2) {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let start = Instant::now();
    write(folder.path(), rows)?;
    println!(
        "{rows} rows of {D} columns, {} MB of f64 in {FILES} Parquet files, written in {:.0} s",
        budget * times,
        seconds(start)
    );
    println!("budget {budget} MB; k = {K}; chunks of {} rows", chunk_rows(D));
    let path = folder.path().display().to_string();
    let reading = measured(&["read", &path])?;
    println!("reading alone: {:.2} s a pass, {:.0} MB resident at most", reading.0, reading.1);
    for method in ["kmeans", "mixture"] {
        let computing = measured(&["compute", method, &rows.to_string()])?;
        let fit = measured(&["fit", method, &path])?;
        let ratio = fit.0 / (reading.0 + computing.0);
        println!(
            "{method}: computing alone {:.2} s a pass; streamed {:.2} s a pass, {ratio:.2} of the sum; {:.0} MB resident at most, {:+.0} MB beside the budget",
            computing.0,
            fit.0,
            fit.1,
            fit.1 - budget as f64,
        );
    }
    Ok(())
}

/// What another process prints: seconds a pass, and megabytes resident at most.
fn measured(arguments: &[&str]) -> Done<(f64, f64)> {
    let output = Command::new(std::env::current_exe()?).args(arguments).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let mut numbers = text.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(seconds), Some(megabytes)) => Ok((seconds?, megabytes?)),
        _ => Err("no numbers".into()),
    }
}

/// Clusters that overlap, so that no fit is over before the iterations are.
fn write(folder: &Path, rows: u64) -> Done<()> {
    let names: Vec<String> = (0..D).map(|j| format!("x{j}")).collect();
    let mut rng = Xoshiro256Plus::seed_from_u64(1);
    for file in 0..FILES {
        write_rows(folder.join(format!("part-{file}.parquet")), &names, |out| {
            for i in rows * file / FILES..rows * (file + 1) / FILES {
                for j in 0..D {
                    let centre = ((i % K as u64) as f64 * (j + 2) as f64 * 0.618_033_988_749_894_9).fract() * 4.0;
                    out.number(centre + rng.sample::<f64, _>(StandardNormal))?;
                }
                out.end()?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Rows like those of the files.
fn rows_like(rows: usize) -> Array2<f64> {
    let mut rng = Xoshiro256Plus::seed_from_u64(2);
    Array2::from_shape_fn((rows, D), |(i, j)| {
        ((i % K) as f64 * (j + 2) as f64 * 0.618_033_988_749_894_9).fract() * 4.0 + rng.sample::<f64, _>(StandardNormal)
    })
}

/// One chunk in memory, again and again, until there are so many rows.
struct Again {
    chunk: Array2<f64>,
    rows: u64,
}

impl Source<f64> for Again {
    fn n_columns(&self) -> usize {
        D
    }

    fn chunks(&self) -> Result<Chunks<'_, f64>, SourceError> {
        let size = self.chunk.nrows() as u64;
        Ok(Box::new((0..self.rows).step_by(size as usize).map(move |first| {
            let rows = self.chunk.slice_axis(ndarray::Axis(0), (0..size.min(self.rows - first) as usize).into());
            Ok(Chunk { rows: rows.into(), weights: None, origin: Origin { first_row: first, ..Origin::default() } })
        })))
    }
}

fn read(folder: &Path) -> Done<()> {
    let blocks = Blocks::open(folder, &ReadOptions::default())?;
    let start = Instant::now();
    for chunk in Source::<f64>::chunks(&blocks)? {
        std::hint::black_box(chunk?);
    }
    println!("{} {}", seconds(start), resident()?);
    Ok(())
}

/// Fits, and prints what an iteration takes on average after the first.
fn report(method: &str, source: &dyn Source<f64>) -> Done<()> {
    let mut times = Vec::new();
    let mut observer = |_: &Progress| -> ControlFlow<()> {
        times.push(Instant::now());
        ControlFlow::Continue(())
    };
    let start = rows_like(K);
    if method == "kmeans" {
        let params = KMeans::params(K).init_method(KMeansInit::Precomputed(start));
        params.tolerance(0.0).max_n_iterations(ITERATIONS + 1).fit_source(source, &mut observer)?;
    } else {
        let init = GmmInitMethod::Parameters { weights: None, means: start, covariances: None };
        let params = GaussianMixture::params(K).covariance(Covariance::Diagonal).init_method(init);
        params.tolerance(0.0).max_n_iterations(ITERATIONS + 1).fit_source(source, &mut observer)?;
    }
    // What comes last may be an evaluation alone; each of these is one pass.
    let passes = (ITERATIONS as usize).min(times.len() - 1);
    println!("{} {}", times[passes].duration_since(times[0]).as_secs_f64() / passes as f64, resident()?);
    Ok(())
}

/// Megabytes that were resident at most.
fn resident() -> Done<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}

fn seconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}
