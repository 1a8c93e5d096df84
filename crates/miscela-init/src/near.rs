//! Candidates weighed against what the rows of a tile have.
//!
//! ```text
//! for each tile and candidate c:   bits = rows with reduced(x, c) < D        gain[c] += Σ over them of w·(D − reduced(x, c))
//! for the candidate that gains most:   D = reduced(x, c) for its bits
//! ```

use crate::order::Order;
use crate::screen::{CHUNK, Screen};
use miscela_distance::Distance;
use miscela_kernel::{
    Block, Centroids, Column, Float, Isa, NearestScratch, Samples, TILE_ROWS, Threads, screen,
    squared_distance_in_parts,
};

/// What is known of the rows of one tile.
#[derive(Clone)]
pub(crate) struct Near {
    /// D of each row.
    pub(crate) nearest: [f64; TILE_ROWS],
    /// What the screen makes of D; nothing where no row counts.
    limits: Column<f32>,
    /// The greatest D of a row that counts.
    pub(crate) farthest: f64,
    /// Σ wD·scale
    pub(crate) total: f64,
}

impl Near {
    /// Nothing is picked yet. Infinity would not do for D: what overflows must stay comparable.
    pub(crate) const NOTHING: Self = Self {
        nearest: [f64::MAX; TILE_ROWS],
        limits: Column([f32::NEG_INFINITY; TILE_ROWS]),
        farthest: f64::MAX,
        total: 0.0,
    };

    /// Lowers D to the distance to the nearest of `centroids`, which are the picks from `first` on.
    pub(crate) fn approach<F: Float, D: Distance<F>>(
        &mut self,
        block: &Block<F>,
        centroids: &Centroids<F>,
        first: u32,
        owners: &mut [u32],
        distance: &D,
        scratch: &mut NearestScratch<F>,
    ) {
        let (mut labels, mut reduced) = ([0; TILE_ROWS], [0.0; TILE_ROWS]);
        let (labels, reduced) = (&mut labels[..block.len()], &mut reduced[..block.len()]);
        distance.nearest(block, centroids, labels, reduced, scratch);
        for ((nearest, owner), (reduced, label)) in self.nearest.iter_mut().zip(owners).zip(reduced.iter().zip(labels))
        {
            if *reduced < *nearest {
                (*nearest, *owner) = (reduced.max(0.0), first + *label);
            }
        }
    }

    /// Renews `farthest` and `total`.
    pub(crate) fn add_up<F: Float>(&mut self, samples: &Samples<F>, rows: impl Iterator<Item = usize>, scale: f64) {
        (self.farthest, self.total) = (0.0, 0.0);
        for (row, nearest) in rows.zip(&self.nearest) {
            let weight = samples.weight(row);
            if weight > 0.0 {
                self.farthest = self.farthest.max(*nearest);
                self.total += weight * (nearest * scale);
            }
        }
    }

    /// Renews the limits of tile `t`.
    pub(crate) fn tighten<F: Float>(&mut self, screen: &Screen<F>, t: usize, samples: &Samples<F>, order: &Order) {
        let limits = self.limits.0.iter_mut().zip(&self.nearest);
        Isa::best().vectorize(
            #[inline(always)]
            || limits.for_each(|(limit, nearest)| *limit = screen.limit(t, *nearest)),
        );
        self.limits.0[order.places(t).len()..].fill(f32::NEG_INFINITY);
        if samples.weights().is_some() {
            let weightless = order.rows(t).zip(&mut self.limits.0).filter(|(row, _)| samples.weight(*row) == 0.0);
            weightless.for_each(|(_, limit)| *limit = f32::NEG_INFINITY);
        }
    }

    /// The greatest limit of a row.
    pub(crate) fn greatest_limit(&self) -> f32 {
        self.limits.0.iter().fold(f32::NEG_INFINITY, |most, limit| most.max(*limit))
    }
}

/// Space to work in, kept from tile to tile.
pub(crate) struct Scratch<F> {
    pub(crate) rows: Vec<F>,
    pub(crate) nearest: NearestScratch<F>,
    columns: Vec<Column<f32>>,
    reduced: Vec<f64>,
}

impl<F: Float> Default for Scratch<F> {
    fn default() -> Self {
        Self { rows: Vec::new(), nearest: NearestScratch::default(), columns: Vec::new(), reduced: Vec::new() }
    }
}

