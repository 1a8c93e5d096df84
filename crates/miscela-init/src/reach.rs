//! How far the rows are from the rows picked so far, and draws by weight × that distance.
//!
//! ```text
//! Dᵢ = min over picks c of reduced(xᵢ, c)          row i is drawn with probability wᵢDᵢ / Σ wD
//! ```
//!
//! Kept between rounds, tile by tile, so that a new pick costs the rows that come nearer to it and no others. A draw goes
//! to a tile by the tiles' totals, in order, and then to a row inside it: the same row for any number of threads. Before
//! the first pick all rows are equally far, so that the first draw is by weight alone.
//!
//! Of several candidates the best is the one that lowers Σ wD most. All are measured in one visit to each tile, which
//! remembers which rows come nearer to which of them, so that picking one then touches those rows only. Where the distance
//! is Euclidean, a [`Screen`] tells beforehand most of the rows, and often tiles, that do not.
//!
//! Sums are of D·s with a power of two s such that the largest is just below 1: they neither overflow nor vanish while
//! some D is not 0, and total at most Σ w.

use crate::SeedingError;
use crate::distinct::{DistinctRows, race};
use crate::near::{Candidates, Near, Scratch, each_chunk};
use crate::order::Order;
use crate::screen::{CHUNK, Screen, balls_pay};
use miscela_distance::Distance;
use miscela_kernel::{Block, Centroids, Float, Samples, TILE_ROWS, Threads, uniform};
use rand::RngCore;

/// The rows picked so far, and how far every row is from them.
pub(crate) struct Reach<'a, 's, F: Float, D> {
    samples: &'a Samples<'s, F>,
    distance: &'a D,
    threads: Threads,
    order: Order,
    tiles: Vec<Near>,
    /// Σ wD·scale of the tiles up to each, that one included.
    totals: Vec<f64>,
    /// The power of two that the distances are multiplied by when they are summed.
    scale: f64,
    screen: Option<Screen<F>>,
    /// A word for each tile and candidate: the rows that may come nearer. Kept for its memory.
    found: Vec<u64>,
    picks: Vec<usize>,
    seen: DistinctRows,
}

