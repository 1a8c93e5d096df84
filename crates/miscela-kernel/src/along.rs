//! The scores of long rows against few centroids, along the rows as they lie.
//!
//! ```text
//! for each 4 rows x, and each 5 centroids c:   20 products (x − o)·(c − o), each in a register over all columns
//!                                              meanwhile some of the next 4 rows are asked for, side by side
//! ```
//!
//! To turn rows into columns (`tile.rs`) costs the same for one centroid as for a thousand, and while rows are turned nothing
//! is multiplied. So few centroids are held against rows that stay rows, at the price of a sum over lanes for each score; and
//! memory is read while numbers are multiplied. (Where there are but 16 registers, it is two centroids at a time.) What is found
//! is what `scores.rs` finds, with the same bounds on rounding: each lane sums the products of its own columns, and the lanes
//! are added in a tree.
//!
//! Where the offset o lies not much farther from zero than centroids do from it, it saves no digits worth a subtraction for each
//! number: then the products are x·c.

use crate::Float;
use crate::float::{dot, lane_sums, lanes};
use crate::isa::fetch;
use crate::scores::{Found, Known, Shifted, longest_sum};
use crate::tile::{Rows, TILE_ROWS};
use pulp::{Simd, WithSimd};

/// Rows that are scored together.
const ROWS: usize = 4;

/// Columns that a row comes in by, and that it is filled up to with zeros.
const LINE: usize = TILE_ROWS / ROWS;

/// How many times as far as the farthest centroid is from the offset that may be from zero, for it to be left out. Then no centroid
/// is more than three times as far from zero as that.
const NEAR: f64 = 2.0;

/// Numbers that fill whole registers of any instruction set.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Line<F>([F; LINE]);

/// Centroids in lines, with some of zeros after them.
#[derive(Clone, Debug)]
pub(crate) struct Lines<F> {
    /// The centroids as they are, if it is these and not what they are less the offset.
    plain: Option<Shifted<F>>,
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

    /// The lines of centroids, given as they are and less the offset.
    pub(crate) fn new(rows: &[F], offset: &[F], shifted: &Shifted<F>) -> Self {
        let (width, size) = (offset.len(), dot(offset, offset).sqrt());
        let is_near = size <= NEAR * shifted.reach().widen();
        let plain = is_near.then(|| Shifted::new(rows, &vec![F::zero(); width]));
        let rows = plain.as_ref().unwrap_or(shifted).padded().chunks_exact(width);
        let all = rows.flat_map(|row| row.chunks(LINE)).map(line).collect();
        Self { plain, steps: width.div_ceil(LINE), all }
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

/// Scores rows against all centroids.
pub(crate) struct Along<'a, 'r, F> {
    pub(crate) rows: &'a Rows<'r, F>,
    pub(crate) offset: &'a [F],
    pub(crate) centroids: &'a Shifted<F>,
    pub(crate) lines: &'a Lines<F>,
    pub(crate) found: &'a mut Found<F>,
}

impl<F: Float> WithSimd for Along<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        if let Some(plain) = &self.lines.plain {
            self.score::<S, false>(simd, plain);
            shift_floors(self.rows, self.offset, self.found);
        } else {
            self.score::<S, true>(simd, self.centroids);
        }
    }
}

