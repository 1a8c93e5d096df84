//! How far the rows are from the rows picked so far, and draws by weight × that distance.
//!
//! ```text
//! Dᵢ = min over picks c of reduced(xᵢ, c)          row i is drawn with probability wᵢDᵢ / Σ wD
//! ```
//!
//! Kept between rounds, so that a new pick costs one distance a row. Rows are cut into fixed lanes; a draw goes to a lane
//! by the lanes' totals, in order, and then to a row inside it: the same row for any number of threads. Before the first
//! pick all rows are equally far, so that the first draw is by weight alone.
//!
//! Sums are of D·s with a power of two s such that the largest is just below 1: they neither overflow nor vanish while
//! some D is not 0, and total at most Σ w.

use crate::distinct::{DistinctRows, race};
use crate::{SeedingError, uniform};
use miscela_distance::Distance;
use miscela_kernel::{Block, Centroids, Float, Lanes, NearestScratch, Samples, Threads};
use rand::RngCore;
use std::ops::Range;

/// The rows picked so far, and how far every row is from them.
pub(crate) struct Reach<'a, 's, F: Float, D> {
    samples: &'a Samples<'s, F>,
    distance: &'a D,
    threads: Threads,
    cut: Lanes,
    lanes: Vec<Lane<F>>,
    /// The power of two that the distances are multiplied by when they are summed.
    scale: f64,
    picks: Vec<usize>,
    seen: DistinctRows,
}

/// What is known of the rows of one lane.
struct Lane<F> {
    /// D of each row.
    nearest: Vec<f64>,
    /// Which pick is the nearest.
    owner: Vec<u32>,
    /// The greatest D of a row that counts.
    farthest: f64,
    /// Σ wD·scale
    total: f64,
    scratch: Scratch<F>,
}

struct Scratch<F> {
    rows: Vec<F>,
    labels: Vec<u32>,
    reduced: Vec<f64>,
    nearest: NearestScratch<F>,
}

impl<'a, 's, F: Float, D: Distance<F>> Reach<'a, 's, F, D> {
    /// Nothing is picked.
    pub(crate) fn new(samples: &'a Samples<'s, F>, distance: &'a D, threads: Threads) -> Self {
        let cut = Lanes::new(samples.n_rows(), 0);
        let lanes = (0..cut.count()).map(|i| Lane::new(cut.rows(i).len())).collect();
        let picks = Vec::new();
        let seen = DistinctRows::default();
        let mut reach = Self { samples, distance, threads, cut, lanes, scale: 1.0, picks, seen };
        reach.add_up();
        reach
    }

    /// The rows picked so far, in order.
    pub(crate) fn picks(&self) -> &[usize] {
        &self.picks
    }

    /// The rows picked.
    pub(crate) fn into_picks(self) -> Vec<usize> {
        self.picks
    }

    /// Picks the rows whose values are new.
    pub(crate) fn pick(&mut self, rows: &[usize]) {
        let first = self.picks.len();
        for row in rows {
            if self.seen.insert(self.samples, *row) {
                self.picks.push(*row);
            }
        }
        let new = &self.picks[first..];
        if new.is_empty() {
            return;
        }
        let (samples, distance, cut) = (self.samples, self.distance, &self.cut);
        let centroids = self.centroids(new);
        self.threads_for(new.len()).each(&mut self.lanes, |i, lane| {
            lane.visit(samples, cut, i, |lane, at, block| lane.approach(at, block, &centroids, first, distance));
        });
        self.add_up();
    }

    /// Draws a row by weight × D, of a value not picked before; `None` if all D are 0.
    pub(crate) fn draw(&mut self, rng: &mut dyn RngCore) -> Option<usize> {
        loop {
            let row = self.draw_any(uniform::unit(rng.next_u64()))?;
            if !self.seen.contains(self.samples, row) {
                return Some(row);
            }
            // A distance of a row to itself that rounding made positive.
            self.set_to_zero(row);
        }
    }

    /// The total Σ w·min(D, distance to c) that each candidate c would leave, all by the same factor. One pass over the
    /// rows for all candidates.
    pub(crate) fn potentials(&mut self, candidates: &[usize]) -> Vec<f64> {
        let (samples, distance, cut, scale) = (self.samples, self.distance, &self.cut, self.scale);
        let centroids = self.centroids(candidates);
        let mut work: Vec<_> = self.lanes.iter_mut().map(|lane| (lane, vec![0.0; candidates.len()])).collect();
        let threads = self.threads.for_work(operations(samples, candidates.len()));
        threads.each(&mut work, |i, (lane, totals)| {
            lane.visit(samples, cut, i, |lane, at, block| {
                lane.add_potentials(at, block, &centroids, distance, scale, totals);
            });
        });
        let mut totals = vec![0.0; candidates.len()];
        for (_, lane) in work {
            totals.iter_mut().zip(lane).for_each(|(total, lane)| *total += lane);
        }
        totals
    }

