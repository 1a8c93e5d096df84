//! Breathing: a few more centres are taken in, and as many are given up again.
//!
//! ```text
//! m ← a few
//! while m > 0:
//!     put a new centre beside each of the m centres of the largest error, on one of its rows;   settle with k + m centres
//!     give up the m centres that are missed least, but of near ones only one;                   settle with k centres
//!     keep what is better; if it is not by much, m ← m − 1, but a single centre has two chances
//! ```
//!
//! After Fritzke (2020), *The k-means algorithm*. The error of a centre is what its rows add to the inertia; it is missed for
//! what its rows would add more if they went to the next one. Where two centres share a place, both are missed little and one
//! of them is needed: so the neighbours of a centre that is given up stay.

use super::survey::{Cluster, errors, survey};
use super::{Settled, Trials};
use crate::centroids::KMeansFamily;
use miscela_distance::Centred;
use miscela_kernel::{Float, MAX_CENTROIDS, Samples};

/// A breath that gains more is followed by another of the same depth.
const MUCH: f64 = 1e-4;

/// Breathes until no depth gains any more; where the budget says how long, over and over.
pub(super) fn run<'a, 's, F: Float, D: Centred<F>>(
    trials: &mut Trials<'a, 's, '_, F>,
    best: &mut Settled<'a, 's, F, D>,
) {
    let k = best.fit.sizes.len();
    let deepest = (2 + k / 10).min(5).min(k - 1).min((MAX_CENTROIDS - 1).saturating_sub(k));
    if deepest == 0 {
        return;
    }
    let depths = || (1..=deepest).rev().chain([1]);
    let mut left = depths();
    let mut next = left.next();
    while let Some(depth) = next.filter(|_| !trials.over) {
        let trial = breathe(trials, best, depth);
        if !trials.keep(best, trial, MUCH) {
            next = left.next();
        }
        if next.is_none() && trials.is_patient() {
            left = depths();
            next = left.next();
        }
    }
}

/// One breath.
fn breathe<'a, 's, F: Float, D: Centred<F>>(
    trials: &mut Trials<'a, 's, '_, F>,
    best: &mut Settled<'a, 's, F, D>,
    depth: usize,
) -> Option<Settled<'a, 's, F, D>> {
    let k = best.fit.sizes.len();
    let labels = best.labels_by_row();
    let clusters = errors(trials, &best.family, |row| labels[row]);
    let mut by_error: Vec<usize> = (0..k).filter(|c| clusters[*c].drawn.is_some()).collect();
    by_error.sort_by(|a, b| clusters[*b].error.total_cmp(&clusters[*a].error).then(a.cmp(b)));
    let mut centres = best.family.index().all().to_vec();
    by_error
        .iter()
        .take(depth)
        .filter_map(|c| clusters[*c].drawn)
        .for_each(|row| push(trials.of.samples, row, &mut centres));
    let grown = centres.len() / best.family.index().width();
    let from: Vec<_> = (0..grown).map(|c| (c < k).then_some(c as u32)).collect();
    let trial = trials.regroup(best, &centres, &from);
    let full = trials.settle(trial, None)?;

    let left = stay(&survey(trials, &full.family), &full.family, k);
    let centres: Vec<F> = left.iter().flat_map(|c| full.family.index().row(*c as usize)).copied().collect();
    let from: Vec<_> = left.into_iter().map(Some).collect();
    let trial = trials.regroup(&full, &centres, &from);
    trials.settle_and_exchange(trial, best, None)
}

/// Which k of the centres stay, in order.
fn stay<F: Float, D: Centred<F>>(clusters: &[Cluster], family: &KMeansFamily<F, D>, k: usize) -> Vec<u32> {
    /// Neighbours are nearer than this times the mean distance to the nearest one.
    const NEAR: f64 = 1.1;
    let (n, centres) = (clusters.len(), family.index());
    let apart = |a: usize, b: usize| family.distance().distance(centres.row(a), centres.row(b));
    let nearest = |a: usize| (0..n).filter(|b| *b != a).map(|b| apart(a, b)).fold(f64::INFINITY, f64::min);
    let near = NEAR * (0..n).map(nearest).sum::<f64>() / n as f64;
    let mut least: Vec<usize> = (0..n).collect();
    least.sort_by(|a, b| clusters[*a].missed.total_cmp(&clusters[*b].missed).then(a.cmp(b)));
    let (mut gone, mut held) = (vec![false; n], vec![false; n]);
    let mut left = n;
    // Whoever is held may go after all if there is no one else.
    for spares in [true, false] {
        for c in &least {
            if left == k || gone[*c] || spares && held[*c] {
                continue;
            }
            gone[*c] = true;
            left -= 1;
            (0..n).filter(|b| apart(*c, *b) < near).for_each(|b| held[b] = true);
        }
    }
    (0..n).filter(|c| !gone[*c]).map(|c| c as u32).collect()
}

/// Adds a row of the table.
pub(super) fn push<F: Float>(samples: &Samples<F>, row: usize, centres: &mut Vec<F>) {
    let first = centres.len();
    centres.resize(first + samples.n_columns(), F::zero());
    samples.copy_row(row, &mut centres[first..]);
}