impl<'a, 's, F: Float, D: Distance<F>> Reach<'a, 's, F, D> {
    /// Nothing is picked.
    pub(crate) fn new(samples: &'a Samples<'s, F>, distance: &'a D, threads: Threads) -> Self {
        let order = Order::Given { n: samples.n_rows() };
        let tiles = (0..order.tiles()).map(|t| Near::nothing(order.places(t).len())).collect();
        let (totals, found, picks, seen) = (Vec::new(), Vec::new(), Vec::new(), DistinctRows::default());
        let mut reach =
            Self { samples, distance, threads, order, tiles, totals, scale: 0.0, screen: None, found, picks, seen };
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

    /// Makes ready for `rounds` rounds of `trials` candidates, if that pays. There must be one pick.
    ///
    /// The order of the rows may change, and with it which row a draw hits.
    pub(crate) fn expect(&mut self, rounds: usize, trials: usize) {
        const WORTH_A_SCREEN: f64 = 1e6;
        let (samples, d) = (self.samples, self.samples.n_columns());
        // What sorting and fetching a row from anywhere costs, and looking at it once: in columns looked at.
        let (sorting, looking) = (6000 + 400 * d, d + 16);
        let tells = self.distance.is_squared_euclidean() && Screen::<F>::is_sharp(d);
        if !tells || self.picks.len() != 1 || operations(samples, rounds * trials) < WORTH_A_SCREEN {
            return;
        }
        if rounds * trials * looking > sorting && balls_pay(samples, rounds) {
            self.sort();
        }
        let threads = self.threads_for(1);
        let mut screen = Screen::new(samples, &self.order, rows_of(samples, &self.picks), self.farthest(), threads);
        let (order, new) = (&self.order, &screen);
        let tighten = |_: &mut Scratch<F>, (t, near): &mut (usize, &mut Near)| near.tighten(new, *t, samples, order);
        each_chunk(threads, self.tiles.iter_mut().enumerate(), tighten);
        self.tiles.iter().enumerate().for_each(|(t, near)| screen.note(t, near.greatest_limit()));
        self.screen = Some(screen);
    }

    /// Picks the rows whose values are new, and notes in `owners` the rows that they are nearest to.
    pub(crate) fn pick(&mut self, rows: &[usize], owners: &mut [u32]) {
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
        let (samples, distance, order, scale) = (self.samples, self.distance, &self.order, self.scale);
        let centroids = self.centroids(new);
        let threads = self.threads_for(new.len());
        let tiles = self.tiles.iter_mut().enumerate().zip(owners.chunks_mut(TILE_ROWS));
        each_chunk(threads, tiles, |scratch, ((t, near), owners)| {
            let block = samples.block(order.places(*t), &mut scratch.rows);
            near.approach(&block, &centroids, first as u32, owners, distance, &mut scratch.nearest);
            near.add_up(samples, order.rows(*t), scale);
        });
        self.add_up();
    }

    /// Picks the candidate that lowers Σ wD most; ties to the first. None of them has the value of a pick.
    pub(crate) fn pick_best(&mut self, candidates: &[usize]) {
        let (samples, order, tiles) = (self.samples, &self.order, &mut self.tiles);
        let rows = rows_of(samples, candidates);
        let screen = self.screen.as_ref();
        let measured = Candidates::new(samples, order, self.distance, screen, &rows);
        let found = &mut self.found;
        measured.look_at_tiles(tiles.len(), found, self.threads);
        let best = measured.best(tiles, self.scale, found, self.threads);
        let nearer: Vec<u64> = found.chunks(candidates.len()).map(|found| found[best]).collect();
        measured.lower(tiles, self.scale, best, &nearer, self.threads);
        if let Some(screen) = &mut self.screen {
            let lowered = tiles.iter().enumerate().zip(&nearer).filter(|(_, nearer)| **nearer != 0);
            lowered.for_each(|((t, near), _)| screen.note(t, near.greatest_limit()));
        }
        self.seen.insert(samples, candidates[best]);
        self.picks.push(candidates[best]);
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

    /// The rows whose coins fall, each with the chance that `expected` draws by weight × D hit it at least once:
    /// 1 − exp(−expected·wD/Σ wD).
    pub(crate) fn coins(&self, expected: f64, seed: u64) -> Vec<usize> {
        let total = self.total();
        let of_chunk = |chunk: usize| -> Vec<usize> {
            let tiles = chunk * CHUNK..self.tiles.len().min((chunk + 1) * CHUNK);
            let falls = |(row, mass): &(usize, f64)| {
                *mass > 0.0 && uniform::unit(uniform::of_row(seed, *row)) < -(-expected * (mass / total)).exp_m1()
            };
            tiles.flat_map(|t| self.masses(t)).filter(falls).map(|(row, _)| row).collect()
        };
        self.threads_for(1).map(self.tiles.len().div_ceil(CHUNK), of_chunk).concat()
    }

    /// Picks rows by weight, of values not picked before, until there are k: what is left to do when no distance tells
    /// the rows from the picks.
    pub(crate) fn pick_by_weight(&mut self, k: usize, seed: u64) -> Result<(), SeedingError> {
        race(self.samples, k, &mut self.picks, &mut self.seen, seed, self.threads)
    }

    /// Σ wD·scale
    fn total(&self) -> f64 {
        self.totals.last().copied().unwrap_or(0.0)
    }

    /// The greatest D of a row that counts.
    fn farthest(&self) -> f64 {
        self.tiles.iter().fold(0.0, |most: f64, near| most.max(near.farthest))
    }

    /// The row at the fraction `at` of all wD.
    fn draw_any(&self, at: f64) -> Option<usize> {
        let at = at * self.total();
        let tile = self.totals.partition_point(|total| *total <= at);
        // Where rounding leaves a little, the last row with a mass.
        let tile = if tile < self.tiles.len() { tile } else { self.tiles.iter().rposition(|near| near.total > 0.0)? };
        let mut left = at - if tile > 0 { self.totals[tile - 1] } else { 0.0 };
        let mut last = None;
        for (row, mass) in self.masses(tile).filter(|(_, mass)| *mass > 0.0) {
            last = Some(row);
            if left < mass {
                break;
            }
            left -= mass;
        }
        last
    }

    /// The rows of tile `t`, each with wD·scale.
    fn masses(&self, t: usize) -> impl Iterator<Item = (usize, f64)> {
        let (samples, scale) = (self.samples, self.scale);
        let rows = self.order.rows(t).zip(&self.tiles[t].nearest);
        rows.map(move |(row, nearest)| (row, samples.weight(row) * (nearest * scale)))
    }

    /// Chooses the scale and totals the tiles.
    fn add_up(&mut self) {
        let scale = scale_of(self.farthest());
        if scale != self.scale {
            let (samples, order) = (self.samples, &self.order);
            let threads = self.threads.for_work(samples.n_rows() as f64);
            each_chunk(threads, self.tiles.iter_mut().enumerate(), |_: &mut Scratch<F>, (t, near)| {
                near.add_up(samples, order.rows(*t), scale);
            });
            self.scale = scale;
        }
        self.totals.clear();
        let mut total = 0.0;
        self.totals.extend(self.tiles.iter().map(|near| {
            total += near.total;
            total
        }));
    }

    /// Puts the rows into an order in which neighbours share tiles.
    fn sort(&mut self) {
        // What is no longer needed goes before more is asked for; and to keep D meanwhile would take more than all else.
        self.tiles = Vec::new();
        self.order = Order::near(self.samples, self.threads);
        self.tiles = (0..self.order.tiles()).map(|t| Near::nothing(self.order.places(t).len())).collect();
        let (samples, distance, order, scale) = (self.samples, self.distance, &self.order, self.scale);
        let (d, centroids, threads) = (samples.n_columns(), self.centroids(&self.picks), self.threads_for(1));
        each_chunk(threads, self.tiles.iter_mut().enumerate(), |scratch, (t, near)| {
            scratch.rows.resize(order.places(*t).len() * d, F::zero());
            scratch.rows.chunks_exact_mut(d).zip(order.rows(*t)).for_each(|(to, row)| samples.copy_row(row, to));
            let (block, owners) = (Block::new(&scratch.rows, d), &mut [0; TILE_ROWS]);
            near.approach(&block, &centroids, 0, owners, distance, &mut scratch.nearest);
            near.add_up(samples, order.rows(*t), scale);
        });
        self.add_up();
    }

    /// Sets D to 0 for all rows equal to `row`.
    fn set_to_zero(&mut self, row: usize) {
        let (samples, order, scale) = (self.samples, &self.order, self.scale);
        let table = samples.rows();
        let threads = self.threads_for(1);
        each_chunk(threads, self.tiles.iter_mut().enumerate(), |_: &mut Scratch<F>, (t, near)| {
            let equal = order.rows(*t).zip(&mut near.nearest).filter(|(other, _)| table.row(*other) == table.row(row));
            equal.for_each(|(_, nearest)| *nearest = 0.0);
            near.add_up(samples, order.rows(*t), scale);
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

/// The power of two that brings `largest` to between ½ and 1, or as near to it as there is one.
fn scale_of(largest: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff << 52;
    const LARGEST_POWER: f64 = f64::from_bits(0x7fe << 52);
    (0.5 / f64::from_bits(largest.to_bits() & EXPONENT)).min(LARGEST_POWER)
}

pub(crate) fn rows_of<F: Float>(samples: &Samples<F>, rows: &[usize]) -> Vec<F> {
    rows.iter().flat_map(|row| samples.rows().row(*row).to_vec()).collect()
}

fn operations<F: Float>(samples: &Samples<F>, centres: usize) -> f64 {
    samples.n_rows() as f64 * samples.n_columns() as f64 * centres as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KMeansPlusPlus;
    use crate::conformance::blobs;
    use miscela_distance::SquaredL2;
    use miscela_kernel::squared_distance;
    use ndarray::{Array2, array};
    use rand_xoshiro::Xoshiro256Plus;
    use rand_xoshiro::rand_core::SeedableRng;

    #[test]
    fn the_largest_is_brought_below_one() {
        for largest in [1.0, 0.75, 1e-300, 1e300, f64::MAX, f64::MIN_POSITIVE] {
            assert!((0.5..1.0).contains(&(largest * scale_of(largest))), "{largest:e}");
        }
        assert!(5e-324 * scale_of(5e-324) > 0.0);
        assert!(scale_of(0.0).is_finite());
    }

    #[test]
    fn distances_owners_and_choices_are_those_of_the_definition() {
        let rows = array![[0.0], [1.0], [3.0], [10.0]];
        let samples = Samples::weighted(&rows, vec![1.0, 2.0, 1.0, 0.5]).unwrap();
        let mut reach = Reach::new(&samples, &SquaredL2, Threads::One);
        let mut owners = [0; 4];
        reach.pick(&[0], &mut owners);
        assert_eq!(reach.tiles[0].nearest[..4], [0.0, 1.0, 9.0, 100.0]);
        // 100 needs 2⁻⁷.
        assert_eq!(reach.scale, 1.0 / 128.0);
        assert_eq!(reach.total(), (2.0 + 9.0 + 50.0) / 128.0);
        // Row 2 would leave 2 + 24.5, row 3 leaves 2 + 9.
        reach.pick_best(&[2, 3]);
        assert_eq!(reach.tiles[0].nearest[..4], [0.0, 1.0, 9.0, 0.0]);
        reach.pick(&[2, 0], &mut owners);
        assert_eq!(reach.picks(), [0, 3, 2]);
        assert_eq!(owners, [0, 0, 2, 0]);
    }

    /// Greedy k-means++ as its file has it in pseudo-code. After the first pick, rows are drawn in `order`.
    fn naive<F: Float>(samples: &Samples<F>, order: &[usize], k: usize, rng: &mut dyn RngCore) -> Vec<usize> {
        let n = samples.n_rows();
        let trials = 2 + (k as f64).ln() as usize;
        let row = |i: usize| samples.rows().row(i).to_vec();
        let lowered = |nearest: &[f64], c: usize| -> Vec<f64> {
            (0..n).map(|i| squared_distance(&row(i), &row(c)).min(nearest[i])).collect()
        };
        let potential = |nearest: &[f64]| (0..n).map(|i| samples.weight(i) * nearest[i]).sum::<f64>();
        let mut draw = |nearest: &[f64], order: &[usize]| {
            let mut left = potential(nearest) * uniform::unit(rng.next_u64());
            let hit = |i: &usize| {
                left -= samples.weight(*i) * nearest[*i];
                left < 0.0
            };
            order.iter().copied().find(hit).unwrap()
        };
        let mut picks = vec![draw(&vec![1.0; n], &(0..n).collect::<Vec<_>>())];
        let mut nearest: Vec<f64> = lowered(&vec![f64::INFINITY; n], picks[0]);
        while picks.len().lt(&k) {
            let draws: Vec<usize> = (0..trials).map(|_| draw(&nearest, order)).collect();
            let left = |c: usize| potential(&lowered(&nearest, c));
            let best = draws.into_iter().reduce(|a, b| if left(b) < left(a) { b } else { a }).unwrap();
            nearest = lowered(&nearest, best);
            picks.push(best);
        }
        picks
    }

    fn picks_are_the_naive_ones<F: Float>(rows: &Array2<F>, k: usize, screened: bool, sorted: bool) {
        let n = rows.nrows();
        let weights: Vec<f64> = (0..n).map(|i| [1.0, 0.5, 0.0, 2.0][i % 4]).collect();
        for samples in [Samples::new(rows).unwrap(), Samples::weighted(rows, weights).unwrap()] {
            let mut reach = Reach::new(&samples, &SquaredL2, Threads::Ambient);
            let mut rng = Xoshiro256Plus::seed_from_u64(5);
            KMeansPlusPlus::default().grow(&mut reach, k, &mut rng).unwrap();
            assert_eq!(reach.screen.is_some(), screened);
            assert_eq!(matches!(reach.order, Order::Sorted { .. }), sorted);
            let order: Vec<usize> = (0..reach.order.tiles()).flat_map(|t| reach.order.rows(t)).collect();
            assert_eq!(reach.picks(), naive(&samples, &order, k, &mut Xoshiro256Plus::seed_from_u64(5)));
        }
    }

    fn evenly(n: usize, d: usize) -> Array2<f64> {
        Array2::from_shape_fn((n, d), |(i, j)| uniform::unit(uniform::of_row(1, i * d + j)))
    }

    #[test]
    fn picks_are_those_of_the_naive_method_with_the_same_draws() {
        let single = |rows: &Array2<f64>| rows.mapv(|x| x as f32);
        picks_are_the_naive_ones(&evenly(100, 3), 10, false, false);
        let wide = evenly(1500, 40);
        picks_are_the_naive_ones(&wide, 12, true, false);
        picks_are_the_naive_ones(&single(&wide), 12, true, false);
        let clusters = blobs(3000, 4);
        picks_are_the_naive_ones(&clusters, 80, true, true);
        picks_are_the_naive_ones(&single(&clusters), 80, true, true);
        // Far from the origin, tiny, not contiguous, and with copies.
        picks_are_the_naive_ones(&(&clusters + 1e9), 80, true, true);
        picks_are_the_naive_ones(&(&clusters * 1e-120), 80, true, true);
        let mut columns_first = Array2::zeros((2, 3000)).reversed_axes();
        columns_first.assign(&clusters);
        picks_are_the_naive_ones(&columns_first, 80, true, true);
        picks_are_the_naive_ones(&clusters.mapv(f64::round), 80, true, true);
        // One row so far away that the others are nothing beside it.
        let mut outlier = clusters;
        outlier[[17, 0]] = 1e12;
        picks_are_the_naive_ones(&outlier, 80, true, true);
        picks_are_the_naive_ones(&(&outlier * 1e-130), 80, true, true);
    }

    #[test]
    fn threads_change_no_pick_where_rows_are_sorted() {
        let rows = blobs(30_000, 6);
        let samples = Samples::new(&rows).unwrap();
        let picks = |threads: Threads| {
            threads.install(|threads| {
                let mut reach = Reach::new(&samples, &SquaredL2, threads);
                KMeansPlusPlus::default().grow(&mut reach, 100, &mut Xoshiro256Plus::seed_from_u64(1)).unwrap();
                assert!(matches!(reach.order, Order::Sorted { .. }));
                reach.into_picks()
            })
        };
        assert_eq!(picks(Threads::Count(3)), picks(Threads::One));
    }
}