    /// The rows whose coins fall, each with the chance that `expected` draws by weight × D hit it at least once:
    /// 1 − exp(−expected·wD/Σ wD).
    pub(crate) fn coins(&self, expected: f64, seed: u64) -> Vec<usize> {
        let total = self.total();
        let of_lane = |i: usize| -> Vec<usize> {
            let masses = self.cut.rows(i).zip(self.masses(i));
            let falls = |(row, mass): &(usize, f64)| {
                *mass > 0.0 && uniform::unit(uniform::of_row(seed, *row)) < -(-expected * (mass / total)).exp_m1()
            };
            masses.filter(falls).map(|(row, _)| row).collect()
        };
        self.threads_for(1).map(self.lanes.len(), of_lane).concat()
    }

    /// The summed weight of the rows that each pick is nearest to; ties to the earlier pick.
    pub(crate) fn pick_weights(&self) -> Vec<f64> {
        let mut weights = vec![0.0; self.picks.len()];
        let owners = self.lanes.iter().flat_map(|lane| &lane.owner);
        owners.enumerate().for_each(|(row, owner)| weights[*owner as usize] += self.samples.weight(row));
        weights
    }

    /// Picks rows by weight, of values not picked before, until there are k: what is left to do when no distance tells
    /// the rows from the picks.
    pub(crate) fn pick_by_weight(&mut self, k: usize, seed: u64) -> Result<(), SeedingError> {
        race(self.samples, k, &mut self.picks, &mut self.seen, seed, self.threads)
    }

    /// Σ wD·scale, in lane order.
    fn total(&self) -> f64 {
        self.lanes.iter().map(|lane| lane.total).sum()
    }

    /// The row at the fraction `at` of all wD.
    fn draw_any(&self, at: f64) -> Option<usize> {
        let mut left = at * self.total();
        let lane = self.lanes.iter().enumerate().filter(|(_, lane)| lane.total > 0.0);
        let lane = walk(lane.map(|(i, lane)| (i, lane.total)), &mut left)?;
        let masses = self.cut.rows(lane).zip(self.masses(lane));
        walk(masses.filter(|(_, mass)| *mass > 0.0), &mut left)
    }

    /// wD·scale of the rows of lane `i`.
    fn masses(&self, i: usize) -> impl Iterator<Item = f64> {
        masses(self.samples, self.cut.rows(i), &self.lanes[i].nearest, self.scale)
    }

    /// Chooses the scale and totals the lanes.
    fn add_up(&mut self) {
        let (samples, cut) = (self.samples, &self.cut);
        let scale = scale_of(self.lanes.iter().fold(0.0, |most, lane| most.max(lane.farthest)));
        self.threads.for_work(samples.n_rows() as f64).each(&mut self.lanes, |i, lane| {
            lane.total = masses(samples, cut.rows(i), &lane.nearest, scale).sum();
        });
        self.scale = scale;
    }

    /// Sets D to 0 for all rows equal to `row`.
    fn set_to_zero(&mut self, row: usize) {
        let (samples, cut) = (self.samples, &self.cut);
        let value = rows_of(samples, &[row]);
        self.threads_for(1).each(&mut self.lanes, |i, lane| {
            lane.visit(samples, cut, i, |lane, at, block| {
                let mut nearest = lane.nearest[at..].iter_mut();
                block.rows().zip(&mut nearest).filter(|(row, _)| *row == value).for_each(|(_, nearest)| *nearest = 0.0);
                lane.look_far(at, block);
            });
        });
        self.add_up();
    }

    /// The rows `new`, made ready. They are taken relative to the first pick, which is as near to the others as any.
    fn centroids(&self, new: &[usize]) -> Centroids<F> {
        Centroids::new(&rows_of(self.samples, new), &rows_of(self.samples, &self.picks[..1]))
    }

    fn threads_for(&self, centres: usize) -> Threads {
        self.threads.for_work(operations(self.samples, centres))
    }
}

impl<F: Float> Lane<F> {
    fn new(rows: usize) -> Self {
        let scratch =
            Scratch { rows: Vec::new(), labels: Vec::new(), reduced: Vec::new(), nearest: NearestScratch::default() };
        // Infinity would not do: what overflows must stay comparable.
        Self { nearest: vec![f64::MAX; rows], owner: vec![0; rows], farthest: f64::MAX, total: 0.0, scratch }
    }

    /// Calls `work` on each block of the lane with the place of its first row in it.
    fn visit(
        &mut self,
        samples: &Samples<F>,
        cut: &Lanes,
        i: usize,
        mut work: impl FnMut(&mut Self, usize, &Block<F>),
    ) {
        let mut rows = std::mem::take(&mut self.scratch.rows);
        let start = cut.rows(i).start;
        for range in cut.blocks(i) {
            let at = range.start - start;
            work(self, at, &samples.block(range, &mut rows));
        }
        self.scratch.rows = rows;
    }

