//! Rows that cannot lie nearer to a candidate than to the picks, told without measuring them.
//!
//! ```text
//! a row x at √D from its pick, packed as x̃ with ‖x̃ − x‖ ≤ ε, is out if    ‖x̃ − c̃‖ > √D + 2ε
//! a tile of rows within r of μ is out if                                 ‖μ − c̃‖ > r + max (√D + 2ε)
//! ```
//!
//! Both are the same question, asked of rows or of the means of tiles, and one kernel answers it ([`screen`]): in `f32`,
//! whatever the rows are, with what rounding can do added to the right-hand side. What is not out is measured exactly.
//!
//! The second line is the triangle inequality over groups of rows, as Raff (2021) uses it for k-means++, with balls in the
//! place of clusters; it pays where tiles are small beside their distances, and [`balls_pay`] finds that out from a sample
//! before the rows are sorted. The first line does the rest: half the bandwidth and twice the lanes of `f64`.
//!
//! Packed are the rows relative to the first pick, in a unit (a power of two) in which none is far beyond 1. As many tiles
//! as memory allows are kept, turned into the lanes of registers; the others are packed anew at each visit.

use crate::order::Order;
use miscela_kernel::{Column, Float, Isa, Samples, TILE_ROWS, Threads, screen, squared_distance_in_parts, uniform};

/// Tiles that are worked on together, by one thread.
pub(crate) const CHUNK: usize = 16;

/// Packed rows, and balls around tiles.
pub(crate) struct Screen<F> {
    /// What is subtracted from all rows.
    origin: Vec<F>,
    /// What their differences are multiplied by.
    unit: f64,
    /// 1 / unit, exactly
    inverse: f64,
    /// What sums of squares are multiplied by to be on the safe side of rounding.
    slack: f64,
    /// The columns of the first tiles, d of each.
    kept: Vec<Column<f32>>,
    /// 2ε of each tile.
    errors: Vec<f32>,
    balls: Option<Balls>,
}

/// A ball around each tile.
struct Balls {
    radii: Vec<f32>,
    /// The centres, 64 to a group: d columns for each group.
    centres: Vec<Column<f32>>,
    /// How far off, squared, a candidate must be for all rows of the tile to be out; one column a group.
    limits: Vec<Column<f32>>,
}

impl<F: Float> Screen<F> {
    /// Whether rounding of sums over `d` columns leaves anything to tell.
    pub(crate) fn is_sharp(d: usize) -> bool {
        slack(d) < 1.1
    }

    /// Packs the rows in this order, relative to `origin`. The farthest that counts lies √`farthest` away from it.
    ///
    /// Cost: one pass over the rows.
    pub(crate) fn new(samples: &Samples<F>, order: &Order, origin: Vec<F>, farthest: f64, threads: Threads) -> Self {
        let (d, tiles) = (samples.n_columns(), order.tiles());
        let (unit, slack) = (unit_of(farthest.sqrt()), slack(d));
        let mut new =
            Self { origin, unit, inverse: 1.0 / unit, slack, kept: Vec::new(), errors: Vec::new(), balls: None };
        let keep = affordable_tiles::<F>(samples.n_rows(), d, tiles) / CHUNK;
        let sorted = matches!(order, Order::Sorted { .. });
        // In one piece, which goes back to the system at once when it is given up.
        let mut kept = vec![Column::splat(0.0); d * tiles.min(keep * CHUNK)];
        let mut room = kept.chunks_mut(CHUNK * d);
        let mut chunks: Vec<_> = (0..tiles.div_ceil(CHUNK)).map(|_| (room.next(), Vec::new())).collect();
        threads.each(&mut chunks, |chunk, (room, around)| {
            let (mut scratch, mut row) = (vec![Column::splat(0.0); if room.is_none() { d } else { 0 }], Vec::new());
            for (i, t) in (chunk * CHUNK..tiles.min((chunk + 1) * CHUNK)).enumerate() {
                let columns = match room {
                    Some(room) => &mut room[i * d..(i + 1) * d],
                    None => &mut scratch[..],
                };
                new.pack(samples, order, t, columns, &mut row);
                around.push(Ball::around(columns, order.places(t).len()));
            }
        });
        let balls: Vec<Ball> = chunks.into_iter().flat_map(|(_, around)| around).collect();
        new.kept = kept;
        new.errors = balls.iter().map(|ball| ball.reach * (16.0 * ROUNDOFF) + d as f32 * f32::MIN_POSITIVE).collect();
        new.balls = sorted.then(|| Balls::new(&balls, d));
        new
    }

