//! Labels renewed a tile at a time: a box around its rows tells which centroids may be nearest to any of them.
//!
//! ```text
//! for each 16 tiles side by side:   near ← all centroids but those that the box around these tiles rules out
//!     for each tile:                left ← of those, all but what its own box rules out
//!         one is left:              it is the nearest to every row
//!         otherwise:                score the tile against those left (`scores.rs`)
//! ```
//!
//! A box is held against the centroid s that is nearest to its middle. Another one, c, is out if s is nearer to the corner of
//! the box that lies farthest in the direction from s to c, because then s is nearer to all of the box:
//!
//! ```text
//! ‖v − c‖² − ‖v − s‖²  =  Σⱼ (cⱼ − sⱼ)((cⱼ − vⱼ) + (sⱼ − vⱼ))  >  0      with vⱼ the greatest of column j if cⱼ > sⱼ, else the least
//! ```
//!
//! (Pelleg & Moore 1999; Kanungo et al. 2002, whose boxes are the nodes of a tree.) Nothing is remembered of single rows, and
//! rows that lie within a cluster are not even read. It pays where rows are in an order that keeps near ones together and have
//! so few columns that boxes are small beside clusters.
//!
//! **Rounding rules nothing out that could be nearest.** With ρ = ‖c‖ + ‖s‖ + the farthest that the box reaches, all from the
//! offset, what is computed of the difference is off by less than 16(d + 8)uρ²: rows, centroids and corners were rounded once
//! when they were shifted, which changes the difference by no more than 16uρ², the sum of d products adds 8(d + 6)uρ², and
//! the differences that decide in doubt are within 4(d + 4)uρ² themselves.
//!
//! Every label is that of [`nearest_direct`](crate::nearest_direct), as by [`Centroids::assign`].

use crate::float::lanes;
use crate::scores::{Found, Score};
use crate::search::{Effort, Moved};
use crate::tile::{Column, Rows, TILE_ROWS, Tile};
use crate::{Centroids, Float, Isa, Samples, Threads};
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// The tiles that are held against all centroids together, counted from a multiple of them.
const TOGETHER: usize = 16;

/// The boxes around rows, [`TILE_ROWS`] at a time, in an order that keeps near ones together.
#[derive(Clone, Debug)]
pub struct Boxes<F> {
    width: usize,
    /// For each tile the least of each column, and then the greatest, less the offset.
    corners: Vec<F>,
    /// The rows themselves, less the offset, if they are kept: d columns for each tile.
    columns: Vec<Column<F>>,
}

impl<F: Float> Boxes<F> {
    /// The boxes of all rows in the samples' order, less `offset`, which is that of the centroids to come. Rows are `kept` to
    /// be scored without being gathered again: as many numbers as the table has. Cost: one pass.
    pub fn new(samples: &Samples<F>, offset: &[F], kept: bool, threads: Threads) -> Self {
        let (n, width) = (samples.n_rows(), samples.n_columns());
        let tiles = n.div_ceil(TILE_ROWS);
        let mut corners = vec![F::zero(); tiles * 2 * width];
        let mut columns = vec![Column::splat(F::zero()); if kept { tiles * width } else { 0 }];
        let mut room = columns.chunks_mut(TOGETHER * width);
        let corners_of = corners.chunks_mut(TOGETHER * 2 * width);
        let mut work: Vec<_> = corners_of.map(|corners| (corners, room.next().unwrap_or_default())).collect();
        threads.each(&mut work, |part, (corners, columns)| {
            let (mut tile, mut copied) = (Tile::new(), Vec::new());
            let mut columns = columns.chunks_exact_mut(width);
            for (t, corners) in (part * TOGETHER..).zip(corners.chunks_exact_mut(2 * width)) {
                let rows = Rows::gather(samples, t * TILE_ROWS..n.min((t + 1) * TILE_ROWS), &mut copied);
                tile.take(&rows, offset);
                Isa::best().vectorize(|| find_corners(&tile, corners));
                columns.next().into_iter().for_each(|columns| columns.copy_from_slice(tile.columns()));
            }
        });
        Self { width, corners, columns }
    }

