//! The scores of a tile of rows against centroids: the innermost kernel of k-means.
//!
//! ```text
//! for each row x:  greatest and second greatest over c of  x·c − ½‖c‖²       (‖x − c‖² = ‖x‖² − 2·score)
//! ```
//!
//! The rows lie in the lanes of registers, so that an argmax is element-wise. Some registers of rows are held against some
//! centroids at a time, with all their scores in registers over all columns; a score starts at −½‖c‖², and only the two
//! greatest of each row are kept: no n × k matrix is ever written.
//!
//! **What rounding can do is known.** The score computed for a centroid c is off by at most γ(‖x‖‖c‖ + ½‖c‖²),
//! γ = (2m + 6)u: the standard bound of a dot product (Higham 2002, §3.1), which the half norm enters twice, with the
//! rounding of the shift and of the start. Sums run over 64 columns at most, and then over such parts, so that
//! m = min(d, 64) + ⌈d/64⌉ instead of d. With ‖c‖ ≤ R that bounds all scores. Where some centroid is very far away the
//! bound is poor, but such a centroid is not in the running: if ‖c‖ ≤ 4‖x‖ the error is at most 12γ‖x‖², and otherwise the
//! score is at most −¼‖c‖², so that its error is at most 3γ times itself. Every row thus comes with a lead that rounding
//! cannot explain, or without, and with safe bounds of its distances.

use crate::Float;
use crate::float::{dot, lanes};
use crate::isa::fetch;
use crate::tile::Column;
use pulp::{Simd, WithSimd};

/// Centroids relative to an offset, ready to be scored.
#[derive(Clone, Debug)]
pub(crate) struct Shifted<F> {
    width: usize,
    /// k
    count: usize,
    /// c − offset row by row, and then at least one row of zeros, to a multiple of [`PADDED`].
    pub(crate) rows: Vec<F>,
    /// −½‖c − offset‖² for each row, and −∞ for those of zeros, which are so never chosen.
    starts: Vec<F>,
    /// Each row's number.
    pub(crate) numbers: Vec<F>,
    /// The greatest ‖c − offset‖.
    reach: f64,
}

impl<F: Float> Shifted<F> {
    pub(crate) fn new(rows: &[F], offset: &[F]) -> Self {
        let width = offset.len();
        let count = rows.len() / width;
        let padded = (count + 1).next_multiple_of(PADDED);
        let mut shifted = Self {
            width,
            count,
            rows: Vec::with_capacity(padded * width),
            starts: Vec::with_capacity(padded),
            numbers: (0..padded).map(|c| F::narrow(c as f64)).collect(),
            reach: 0.0,
        };
        for row in rows.chunks_exact(width) {
            let first = shifted.rows.len();
            shifted.rows.extend(row.iter().zip(offset).map(|(c, o)| *c - *o));
            let norm = dot(&shifted.rows[first..], &shifted.rows[first..]);
            shifted.starts.push(F::narrow(-0.5 * norm));
            shifted.reach = shifted.reach.max(norm.sqrt());
        }
        shifted.rows.resize(padded * width, F::zero());
        shifted.starts.resize(padded, F::neg_infinity());
        shifted
    }

    /// Directions instead: their scores are x·c, without a half norm.
    pub(crate) fn directions(rows: &[F], width: usize) -> Self {
        let mut shifted = Self::new(rows, &vec![F::zero(); width]);
        shifted.starts.fill(F::zero());
        shifted
    }

    /// k
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// How many are listed, or all.
    pub(crate) fn count(&self, list: Option<&[u32]>) -> usize {
        list.map_or(self.len(), <[u32]>::len)
    }

    /// Those that are scored together from the place `first` on in the list; one that is never chosen where it ends.
    #[inline(always)]
    pub(crate) fn together<const G: usize>(&self, list: Option<&[u32]>, first: usize) -> [usize; G] {
        let mut together = [self.count; G];
        if let Some(list) = list {
            together.iter_mut().zip(&list[first..]).for_each(|(to, c)| *to = *c as usize);
        } else {
            together.iter_mut().zip(first..).for_each(|(to, c)| *to = c);
        }
        together
    }