    /// Lowers D to the distance to the nearest of `centroids`, which are the picks from `first` on.
    fn approach<D: Distance<F>>(
        &mut self,
        at: usize,
        block: &Block<F>,
        centroids: &Centroids<F>,
        first: usize,
        distance: &D,
    ) {
        let Scratch { labels, reduced, nearest: scratch, .. } = &mut self.scratch;
        labels.resize(block.len(), 0);
        reduced.resize(block.len(), 0.0);
        distance.nearest(block, centroids, labels, reduced, scratch);
        let known = self.nearest[at..].iter_mut().zip(&mut self.owner[at..]);
        for ((nearest, owner), (reduced, label)) in known.zip(reduced.iter().zip(labels)) {
            if *reduced < *nearest {
                *nearest = reduced.max(0.0);
                *owner = first as u32 + *label;
            }
        }
        self.look_far(at, block);
    }

    /// Renews `farthest`, which starts over with the lane's first block.
    fn look_far(&mut self, at: usize, block: &Block<F>) {
        let start = if at == 0 { 0.0 } else { self.farthest };
        let counting = (0..block.len()).filter(|i| block.weight(*i) > 0.0);
        self.farthest = counting.fold(start, |most, i| most.max(self.nearest[at + i]));
    }

    fn add_potentials<D: Distance<F>>(
        &mut self,
        at: usize,
        block: &Block<F>,
        candidates: &Centroids<F>,
        distance: &D,
        scale: f64,
        totals: &mut [f64],
    ) {
        let reduced = &mut self.scratch.reduced;
        reduced.resize(block.len() * candidates.len(), 0.0);
        distance.pairwise(block, candidates, reduced);
        for (i, reduced) in reduced.chunks_exact(candidates.len()).enumerate() {
            let (nearest, weight) = (self.nearest[at + i], block.weight(i));
            for (total, reduced) in totals.iter_mut().zip(reduced) {
                let left = if *reduced < nearest { *reduced } else { nearest };
                *total += weight * (left * scale);
            }
        }
    }
}

/// Walks along lengths until `left` is used up: the item there, or the last if rounding leaves a little.
fn walk(lengths: impl Iterator<Item = (usize, f64)>, left: &mut f64) -> Option<usize> {
    let mut last = None;
    for (item, length) in lengths {
        if *left < length {
            return Some(item);
        }
        *left -= length;
        last = Some(item);
    }
    last
}

fn masses<F: Float>(
    samples: &Samples<F>,
    rows: Range<usize>,
    nearest: &[f64],
    scale: f64,
) -> impl Iterator<Item = f64> {
    rows.zip(nearest).map(move |(row, nearest)| samples.weight(row) * (nearest * scale))
}

/// The power of two that brings `largest` to between ½ and 1, or as near to it as there is one.
fn scale_of(largest: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff << 52;
    const LARGEST_POWER: f64 = f64::from_bits(0x7fe << 52);
    (0.5 / f64::from_bits(largest.to_bits() & EXPONENT)).min(LARGEST_POWER)
}

fn rows_of<F: Float>(samples: &Samples<F>, rows: &[usize]) -> Vec<F> {
    rows.iter().flat_map(|row| samples.rows().row(*row).to_vec()).collect()
}

fn operations<F: Float>(samples: &Samples<F>, centres: usize) -> f64 {
    samples.n_rows() as f64 * samples.n_columns() as f64 * centres as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use miscela_distance::SquaredL2;
    use ndarray::array;

    #[test]
    fn the_largest_is_brought_below_one() {
        for largest in [1.0, 0.75, 1e-300, 1e300, f64::MAX, f64::MIN_POSITIVE] {
            assert!((0.5..1.0).contains(&(largest * scale_of(largest))), "{largest:e}");
        }
        assert!(5e-324 * scale_of(5e-324) > 0.0);
        assert!(scale_of(0.0).is_finite());
    }

    #[test]
    fn distances_owners_and_potentials_are_those_of_the_definition() {
        let rows = array![[0.0], [1.0], [3.0], [10.0]];
        let samples = Samples::weighted(&rows, vec![1.0, 2.0, 1.0, 0.5]).unwrap();
        let mut reach = Reach::new(&samples, &SquaredL2, Threads::One);
        reach.pick(&[0]);
        assert_eq!(reach.lanes[0].nearest, [0.0, 1.0, 9.0, 100.0]);
        // 100 needs 2⁻⁷.
        assert_eq!(reach.scale, 1.0 / 128.0);
        assert_eq!(reach.potentials(&[2, 3]), [(2.0 + 24.5) / 128.0, (2.0 + 9.0) / 128.0]);
        reach.pick(&[2, 0]);
        assert_eq!(reach.picks(), [0, 2]);
        assert_eq!(reach.lanes[0].owner, [0, 0, 1, 1]);
        assert_eq!(reach.pick_weights(), [3.0, 1.5]);
    }
}