    /// The corners of the box around some tiles.
    fn around(&self, tiles: Range<usize>, corners: &mut Vec<F>) {
        let size = 2 * self.width;
        let mut all = self.corners[tiles.start * size..tiles.end * size].chunks_exact(size);
        corners.clear();
        corners.extend_from_slice(all.next().unwrap_or_default());
        for more in all {
            let (low, high) = corners.split_at_mut(self.width);
            let (less, greater) = more.split_at(self.width);
            low.iter_mut().zip(less).for_each(|(to, x)| *to = if *x < *to { *x } else { *to });
            high.iter_mut().zip(greater).for_each(|(to, x)| *to = if *x > *to { *x } else { *to });
        }
    }

    /// The corners of the box around one tile.
    fn corners(&self, tile: usize) -> &[F] {
        &self.corners[tile * 2 * self.width..(tile + 1) * 2 * self.width]
    }
}

/// The least of each column, and then the greatest.
#[inline(always)]
fn find_corners<F: Float>(tile: &Tile<F>, corners: &mut [F]) {
    let (less, greater) = (|a: F, b: F| if b < a { b } else { a }, |a: F, b: F| if b > a { b } else { a });
    let (low, high) = corners.split_at_mut(tile.columns().len());
    for ((Column(x), low), high) in tile.columns().iter().zip(low).zip(high) {
        let (mut least, mut most) = ([x[0]; PART], [x[0]; PART]);
        let (parts, rest) = x[..tile.rows()].as_chunks::<PART>();
        for part in parts {
            for i in 0..PART {
                (least[i], most[i]) = (less(least[i], part[i]), greater(most[i], part[i]));
            }
        }
        *low = least.iter().chain(rest).fold(x[0], |low, x| less(low, *x));
        *high = most.iter().chain(rest).fold(x[0], |high, x| greater(high, *x));
    }
}

/// Centroids column by column, so that many are held against a box at once.
#[derive(Clone, Debug, Default)]
pub struct Candidates<F> {
    /// Which centroids they are.
    numbers: Vec<u32>,
    /// Column by column, less the offset; zero where there is no centroid.
    columns: Vec<[F; PART]>,
    /// ‖c‖ from the offset
    norms: Vec<[F; PART]>,
    /// Zero, and infinite where there is no centroid.
    barred: Vec<[F; PART]>,
}

/// The candidates that are worked on in one go.
const PART: usize = 16;

impl<F: Float> Candidates<F> {
    /// All centroids. Cost: k·d.
    pub fn all(centroids: &Centroids<F>) -> Self {
        let (shifted, k, width) = (centroids.shifted(), centroids.len(), centroids.width());
        let mut all = Self::default();
        all.numbers.extend(0..k as u32);
        let parts = all.parts();
        all.columns.resize(width * parts, [F::zero(); PART]);
        all.norms.resize(parts, [F::zero(); PART]);
        all.bar();
        for c in 0..k {
            let (row, part, i) = (shifted.row(c), c / PART, c % PART);
            let norm2: f64 = row.iter().map(|x| x.widen() * x.widen()).sum();
            all.norms[part][i] = F::narrow(norm2.sqrt());
            row.iter().enumerate().for_each(|(j, x)| all.columns[j * parts + part][i] = *x);
        }
        all
    }

    fn count(&self) -> usize {
        self.numbers.len()
    }

    fn parts(&self) -> usize {
        self.count().div_ceil(PART)
    }

    #[inline(always)]
    fn column(&self, j: usize) -> &[[F; PART]] {
        &self.columns[j * self.parts()..(j + 1) * self.parts()]
    }