impl<F: Float> Along<'_, '_, F> {
    /// Scores the rows, less the offset if they are SHIFTED, as the centroids are.
    #[inline(always)]
    fn score<S: Simd, const SHIFTED: bool>(&mut self, simd: S, centroids: &Shifted<F>) {
        let Self { rows, offset, lines, found, .. } = self;
        let (k, steps) = (centroids.len(), lines.steps);
        // As many as there is room for in the registers, and about as many each time.
        let many = S::REGISTER_COUNT >= 32;
        let groups = k.div_ceil(if many { 5 } else { 2 });
        let mut known = Known::new();
        for first in (0..rows.len()).step_by(ROWS) {
            let mut four = Four::<S, F>::of(simd, rows, offset, first);
            let mut best = Best::new();
            for i in 0..groups {
                let (start, end, at) = (i * k / groups, (i + 1) * k / groups, (i, groups));
                // Where there are fewer, what follows is never chosen.
                match end - start {
                    _ if !many => four.score::<2, SHIFTED>(simd, (centroids, lines, 2 * i), at, &mut best),
                    5 => four.score::<5, SHIFTED>(simd, (centroids, lines, start), at, &mut best),
                    4 => four.score::<4, SHIFTED>(simd, (centroids, lines, start), at, &mut best),
                    _ => four.score::<3, SHIFTED>(simd, (centroids, lines, start), at, &mut best),
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

/// Makes floors, for rows in doubt, of scores of rows and centroids as they are ones of those less the offset:
/// (x − o)·(c − o) − ½‖c − o‖² = x·c − ½‖c‖² − x·o + ½‖o‖².
///
/// What is compared with them is computed of the differences, which may be far longer. But the nearest centroid is no farther than
/// the one found, so neither difference is longer than r = ‖x‖ + ‖o‖ + ‖x − c‖, and the score is within γ·1.5r², γ that of
/// `scores.rs`; as ever, twice that is allowed for.
fn shift_floors<F: Float>(rows: &Rows<F>, offset: &[F], found: &mut Found<F>) {
    let doubtful: Vec<usize> = found.in_doubt(rows.len()).collect();
    let width = offset.len();
    for i in doubtful {
        let row = rows.row(i);
        let (floor, product, square) = (found.floor.0[i].widen(), dot(row, offset), dot(offset, offset));
        let reach = dot(row, row).sqrt() + square.sqrt() + found.nearest.0[i].widen().sqrt();
        let gamma = (2 * longest_sum(width) + 6) as f64 * F::UNIT_ROUNDOFF;
        let converted = (width + 8) as f64 * F::UNIT_ROUNDOFF * (floor.abs() + reach * reach);
        found.floor.0[i] = F::narrow(floor - product + 0.5 * square - 3.0 * gamma * reach * reach - converted);
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
    /// Their whole lines.
    rows: [&'a [[F; LINE]]; ROWS],
    offset: &'a [[F; LINE]],
    /// What is left of them.
    rest: Option<([Line<F>; ROWS], Line<F>)>,
    /// The next four; empty where there are none.
    ahead: [&'a [[F; LINE]]; ROWS],
    /// ‖x‖², less the offset where centroids are, once they have been scored.
    norm2: [F::Vector<S>; ROWS],
}

impl<'a, S: Simd, F: Float> Four<'a, S, F> {
    /// The rows from `first` on; where there are none, the last one again.
    #[inline(always)]
    fn of(simd: S, rows: &'a Rows<F>, offset: &'a [F], first: usize) -> Self {
        let (offset, offset_rest) = offset.as_chunks();
        let nothing: [&[[F; LINE]]; ROWS] = [&[]; ROWS];
        let (mut all, mut ahead, mut rests) = (nothing, nothing, [[].as_slice(); ROWS]);
        for r in 0..ROWS {
            (all[r], rests[r]) = rows.row((first + r).min(rows.len() - 1)).as_chunks();
            ahead[r] = rows.ahead(first + ROWS + r).as_chunks().0;
        }
        let rest = (!offset_rest.is_empty()).then(|| (rests.map(line), line(offset_rest)));
        Self { rows: all, offset, rest, ahead, norm2: [F::splat(simd, F::zero()); ROWS] }
    }

    /// P of the next four for the i-th group; where there are none, rows that are at hand.
    #[inline(always)]
    fn ahead<const P: usize>(&self, i: usize) -> [&'a [[F; LINE]]; P] {
        let mut ahead = [self.rows[0]; P];
        for p in 0..P {
            ahead[p] = self.ahead.get(i * P + p).filter(|row| !row.is_empty()).unwrap_or(&self.rows[0]);
        }
        ahead
    }

    /// Scores the rows against G centroids from `first` on, and asks for some of those ahead meanwhile.
    #[inline(always)]
    fn score<const G: usize, const SHIFTED: bool>(
        &mut self,
        simd: S,
        (centroids, lines, first): (&Shifted<F>, &Lines<F>, usize),
        (group, groups): (usize, usize),
        best: &mut Best<F>,
    ) {
        let mut sums = [[F::splat(simd, F::zero()); ROWS]; G];
        if group > 0 {
            self.multiply::<G, 2, SHIFTED, false>(simd, lines, first, self.ahead(group), &mut sums);
        } else if groups > 1 {
            self.multiply::<G, 2, SHIFTED, true>(simd, lines, first, self.ahead(group), &mut sums);
        } else {
            self.multiply::<G, 4, SHIFTED, true>(simd, lines, first, self.ahead(group), &mut sums);
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
    fn multiply<const G: usize, const P: usize, const SHIFTED: bool, const SQUARES: bool>(
        &mut self,
        simd: S,
        lines: &Lines<F>,
        first: usize,
        mut ahead: [&[[F; LINE]]; P],
        sums: &mut [[F::Vector<S>; ROWS]; G],
    ) {
        let whole = self.offset.len();
        let (mut rows, mut centroid) = (self.rows, [&lines.all[..0]; G]);
        for r in 0..ROWS {
            rows[r] = &rows[r][..whole];
        }
        for g in 0..G {
            centroid[g] = &lines.row(first + g)[..whole];
        }
        for p in 0..P {
            ahead[p] = &ahead[p][..whole];
        }
        let mut norms = self.norm2;
        for i in 0..whole {
            let mut at = [&self.offset[i]; ROWS];
            let mut c = [&centroid[0][i].0; G];
            for r in 0..ROWS {
                at[r] = &rows[r][i];
            }
            for g in 0..G {
                c[g] = &centroid[g][i].0;
            }
            add_products::<S, F, G, SHIFTED, SQUARES>(simd, at, &self.offset[i], c, sums, &mut norms);
            for p in 0..P {
                fetch(simd, &ahead[p][i]);
            }
        }
        if let Some((rows, offset)) = &self.rest {
            let mut c = [&lines.all[0].0; G];
            for g in 0..G {
                c[g] = &lines.row(first + g)[whole].0;
            }
            let [x0, x1, x2, x3] = rows;
            add_products::<S, F, G, SHIFTED, SQUARES>(
                simd,
                [&x0.0, &x1.0, &x2.0, &x3.0],
                &offset.0,
                c,
                sums,
                &mut norms,
            );
        }
        self.norm2 = norms;
    }
}

/// Adds the products of a line of each of four rows, less the offset if they are SHIFTED, with that of G centroids.
#[inline(always)]
fn add_products<S: Simd, F: Float, const G: usize, const SHIFTED: bool, const SQUARES: bool>(
    simd: S,
    rows: [&[F; LINE]; ROWS],
    offset: &[F; LINE],
    centroid: [&[F; LINE]; G],
    sums: &mut [[F::Vector<S>; ROWS]; G],
    norms: &mut [F::Vector<S>; ROWS],
) {
    for v in 0..LINE / lanes::<S, F>() {
        let mut x = [F::splat(simd, F::zero()); ROWS];
        for r in 0..ROWS {
            x[r] = F::vectors::<S>(rows[r])[v];
            if SHIFTED {
                x[r] = F::vsub(simd, x[r], F::vectors::<S>(offset)[v]);
            }
            if SQUARES {
                norms[r] = F::vfma(simd, x[r], x[r], norms[r]);
            }
        }
        for g in 0..G {
            let c = F::vectors::<S>(centroid[g])[v];
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
    use crate::{Block, Centroids, Isa, nearest_direct};

    /// For some rows so far from zero, what is found is the nearest or in doubt, and its distance and those of all others are within
    /// the bounds.
    fn finds<F: Float>(isa: Isa, away: f64, (n, k, d): (usize, usize, usize)) {
        // Of no pattern, so that distances differ by more than rounding.
        let number = |i: usize| {
            F::narrow(away + (i as u32).wrapping_mul(2_654_435_761).rotate_left(16) as f64 / (1u64 << 28) as f64)
        };
        let rows: Vec<F> = (0..n * d).map(number).collect();
        let all: Vec<F> = (0..k * d).map(|i| number(i * 5 + 3)).collect();
        let offset: Vec<F> = (0..d).map(|j| F::narrow(away + j as f64 / 16.0)).collect();
        let centroids = Centroids::new(&all, &offset);
        let shifted = centroids.shifted();
        let lines = Lines::new(&all, &offset, shifted);
        assert_eq!(lines.plain.is_some(), away == 0.0);
        let (block, mut found) = (Block::new(&rows, d), Found::new());
        let rows = &Rows::of(&block);
        isa.run(Along { rows, offset: &offset, centroids: shifted, lines: &lines, found: &mut found });
        let doubtful: Vec<usize> = found.in_doubt(n).collect();
        assert!(doubtful.len() * 4 <= n, "{doubtful:?} of {n}, {k}, {d}");
        for (i, row) in block.rows().enumerate() {
            let (nearest, squared) = nearest_direct(row, &centroids);
            if doubtful.contains(&i) {
                assert_eq!(centroids.settle(isa, row, None, found.floor.0[i]).0, nearest);
                continue;
            }
            assert_eq!(found.index.0[i].index(), nearest, "{} {} row {i} of {n}, {k}, {d}", isa.name(), F::NAME);
            assert!(squared <= found.nearest.0[i].widen());
            let others = centroids.rows().enumerate().filter(|(c, _)| *c != nearest as usize);
            assert!(others.map(|(_, c)| squared_distance(row, c)).all(|far| far >= found.others.0[i].widen()));
        }
    }

    #[test]
    fn the_nearest_are_found() {
        for isa in Isa::available() {
            for d in [3, 15, 16, 17, 64, 100] {
                for (n, k) in [(1, 2), (3, 3), (64, 4), (63, 5), (8, 6), (61, 7), (64, 13)] {
                    for away in [0.0, 100.0] {
                        finds::<f32>(isa, away, (n, k, d));
                        finds::<f64>(isa, away, (n, k, d));
                    }
                }
            }
        }
    }
}