    /// The score of one row, less the offset, and one centroid.
    #[inline(always)]
    pub(crate) fn score_of<S: Simd>(&self, simd: S, row: &[F], c: usize) -> F {
        let mut score = self.starts[c];
        for (x, y) in row.chunks(PART).zip(self.row(c).chunks(PART)) {
            let mut sum = F::splat(simd, F::zero());
            for (x, y) in F::vectors::<S>(x).iter().zip(F::vectors::<S>(y)) {
                sum = F::vfma(simd, *x, *y, sum);
            }
            let done = x.len() - x.len() % lanes::<S, F>();
            let rest = x[done..].iter().zip(&y[done..]).fold(F::vsum(simd, sum), |sum, (x, y)| sum + *x * *y);
            score += rest;
        }
        score
    }

    /// The scores of the V registers of rows at `at` against some centroids.
    #[inline(always)]
    pub(crate) fn scores<S: Simd, const V: usize, const G: usize>(
        &self,
        simd: S,
        columns: &[Column<F>],
        at: usize,
        together: &[usize; G],
    ) -> [[F::Vector<S>; V]; G] {
        let nothing = [[F::splat(simd, F::zero()); V]; G];
        let (mut scores, mut rows) = (nothing, [&self.rows[..0]; G]);
        for g in 0..G {
            scores[g] = [F::splat(simd, self.starts[together[g]]); V];
            rows[g] = &self.row(together[g])[..columns.len()];
        }
        let whole = columns.len().min(PART);
        add_products(simd, &columns[..whole], at, &rows, 0, &mut scores);
        for from in (whole..columns.len()).step_by(PART) {
            let columns = &columns[from..columns.len().min(from + PART)];
            let mut sums = nothing;
            add_products(simd, columns, at, &rows, from, &mut sums);
            for g in 0..G {
                for r in 0..V {
                    scores[g][r] = F::vadd(simd, sums[g][r], scores[g][r]);
                }
            }
        }
        scores
    }

    /// c − offset row by row, and then rows of zeros that are never chosen.
    pub(crate) fn padded(&self) -> &[F] {
        &self.rows
    }

    /// −½‖c − offset‖²
    #[inline(always)]
    pub(crate) fn start(&self, c: usize) -> F {
        self.starts[c]
    }

    /// The greatest ‖c − offset‖.
    pub(crate) fn reach(&self) -> F {
        F::narrow(self.reach)
    }

    /// c − offset
    #[inline(always)]
    pub(crate) fn row(&self, c: usize) -> &[F] {
        &self.rows[c * self.width..(c + 1) * self.width]
    }
}

/// Adds the products of some columns with those of the centroids' rows from the column `from` on.
#[inline(always)]
fn add_products<S: Simd, F: Float, const V: usize, const G: usize>(
    simd: S,
    columns: &[Column<F>],
    at: usize,
    rows: &[&[F]; G],
    from: usize,
    sums: &mut [[F::Vector<S>; V]; G],
) {
    let mut rows = *rows;
    for g in 0..G {
        rows[g] = &rows[g][from..from + columns.len()];
    }
    for (j, column) in columns.iter().enumerate() {
        let x = &F::vectors::<S>(&column.0)[at..at + V];
        for g in 0..G {
            let c = F::splat(simd, rows[g][j]);
            for r in 0..V {
                sums[g][r] = F::vfma(simd, x[r], c, sums[g][r]);
            }
        }
    }
}

/// What is found for the rows of a tile. All columns are padded with numbers that mean nothing.
#[derive(Clone, Debug)]
pub(crate) struct Found<F> {
    /// The centroid of the greatest score.
    pub(crate) index: Column<F>,
    /// By how much, in units of score, that one leads the others beyond what rounding could explain; not above zero, or
    /// NaN, where the winner is in doubt.
    pub(crate) lead: Column<F>,
    /// No centroid whose score, of row and centroid less the offset, is below this, however its products are summed, can be the
    /// nearest.
    pub(crate) floor: Column<F>,
    /// No less than ‖x − c‖² for the centroid found.
    pub(crate) nearest: Column<F>,
    /// No more than ‖x − c‖² for any other.
    pub(crate) others: Column<F>,
}

impl<F: Float> Found<F> {
    pub(crate) fn new() -> Self {
        let zero = Column::splat(F::zero());
        Self { index: zero, lead: zero, floor: zero, nearest: zero, others: zero }
    }