    /// Bars the places where there is no centroid.
    #[inline(always)]
    fn bar(&mut self) {
        self.barred.clear();
        self.barred.resize(self.parts(), [F::zero(); PART]);
        let count = self.count();
        self.barred.as_flattened_mut()[count..].fill(F::infinity());
    }

    /// Those at some places of others.
    #[inline(always)]
    fn take(&mut self, others: &Self, places: &[u32]) {
        self.numbers.clear();
        self.numbers.extend(places.iter().map(|place| others.numbers[*place as usize]));
        let (parts, all) = (self.parts(), others.parts());
        let gather = |to: &mut Vec<[F; PART]>, from: &[[F; PART]]| {
            to.clear();
            to.resize(from.len() / all * parts, [F::zero(); PART]);
            for (to, from) in to.chunks_exact_mut(parts).zip(from.chunks_exact(all)) {
                let (to, from) = (to.as_flattened_mut(), from.as_flattened());
                to.iter_mut().zip(places).for_each(|(to, place)| *to = from[*place as usize]);
            }
        };
        gather(&mut self.columns, &others.columns);
        gather(&mut self.norms, &others.norms);
        self.bar();
    }
}

/// How the labels of rows in boxes are renewed.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a, F> {
    /// What to find the nearest of.
    pub centroids: &'a Centroids<F>,
    /// The same, all of them.
    pub candidates: &'a Candidates<F>,
    /// Around the rows, less the centroids' offset.
    pub boxes: &'a Boxes<F>,
}

/// Space to filter in, kept between calls.
#[derive(Clone, Debug)]
pub struct FilterScratch<F> {
    corners: Vec<F>,
    near: Candidates<F>,
    /// Places in a list of candidates.
    left: Vec<u32>,
    list: Vec<u32>,
    copied: Vec<F>,
    tile: Tile<F>,
    found: Found<F>,
}

impl<F: Float> Default for FilterScratch<F> {
    fn default() -> Self {
        Self {
            corners: Vec::new(),
            near: Candidates::default(),
            left: Vec::new(),
            list: Vec::new(),
            copied: Vec::new(),
            tile: Tile::new(),
            found: Found::new(),
        }
    }
}