    /// Rows, row by row, packed.
    pub(crate) fn packed(&self, rows: &[F]) -> Vec<f32> {
        let origin = self.origin.iter().cycle();
        rows.iter().zip(origin).map(|(x, o)| self.pack_one(*x, *o)).collect()
    }

    /// Clears the word of each tile and candidate (packed, t × d) for which all rows of the tile are out.
    pub(crate) fn look_at_tiles(&self, packed: &[f32], found: &mut [u64], threads: Threads) {
        let d = self.origin.len();
        let t = packed.len() / d;
        let Some(balls) = &self.balls else { return };
        let candidates: Vec<&[f32]> = packed.chunks_exact(d).collect();
        let work = (found.len() * d) as f64;
        let mut groups: Vec<_> = found.chunks_mut(TILE_ROWS * t).collect();
        threads.for_work(work).each(&mut groups, |group, found| {
            let (mut bits, mut sums) = (vec![0; t], vec![Column::splat(0.0); t]);
            let centres = &balls.centres[group * d..(group + 1) * d];
            screen(centres, found.len() / t, &balls.limits[group], &candidates, &mut bits, &mut sums);
            for (tile, found) in found.chunks_mut(t).enumerate() {
                found.iter_mut().zip(&bits).for_each(|(found, bits)| *found = 0u64.wrapping_sub(bits >> tile & 1));
            }
        });
    }

    /// The columns of tile `t`, kept or packed into `scratch`.
    pub(crate) fn columns<'s>(
        &'s self,
        samples: &Samples<F>,
        order: &Order,
        t: usize,
        scratch: &'s mut Vec<Column<f32>>,
        row: &mut Vec<F>,
    ) -> &'s [Column<f32>] {
        let d = self.origin.len();
        if let Some(kept) = self.kept.get(t * d..(t + 1) * d) {
            return kept;
        }
        scratch.resize(d, Column::splat(0.0));
        self.pack(samples, order, t, scratch, row);
        scratch
    }

    /// What the packed squared distance of a row of tile `t` must be above for the row to be out, D being `nearest`.
    #[inline(always)]
    pub(crate) fn limit(&self, t: usize, nearest: f64) -> f32 {
        let root = nearest.sqrt() * self.unit + f64::from(self.errors[t]);
        (root * root * self.slack + self.origin.len() as f64 * f64::from(f32::MIN_POSITIVE)) as f32
    }

    /// The squared distance that a sum of the screen stands for.
    #[inline(always)]
    pub(crate) fn unpacked(&self, sum: f32) -> f64 {
        f64::from(sum) * self.inverse * self.inverse
    }

    /// Notes the greatest limit of the rows of tile `t`.
    pub(crate) fn note(&mut self, t: usize, greatest: f32) {
        if let Some(balls) = &mut self.balls {
            let root = f64::from(balls.radii[t]) + f64::from(greatest).sqrt();
            // Where no row counts, the root is not a number, and the tile is out.
            let limit = if root.is_nan() { -1.0 } else { root * root * self.slack };
            balls.limits[t / TILE_ROWS].0[t % TILE_ROWS] = limit as f32;
        }
    }

    #[inline(always)]
    fn pack_one(&self, x: F, origin: F) -> f32 {
        ((x - origin).widen() * self.unit) as f32
    }

    fn pack(&self, samples: &Samples<F>, order: &Order, t: usize, columns: &mut [Column<f32>], row: &mut Vec<F>) {
        // A cache line of each row at a time, so that no line is fetched twice.
        const STRIP: usize = 16;
        Isa::best().vectorize(
            #[inline(always)]
            || {
                for (strip, (columns, origin)) in columns.chunks_mut(STRIP).zip(self.origin.chunks(STRIP)).enumerate() {
                    for (i, at) in order.rows(t).enumerate() {
                        let block = samples.block(at..at + 1, row);
                        let numbers = &block.row(0)[strip * STRIP..][..columns.len()];
                        for ((column, x), o) in columns.iter_mut().zip(numbers).zip(origin) {
                            column.0[i] = self.pack_one(*x, *o);
                        }
                    }
                }
            },
        );
    }
}

/// The rounding error of one operation on packed numbers.
const ROUNDOFF: f32 = f32::EPSILON / 2.0;

/// Sums of d + 2 rounded operations, those of the measure they stand for, and the roots taken of them, with room to spare.
fn slack(d: usize) -> f64 {
    1.0 + 8.0 * (d + 8) as f64 * f64::from(ROUNDOFF)
}

/// The power of two that brings `largest`, the root of a number, near 1.
fn unit_of(largest: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff << 52;
    1.0 / f64::from_bits(largest.max(f64::MIN_POSITIVE).to_bits() & EXPONENT)
}