    /// Those of the first `rows` rows whose winner rounding may have decided.
    pub(crate) fn in_doubt(&self, rows: usize) -> impl Iterator<Item = usize> {
        // Written so that a NaN, from sums that overflowed, is in doubt. Almost always there is none at all.
        let leads = |lead: &F| *lead > F::zero();
        let certain = self.lead.0[..rows].iter().fold(true, |all, lead| all & leads(lead));
        let doubtful = if certain { 0 } else { rows };
        (0..doubtful).filter(move |i| !leads(&self.lead.0[*i]))
    }
}

/// Scores some rows of a tile, less the same offset, against the listed centroids, in ascending order, or against all.
pub(crate) struct Score<'a, F> {
    pub(crate) columns: &'a [Column<F>],
    pub(crate) rows: usize,
    pub(crate) centroids: &'a Shifted<F>,
    pub(crate) list: Option<&'a [u32]>,
    /// Numbers that are wanted next: they are asked for between the scores.
    pub(crate) ahead: &'a [F],
    pub(crate) found: &'a mut Found<F>,
}

impl<F: Float> WithSimd for Score<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.columns.len() {
            1 => self.narrow::<S, 1>(simd),
            2 => self.narrow::<S, 2>(simd),
            3 => self.narrow::<S, 3>(simd),
            // Two loads for each four multiplications, where there is room.
            _ if S::REGISTER_COUNT >= 32 => self.wide::<S, 4, 4>(simd),
            _ => self.wide::<S, STRIP, TOGETHER>(simd),
        }
    }
}

impl<F: Float> Score<'_, F> {
    /// V registers of rows against G centroids at a time, with all their scores in registers over all columns.
    #[inline(always)]
    fn wide<S: Simd, const V: usize, const G: usize>(self, simd: S) {
        let Self { columns, rows, centroids, list, ahead, found } = self;
        let mut ahead = ahead.as_chunks::<LINE>().0.iter();
        let groups = rows.div_ceil(V * lanes::<S, F>()) * centroids.count(list).div_ceil(G);
        let each = ahead.len().div_ceil(groups.max(1));
        for at in strips::<S, F, V>(rows) {
            let mut running = Running::<S, F, V>::new(simd);
            for first in (0..centroids.count(list)).step_by(G) {
                let together = centroids.together::<G>(list, first);
                let scores = centroids.scores::<S, V, G>(simd, columns, at, &together);
                for g in 0..G {
                    running.note(simd, &scores[g], centroids.numbers[together[g]]);
                }
                for line in ahead.by_ref().take(each) {
                    fetch(simd, line);
                }
            }
            running.norm2 = norms(simd, columns, at);
            running.finish(simd, columns.len(), 0, None, at, centroids, found);
        }
    }

    /// One centroid at a time, with all D columns of twice as many rows in registers: each number of a centroid that is
    /// loaded is used by four registers, and little is done but arithmetic.
    #[inline(always)]
    fn narrow<S: Simd, const D: usize>(self, simd: S) {
        const ROWS: usize = 2 * STRIP;
        let Self { columns, rows, centroids, list, found, .. } = self;
        let all = centroids.rows.as_chunks::<D>().0;
        for at in strips::<S, F, ROWS>(rows) {
            let mut x = [[F::splat(simd, F::zero()); ROWS]; D];
            for j in 0..D {
                x[j].copy_from_slice(&F::vectors::<S>(&columns[j].0)[at..at + ROWS]);
            }
            let mut running = Running::<S, F, ROWS>::new(simd);
            for i in 0..centroids.count(list) {
                let c = list.map_or(i, |list| list[i] as usize);
                let mut scores = [F::splat(simd, centroids.starts[c]); ROWS];
                for j in 0..D {
                    let y = F::splat(simd, all[c][j]);
                    for r in 0..ROWS {
                        scores[r] = F::vfma(simd, x[j][r], y, scores[r]);
                    }
                }
                running.note(simd, &scores, centroids.numbers[c]);
            }
            running.norm2 = norms(simd, columns, at);
            running.finish(simd, D, 0, None, at, centroids, found);
        }
    }
}

/// The numbers that are asked for together.
const LINE: usize = 16;

/// The columns that are summed in one go.
const PART: usize = 64;

/// The most additions that a number goes through in a score of these kernels.
pub(crate) fn longest_sum(width: usize) -> usize {
    width.min(PART) + width.div_ceil(PART)
}

/// The registers of rows, and the centroids, that are scored together: few enough that all fits in the registers, and
/// enough that the units which multiply and add never wait.
pub(crate) const STRIP: usize = 2;
pub(crate) const TOGETHER: usize = 6;
/// A multiple of any number of centroids that are scored together.
const PADDED: usize = 12;