impl<F: Float> Filter<'_, F> {
    /// Renews the labels of the rows `range`, which begins with a tile and is the whole of the slice, and adds those that
    /// moved to `moved`, but for those that had no label, `u32::MAX`. A box held against a centroid counts as a score.
    ///
    /// # Panics
    /// If there are not as many labels as rows, or the range begins within a tile.
    pub fn renew(
        &self,
        samples: &Samples<F>,
        range: Range<usize>,
        labels: &mut [u32],
        scratch: &mut FilterScratch<F>,
        moved: &mut Vec<Moved>,
    ) -> Effort {
        self.renew_with(Isa::best(), samples, range, labels, scratch, moved)
    }

    /// The same by a given instruction set.
    fn renew_with(
        &self,
        isa: Isa,
        samples: &Samples<F>,
        range: Range<usize>,
        labels: &mut [u32],
        scratch: &mut FilterScratch<F>,
        moved: &mut Vec<Moved>,
    ) -> Effort {
        assert!(labels.len() == range.len() && range.start.is_multiple_of(TILE_ROWS));
        let mut effort = Effort::default();
        let mut near = std::mem::take(&mut scratch.near);
        let mut labels = labels.chunks_mut(TILE_ROWS);
        let (mut tile, end) = (range.start / TILE_ROWS, range.end.div_ceil(TILE_ROWS));
        while tile < end {
            let tiles = tile..end.min((tile + 1).next_multiple_of(TOGETHER));
            let FilterScratch { corners, left, .. } = &mut *scratch;
            self.boxes.around(tiles.clone(), corners);
            isa.run(RuleOut { candidates: self.candidates, corners, left });
            effort.scores += self.candidates.count() as u64;
            isa.vectorize(|| near.take(self.candidates, left));
            tile = tiles.end;
            for (tile, labels) in tiles.zip(&mut labels) {
                effort.add(self.renew_tile(isa, samples, tile, &near, labels, scratch, moved));
            }
        }
        scratch.near = near;
        effort
    }

    /// The same for one tile, to none of whose rows any but `near` is nearest.
    fn renew_tile(
        &self,
        isa: Isa,
        samples: &Samples<F>,
        at: usize,
        near: &Candidates<F>,
        labels: &mut [u32],
        scratch: &mut FilterScratch<F>,
        moved: &mut Vec<Moved>,
    ) -> Effort {
        let FilterScratch { left, list, copied, tile, found, .. } = scratch;
        let first = at * TILE_ROWS;
        let mut effort = Effort::default();
        if near.count() > 1 {
            isa.run(RuleOut { candidates: near, corners: self.boxes.corners(at), left });
            effort.scores += near.count() as u64;
            list.clear();
            list.extend(left.iter().map(|place| near.numbers[*place as usize]));
        } else {
            list.clone_from(&near.numbers);
        }
        if let [only] = list[..] {
            found.index = Column::splat(F::of_index(only));
        } else {
            let width = self.boxes.width;
            let columns = match self.boxes.columns.get(at * width..(at + 1) * width) {
                Some(kept) => kept,
                None => {
                    tile.take(&Rows::gather(samples, first..first + labels.len(), copied), self.centroids.offset());
                    tile.columns()
                }
            };
            let (rows, centroids) = (labels.len(), self.centroids.shifted());
            isa.run(Score { columns, rows, centroids, list: Some(list), found });
            effort.opened += labels.len() as u64;
            effort.scores += (labels.len() * list.len()) as u64;
            let doubtful: Vec<usize> = found.in_doubt(labels.len()).collect();
            for i in doubtful {
                let row = samples.copied_row(first + i);
                let nearest = self.centroids.settle(isa, &row, Some(list), found.floor.0[i]).0;
                found.index.0[i] = F::of_index(nearest);
            }
        }
        let changed = isa.vectorize(|| differ(labels, &found.index));
        effort.changed = u64::from(changed.count_ones());
        for i in ones(changed) {
            let to = found.index.0[i].index();
            if labels[i] != u32::MAX {
                moved.push(Moved { row: first + i, from: labels[i], to });
            }
            labels[i] = to;
        }
        effort
    }
}

/// The rows that are nearest to another centroid than their label says, as bits.
#[inline(always)]
fn differ<F: Float>(labels: &[u32], index: &Column<F>) -> u64 {
    let differs = |(label, index): (&u32, &F)| F::of_index(*label) != *index;
    if let Ok(labels) = <&[u32; TILE_ROWS]>::try_from(labels) {
        // Most rows stay where they are, and so do those beside them.
        let any = labels.iter().zip(&index.0).fold(false, |any, pair| any | differs(pair));
        if !any {
            return 0;
        }
    }
    let pairs = labels.iter().zip(&index.0).enumerate();
    pairs.fold(0, |bits, (i, pair)| bits | u64::from(differs(pair)) << i)
}

/// The places of the bits that are one.
#[inline(always)]
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros() as usize;
        (bits != 0).then(|| {
            bits &= bits - 1;
            place
        })
    })
}

/// Lists the places of the candidates that a box does not rule out.
struct RuleOut<'a, F> {
    candidates: &'a Candidates<F>,
    /// The least of each column of the box, and then the greatest.
    corners: &'a [F],
    left: &'a mut Vec<u32>,
}

