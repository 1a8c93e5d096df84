//! The scores of long rows against few centroids, along the rows as they lie.
//!
//! ```text
//! for each 4 rows x, and each 5 centroids c:   20 products (x − o)·(c − o), each in a register over all columns
//!                                              meanwhile the next 4 rows are asked for, a line after the other
//! ```
//!
//! To turn rows into columns (`tile.rs`) costs the same for one centroid as for a thousand, and while rows are turned nothing
//! is multiplied. So few centroids are held against rows that stay rows, at the price of a sum over lanes for each score; and
//! memory is read while numbers are multiplied. (Where there are but 16 registers, it is two centroids at a time.) What is found
//! is what `scores.rs` finds, with the same bounds on rounding: each lane sums the products of its own columns, and the lanes
//! are added in a tree.

use crate::float::{lane_sums, lanes};
use crate::scores::{Found, Known, Shifted};
use crate::tile::{Rows, TILE_ROWS};
use crate::{Float, Isa};
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Rows that are scored together.
const ROWS: usize = 4;

/// Columns that a row comes in by, and that it is filled up to with zeros.
const LINE: usize = TILE_ROWS / ROWS;

/// Numbers that fill whole registers of any instruction set.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Line<F>([F; LINE]);

/// Centroids less the offset in lines, with some of zeros after them.
#[derive(Clone, Debug)]
pub(crate) struct Lines<F> {
    /// The lines of a row.
    steps: usize,
    /// Row by row.
    all: Vec<Line<F>>,
}

impl<F: Float> Lines<F> {
    /// Whether rows are sooner scored as they lie: where they are long beside what their sums over lanes cost.
    pub(crate) fn pay(width: usize, k: usize) -> bool {
        k <= 48 && k * 32 <= width * size_of::<F>()
    }

    /// The lines of rows of `width` numbers.
    pub(crate) fn new(rows: &[F], width: usize) -> Self {
        let lines = rows.chunks_exact(width).flat_map(|row| row.chunks(LINE)).map(line);
        Self { steps: width.div_ceil(LINE), all: lines.collect() }
    }

    fn row(&self, i: usize) -> &[Line<F>] {
        &self.all[i * self.steps..(i + 1) * self.steps]
    }
}

/// Up to [`LINE`] numbers, and zeros.
#[inline(always)]
fn line<F: Float>(numbers: &[F]) -> Line<F> {
    let mut line = [F::zero(); LINE];
    line[..numbers.len()].copy_from_slice(numbers);
    Line(line)
}

/// Scores rows, less the offset, against all centroids.
pub(crate) struct Along<'a, 'r, F> {
    pub(crate) isa: Isa,
    pub(crate) rows: &'a Rows<'r, F>,
    pub(crate) offset: &'a [F],
    pub(crate) centroids: &'a Shifted<F>,
    pub(crate) lines: &'a Lines<F>,
    pub(crate) found: &'a mut Found<F>,
}

impl<F: Float> WithSimd for Along<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { isa, rows, offset, centroids, lines, found } = self;
        let (k, steps) = (centroids.len(), lines.steps);
        // As many as there is room for in the registers, and about as many each time.
        let many = S::REGISTER_COUNT >= 32;
        let groups = k.div_ceil(if many { 5 } else { 2 });
        let mut known = Known::new();
        for first in (0..rows.len()).step_by(ROWS) {
            let mut four = Four::<S, F>::of(simd, rows, offset, first);
            let mut best = Best::new();
            for i in 0..groups {
                let ahead = i * ROWS / groups..(i + 1) * ROWS / groups;
                let (start, end) = (i * k / groups, (i + 1) * k / groups);
                // Where there are fewer, what follows is never chosen.
                match end - start {
                    _ if !many => four.score::<2>(simd, isa, (centroids, lines, 2 * i), ahead, &mut best),
                    5 => four.score::<5>(simd, isa, (centroids, lines, start), ahead, &mut best),
                    4 => four.score::<4>(simd, isa, (centroids, lines, start), ahead, &mut best),
                    _ => four.score::<3>(simd, isa, (centroids, lines, start), ahead, &mut best),
                }
            }
            for r in 0..ROWS {
                known.norm2.0[first + r] = F::vsum(simd, four.norm2[r]);
            }
            known.best.0[first..first + ROWS].copy_from_slice(&best.best);
            known.second.0[first..first + ROWS].copy_from_slice(&best.second);
            known.index.0[first..first + ROWS].copy_from_slice(&best.index);
        }
        // The longest sum that one number went through.
        let length = steps * (LINE / lanes::<S, F>()) + lanes::<S, F>();
        known.finish(simd, (rows.len(), offset.len(), length), centroids, found);
    }
}

