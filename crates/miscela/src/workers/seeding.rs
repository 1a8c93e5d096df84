//! Starts for rows that are elsewhere.
//!
//! | method | passes | where centres are found |
//! |---|---|---|
//! | all but the next | 1 | in a sample of the rows, drawn by weight and weighted for what its rows stand for |
//! | k-means‖ | 7 | among candidates from all rows: one by weight, then five times 2k by w·D², D the distance to those before |
//!
//! The rounds of k-means‖ (Bahmani et al. 2012) draw without replacement, exactly 2k rows each (Efraimidis & Spirakis 2006): that needs no
//! sum of all distances before, and so one pass where coins need two.

use crate::Float;
use miscela_distance::L2;
use miscela_em::{Pick, Summary, Task, WorkError, Workers, filled};
use miscela_init::{KMeansInit, KMeansPlusPlus, Seeding, SeedingError};
use miscela_kernel::{Samples, Threads, uniform};
use ndarray::{Array2, Axis, concatenate};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;
use std::collections::HashSet;

/// Of a sample, the most rows; the fewest, but for small data; and the most bytes in between.
const MOST_ROWS: usize = 1 << 16;
const LEAST_ROWS: usize = 1 << 12;
const BYTES: usize = 16 << 20;
/// Rows of it for each centre, at least.
const ROWS_A_CENTRE: usize = 16;

/// A row of a table weighs no more.
const MOST_WEIGHT: f64 = 1e30;

/// As many rounds of k-means‖ as its authors advise, and as many candidates in each for every centre.
const ROUNDS: u64 = 5;
const OVERSAMPLING: usize = 2;

/// A sample of the rows and what its rows stand for, large enough for k centres: all of them, if they are few.
pub(super) fn sample<F: Float>(
    workers: &mut dyn Workers<F>,
    k: usize,
    width: usize,
    seed: u64,
) -> Result<(Array2<F>, Vec<f64>), WorkError> {
    let affordable = BYTES / (width * size_of::<F>()).max(1);
    let count = affordable.clamp(LEAST_ROWS, MOST_ROWS).max(ROWS_A_CENTRE.saturating_mul(k));
    let (rows, mut weights) = workers.run(&Task::Pick { pick: Pick::Sample, count, seed })?.picks()?.standing_for()?;
    // Few rows that stand for many can weigh too much to be summed; only their shares matter.
    if weights.iter().any(|w| *w > MOST_WEIGHT) {
        weights.iter_mut().for_each(|w| *w = (*w / MOST_WEIGHT).max(1.0 / MOST_WEIGHT));
    }
    Ok((rows, weights))
}

/// The same of rows whose width is not known yet, which takes one pass more.
pub(crate) fn sample_of<F: Float>(
    workers: &mut dyn Workers<F>,
    k: usize,
    seed: u64,
) -> Result<(Array2<F>, Vec<f64>), WorkError> {
    let (summary, rows) = workers.run(&Task::Summary)?.summary()?;
    if rows.positive < k as u64 {
        return Err(WorkError::TooFewSamples { n_samples: rows.positive, n_clusters: k });
    }
    sample(workers, k, summary.mean.len(), seed)
}

/// k centres, by a method that does not say them.
pub(super) fn centres<F: Float, E: From<WorkError> + From<SeedingError>>(
    workers: &mut dyn Workers<F>,
    init: &KMeansInit<F>,
    k: usize,
    summary: &Summary,
    seed: u64,
    threads: Threads,
) -> Result<Array2<F>, E> {
    if let KMeansInit::KMeansPara = init {
        return parallel(workers, k, summary, seed, threads);
    }
    let (rows, weights) = sample(workers, k, summary.mean.len(), seed)?;
    seeded(init, &whole(rows, summary), weights, k, seed, threads)
}

/// The rows with their gaps filled by the means of the columns, as in memory.
fn whole<F: Float>(rows: Array2<F>, summary: &Summary) -> Array2<F> {
    if summary.has_gaps() { filled(rows.view(), &summary.mean) } else { rows }
}

/// k of these rows.
fn seeded<F: Float, E: From<SeedingError>>(
    init: &dyn Seeding<F, L2>,
    rows: &Array2<F>,
    weights: Vec<f64>,
    k: usize,
    seed: u64,
    threads: Threads,
) -> Result<Array2<F>, E> {
    let samples = Samples::weighted(rows, weights).map_err(SeedingError::from)?;
    let mut rng = Xoshiro256Plus::seed_from_u64(seed);
    Ok(init.seed(&samples, k, &L2, threads, &mut rng)?.centres)
}

/// Each row once, where it first stands.
fn distinct<F: Float>(rows: &Array2<F>) -> Array2<F> {
    let mut seen = HashSet::new();
    let first = |i: &usize| seen.insert(rows.row(*i).iter().map(|x| x.widen().to_bits()).collect::<Vec<_>>());
    let kept: Vec<usize> = (0..rows.nrows()).filter(first).collect();
    rows.select(Axis(0), &kept)
}

/// k-means‖.
fn parallel<F: Float, E: From<WorkError> + From<SeedingError>>(
    workers: &mut dyn Workers<F>,
    k: usize,
    summary: &Summary,
    seed: u64,
    threads: Threads,
) -> Result<Array2<F>, E> {
    let offset: Vec<F> = summary.offset();
    let first = Task::Pick { pick: Pick::Sample, count: 1, seed };
    let mut candidates = whole(workers.run(&first)?.picks()?.standing_for()?.0, summary);
    for round in 1.. {
        let pick = Pick::Far { centroids: candidates.clone(), offset: offset.clone() };
        let seed = uniform::of_row(seed, round as usize);
        let task = Task::Pick { pick, count: OVERSAMPLING.saturating_mul(k), seed };
        let picked = workers.run(&task)?.picks()?.into_rows();
        let values: Vec<F> = picked.iter().flat_map(|picked| picked.row.iter().copied()).collect();
        let width = candidates.ncols();
        let more = Array2::from_shape_vec((picked.len(), width), values).unwrap_or_else(|_| Array2::zeros((0, width)));
        if let Ok(all) = concatenate(Axis(0), &[candidates.view(), more.view()]) {
            candidates = distinct(&all);
        }
        // Copies can fill the rounds; then there are more of them, as long as they bring new rows.
        if picked.is_empty() || round >= ROUNDS && candidates.nrows() >= k {
            break;
        }
    }
    let task = Task::CentroidFit { centroids: candidates.clone(), offset };
    let weights = workers.run(&task)?.centroid_fit()?.weights;
    // Candidates so close to others that the distance rounds to 0 have no rows.
    let owning: Vec<usize> = (0..candidates.nrows()).filter(|c| weights.get(*c).is_some_and(|w| *w > 0.0)).collect();
    // As shares, none too small to be a weight.
    let shares = owning.iter().map(|c| (weights[*c] / summary.total_weight).max(1e-30)).collect();
    seeded(&KMeansPlusPlus::default(), &candidates.select(Axis(0), &owning), shares, k, seed, threads)
}