impl<F: Float> WithSimd for RuleOut<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { candidates, corners, left } = self;
        let (low, high) = corners.split_at(corners.len() / 2);
        let star = nearest_to_middle(simd, candidates, low, high);
        let at = |parts: &[[F; PART]]| parts[star / PART][star % PART];
        let mut size2 = F::zero();
        for (low, high) in low.iter().zip(high) {
            let most = if -*low > *high { -*low } else { *high };
            size2 += most * most;
        }
        let width = low.len() as f64;
        let relative = F::splat(simd, F::narrow(1.01 * 16.0 * (width + 8.0) * F::UNIT_ROUNDOFF));
        // Squares that may have vanished.
        let absolute = F::splat(simd, F::narrow(8.0 * (width + 1.0) * F::min_positive_value().widen()));
        let reach = F::splat(simd, at(&candidates.norms) + size2.sqrt());
        let infinity = F::splat(simd, F::infinity());
        left.clear();
        for part in 0..candidates.parts() {
            let mut bits = 0;
            for r in 0..PART / lanes::<S, F>() {
                let mut difference = F::splat(simd, F::zero());
                for (j, (low, high)) in low.iter().zip(high).enumerate() {
                    let column = candidates.column(j);
                    let (s, low, high) = (F::splat(simd, at(column)), F::splat(simd, *low), F::splat(simd, *high));
                    let c = F::vectors::<S>(&column[part])[r];
                    let v = F::vselect(simd, F::vless(simd, s, c), high, low);
                    let sum = F::vadd(simd, F::vsub(simd, c, v), F::vsub(simd, s, v));
                    difference = F::vfma(simd, F::vsub(simd, c, s), sum, difference);
                }
                let size = F::vadd(simd, F::vectors::<S>(&candidates.norms[part])[r], reach);
                let slack = F::vfma(simd, relative, F::vmul(simd, size, size), absolute);
                // A difference that overflowed says nothing, and one that is no number is not greater either.
                let is_out = F::vbits(F::vless(simd, slack, difference)) & F::vbits(F::vless(simd, difference, infinity));
                bits |= is_out << (r * lanes::<S, F>());
            }
            let first = part * PART;
            let here = (1u64 << (candidates.count() - first).min(PART)) - 1;
            left.extend(ones(here & !bits).map(|i| (first + i) as u32));
        }
    }
}

/// Which candidate is nearest to the middle of a box, or nearly so: any would do.
#[inline(always)]
fn nearest_to_middle<S: Simd, F: Float>(simd: S, candidates: &Candidates<F>, low: &[F], high: &[F]) -> usize {
    let (mut least, mut at) = ([F::infinity(); PART], [F::zero(); PART]);
    for part in 0..candidates.parts() {
        let number = F::splat(simd, F::of_index(part as u32));
        for r in 0..PART / lanes::<S, F>() {
            let mut square = F::vectors::<S>(&candidates.barred[part])[r];
            for (j, (low, high)) in low.iter().zip(high).enumerate() {
                let middle = F::splat(simd, F::narrow(0.5) * *low + F::narrow(0.5) * *high);
                let z = F::vsub(simd, F::vectors::<S>(&candidates.column(j)[part])[r], middle);
                square = F::vfma(simd, z, z, square);
            }
            let (least, at) = (&mut F::vectors_mut::<S>(&mut least)[r], &mut F::vectors_mut::<S>(&mut at)[r]);
            let less = F::vless(simd, square, *least);
            *at = F::vselect(simd, less, number, *at);
            *least = F::vselect(simd, less, square, *least);
        }
    }
    let mut lowest = F::vectors::<S>(&least)[0];
    for r in 1..PART / lanes::<S, F>() {
        lowest = F::vmin(simd, F::vectors::<S>(&least)[r], lowest);
    }
    let mut apart = lanes::<S, F>() / 2;
    while apart > 0 {
        lowest = F::vmin(simd, F::vrotate(simd, lowest, apart), lowest);
        apart /= 2;
    }
    let mut bits = 0;
    for r in 0..PART / lanes::<S, F>() {
        bits |= F::vbits(F::vless(simd, lowest, F::vectors::<S>(&least)[r])) << (r * lanes::<S, F>());
    }
    // If all are no numbers, any.
    let place = (!bits).trailing_zeros() as usize % PART;
    let star = at[place].index() as usize * PART + place;
    if star < candidates.count() { star } else { 0 }
}