/// Calls `work` on each item, a chunk of them to a thread.
pub(crate) fn each_chunk<T: Send, F: Float>(
    threads: Threads,
    items: impl Iterator<Item = T>,
    work: impl Fn(&mut Scratch<F>, &mut T) + Sync + Send,
) {
    let mut items: Vec<T> = items.collect();
    let mut chunks: Vec<_> = items.chunks_mut(CHUNK).collect();
    threads.each(&mut chunks, |_, chunk| {
        let mut scratch = Scratch::default();
        chunk.iter_mut().for_each(|item| work(&mut scratch, item));
    });
}

/// Rows that are tried as the next pick.
pub(crate) struct Candidates<'c, 's, F: Float, D> {
    samples: &'c Samples<'s, F>,
    order: &'c Order,
    distance: &'c D,
    /// t × d
    rows: &'c [F],
    how: How<'c, F>,
}

/// How candidates are measured.
enum How<'c, F: Float> {
    /// All rows, by the distance.
    Plainly(Centroids<F>),
    /// By squared Euclidean distances, the rows that the screen leaves; with the candidates packed, t × d.
    Screened(&'c Screen<F>, Vec<f32>),
}

impl<'c, 's, F: Float, D: Distance<F>> Candidates<'c, 's, F, D> {
    /// `rows` holds the candidates row by row.
    pub(crate) fn new(
        samples: &'c Samples<'s, F>,
        order: &'c Order,
        distance: &'c D,
        screen: Option<&'c Screen<F>>,
        rows: &'c [F],
    ) -> Self {
        let how = match screen {
            Some(screen) => How::Screened(screen, screen.packed(rows)),
            None => How::Plainly(Centroids::new(rows, &rows[..samples.n_columns()])),
        };
        Self { samples, order, distance, rows, how }
    }

    /// t
    fn len(&self) -> usize {
        self.rows.len() / self.samples.n_columns()
    }

    fn row(&self, c: usize) -> &[F] {
        let d = self.samples.n_columns();
        &self.rows[c * d..(c + 1) * d]
    }

    /// For every tile and candidate: all ones, unless the screen tells that it comes nearer to none of the rows.
    pub(crate) fn look_at_tiles(&self, tiles: usize, threads: Threads) -> Vec<u64> {
        match &self.how {
            How::Plainly(_) => vec![u64::MAX; tiles * self.len()],
            How::Screened(screen, packed) => screen.look_at_tiles(packed, tiles, threads),
        }
    }

    /// By how much each candidate would lower Σ wD·scale. Where `found` is not 0 it becomes the rows that do come nearer.
    pub(crate) fn weigh(&self, tiles: &[Near], scale: f64, found: &mut [u64], threads: Threads) -> Vec<f64> {
        let t = self.len();
        let visits = found.chunks_mut(t).enumerate().filter(|(_, found)| found.iter().any(|bits| *bits != 0));
        let mut visits: Vec<_> = visits.collect();
        let threads = threads.for_work((visits.len() * TILE_ROWS * t * self.samples.n_columns()) as f64);
        let mut chunks: Vec<_> = visits.chunks_mut(CHUNK).map(|visits| (visits, vec![0.0; t])).collect();
        threads.each(&mut chunks, |_, (visits, gains)| {
            let mut scratch = Scratch::default();
            for (tile, found) in visits.iter_mut() {
                match &self.how {
                    How::Plainly(centroids) => {
                        self.find(*tile, &tiles[*tile], centroids, found, gains, scale, &mut scratch)
                    }
                    How::Screened(screen, packed) => {
                        self.look(*tile, &tiles[*tile], screen, packed, found, &mut scratch);
                        self.confirm(*tile, &tiles[*tile], found, gains, scale, &mut scratch.rows);
                    }
                }
            }
        });
        let mut gains = vec![0.0; t];
        for (_, chunk) in chunks {
            gains.iter_mut().zip(chunk).for_each(|(gain, chunk)| *gain += chunk);
        }
        gains
    }

