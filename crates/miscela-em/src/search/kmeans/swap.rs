//! Swaps: a centre is taken away and put elsewhere, again and again.
//!
//! ```text
//! repeat
//!     a, r ← where a centre gains most and which is missed least, of what was not tried yet;
//!            every other time a row and a centre by chance
//!     centre r goes there; settle, unless it is soon seen that it will not be better
//!     keep what is better
//! until nothing was kept for long
//! ```
//!
//! Fränti (2018), *Efficiency of random swap clustering*, draws both by chance; most swaps then fail, and where clusters lie
//! apart a ranking by gain and loss finds the right one at once (Fränti & Kivijärvi 2000). Where they overlap, the
//! estimates say little, and chance does better. So both take turns.

use super::survey::{gains, survey};
use super::{Settled, Trials};
use miscela_distance::Centred;
use miscela_kernel::{Float, uniform};

/// Swaps that fail one after the other before the search ends.
const PATIENCE: usize = 24;

/// Gains and losses that are put together to pairs.
const RANKED: usize = 32;

pub(super) fn run<'a, 's, F: Float, D: Centred<F>>(
    trials: &mut Trials<'a, 's, '_, F>,
    best: &mut Settled<'a, 's, F, D>,
) {
    let k = best.fit.sizes.len();
    if k < 2 {
        return;
    }
    let (mut ranked, mut failed, mut stale) = (Vec::new(), 0, true);
    while !trials.over && (failed < PATIENCE || trials.is_patient()) {
        if std::mem::take(&mut stale) {
            ranked = rank(trials, best);
        }
        let by_rank = (failed % 2 == 0).then(|| ranked.pop()).flatten();
        let (row, gone) = by_rank.unwrap_or_else(|| by_chance(trials, k));
        let mut centres = best.family.index().all().to_vec();
        let width = best.family.index().width();
        trials.of.samples.copy_row(row, &mut centres[gone * width..(gone + 1) * width]);
        let from: Vec<_> = (0..k).map(|c| (c != gone).then_some(c as u32)).collect();
        let trial = trials.regroup(best, &centres, &from);
        let trial = trials.settle_and_exchange(trial, best, Some(best.fit.inertia));
        if trials.keep(best, trial, 0.0) {
            (failed, stale) = (0, true);
        } else {
            failed += 1;
        }
    }
}

/// Rows to put a centre on and centres to take away, the most promising last.
fn rank<'a, 's, F: Float, D: Centred<F>>(
    trials: &mut Trials<'a, 's, '_, F>,
    best: &mut Settled<'a, 's, F, D>,
) -> Vec<(usize, usize)> {
    let clusters = survey(trials, &best.family);
    let by_row = best.labels_by_row();
    let gains = gains(trials, &best.family, &clusters, |row| by_row[row]);
    let of = |c: usize| clusters[c].drawn.map(|row| (gains[c], c, row));
    let mut gaining: Vec<_> = (0..clusters.len()).filter_map(of).collect();
    gaining.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut losing: Vec<_> = (0..clusters.len()).map(|c| (clusters[c].missed, c)).collect();
    losing.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let pairs = gaining.iter().take(RANKED).flat_map(|(gain, at, row)| {
        let losing = losing.iter().take(RANKED).filter(move |(_, gone)| gone != at);
        losing.map(move |(loss, gone)| (gain - loss, *row, *gone))
    });
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)).then(b.2.cmp(&a.2)));
    pairs.into_iter().map(|(_, row, gone)| (row, gone)).collect()
}

/// A row, by weight, and a centre.
fn by_chance<F: Float>(trials: &mut Trials<F>, k: usize) -> (usize, usize) {
    let samples = trials.of.samples;
    let below = |bits: u64, n: usize| (uniform::unit(bits) * n as f64) as usize;
    let gone = below(trials.draw(), k).min(k - 1);
    let heaviest = samples.weights().map_or(1.0, |weights| weights.iter().fold(0.0, |most, w| w.max(most)));
    loop {
        let row = below(trials.draw(), samples.n_rows()).min(samples.n_rows() - 1);
        if uniform::unit(trials.draw()) * heaviest <= samples.weight(row) {
            return (row, gone);
        }
    }
}
