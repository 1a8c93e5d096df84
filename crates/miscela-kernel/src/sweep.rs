//! Labels renewed a tile at a time, with nothing remembered of single rows. A box around the rows of a tile tells which centroids
//! may be nearest to any of them.
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
//! ‖v − c‖² − ‖v − s‖²  =  Σⱼ (cⱼ − sⱼ)((cⱼ − vⱼ) + (sⱼ − vⱼ))  >  0
//! with vⱼ the greatest of column j if cⱼ > sⱼ, else the least
//! ```
//!
//! (Pelleg & Moore 1999; Kanungo et al. 2002, whose boxes are the nodes of a tree.) Rows that lie within a cluster are not even
//! read. It pays where rows are in an order that keeps near ones together and have so few columns that boxes are small beside
//! clusters. Without boxes every row is held against every centroid: that is what rows cost that nothing is known of, and less
//! than making bounds that will not tell.
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
use crate::{Centroids, Float, Isa, NearestScratch, Rounded, Samples, Threads};
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
    /// The rows themselves, less the offset, if they are kept: d columns for each tile, and in one piece those of the tiles that
    /// go together, so that each is written by the thread that turned them.
    columns: Vec<Vec<Column<F>>>,
}

impl<F: Float> Boxes<F> {
    /// The boxes of all rows in the samples' order, less `offset`, which is that of the centroids to come. Rows are `kept` to
    /// be scored without being gathered again: as many numbers as the table has. Cost: one pass.
    ///
    /// # Panics
    /// If the offset is of another width.
    pub fn new(samples: &Samples<F>, offset: &[F], kept: bool, threads: Threads) -> Self {
        let (n, width) = (samples.n_rows(), samples.n_columns());
        let tiles = n.div_ceil(TILE_ROWS);
        let mut corners = vec![F::zero(); tiles * 2 * width];
        let mut parts: Vec<_> = corners.chunks_mut(TOGETHER * 2 * width).map(|corners| (corners, Vec::new())).collect();
        threads.each(&mut parts, |part, (corners, columns)| {
            let (mut tile, mut copied) = (Tile::new(), Vec::new());
            if kept {
                columns.reserve_exact(corners.len() / 2);
            }
            for (t, corners) in (part * TOGETHER..).zip(corners.chunks_exact_mut(2 * width)) {
                let rows = Rows::run(samples, t * TILE_ROWS..n.min((t + 1) * TILE_ROWS), &mut copied);
                tile.take(&rows, offset);
                Isa::best().vectorize(|| find_corners(&tile, corners));
                if kept {
                    columns.extend_from_slice(tile.columns());
                }
            }
        });
        let columns = parts.into_iter().map(|(_, columns)| columns).collect();
        Self { width, corners, columns }
    }