/// Where the strips of N registers begin, in registers, that hold so many rows.
#[inline(always)]
pub(crate) fn strips<S: Simd, F: Float, const N: usize>(rows: usize) -> impl Iterator<Item = usize> {
    (0..rows.div_ceil(N * lanes::<S, F>())).map(|strip| strip * N)
}

/// ‖x‖² of the registers of rows at `at`.
#[inline(always)]
pub(crate) fn norms<S: Simd, F: Float, const N: usize>(simd: S, columns: &[Column<F>], at: usize) -> [F::Vector<S>; N] {
    let mut norm2 = [F::splat(simd, F::zero()); N];
    for columns in columns.chunks(PART) {
        let mut part = [F::splat(simd, F::zero()); N];
        for column in columns {
            let x = &F::vectors::<S>(&column.0)[at..at + N];
            for r in 0..N {
                part[r] = F::vfma(simd, x[r], x[r], part[r]);
            }
        }
        for r in 0..N {
            norm2[r] = F::vadd(simd, norm2[r], part[r]);
        }
    }
    norm2
}

/// What the registers of a strip know so far.
pub(crate) struct Running<S: Simd, F: Float, const N: usize> {
    pub(crate) best: [F::Vector<S>; N],
    pub(crate) second: [F::Vector<S>; N],
    pub(crate) index: [F::Vector<S>; N],
    /// ‖x‖²
    pub(crate) norm2: [F::Vector<S>; N],
}

impl<S: Simd, F: Float, const N: usize> Running<S, F, N> {
    #[inline(always)]
    pub(crate) fn new(simd: S) -> Self {
        let none = F::splat(simd, F::neg_infinity());
        let zero = F::splat(simd, F::zero());
        Self { best: [none; N], second: [none; N], index: [zero; N], norm2: [zero; N] }
    }

    /// Takes the scores of one more centroid in.
    #[inline(always)]
    fn note(&mut self, simd: S, scores: &[F::Vector<S>; N], number: F) {
        let index = F::splat(simd, number);
        for r in 0..N {
            let score = scores[r];
            // In this order a score that is no number leaves the best as it is and makes it the second too, which is
            // then in doubt: of two operands x86 returns the later one if either is NaN.
            self.second[r] = F::vmax(simd, F::vmin(simd, score, self.best[r]), self.second[r]);
            let better = F::vless(simd, self.best[r], score);
            self.index[r] = F::vselect(simd, better, index, self.index[r]);
            self.best[r] = F::vmax(simd, score, self.best[r]);
        }
    }

    /// Writes what was found, with the bounds on rounding that the head of this file derives, doubled, because they are
    /// themselves computed. The direct form that decides in doubt rounds too: its squares are within (d + 4)·2⁻⁵³ of true,
    /// and they are at most (‖x‖ + ‖c‖)². `length` is that of the longest sum that a score went through, if it is more than that
    /// of the kernels here, by which contenders are found; `beside` is what scores may be off by beside rounding.
    #[inline(always)]
    pub(crate) fn finish(
        self,
        simd: S,
        width: usize,
        length: usize,
        beside: Option<[F::Vector<S>; N]>,
        at: usize,
        centroids: &Shifted<F>,
        found: &mut Found<F>,
    ) {
        let length = length.max(longest_sum(width)) as f64;
        let width = width as f64;
        let splat = |value: f64| F::splat(simd, F::narrow(value));
        let gamma = 2.0 * (2.0 * length + 6.0) * F::UNIT_ROUNDOFF;
        let (reach, two) = (splat(centroids.reach * (1.0 + gamma)), splat(2.0));
        let near = (splat(gamma * centroids.reach), splat(0.5 * gamma * centroids.reach * centroids.reach));
        let far = (splat(12.0 * gamma), splat(3.0 * gamma));
        let direct = splat((width + 4.0) * f64::EPSILON);
        let underflow = splat(2.0 * (width + 4.0) * F::min_positive_value().widen());
        let gamma = splat(gamma);
        for r in 0..N {
            let (best, second, norm2) = (self.best[r], self.second[r], self.norm2[r]);
            let norm = F::vsqrt(simd, norm2);
            let size = F::vabs(simd, second);
            let near = F::vfma(simd, norm, near.0, near.1);
            let far = F::vfma(simd, norm2, far.0, F::vmul(simd, size, far.1));
            let sum = F::vadd(simd, norm, reach);
            let square = F::vfma(simd, norm2, splat(25.0), F::vmul(simd, size, splat(8.0)));
            let square = F::vmin(simd, F::vmul(simd, sum, sum), square);
            let mut scores = F::vadd(simd, F::vmin(simd, near, far), underflow);
            if let Some(beside) = beside {
                scores = F::vadd(simd, scores, beside[r]);
            }
            let error = F::vfma(simd, two, scores, F::vmul(simd, direct, square));
            // In units of squared distance, with the rounding of ‖x‖².
            let slack = F::vfma(simd, gamma, norm2, error);
            let distance = |score| F::vsub(simd, norm2, F::vmul(simd, two, score));
            let at = at + r;
            F::vectors_mut::<S>(&mut found.index.0)[at] = self.index[r];
            F::vectors_mut::<S>(&mut found.lead.0)[at] = F::vsub(simd, F::vsub(simd, best, second), error);
            F::vectors_mut::<S>(&mut found.floor.0)[at] = F::vsub(simd, best, F::vadd(simd, error, error));
            F::vectors_mut::<S>(&mut found.nearest.0)[at] = F::vadd(simd, distance(best), slack);
            F::vectors_mut::<S>(&mut found.others.0)[at] = F::vsub(simd, distance(second), slack);
        }
    }
}

