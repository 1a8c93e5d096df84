//! Swaps: a component is split and two are merged, again and again.
//!
//! ```text
//! repeat
//!     c, (a, b) ← the split that gains most and the pair that is missed least, of what was not tried yet
//!     split c, merge a and b; settle, unless it is soon seen that it will not be better
//!     keep what is better
//! until nothing was gained for long, or only a little
//! ```
//!
//! Ueda, Nakano, Ghahramani & Hinton (2000) try all pairs with all splits in an order of merit and stop after a few. A pair may
//! hold a half of what was split: so a component may take rows over from its neighbour.

use super::component::{Component, apart, merge};
use super::split::Split;
use super::{MUCH, Trials};
use crate::course::Outcome;
use miscela_kernel::{Float, Scatter};

/// Swaps that fail one after the other before the search ends.
const PATIENCE: usize = 8;

/// Pairs that are tried with each split.
const PAIRS: usize = 4;

pub(super) fn run<F: Float>(trials: &mut Trials<F>, best: &mut Outcome<F>) {
    let scatter = trials.of.scatter();
    let (mut ranked, mut failed, mut stale) = (Vec::new(), 0, true);
    while !trials.over && (failed < PATIENCE || trials.is_patient()) {
        if std::mem::take(&mut stale) {
            let total = trials.of.course.samples.total_weight();
            ranked = rank(&apart(&best.mixture, scatter), &trials.splits(best), scatter, total);
            if ranked.is_empty() {
                break;
            }
        }
        let Some((_, mut components, pair)) = ranked.pop() else {
            if !trials.is_patient() {
                break;
            }
            stale = true;
            continue;
        };
        merge(&mut components, pair, scatter);
        let trial = trials.settle(&components, best, Some(best.objective));
        let kept = trials.report.kept;
        let much = trials.keep(best, trial, MUCH);
        failed = if much { 0 } else { failed + 1 };
        stale = trials.report.kept > kept;
    }
}

/// What is gained, the components with one of them split, and the pair of them to merge; the most promising last.
type Candidate = (f64, Vec<Component>, (usize, usize));

fn rank(components: &[Component], splits: &[Option<Split>], scatter: Scatter, total: f64) -> Vec<Candidate> {
    let k = components.len();
    let loss = |a: &Component, b: &Component| total * a.loss(b, scatter);
    let pairs = (0..k).flat_map(|b| (0..b).map(move |a| (a, b)));
    let mut pairs: Vec<_> = pairs.map(|(a, b)| (loss(&components[a], &components[b]), (a, b))).collect();
    pairs.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    let mut ranked = Vec::new();
    for (c, split) in splits.iter().enumerate() {
        let Some(Split { gain, halves: [first, second] }) = split else { continue };
        // The second half comes last.
        let others = pairs.iter().filter(|(_, (a, b))| *a != c && *b != c).take(PAIRS).copied();
        let with_halves = (0..k).filter(|a| *a != c).flat_map(|a| {
            let one = (loss(first, &components[a]), (a.min(c), a.max(c)));
            [one, (loss(second, &components[a]), (a, k))]
        });
        let mut least: Vec<_> = others.chain(with_halves).collect();
        least.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        for (loss, pair) in least.into_iter().take(PAIRS) {
            let mut split = components.to_vec();
            split[c] = first.clone();
            split.push(second.clone());
            ranked.push((gain - loss, split, pair));
        }
    }
    ranked.sort_by(|one, other| one.0.total_cmp(&other.0));
    ranked
}
