//! After how many rows fits by batches come near a fit to all rows from the same start, as a table.
//!
//! ```text
//! cargo run -p miscela-benches --bin streams
//! ```
//!
//! Each seed gives a start by greedy k-means++, and both fits go on from there. Near is an inertia of at most 1.01 times that of
//! k-means with its default tolerance, over all rows; and for mixtures a mean log-likelihood a row of at most 0.01 below that
//! of EM. The first number of batches that leads there is looked for among ⌈1.15ⁱ⌉ up to 3000. Where a fit ends by itself, after 50 batches that
//! did not help, is said beside it. Elsewhere is a seed whose batches led near another optimum: a fit to all rows that goes on from
//! there stays away too. No clock has a part in it, so that the numbers are those of any machine but for rounding.

use miscela::MiniBatch;
use miscela::prelude::*;
use miscela_benches::Blobs;
use miscela_tests::data;
use ndarray::Array2;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;
use std::error::Error;

const SEEDS: u64 = 10;
const MOST_BATCHES: u64 = 3000;

fn main() -> Result<(), Box<dyn Error>> {
    println!(
        "| data | n | d | k | rows a batch | memory | rows of k-means | near in | elsewhere | rows until then | worst | ends after | excess | worst |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (name, k, batch_size) in
        [("galaxies", 3, 20), ("faithful", 2, 50), ("iris", 3, 50), ("penguins@scaled", 3, 50), ("digits", 10, 100)]
    {
        kmeans(name, data(name), k, (batch_size, 0.1), SEEDS)?;
    }
    let pixels = data("china_pixels");
    for (k, memory) in [(8, 0.1), (64, 0.1), (64, 0.02)] {
        kmeans("china_pixels", pixels.clone(), k, (1024, memory), 3)?;
    }
    kmeans("blobs", Blobs::new(100_000, 2, 50).rows, 50, (1024, 0.1), 3)?;
    kmeans("blobs", Blobs::new(100_000, 16, 32).rows, 32, (1024, 0.1), 3)?;
    println!();
    println!(
        "| data | n | d | k | covariance | rows a batch | rows of EM | near in | elsewhere | rows until then | worst | ends after | below | worst |"
    );
    println!("|---|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for covariance in [Covariance::Full, Covariance::Tied, Covariance::Diagonal] {
        for (name, k, batch_size) in [("faithful", 2, 100), ("iris", 3, 100), ("penguins@scaled", 3, 100)] {
            mixture(name, data(name), k, covariance, batch_size, SEEDS)?;
        }
        mixture("blobs", Blobs::new(100_000, 4, 8).rows, 8, covariance, 1024, 3)?;
    }
    Ok(())
}

/// What one seed came to: rows of the fit to all rows; batches until near, if ever; batches and distance where it ended, and
/// the distance after a fit to all rows from there.
struct Found {
    all_rows: usize,
    near: Option<usize>,
    ended: usize,
    apart: f64,
    settled: f64,
}

/// How far apart two fits may be to be near.
const NEAR: f64 = 0.01;

fn kmeans(
    name: &str,
    rows: Array2<f64>,
    k: usize,
    (batch_size, memory): (usize, f64),
    seeds: u64,
) -> Result<(), Box<dyn Error>> {
    let ((n, d), dataset) = (rows.dim(), DatasetBase::from(rows));
    let mut found = Vec::new();
    for seed in 0..seeds {
        let params = KMeans::params_with_rng(k, Xoshiro256Plus::seed_from_u64(seed));
        let start = params.clone().max_n_iterations(0).fit(&dataset)?.centroids().clone();
        let params = params.init_method(KMeansInit::Precomputed(start));
        let all = params.fit(&dataset)?;
        let excess = |model: &KMeans<f64>| model.inertia_sum() / all.inertia_sum() - 1.0;
        let fit = |batches: u64, patience| {
            let batch = MiniBatch { batch_size, patience };
            params.clone().max_n_iterations(batches).tolerance(0.0).mini_batch(batch).memory(memory).fit(&dataset)
        };
        let settle = |model: KMeans<f64>| {
            params.clone().init_method(KMeansInit::Precomputed(model.centroids().clone())).fit(&dataset)
        };
        let ended = fit(MOST_BATCHES, MiniBatch::default().patience)?;
        found.push(Found {
            all_rows: n * all.report().iterations,
            near: first_near(|limit| Ok::<_, KMeansError>(excess(&fit(limit, 0)?)))?,
            ended: ended.report().iterations,
            apart: excess(&ended),
            settled: excess(&settle(ended)?),
        });
    }
    print!("| {name} | {n} | {d} | {k} | {batch_size} | {memory} |");
    summarise(&found, batch_size, |apart| format!("{:.2} %", 100.0 * apart));
    Ok(())
}

fn mixture(
    name: &str,
    rows: Array2<f64>,
    k: usize,
    covariance: Covariance,
    batch_size: usize,
    seeds: u64,
) -> Result<(), Box<dyn Error>> {
    let ((n, d), dataset) = (rows.dim(), DatasetBase::from(rows));
    let mut found = Vec::new();
    for seed in 0..seeds {
        let rng = Xoshiro256Plus::seed_from_u64(seed);
        let start = KMeans::params_with_rng(k, rng.clone()).max_n_iterations(0).fit(&dataset)?.predict(&dataset);
        let params = GaussianMixture::params_with_rng(k, rng).covariance(covariance);
        let params = params.init_method(GmmInitMethod::Labels(start.to_vec()));
        let all = params.clone().max_n_iterations(1000).fit(&dataset)?;
        let below = |model: &GaussianMixture<f64>| (all.log_likelihood() - model.log_likelihood()) / n as f64;
        let fit = |batches: u64, patience| {
            let batch = MiniBatch { batch_size, patience };
            params.clone().max_n_iterations(batches).tolerance(0.0).mini_batch(batch).fit(&dataset)
        };
        let ended = fit(MOST_BATCHES, MiniBatch::default().patience)?;
        let settle = params.clone().init_method(ended.parameters().into()).max_n_iterations(1000);
        found.push(Found {
            all_rows: n * all.report().iterations,
            near: first_near(|limit| Ok::<_, GmmError>(below(&fit(limit, 0)?)))?,
            ended: ended.report().iterations,
            apart: below(&ended),
            settled: below(&settle.fit(&dataset)?),
        });
    }
    print!("| {name} | {n} | {d} | {k} | {covariance} | {batch_size} |");
    summarise(&found, batch_size, |apart| format!("{apart:.4}"));
    Ok(())
}

/// The first number of batches that leads near, by how far apart each leads.
fn first_near<E>(apart: impl Fn(u64) -> Result<f64, E>) -> Result<Option<usize>, E> {
    for limit in (0..).map(|i| 1.15f64.powi(i).ceil() as u64).take_while(|limit| *limit <= MOST_BATCHES) {
        if apart(limit)? <= NEAR {
            return Ok(Some(limit as usize));
        }
    }
    Ok(None)
}

/// The rest of a line: medians and the worst over the seeds.
fn summarise(found: &[Found], batch_size: usize, show: impl Fn(f64) -> String) {
    let median = |mut all: Vec<usize>| {
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or(0)
    };
    let near: Vec<usize> = found.iter().filter_map(|found| found.near).map(|batches| batches * batch_size).collect();
    let mut apart: Vec<f64> = found.iter().map(|found| found.apart).collect();
    apart.sort_by(f64::total_cmp);
    println!(
        " {} | {} of {} | {} | {} | {} | {} | {} | {} |",
        median(found.iter().map(|found| found.all_rows).collect()),
        near.len(),
        found.len(),
        found.iter().filter(|found| found.settled > NEAR).count(),
        median(near.clone()),
        near.iter().max().unwrap_or(&0),
        median(found.iter().map(|found| found.ended * batch_size).collect()),
        show(apart[apart.len() / 2]),
        show(apart[apart.len() - 1]),
    );
}