    /// The rows of a tile, if they are kept.
    fn columns(&self, tile: usize) -> Option<&[Column<F>]> {
        let first = tile % TOGETHER * self.width;
        self.columns[tile / TOGETHER].get(first..first + self.width)
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

/// How the labels of rows are renewed tile by tile.
#[derive(Clone, Copy, Debug)]
pub struct Sweep<'a, F> {
    /// What to find the nearest of.
    pub centroids: &'a Centroids<F>,
    /// All of them as candidates, and the boxes around the same rows in the same order, less the centroids' offset, if there
    /// are boxes.
    pub boxes: Option<(&'a Candidates<F>, &'a Boxes<F>)>,
    /// The same rows in whole numbers, if there are no boxes and they are kept.
    pub rounded: Option<&'a Rounded<F>>,
    /// How far a row and a centroid come closer to each other, or get away, by a step at most, if it is to be found out of how
    /// many rows bounds would tell the label. Only where there are no boxes.
    pub drift: Option<F>,
}

/// Space to sweep in, kept between calls.
#[derive(Clone, Debug)]
pub struct SweepScratch<F> {
    corners: Vec<F>,
    near: Candidates<F>,
    /// Places in a list of candidates.
    left: Vec<u32>,
    list: Vec<u32>,
    copied: Vec<F>,
    nearest: NearestScratch<F>,
}

impl<F: Float> Default for SweepScratch<F> {
    fn default() -> Self {
        Self {
            corners: Vec::new(),
            near: Candidates::default(),
            left: Vec::new(),
            list: Vec::new(),
            copied: Vec::new(),
            nearest: NearestScratch::default(),
        }
    }
}

impl<F: Float> SweepScratch<F> {
    /// To be called before rows are swept of which it is asked what bounds would have told, so that the answer does not depend on
    /// what the space was used for before.
    pub fn start_over(&mut self) {
        self.nearest.start_over();
    }
}

impl<F: Float> Sweep<'_, F> {
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
        scratch: &mut SweepScratch<F>,
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
        scratch: &mut SweepScratch<F>,
        moved: &mut Vec<Moved>,
    ) -> Effort {
        assert!(labels.len() == range.len() && range.start.is_multiple_of(TILE_ROWS));
        let mut effort = Effort::default();
        let mut labels = labels.chunks_mut(TILE_ROWS);
        let (mut tile, end) = (range.start / TILE_ROWS, range.end.div_ceil(TILE_ROWS));
        let Some((candidates, boxes)) = self.boxes else {
            for (tile, labels) in (tile..end).zip(labels) {
                effort.add(self.score(isa, samples, tile, None, labels.len(), scratch));
                effort.changed += note(isa, tile, &scratch.nearest.found.index, labels, moved);
                if let Some(drift) = self.drift.filter(|_| tile % ASKED == 0) {
                    effort.asked += labels.len() as u64;
                    effort.told += isa.vectorize(|| told(&scratch.nearest.found, labels.len(), drift));
                }
            }
            return effort;
        };
        let mut near = std::mem::take(&mut scratch.near);
        while tile < end {
            let tiles = tile..end.min((tile + 1).next_multiple_of(TOGETHER));
            let SweepScratch { corners, left, .. } = &mut *scratch;
            boxes.around(tiles.clone(), corners);
            isa.run(RuleOut { candidates, corners, left });
            effort.scores += candidates.count() as u64;
            isa.vectorize(|| near.take(candidates, left));
            tile = tiles.end;
            for (tile, labels) in tiles.zip(&mut labels) {
                effort.add(self.renew_tile(isa, samples, tile, boxes.corners(tile), &near, labels, scratch, moved));
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
        corners: &[F],
        near: &Candidates<F>,
        labels: &mut [u32],
        scratch: &mut SweepScratch<F>,
        moved: &mut Vec<Moved>,
    ) -> Effort {
        let SweepScratch { left, list, .. } = &mut *scratch;
        let mut effort = Effort::default();
        list.clear();
        if near.count() > 1 {
            isa.run(RuleOut { candidates: near, corners, left });
            effort.scores += near.count() as u64;
            list.extend(left.iter().map(|place| near.numbers[*place as usize]));
        } else {
            list.extend_from_slice(&near.numbers);
        }
        if let [only] = list[..] {
            scratch.nearest.found.index = Column::splat(F::of_index(only));
        } else {
            let list = std::mem::take(list);
            effort.add(self.score(isa, samples, at, Some(&list), labels.len(), scratch));
            scratch.list = list;
        }
        effort.changed = note(isa, at, &scratch.nearest.found.index, labels, moved);
        effort
    }

    /// Finds the nearest of all centroids, or of those listed, for the rows of a tile.
    fn score(
        &self,
        isa: Isa,
        samples: &Samples<F>,
        at: usize,
        list: Option<&[u32]>,
        rows: usize,
        scratch: &mut SweepScratch<F>,
    ) -> Effort {
        let SweepScratch { copied, nearest, .. } = scratch;
        let (first, mut whole) = (at * TILE_ROWS, false);
        if let Some(columns) = self.boxes.and_then(|(_, boxes)| boxes.columns(at)) {
            let (centroids, found) = (self.centroids.shifted(), &mut nearest.found);
            isa.run(Score { columns, rows, centroids, list, ahead: &[], found });
        } else {
            let rows = Rows::run(samples, first..first + rows, copied);
            whole = match (self.rounded, list) {
                (Some(rounded), None) => self.centroids.find_rounded(isa, &rows, rounded.tile(at), nearest),
                _ => self.centroids.find(isa, &rows, list, nearest),
            };
        }
        let found = &mut nearest.found;
        let doubtful: Vec<usize> = found.in_doubt(rows).collect();
        for i in doubtful {
            let nearest = self.centroids.settle(isa, &samples.copied_row(first + i), list, found.floor.0[i]).0;
            found.index.0[i] = F::of_index(nearest);
        }
        let count = self.centroids.shifted().count(list);
        let (rows, scores) = (rows as u64, (rows * count) as u64);
        Effort { opened: rows, scores, whole: if whole { rows } else { 0 }, ..Effort::default() }
    }
}

/// Takes the labels of a tile over, and notes the rows that moved; returns how many labels are new.
fn note<F: Float>(isa: Isa, at: usize, nearest: &Column<F>, labels: &mut [u32], moved: &mut Vec<Moved>) -> u64 {
    let changed = isa.vectorize(|| differ(labels, nearest));
    for i in ones(changed) {
        let to = nearest.0[i].index();
        if labels[i] != u32::MAX {
            moved.push(Moved { row: at * TILE_ROWS + i, from: labels[i], to });
        }
        labels[i] = to;
    }
    u64::from(changed.count_ones())
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

/// One in so many tiles is asked whether bounds would tell labels.
const ASKED: usize = 16;

/// How many of the rows have two bounds that are farther apart than a step brings each of them.
#[inline(always)]
fn told<F: Float>(found: &Found<F>, rows: usize, drift: F) -> u64 {
    let root = |square: F| if square > F::zero() { square.sqrt() } else { F::zero() };
    let pairs = found.nearest.0[..rows].iter().zip(&found.others.0);
    pairs.map(|(nearest, others)| u64::from(root(*others) - root(*nearest) > drift + drift)).sum()
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
                let is_out =
                    F::vbits(F::vless(simd, slack, difference)) & F::vbits(F::vless(simd, difference, infinity));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{Told, cases};
    use crate::nearest_direct;
    use ndarray::Array2;
    use proptest::prelude::*;

    /// After each of a few sets of centroids labels are the definition's and what moved is what moved, with and without boxes
    /// and kept rows, in any order, by every instruction set. Returns the scores taken with boxes.
    fn conforms<F: Float>((rows, sets, offset, order): Told<F>) -> u64 {
        let all = Samples::new(&rows).unwrap();
        let (samples, n) = (all.in_order(order), rows.nrows());
        let mut scores = 0;
        for isa in Isa::available() {
            for (kept, rounds) in [(None, false), (None, true), (Some(false), false), (Some(true), false)] {
                let boxes = kept.map(|kept| Boxes::new(&samples, offset, kept, Threads::One));
                let rounded = Rounded::new(&samples, &Centroids::new(&sets[0], offset), Threads::One);
                let (mut labels, mut scratch) = (vec![u32::MAX; n], SweepScratch::default());
                for set in sets {
                    let centroids = &Centroids::new(set, offset);
                    let candidates = Candidates::all(centroids);
                    let boxes = boxes.as_ref().map(|boxes| (&candidates, boxes));
                    let rounded = rounded.as_ref().filter(|_| rounds);
                    let sweep = Sweep { centroids, boxes, rounded, drift: None };
                    let (before, mut moved) = (labels.clone(), Vec::new());
                    let mut effort = Effort::default();
                    // In two parts, of which the second begins with a tile.
                    let cut = (n / 2).next_multiple_of(TILE_ROWS).min(n);
                    for range in [0..cut, cut..n].into_iter().filter(|range| !range.is_empty()) {
                        let labels = &mut labels[range.clone()];
                        effort.add(sweep.renew_with(isa, &samples, range, labels, &mut scratch, &mut moved));
                    }
                    let changes: Vec<_> = (0..n).filter(|i| before[*i] != labels[*i]).collect();
                    assert_eq!(effort.changed, changes.len() as u64);
                    let had_label = changes.into_iter().filter(|i| before[*i] != u32::MAX);
                    let listed = had_label.map(|row| Moved { row, from: before[row], to: labels[row] });
                    assert_eq!(moved, listed.collect::<Vec<_>>());
                    for (i, label) in labels.iter().enumerate() {
                        let told = format!("{} {} {kept:?} row {i}", isa.name(), F::NAME);
                        assert_eq!(*label, nearest_direct(&samples.copied_row(i), centroids).0, "{told}");
                    }
                    scores += if boxes.is_some() { effort.scores } else { 0 };
                }
            }
        }
        scores
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn labels_are_those_of_the_definition(case in cases(
            prop_oneof![
                5 => (prop_oneof![4 => 1usize..5, 1 => Just(17)], 1usize..400, 1usize..40),
                1 => (70usize..130, 1usize..150, 1usize..24),
            ],
            2,
        )) {
            case.tell(|told| _ = conforms(told), |told| _ = conforms(told));
        }
    }

    #[test]
    fn rows_within_a_cluster_take_no_scores() {
        // Eight clusters of 64 rows each, in their order: a tile each.
        let rows = Array2::from_shape_fn((512, 2), |(i, j)| ((i / 64) * 50 + i % 8 * j) as f64);
        let set: Vec<f64> = (0..8).flat_map(|c| [c as f64 * 50.0 + 1.0, c as f64 * 50.0]).collect();
        let ways = 2 * Isa::available().len() as u64;
        // All boxes together against all centroids, and each against all that are left.
        assert!(conforms((rows.view(), &[set], &[0.0, 0.0], None)) <= ways * (8 + 8 * 8));
    }

    #[test]
    fn squares_that_overflow_leave_no_one_out() {
        let mut rows = Array2::from_elem((64, 1), 0.0f32);
        rows[[0, 0]] = 5.5e18;
        let sets = [vec![-1.7e19f32, 1.9e19, 1.91e19, 1.92e19, 1.93e19], vec![-3e38, 3e38, 1e38, 0.0, 1.0]];
        conforms((rows.view(), &sets, &[0.0], None));
        conforms((rows.view(), &sets, &[3e38], None));
    }

    #[test]
    fn it_is_found_out_what_bounds_would_have_told() {
        // Half of the rows lie on their centroid, the others a tenth from the border.
        let rows = Array2::from_shape_fn((TILE_ROWS, 1), |(i, _)| if i < 32 { 0.0 } else { 4.9 });
        let samples = Samples::new(&rows).unwrap();
        let centroids = Centroids::new(&[0.0, 10.0], &[0.0]);
        for (drift, told) in [(0.01, 64), (1.0, 32), (5.5, 0)] {
            let sweep = Sweep { centroids: &centroids, boxes: None, rounded: None, drift: Some(drift) };
            let (mut labels, mut scratch) = ([u32::MAX; TILE_ROWS], SweepScratch::default());
            let effort = sweep.renew(&samples, 0..TILE_ROWS, &mut labels, &mut scratch, &mut Vec::new());
            assert_eq!((effort.asked, effort.told), (64, told), "{drift}");
        }
    }
}