/// How many tiles may be kept packed so that all that seeding holds is within a quarter of the rows, 16 bytes for each of
/// them and 10 MB. (A fit may have 32 MB; the program itself takes a part of that, and the allocator another.)
fn affordable_tiles<F: Float>(n: usize, d: usize, tiles: usize) -> usize {
    const TILE_STATE: usize = 1024;
    let allowed = n * d * size_of::<F>() / 4 + 16 * n + (10 << 20);
    allowed.saturating_sub(4 * n + tiles * (TILE_STATE + 8 * d)) / (d * size_of::<Column<f32>>())
}

/// A ball around packed rows.
#[derive(Clone)]
struct Ball {
    centre: Vec<f32>,
    radius: f32,
    /// The greatest distance of a row from the origin.
    reach: f32,
}

impl Ball {
    /// The ball about the mean of the first `rows` rows.
    fn around(columns: &[Column<f32>], rows: usize) -> Self {
        let mean = |column: &Column<f32>| column.0[..rows].iter().sum::<f32>() / rows as f32;
        let centre: Vec<f32> = columns.iter().map(mean).collect();
        let slack = slack(columns.len()) as f32;
        Self {
            radius: slack * farthest(columns, rows, &centre),
            reach: slack * farthest(columns, rows, &vec![0.0; columns.len()]),
            centre,
        }
    }
}

/// The greatest distance of a row from a point; infinite where it overflows.
fn farthest(columns: &[Column<f32>], rows: usize, from: &[f32]) -> f32 {
    let mut squares = [0.0f32; TILE_ROWS];
    Isa::best().vectorize(
        #[inline(always)]
        || {
            for (column, from) in columns.iter().zip(from) {
                squares.iter_mut().zip(&column.0).for_each(|(sum, x)| *sum += (x - from) * (x - from));
            }
        },
    );
    squares[..rows].iter().fold(0.0f32, |most, x| if x.is_nan() { f32::INFINITY } else { most.max(*x) }).sqrt()
}

impl Balls {
    fn new(balls: &[Ball], d: usize) -> Self {
        let groups = balls.len().div_ceil(TILE_ROWS);
        let mut centres = vec![Column::splat(0.0); groups * d];
        for (t, ball) in balls.iter().enumerate() {
            let columns = &mut centres[t / TILE_ROWS * d..][..d];
            columns.iter_mut().zip(&ball.centre).for_each(|(column, x)| column.0[t % TILE_ROWS] = *x);
        }
        let radii = balls.iter().map(|ball| ball.radius).collect();
        Self { radii, centres, limits: vec![Column::splat(f32::INFINITY); groups] }
    }
}

/// Whether balls around neighbours would keep most candidates away: tried with a few picks on a sample of the rows.
///
/// Cost: some 10⁵ distances.
pub(crate) fn balls_pay<F: Float>(samples: &Samples<F>, k: usize) -> bool {
    const SAMPLE: usize = 2048;
    const NEIGHBOURS: usize = 8;
    const PICKS: usize = 32;
    let (n, d) = (samples.n_rows(), samples.n_columns());
    let sample: Vec<u32> = (0..SAMPLE.min(n)).map(|i| (uniform::of_row(0, i) % n as u64) as u32).collect();
    let some = sample.len().min(2 * PICKS.min(k)) / 2;
    let rows = |rows: &[u32]| -> Vec<f64> {
        rows.iter().flat_map(|i| samples.rows().row(*i as usize).to_vec()).map(F::widen).collect()
    };
    let (picks, candidates) = (rows(&sample[..some]), rows(&sample[some..2 * some]));
    let order = Order::of_rows(samples, sample, NEIGHBOURS, Threads::One);
    let mut out = 0;
    let squared = squared_distance_in_parts::<f64>;
    Isa::best().vectorize(
        #[inline(always)]
        || {
            for t in 0..order.tiles() {
                let rows = rows(&order.rows(t).map(|i| i as u32).collect::<Vec<_>>());
                let count = (rows.len() / d) as f64;
                let centre: Vec<f64> = (0..d).map(|j| rows[j..].iter().step_by(d).sum::<f64>() / count).collect();
                let (mut radius, mut nearest) = (0.0f64, 0.0f64);
                for row in rows.chunks_exact(d) {
                    radius = radius.max(squared(row, &centre));
                    nearest =
                        nearest.max(picks.chunks_exact(d).fold(f64::MAX, |least, pick| least.min(squared(row, pick))));
                }
                let limit = (radius.sqrt() + nearest.sqrt()).powi(2);
                out += candidates.chunks_exact(d).filter(|candidate| squared(&centre, candidate) > limit).count();
            }
        },
    );
    2 * out > order.tiles() * some
}

