//! Breathing: a few components are split, and as many pairs are merged.
//!
//! ```text
//! m ← a few
//! while m > 0:
//!     split the m components that gain most by it;           settle with k + m components
//!     merge the pair that is missed least, m times;          settle with k components
//!     keep what is better; if it is not by much, m ← m − 1, but a single component has two chances
//! ```
//!
//! After Fritzke (2020), as for k-means. What a swap has to guess, which components are too many, the fit with more of
//! them tells.

use super::component::{apart, least_missed, merge};
use super::{MUCH, Trials};
use crate::course::Outcome;
use miscela_kernel::Float;

/// Breathes until no depth gains any more; where the budget says how long, over and over.
pub(super) fn run<F: Float>(trials: &mut Trials<F>, best: &mut Outcome<F>) {
    let k = best.mixture.n_components();
    let deepest = (2 + k / 10).min(5).min(k);
    let depths = || (1..=deepest).rev().chain([1]);
    let mut left = depths();
    let (mut next, mut iterations) = (left.next(), 0);
    while let Some(depth) = next.filter(|_| !trials.over) {
        let trial = breathe(trials, best, depth);
        if !trials.keep(best, trial, MUCH) {
            next = left.next();
        }
        // Where no component can be split there is nothing to go on with.
        let moved = trials.report.iterations > std::mem::replace(&mut iterations, trials.report.iterations);
        if next.is_none() && trials.is_patient() && moved {
            left = depths();
            next = left.next();
        }
    }
}

/// One breath.
fn breathe<F: Float>(trials: &mut Trials<F>, best: &Outcome<F>, depth: usize) -> Option<Outcome<F>> {
    let scatter = trials.of.scatter();
    let mut gaining: Vec<_> =
        trials.splits(best).into_iter().enumerate().filter_map(|(c, split)| Some((c, split?))).collect();
    gaining.sort_by(|a, b| b.1.gain.total_cmp(&a.1.gain).then(a.0.cmp(&b.0)));
    let mut components = apart(&best.mixture, scatter);
    let k = components.len();
    for (c, split) in gaining.into_iter().take(depth) {
        let [first, second] = split.halves;
        components[c] = first;
        components.push(second);
    }
    let full = if components.len() > k { trials.settle(&components, best, None)? } else { return None };
    let mut components = apart(&full.mixture, scatter);
    while components.len() > k {
        let pair = least_missed(&components, scatter)?;
        merge(&mut components, pair, scatter);
    }
    trials.settle(&components, best, Some(best.objective))
}