/// The same of all rows of a tile, a column each, where rows were scored one by one.
pub(crate) struct Known<F> {
    pub(crate) best: Column<F>,
    pub(crate) second: Column<F>,
    pub(crate) index: Column<F>,
    /// ‖x‖²
    pub(crate) norm2: Column<F>,
    /// What scores may be off by, beside rounding.
    pub(crate) error: Column<F>,
}

impl<F: Float> Known<F> {
    pub(crate) fn new() -> Self {
        let (none, zero) = (Column::splat(F::neg_infinity()), Column::splat(F::zero()));
        Self { best: none, second: none, index: zero, norm2: zero, error: zero }
    }

    /// Takes the score of one more centroid for row `i` in.
    #[inline(always)]
    pub(crate) fn note(&mut self, i: usize, score: F, number: F) {
        let Self { best, second, index, .. } = self;
        if best.0[i] < score {
            let before = std::mem::replace(&mut best.0[i], score);
            second.0[i] = if before > second.0[i] { before } else { second.0[i] };
            index.0[i] = number;
        } else if second.0[i] < score {
            second.0[i] = score;
        } else if score.is_nan() {
            // A sum that overflowed leaves the row in doubt.
            best.0[i] = score;
        }
    }

    /// [`Running::finish`] of the first `rows` rows.
    #[inline(always)]
    pub(crate) fn finish<S: Simd>(
        &self,
        simd: S,
        (rows, width, length): (usize, usize, usize),
        centroids: &Shifted<F>,
        found: &mut Found<F>,
    ) {
        for at in strips::<S, F, 1>(rows) {
            let running = Running::<S, F, 1> {
                best: [F::vectors::<S>(&self.best.0)[at]],
                second: [F::vectors::<S>(&self.second.0)[at]],
                index: [F::vectors::<S>(&self.index.0)[at]],
                norm2: [F::vectors::<S>(&self.norm2.0)[at]],
            };
            let beside = Some([F::vectors::<S>(&self.error.0)[at]]);
            running.finish(simd, width, length, beside, at, centroids, found);
        }
    }
}

/// Lists the centroids, of those listed or of all, whose score for one row is not below a floor.
pub(crate) struct Contenders<'a, F> {
    /// x − offset
    pub(crate) row: &'a [F],
    pub(crate) centroids: &'a Shifted<F>,
    pub(crate) list: Option<&'a [u32]>,
    pub(crate) floor: F,
}

impl<F: Float> WithSimd for Contenders<'_, F> {
    type Output = Vec<u32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<u32> {
        let Self { row, centroids, list, floor } = self;
        let mut contenders = Vec::new();
        for i in 0..centroids.count(list) {
            let c = list.map_or(i, |list| list[i] as usize);
            // What is no number stays in.
            let is_out = centroids.score_of(simd, row, c) < floor;
            if !is_out {
                contenders.push(c as u32);
            }
        }
        contenders
    }
}