    /// Measures all rows of a tile.
    fn find(
        &self,
        tile: usize,
        near: &Near,
        centroids: &Centroids<F>,
        found: &mut [u64],
        gains: &mut [f64],
        scale: f64,
        scratch: &mut Scratch<F>,
    ) {
        let t = found.len();
        let block = self.samples.block(self.order.places(tile), &mut scratch.rows);
        scratch.reduced.resize(block.len() * t, 0.0);
        self.distance.pairwise(&block, centroids, &mut scratch.reduced);
        found.fill(0);
        for (i, reduced) in scratch.reduced.chunks_exact(t).enumerate() {
            let (nearest, weight) = (near.nearest[i], block.weight(i));
            for ((found, gain), reduced) in found.iter_mut().zip(gains.iter_mut()).zip(reduced) {
                if *reduced < nearest {
                    *found |= 1 << i;
                    *gain += weight * ((nearest - reduced) * scale);
                }
            }
        }
    }

    /// Leaves the rows of a tile that the screen cannot tell.
    fn look(
        &self,
        tile: usize,
        near: &Near,
        by: &Screen<F>,
        packed: &[f32],
        found: &mut [u64],
        scratch: &mut Scratch<F>,
    ) {
        const TOGETHER: usize = 16;
        let d = self.samples.n_columns();
        let columns = by.columns(self.samples, self.order, tile, &mut scratch.columns, &mut scratch.rows);
        let rows = self.order.places(tile).len();
        let candidate = |c: usize| &packed[c * d..(c + 1) * d];
        let (mut some, mut which, mut bits) = ([candidate(0); TOGETHER], [0; TOGETHER], [0; TOGETHER]);
        let mut next = 0;
        while next < found.len() {
            let mut count = 0;
            while next < found.len() && count < TOGETHER {
                if found[next] != 0 {
                    (some[count], which[count]) = (candidate(next), next);
                    count += 1;
                }
                next += 1;
            }
            screen(columns, rows, &near.limits, &some[..count], &mut bits[..count]);
            which[..count].iter().zip(bits).for_each(|(c, bits)| found[*c] = bits);
        }
    }

    /// Measures the rows of a tile that were found, and leaves those that come nearer.
    fn confirm(&self, tile: usize, near: &Near, found: &mut [u64], gains: &mut [f64], scale: f64, row: &mut Vec<F>) {
        Isa::best().vectorize(
            #[inline(always)]
            || {
                for (c, (found, gain)) in found.iter_mut().zip(gains).enumerate() {
                    let candidate = self.row(c);
                    for i in bits_of(*found) {
                        let at = self.order.row(self.order.places(tile).start + i);
                        let block = self.samples.block(at..at + 1, row);
                        let reduced = squared_distance_in_parts(block.row(0), candidate);
                        if reduced < near.nearest[i] {
                            *gain += block.weight(0) * ((near.nearest[i] - reduced) * scale);
                        } else {
                            *found &= !(1 << i);
                        }
                    }
                }
            },
        );
    }

    /// Lowers D of the rows `nearer` of each tile to the distance to candidate `c`.
    pub(crate) fn lower(&self, tiles: &mut [Near], scale: f64, c: usize, nearer: &[u64], threads: Threads) {
        let lowered = tiles.iter_mut().enumerate().zip(nearer).filter(|(_, nearer)| **nearer != 0);
        let candidate = self.row(c);
        let rows: u32 = nearer.iter().map(|nearer| nearer.count_ones()).sum();
        let threads = threads.for_work(f64::from(rows) * self.samples.n_columns() as f64);
        each_chunk(threads, lowered, |scratch: &mut Scratch<F>, ((t, near), nearer)| {
            let start = self.order.places(*t).start;
            Isa::best().vectorize(
                #[inline(always)]
                || {
                    for i in bits_of(**nearer) {
                        let at = self.order.row(start + i);
                        let block = self.samples.block(at..at + 1, &mut scratch.rows);
                        let reduced = match &self.how {
                            How::Plainly(_) => self.distance.reduced(block.row(0), candidate).max(0.0),
                            How::Screened(..) => squared_distance_in_parts(block.row(0), candidate),
                        };
                        near.nearest[i] = reduced;
                    }
                },
            );
            near.add_up(self.samples, self.order.rows(*t), scale);
            if let How::Screened(screen, _) = &self.how {
                near.tighten(screen, *t, self.samples, self.order);
            }
        });
    }
}

/// The places of the ones, ascending.
#[inline(always)]
fn bits_of(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let first = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (first < 64).then_some(first)
    })
}