#[cfg(test)]
mod tests {
    use super::*;
    use miscela_kernel::squared_distance;
    use ndarray::Array2;
    use proptest::prelude::*;

    /// No row that is out is nearer to a candidate than D says, and what is out are whole tiles in plenty.
    fn what_is_out_is_farther<F: Float>(rows: &Array2<F>, nearest: impl Fn(usize) -> f64) -> usize {
        let samples = Samples::new(rows).unwrap();
        let (n, d) = rows.dim();
        let row = |i: usize| rows.row(i).to_vec();
        let order = Order::near(&samples, Threads::One);
        let farthest = (0..n).map(|i| squared_distance(&row(i), &row(0))).fold(0.0, f64::max);
        let mut screen = Screen::new(&samples, &order, row(0), farthest, Threads::One);
        let candidates: Vec<usize> = (0..5).map(|c| c * (n / 5)).collect();
        let packed = screen.packed(&candidates.iter().flat_map(|c| row(*c)).collect::<Vec<F>>());
        let mut limits = vec![Column::splat(f32::NEG_INFINITY); order.tiles()];
        for (t, limits) in limits.iter_mut().enumerate() {
            limits.0.iter_mut().zip(order.rows(t)).for_each(|(limit, i)| *limit = screen.limit(t, nearest(i)));
            screen.note(t, limits.0.iter().fold(f32::NEG_INFINITY, |most, limit| most.max(*limit)));
        }
        let mut found = vec![u64::MAX; order.tiles() * 5];
        screen.look_at_tiles(&packed, &mut found, Threads::One);
        let tiles_out = found.iter().filter(|bits| **bits == 0).count();
        for (t, limits) in limits.iter().enumerate() {
            let (mut scratch, mut numbers) = (Vec::new(), Vec::new());
            let columns = screen.columns(&samples, &order, t, &mut scratch, &mut numbers);
            for (c, candidate) in candidates.iter().enumerate() {
                let (mut bits, mut sums) = ([0], [Column::splat(0.0)]);
                let rows = order.places(t).len();
                super::screen(columns, rows, limits, &[&packed[c * d..][..d]], &mut bits, &mut sums);
                for (i, at) in order.rows(t).enumerate() {
                    if (bits[0] & found[t * 5 + c]) >> i & 1 == 0 {
                        let squared = squared_distance(&row(at), &row(*candidate));
                        assert!(squared >= nearest(at), "{squared:e} {:e}", nearest(at));
                    }
                }
            }
        }
        tiles_out
    }

    proptest! {
        #[test]
        fn nothing_nearer_is_out(
            (d, numbers) in (1usize..12).prop_flat_map(|d| (Just(d), prop::collection::vec(-1.0..1.0f64, 300 * d))),
            offset in prop_oneof![Just(0.0), Just(1e8)],
            scale in prop_oneof![Just(1.0), Just(1e-140), Just(1e140)],
            share in 0.0..1.0f64,
        ) {
            let rows = Array2::from_shape_vec((300, d), numbers).unwrap().mapv(|x| (x + offset) * scale);
            // About as far as a candidate, so that rounding decides.
            let row = |i: usize| rows.row(i).to_vec();
            let near = |i: usize| squared_distance(&row(i), &row(60 * (i % 5)));
            what_is_out_is_farther(&rows, near);
            what_is_out_is_farther(&rows, |i| near(i) * share);
            let single = rows.mapv(|x| ((x / scale) + offset) as f32);
            let row = |i: usize| single.row(i).to_vec();
            what_is_out_is_farther(&single, |i| squared_distance(&row(i), &row(60 * (i % 5))));
        }
    }

    #[test]
    fn tiles_far_from_the_candidates_are_out() {
        let rows = crate::conformance::blobs(5000, 2);
        let out = what_is_out_is_farther(&rows, |_| 1.0);
        assert!(out > 5 * 5000 / 64 / 2, "{out}");
    }

    #[test]
    fn balls_pay_for_clusters_and_not_for_noise_in_many_columns() {
        let noise = Array2::from_shape_fn((3000, 30), |(i, j)| uniform::unit(uniform::of_row(1, i * 30 + j)));
        let clusters = crate::conformance::blobs(3000, 2);
        assert!(balls_pay(&Samples::new(&clusters).unwrap(), 50));
        assert!(!balls_pay(&Samples::new(&noise).unwrap(), 50));
    }
}
