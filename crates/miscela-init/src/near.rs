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
    pub(crate) fn nothing(rows: usize) -> Self {
        let mut nearest = [0.0; TILE_ROWS];
        nearest[..rows].fill(f64::MAX);
        Self { nearest, limits: Column::splat(f32::NEG_INFINITY), farthest: f64::MAX, total: 0.0 }
    }

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
        const PARTS: usize = 8;
        let (mut farthest, mut totals) = ([0.0f64; PARTS], [0.0; PARTS]);
        if samples.weights().is_some() {
            for (i, (row, nearest)) in rows.zip(&self.nearest).enumerate() {
                let weight = samples.weight(row);
                if weight > 0.0 {
                    farthest[i % PARTS] = farthest[i % PARTS].max(*nearest);
                    totals[i % PARTS] += weight * (nearest * scale);
                }
            }
        } else {
            // Places without a row are 0.
            Isa::best().vectorize(
                #[inline(always)]
                || {
                    for nearest in self.nearest.as_chunks::<PARTS>().0 {
                        for p in 0..PARTS {
                            farthest[p] = if nearest[p] > farthest[p] { nearest[p] } else { farthest[p] };
                            totals[p] += nearest[p] * scale;
                        }
                    }
                },
            );
        }
        self.farthest = farthest.into_iter().fold(0.0, f64::max);
        self.total = totals.into_iter().sum();
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
    euclidean: bool,
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
        Self { samples, order, distance, rows, how, euclidean: distance.is_squared_euclidean() }
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
    pub(crate) fn look_at_tiles(&self, tiles: usize, found: &mut Vec<u64>, threads: Threads) {
        found.clear();
        found.resize(tiles * self.len(), u64::MAX);
        if let How::Screened(screen, packed) = &self.how {
            screen.look_at_tiles(packed, found, threads);
        }
    }

    /// The candidate that lowers Σ wD most, ties to the first. Where `found` is not 0 it becomes the rows that may come
    /// nearer, among them all that do.
    pub(crate) fn best(&self, tiles: &[Near], scale: f64, found: &mut [u64], threads: Threads) -> usize {
        let t = self.len();
        if t == 1 && matches!(self.how, How::Plainly(_)) {
            // Nothing to choose from, and nothing gained by measuring all rows twice.
            let all = |tile: usize| u64::MAX >> (TILE_ROWS - self.order.places(tile).len());
            found.iter_mut().enumerate().for_each(|(tile, found)| *found = all(tile));
            return 0;
        }
        let visits = found.chunks_mut(t).enumerate().filter(|(_, found)| found.iter().any(|bits| *bits != 0));
        let mut visits: Vec<_> = visits.collect();
        let threads = threads.for_work((visits.len() * TILE_ROWS * t * self.samples.n_columns()) as f64);
        let gains = sum_of_chunks(threads, &mut visits, t, |visits, gains| {
            let mut scratch = Scratch::default();
            for (tile, found) in visits {
                let near = &tiles[*tile];
                match &self.how {
                    How::Plainly(centroids) => {
                        self.measure_all(*tile, near, centroids, found, gains, scale, &mut scratch);
                    }
                    How::Screened(screen, packed) => {
                        self.look(*tile, near, screen, packed, found, gains, scale, &mut scratch);
                    }
                }
            }
        });
        let surest = gains.iter().fold(0.0f64, |most, gain| most.max(gain.sure - gain.doubt));
        let mut contenders: Vec<usize> = (0..t).filter(|c| gains[*c].sure + gains[*c].doubt >= surest).collect();
        if contenders.len() > 1 && matches!(self.how, How::Screened(..)) {
            let exact = sum_of_chunks(threads, &mut visits, t, |visits, gains| {
                self.measure(tiles, visits, &contenders, gains, scale);
            });
            let most = contenders.iter().fold(0.0f64, |most, c| most.max(exact[*c].sure));
            contenders.retain(|c| exact[*c].sure >= most);
        }
        contenders[0]
    }

    /// Measures all rows of a tile.
    fn measure_all(
        &self,
        tile: usize,
        near: &Near,
        centroids: &Centroids<F>,
        found: &mut [u64],
        gains: &mut [Gain],
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
                    gain.sure += weight * ((nearest - reduced) * scale);
                }
            }
        }
    }

    /// Looks at a tile through the screen.
    fn look(
        &self,
        tile: usize,
        near: &Near,
        by: &Screen<F>,
        packed: &[f32],
        found: &mut [u64],
        gains: &mut [Gain],
        scale: f64,
        scratch: &mut Scratch<F>,
    ) {
        const TOGETHER: usize = 8;
        let d = self.samples.n_columns();
        let columns = by.columns(self.samples, self.order, tile, &mut scratch.columns, &mut scratch.rows);
        let places = self.order.places(tile);
        let candidate = |c: usize| &packed[c * d..(c + 1) * d];
        let (mut some, mut which, mut bits) = ([candidate(0); TOGETHER], [0; TOGETHER], [0; TOGETHER]);
        let mut sums = [Column::splat(0.0); TOGETHER];
        let weighted = self.samples.weights().is_some();
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
            screen(columns, places.len(), &near.limits, &some[..count], &mut bits[..count], &mut sums[..count]);
            for ((c, bits), sums) in which[..count].iter().zip(bits).zip(&sums) {
                found[*c] = bits;
                let (mut sure, mut doubt) = (0.0, 0.0);
                for i in bits_of(bits) {
                    let weight = if weighted { self.samples.weight(self.order.row(places.start + i)) } else { 1.0 };
                    let (nearest, limit) = (near.nearest[i], by.unpacked(near.limits.0[i]));
                    sure += weight * ((nearest - by.unpacked(sums.0[i])).max(0.0) * scale);
                    // A sum is no farther off than the limit is from what it stands for, or hardly.
                    doubt += weight * (2.0 * (limit - nearest) * scale);
                }
                gains[*c].sure += sure;
                gains[*c].doubt += doubt;
            }
        }
    }

    /// Measures the rows that were found in some tiles for some of the candidates.
    fn measure(&self, tiles: &[Near], visits: &[Visit], contenders: &[usize], gains: &mut [Gain], scale: f64) {
        let mut found = Found::default();
        for c in contenders {
            self.measure_found(visits.iter().map(|(tile, found)| (*tile, found[*c])), *c, &mut found);
            for ((tile, i, row), reduced) in found.places.iter().zip(&found.reduced) {
                let nearest = tiles[*tile as usize].nearest[usize::from(*i)];
                gains[*c].sure += self.samples.weight(*row as usize) * ((nearest - reduced).max(0.0) * scale);
            }
        }
    }

    /// Measures rows, a word of them for each tile. In loops without branches, so that many rows are on their way from
    /// memory at a time.
    fn measure_found(&self, words: impl Iterator<Item = (usize, u64)>, c: usize, found: &mut Found) {
        let Found { places, reduced } = found;
        places.clear();
        for (tile, bits) in words {
            let start = self.order.places(tile).start;
            places.extend(bits_of(bits).map(|i| (tile as u32, i as u8, self.order.row(start + i) as u32)));
        }
        reduced.clear();
        let (candidate, d) = (self.row(c), self.samples.n_columns());
        let table = self.samples.rows();
        match (&self.how, table.as_slice()) {
            (_, Some(all)) if self.euclidean => Isa::best().vectorize(
                #[inline(always)]
                || {
                    let row = |row: u32| &all[row as usize * d..][..d];
                    reduced.extend(places.iter().map(|at| squared_distance_in_parts(row(at.2), candidate)));
                },
            ),
            _ => reduced.extend(places.iter().map(|at| {
                let row = table.row(at.2 as usize).to_vec();
                if self.euclidean {
                    squared_distance_in_parts(&row, candidate)
                } else {
                    self.distance.reduced(&row, candidate)
                }
            })),
        }
    }

    /// Lowers D of the rows among `found`, a word for each tile, that are nearer to candidate `c`.
    pub(crate) fn lower(&self, tiles: &mut [Near], scale: f64, c: usize, found: &[u64], threads: Threads) {
        let lowered = tiles.iter_mut().zip(found).enumerate().filter(|(_, (_, found))| **found != 0);
        let mut lowered: Vec<_> = lowered.map(|(t, (near, found))| (t, near, *found)).collect();
        let rows: u32 = lowered.iter().map(|(.., found)| found.count_ones()).sum();
        // Rows here and there are fetched from memory, each for the time of some hundred operations.
        const FETCH: f64 = 300.0;
        let threads = threads.for_work(f64::from(rows) * (FETCH + self.samples.n_columns() as f64));
        let mut chunks: Vec<_> = lowered.chunks_mut(CHUNK).collect();
        threads.each(&mut chunks, |_, chunk| {
            let mut found = Found::default();
            self.measure_found(chunk.iter().map(|(t, _, found)| (*t, *found)), c, &mut found);
            let mut reduced = found.reduced.iter();
            for (t, near, found) in chunk.iter_mut() {
                for (i, reduced) in bits_of(*found).zip(&mut reduced) {
                    if *reduced < near.nearest[i] {
                        near.nearest[i] = reduced.max(0.0);
                        if let How::Screened(screen, _) = &self.how {
                            near.limits.0[i] = screen.limit(*t, *reduced);
                        }
                    }
                }
                near.add_up(self.samples, self.order.rows(*t), scale);
            }
        });
    }
}