/// The two greatest scores of each of four rows so far.
struct Best<F> {
    best: [F; ROWS],
    second: [F; ROWS],
    index: [F; ROWS],
}

impl<F: Float> Best<F> {
    #[inline(always)]
    fn new() -> Self {
        let none = [F::neg_infinity(); ROWS];
        Self { best: none, second: none, index: [F::zero(); ROWS] }
    }

    /// As `Running::note`: a score that is no number makes the best the second too.
    #[inline(always)]
    fn note(&mut self, scores: &[F], number: F) {
        for r in 0..ROWS {
            let (score, best) = (scores[r], self.best[r]);
            let less = if score < best { score } else { best };
            self.second[r] = if less > self.second[r] { less } else { self.second[r] };
            self.index[r] = if best < score { number } else { self.index[r] };
            self.best[r] = if score > best { score } else { best };
        }
    }
}

/// Four rows.
struct Four<'a, S: Simd, F: Float> {
    /// All columns but those of the last line.
    rows: [&'a [[F; LINE]]; ROWS],
    offset: &'a [[F; LINE]],
    /// The last line.
    last: [Line<F>; ROWS],
    last_offset: Line<F>,
    /// The next four; empty where there is nothing.
    ahead: [&'a [[F; LINE]]; ROWS],
    /// ‖x − o‖², once they have been scored.
    norm2: [F::Vector<S>; ROWS],
}

impl<'a, S: Simd, F: Float> Four<'a, S, F> {
    /// The rows from `first` on; where there are none, the last one again.
    #[inline(always)]
    fn of(simd: S, rows: &'a Rows<F>, offset: &'a [F], first: usize) -> Self {
        let whole = (offset.len() - 1) / LINE * LINE;
        let nothing: [&[[F; LINE]]; ROWS] = [&[]; ROWS];
        let (mut all, mut ahead, mut last) = (nothing, nothing, [Line([F::zero(); LINE]); ROWS]);
        for r in 0..ROWS {
            let row = rows.row((first + r).min(rows.len() - 1));
            (all[r], last[r]) = (row[..whole].as_chunks().0, line(&row[whole..]));
            ahead[r] = rows.ahead(first + ROWS + r).as_chunks().0;
        }
        let (offset, last_offset) = (offset[..whole].as_chunks().0, line(&offset[whole..]));
        Self { rows: all, offset, last, last_offset, ahead, norm2: [F::splat(simd, F::zero()); ROWS] }
    }

    /// Scores the rows against G centroids from `first` on, and asks for some of those ahead meanwhile.
    #[inline(always)]
    fn score<const G: usize>(
        &mut self,
        simd: S,
        isa: Isa,
        (centroids, lines, first): (&Shifted<F>, &Lines<F>, usize),
        ahead: Range<usize>,
        best: &mut Best<F>,
    ) {
        let mut sums = [[F::splat(simd, F::zero()); ROWS]; G];
        if first == 0 {
            self.multiply::<G, true>(simd, isa, (lines, first), ahead, &mut sums);
        } else {
            self.multiply::<G, false>(simd, isa, (lines, first), ahead, &mut sums);
        }
        let mut g = 0;
        for sums in sums.chunks(16 / ROWS) {
            let mut registers = [F::splat(simd, F::zero()); 16];
            registers[..sums.len() * ROWS].copy_from_slice(sums.as_flattened());
            let products: [F; 16] = lane_sums(simd, registers);
            for products in products.chunks_exact(ROWS).take(sums.len()) {
                let mut scores = [centroids.start(first + g); ROWS];
                for r in 0..ROWS {
                    scores[r] += products[r];
                }
                best.note(&scores, F::narrow((first + g) as f64));
                g += 1;
            }
        }
    }

    /// Adds the products with G centroids, and the squares if they are not known yet.
    #[inline(always)]
    fn multiply<const G: usize, const SQUARES: bool>(
        &mut self,
        simd: S,
        isa: Isa,
        (lines, first): (&Lines<F>, usize),
        ahead: Range<usize>,
        sums: &mut [[F::Vector<S>; ROWS]; G],
    ) {
        let whole = self.offset.len();
        let (mut rows, mut centroid) = (self.rows, [&lines.all[..0]; G]);
        for r in 0..ROWS {
            rows[r] = &rows[r][..whole];
        }
        for g in 0..G {
            centroid[g] = &lines.row(first + g)[..whole + 1];
        }
        let mut asked = self.ahead;
        for r in (0..ROWS).filter(|r| !ahead.contains(r)) {
            asked[r] = &[];
        }
        let mut norm2 = self.norm2;
        for i in 0..whole {
            let mut at = [&self.offset[i]; ROWS];
            let mut c = [&centroid[0][i]; G];
            for r in 0..ROWS {
                at[r] = &rows[r][i];
            }
            for g in 0..G {
                c[g] = &centroid[g][i];
            }
            add_products::<S, F, G, SQUARES>(simd, at, &self.offset[i], c, sums, &mut norm2);
            for r in 0..ROWS {
                if let Some(line) = asked[r].get(i) {
                    isa.fetch(line);
                }
            }
        }
        let mut c = [&centroid[0][whole]; G];
        for g in 0..G {
            c[g] = &centroid[g][whole];
        }
        let [x0, x1, x2, x3] = &self.last;
        add_products::<S, F, G, SQUARES>(simd, [&x0.0, &x1.0, &x2.0, &x3.0], &self.last_offset.0, c, sums, &mut norm2);
        self.norm2 = norm2;
    }
}

/// Adds the products of a line of each of four rows, less the offset, with that of G centroids.
#[inline(always)]
fn add_products<S: Simd, F: Float, const G: usize, const SQUARES: bool>(
    simd: S,
    rows: [&[F; LINE]; ROWS],
    offset: &[F; LINE],
    centroid: [&Line<F>; G],
    sums: &mut [[F::Vector<S>; ROWS]; G],
    norm2: &mut [F::Vector<S>; ROWS],
) {
    for v in 0..LINE / lanes::<S, F>() {
        let o = F::vectors::<S>(offset)[v];
        let mut x = [o; ROWS];
        for r in 0..ROWS {
            x[r] = F::vsub(simd, F::vectors::<S>(rows[r])[v], o);
            if SQUARES {
                norm2[r] = F::vfma(simd, x[r], x[r], norm2[r]);
            }
        }
        for g in 0..G {
            let c = F::vectors::<S>(&centroid[g].0)[v];
            for r in 0..ROWS {
                sums[g][r] = F::vfma(simd, x[r], c, sums[g][r]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nearest::squared_distance;
    use crate::{Block, Centroids, nearest_direct};

    /// For some rows, what is found is the nearest or in doubt, and its distance and those of all others are within the bounds.
    fn finds<F: Float>(isa: Isa, (n, k, d): (usize, usize, usize)) {
        let number = |i: usize| F::narrow(100.0 + ((i * 7919 + i / 13) % 1009) as f64 / 64.0);
        let rows: Vec<F> = (0..n * d).map(number).collect();
        let all: Vec<F> = (0..k * d).map(|i| number(i * 5 + 3)).collect();
        let offset: Vec<F> = (0..d).map(|j| F::narrow(100.0 + j as f64 / 16.0)).collect();
        let centroids = Centroids::new(&all, &offset);
        let lines = Lines::new(centroids.shifted().padded(), d);
        let (block, mut found) = (Block::new(&rows, d), Found::new());
        let (rows, shifted) = (&Rows::of(&block), centroids.shifted());
        isa.run(Along { isa, rows, offset: &offset, centroids: shifted, lines: &lines, found: &mut found });
        let doubtful: Vec<usize> = found.in_doubt(n).collect();
        assert!(doubtful.len() * 4 <= n, "{doubtful:?} of {n}");
        for (i, row) in block.rows().enumerate() {
            let (nearest, squared) = nearest_direct(row, &centroids);
            if !doubtful.contains(&i) {
                assert_eq!(found.index.0[i].index(), nearest, "{} {} row {i} of {n}, {k}, {d}", isa.name(), F::NAME);
                assert!(squared <= found.nearest.0[i].widen());
                let others = centroids.rows().enumerate().filter(|(c, _)| *c != nearest as usize);
                assert!(others.map(|(_, c)| squared_distance(row, c)).all(|far| far >= found.others.0[i].widen()));
            }
        }
    }

    #[test]
    fn the_nearest_are_found() {
        for isa in Isa::available() {
            for d in [3, 15, 16, 17, 64, 100] {
                for (n, k) in [(1, 2), (3, 3), (64, 4), (63, 5), (8, 6), (61, 7), (64, 13)] {
                    finds::<f32>(isa, (n, k, d));
                    finds::<f64>(isa, (n, k, d));
                }
            }
        }
    }
}
