//! Centres that win too few of the rows of a stream go where rows are served badly.
//!
//! A centre starves when its count is below a small fraction of the largest (scikit-learn's `reassignment_ratio`). It then
//! moves to a row of the batch, drawn by w·D, with D the distance of a row to its centre: as k-means++ draws (Arthur &
//! Vassilvitskii 2007), so that groups of badly served rows are likely, and a single outlier is not certain, as it would be
//! by the farthest row. And it moves only if the batch is better off:
//!
//! ```text
//! Σ w (D(x) − d(x, c'))₊ over the rows of others  >  Σ w (D₂(x) − D(x)) over its own,  D₂ the distance to the next best
//! ```
//!
//! so that a small cluster that lies apart from others stays one. Where it has moved to, its count begins anew, and it is
//! not judged again before the stream is twice as long.

use crate::centroids::KMeansFamily;
use crate::inference::nearest_of_all;
use crate::report::RepairAction;
use crate::stream::tally::{Learning, Tally};
use miscela_distance::Centred;
use miscela_kernel::{Float, Samples, Threads, uniform};

/// The nearest centre of each row of a batch, and the reduced distance to it.
type Served = Vec<(u32, f64)>;

impl Learning {
    /// Re-seeds the centres that starve. Cost: a search of the batch if there are any, and a pass over it for each.
    pub(crate) fn feed<F: Float, D: Centred<F>>(
        self,
        family: &mut KMeansFamily<F, D>,
        batch: &Samples<F>,
        tally: &mut Tally,
        threads: Threads,
    ) -> Vec<(usize, RepairAction, String)> {
        let largest = tally.counts.iter().fold(0.0f64, |most, count| most.max(*count));
        let starving: Vec<usize> = (0..tally.counts.len()).filter(|c| self.is_starving(tally, *c, largest)).collect();
        if starving.is_empty() {
            return Vec::new();
        }
        let mut served = nearest_of_all(batch, family.index(), family.distance(), false, threads);
        let mut repairs = Vec::new();
        for c in starving {
            let Some(row) = draw(batch, &served, uniform::unit(uniform::of_row(self.seed, c))) else { break };
            let Some((moved, next)) = if_better(family, batch, &served, c, row) else { continue };
            (*family, served) = (moved, next);
            let count = std::mem::replace(&mut tally.counts[c], 0.0);
            tally.reseeded_at[c] = largest;
            let detail = format!("had won {count} of weight beside {largest}; moved to row {row} of the batch");
            repairs.push((c, RepairAction::Reseeded, detail));
        }
        repairs
    }

    fn is_starving(self, tally: &Tally, c: usize, largest: f64) -> bool {
        let since = tally.reseeded_at[c];
        largest >= 2.0 * since && tally.counts[c] < self.reseed_below * (largest - since)
    }
}

/// A row drawn by w·D; none if every row lies on its centre.
fn draw<F: Float>(batch: &Samples<F>, served: &Served, coin: f64) -> Option<usize> {
    let cost = |i: usize| if batch.weight(i) > 0.0 { batch.weight(i) * served[i].1 } else { 0.0 };
    let mut left = coin * (0..served.len()).map(cost).sum::<f64>();
    let mut last = None;
    for i in (0..served.len()).filter(|i| cost(*i) > 0.0) {
        last = Some(i);
        left -= cost(i);
        if left < 0.0 {
            break;
        }
    }
    last
}

/// The family with centre `c` moved to a row, and how the batch is served by it, if that is better.
fn if_better<F: Float, D: Centred<F>>(
    family: &KMeansFamily<F, D>,
    batch: &Samples<F>,
    served: &Served,
    c: usize,
    row: usize,
) -> Option<(KMeansFamily<F, D>, Served)> {
    let mut centres = family.index().all().to_vec();
    let width = batch.n_columns();
    batch.copy_row(row, &mut centres[c * width..(c + 1) * width]);
    let moved = family.at(&centres);
    let (mut x, mut gain) = (vec![F::zero(); width], 0.0);
    let mut next = served.clone();
    for (i, (label, reduced)) in next.iter_mut().enumerate().filter(|(i, _)| batch.weight(*i) > 0.0) {
        batch.copy_row(i, &mut x);
        let before = *reduced;
        if *label as usize == c {
            (*label, *reduced) = moved.nearest_to(&x);
        } else {
            let there = moved.reduced(&x, c as u32);
            if there < before {
                (*label, *reduced) = (c as u32, there);
            }
        }
        gain += batch.weight(i) * (before - *reduced);
    }
    (gain > 0.0).then_some((moved, next))
}