/// A tile with a word of rows for each candidate.
type Visit<'f> = (usize, &'f mut [u64]);

/// Rows to be measured: their tile, place in it and number; and what was measured.
#[derive(Default)]
struct Found {
    places: Vec<(u32, u8, u32)>,
    reduced: Vec<f64>,
}

/// By how much a candidate lowers Σ wD·scale, and how far that may be off.
#[derive(Clone, Copy, Default)]
struct Gain {
    sure: f64,
    doubt: f64,
}

/// Lets `work` add to t gains for a chunk of visits, a chunk to a thread, and adds the chunks up in order.
fn sum_of_chunks(
    threads: Threads,
    visits: &mut [Visit],
    t: usize,
    work: impl Fn(&mut [Visit], &mut [Gain]) + Sync + Send,
) -> Vec<Gain> {
    let mut chunks: Vec<_> = visits.chunks_mut(CHUNK).map(|visits| (visits, vec![Gain::default(); t])).collect();
    threads.each(&mut chunks, |_, (visits, gains)| work(visits, gains));
    let mut total = vec![Gain::default(); t];
    for (_, gains) in chunks {
        for (total, gain) in total.iter_mut().zip(gains) {
            total.sure += gain.sure;
            total.doubt += gain.doubt;
        }
    }
    total
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
