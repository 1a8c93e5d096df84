//! Scores in whole numbers: rows and centroids rounded to 16 bits, which a machine multiplies two at a time.
//!
//! ```text
//! x ≈ s·q,  c ≈ t·v      q and v whole, none longer than 2¹⁵
//! x·c − ½‖c‖²  ≈  s·t·(q·v − h)      h = ½‖c‖² / st, whole
//! ```
//!
//! s is one number for a tile and t one for all centroids, so that scores compare as they are. Sums of 32 bits hold them: by
//! Cauchy and Schwarz no part of q·v exceeds 2³⁰. That takes half the instructions of products in `f32`, and a quarter of those
//! in `f64`.
//!
//! Four centroids go together; the greatest score of each such group is kept, so that for a row in doubt it is known which groups
//! may have its nearest.
//!
//! **What was rounded away is known.** |x·c − st·q·v| ≤ ‖x‖·‖c − tv‖ + ‖x − sq‖·t‖v‖, and these lengths are computed: the second
//! and the last for all centroids, the others for each row. A row whose best score leads the others by more than that has found
//! its nearest centroid. For the others, few in a hundred, the scores of groups near the best are completed in full, and what is in
//! doubt even then is decided as ever (`nearest.rs`). If that would be many in a tile, it is scored again in full.
//!
//! **What lies far out spoils nothing.** A centroid four times as far from the offset as they are on average is left out, for it
//! would make t coarse. Its score is at most ‖x‖b − ½b², with b the greater of ‖x‖ and the least of the lengths left out, and what
//! is not above that is in doubt. So is a row that is four times as long as the rows of its tile.

use crate::float::dot;
use crate::isa::{Products, WithProducts, fetch};
use crate::rounded::{About, FAR, LONGEST};
use crate::scores::{Found, Known, Shifted};
use crate::tile::{Column, Rows, TILE_ROWS};
use crate::{Float, Isa};
use pulp::Simd;
use std::ops::RangeInclusive;

/// The most columns: to round them may make a row longer by half the root of their number.
const MOST_COLUMNS: usize = 4096;

/// How many times as long as the rows of a tile the centroids may be: h is less than 2³⁰ then.
const MOST_SHORTER: f64 = 1.9;

/// Registers of rows, and centroids, that are scored together.
const STRIP: usize = 4;
const TOGETHER: usize = 4;

/// The numbers that are asked for together.
const LINE: usize = 16;

/// Zero among numbers without a sign that compare as those with one do.
const ZERO: u32 = 1 << 31;

/// No half of a square: so no score is less.
const BARRED: u32 = u32::MAX;

/// Centroids less the offset, in whole numbers.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    /// v for each centroid, two columns in a word, zero for those that are far, and more of zeros to a multiple of [`TOGETHER`].
    words: Vec<u32>,
    /// ½‖c‖²/t², or [`BARRED`] where v is zero for want of a centroid.
    halves: Vec<u32>,
    /// t
    unit: f64,
    /// The greatest ‖c‖ of those not far.
    reach: f64,
    /// The greatest ‖c/t − v‖ and ‖v‖.
    lost: f64,
    longest: f64,
    /// The least ‖c‖ of those that are far.
    far: Option<f64>,
}

impl Whole {
    /// The centroids in whole numbers, if that can pay, can be, and there is an instruction for it.
    pub(crate) fn new<F: Float>(centroids: &Shifted<F>, width: usize) -> Option<Self> {
        const COLUMNS: RangeInclusive<usize> = 6..=MOST_COLUMNS;
        let pays = COLUMNS.contains(&width) && centroids.len() >= 6 && Isa::best().pairs().is_some();
        pays.then(|| Self::of(centroids, width)).flatten()
    }

    /// The greatest distance of a centroid from the offset, but for those that are far.
    pub(crate) fn reach(&self) -> f64 {
        self.reach
    }

    /// Nothing if the centroids have no length.
    fn of<F: Float>(centroids: &Shifted<F>, width: usize) -> Option<Self> {
        let rows = || (0..centroids.len()).map(|c| centroids.row(c));
        let lengths: Vec<f64> = rows().map(|row| dot(row, row).sqrt()).collect();
        let limit = FAR * lengths.iter().sum::<f64>() / lengths.len() as f64;
        let near = lengths.iter().copied().filter(|length| *length <= limit);
        let reach = near.fold(0.0, f64::max);
        let unit = reach / LONGEST;
        if !(unit >= f64::MIN_POSITIVE && unit.is_finite()) {
            return None;
        }
        let scale = 1.0 / unit;
        let (length, padded) = (width.div_ceil(2), centroids.len().next_multiple_of(TOGETHER));
        let mut whole = Self {
            words: Vec::with_capacity(padded * length),
            halves: Vec::with_capacity(padded),
            unit,
            reach,
            lost: 0.0,
            longest: 0.0,
            far: lengths.iter().copied().filter(|length| *length > limit).reduce(f64::min),
        };
        for (row, size) in rows().zip(&lengths) {
            if *size > limit {
                whole.words.resize(whole.words.len() + length, 0);
                whole.halves.push(BARRED);
                continue;
            }
            let (mut lost, mut square) = (0.0, 0.0);
            let mut round = |x: &F| {
                // Added to a number, it leaves what is whole of it.
                const ROUND: f64 = 3.0 * (1u64 << 51) as f64;
                let y = x.widen() * scale;
                let v = y + ROUND - ROUND;
                lost += (y - v) * (y - v);
                square += v * v;
                v as i32 as u32
            };
            whole.words.extend(row.chunks(2).map(|pair| {
                let low = round(&pair[0]);
                low & 0xFFFF | pair.get(1).map_or(0, &mut round) << 16
            }));
            let half = size / unit;
            whole.halves.push((0.5 * half * half) as u32);
            (whole.lost, whole.longest) = (whole.lost.max(lost.sqrt()), whole.longest.max(square.sqrt()));
        }
        whole.words.resize(padded * length, 0);
        whole.halves.resize(padded, BARRED);
        Some(whole)
    }

    /// The words of some centroids, `length` of each.
    #[inline(always)]
    fn rows(&self, first: usize, length: usize) -> [&[u32]; TOGETHER] {
        let mut rows = [&self.words[..0]; TOGETHER];
        for g in 0..TOGETHER {
            rows[g] = &self.words[(first + g) * length..][..length];
        }
        rows
    }
}

/// Space to score in, kept between calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct WholeScratch {
    /// −h for each centroid, from [`ZERO`].
    starts: Vec<u32>,
    /// The greatest score of each group of centroids.
    greatest: Vec<Column<u32>>,
}

/// Finds the nearest centroids of the rows of a tile. Those stay in doubt of which neither whole numbers nor numbers of their type
/// tell. Says whether it took less than to score all in full.
pub(crate) struct ScoreWhole<'a, F> {
    /// The rows themselves,
    pub(crate) rows: &'a Rows<'a, F>,
    /// and in whole numbers.
    pub(crate) words: &'a [Column<u32>],
    pub(crate) about: &'a About<F>,
    pub(crate) offset: &'a [F],
    pub(crate) centroids: &'a Shifted<F>,
    pub(crate) whole: &'a Whole,
    /// Numbers that are wanted next: they are asked for between the scores.
    pub(crate) ahead: &'a [F],
    pub(crate) scratch: &'a mut WholeScratch,
    pub(crate) found: &'a mut Found<F>,
}

impl<F: Float> WithProducts for ScoreWhole<'_, F> {
    type Output = bool;

    #[inline(always)]
    fn with_products<S: Simd>(self, simd: S, products: impl Products<S>) -> bool {
        let Self { rows, words, about, offset, centroids, whole, ahead, scratch, found } = self;
        let (count, width, scale) = (rows.len(), offset.len(), about.scale.widen());
        let (unit, ratio) = (F::narrow(whole.unit / scale), whole.unit * scale);
        // A unit that has not all its digits, or rows that are far shorter than the centroids; or these are no numbers.
        if !(unit >= F::min_positive_value() && unit.is_finite() && ratio <= MOST_SHORTER) {
            return false;
        }
        let ratio = (ratio * (1u64 << 31) as f64) as u32;
        scratch.starts.resize(whole.halves.len(), 0);
        for (start, half) in scratch.starts.iter_mut().zip(&whole.halves) {
            let h = ((u64::from(*half) * u64::from(ratio)) >> 31) as u32;
            *start = if *half == BARRED { 0 } else { ZERO - h };
        }
        let mut known = Known { norm2: about.norm2, ..Known::new() };
        let mut best = Best::new();
        best.find(simd, products, whole, words, scratch, count, ahead);
        best.tell(whole, about, unit, &mut known);
        let far = about.far(whole);
        for (second, far) in known.second.0.iter_mut().zip(&far.0) {
            *second = if far > second { *far } else { *second };
        }
        known.finish(simd, (count, width, 0), centroids, found);
        if found.in_doubt(count).next().is_none() {
            return true;
        }

        // The centroids of groups that may have the nearest are scored in full. The others are no better than the floor, or than the
        // second best here: that is not below best − error, or the row were not in doubt, so that it is among those completed.
        let mut left = (count * centroids.len() * width / (8 * (width + OTHERWISE))).max(AT_LEAST);
        let mut row = vec![F::zero(); width];
        for i in 0..count {
            // What is far, or no number, stays in doubt.
            let floor = found.floor.0[i];
            if found.lead.0[i] > F::zero() || !floor.is_finite() || far.0[i] >= floor {
                continue;
            }
            let limit = f64::from(ZERO) + (floor / unit).widen() - SLACK;
            let limit = limit as u32;
            rows.copy_shifted(i, offset, &mut row);
            (known.best.0[i], known.second.0[i], known.error.0[i]) = (F::neg_infinity(), floor, F::zero());
            for (group, greatest) in scratch.greatest.iter().enumerate() {
                if greatest.0[i] < limit {
                    continue;
                }
                if left < TOGETHER {
                    return false;
                }
                left -= TOGETHER;
                for c in group * TOGETHER..centroids.len().min((group + 1) * TOGETHER) {
                    known.note(i, centroids.score_of(simd, &row, c), centroids.numbers[c]);
                }
            }
        }
        known.finish(simd, (count, width, 0), centroids, found);
        true
    }
}

/// What else a score costs that is completed for one row alone, in columns. An eighth of the work of all scores may be spent on
/// such, and this many always.
const OTHERWISE: usize = 200;
const AT_LEAST: usize = 16 * TOGETHER;

/// What arithmetic with scores in whole numbers may be off by, in units of st: h is rounded, two bits say which of a group a score
/// is of, and a score of 2³¹ in `f32` is off by a hundred or so.
const SLACK: f64 = 1024.0;

/// The two greatest scores of each row, from [`ZERO`], and whose the first is.
struct Best {
    score: [u32; TILE_ROWS],
    second: [u32; TILE_ROWS],
    /// The first of its group.
    group: [u32; TILE_ROWS],
}

impl Best {
    fn new() -> Self {
        Self { score: [0; TILE_ROWS], second: [0; TILE_ROWS], group: [0; TILE_ROWS] }
    }

    /// Finds them.
    #[inline(always)]
    fn find<S: Simd, F: Float>(
        &mut self,
        simd: S,
        products: impl Products<S>,
        whole: &Whole,
        words: &[Column<u32>],
        WholeScratch { starts, greatest }: &mut WholeScratch,
        rows: usize,
        ahead: &[F],
    ) {
        let strips = rows.div_ceil(STRIP * S::U32_LANES);
        let starts = starts.as_chunks::<TOGETHER>().0;
        greatest.resize(starts.len(), Column([0; TILE_ROWS]));
        let mut ahead = ahead.as_chunks::<LINE>().0.iter();
        let each = ahead.len().div_ceil(strips * starts.len());
        let zero = simd.splat_u32s(0);
        for at in (0..strips).map(|strip| strip * STRIP) {
            let (mut best, mut second, mut first) = ([zero; STRIP], [zero; STRIP], [zero; STRIP]);
            for (group, (starts, greatest)) in starts.iter().zip(&mut *greatest).enumerate() {
                let mut scores = [[zero; STRIP]; TOGETHER];
                for g in 0..TOGETHER {
                    scores[g] = [simd.splat_u32s(starts[g]); STRIP];
                }
                let rows = whole.rows(group * TOGETHER, words.len());
                for (j, column) in words.iter().enumerate() {
                    let x = &S::as_simd_u32s(&column.0).0[at..at + STRIP];
                    for g in 0..TOGETHER {
                        let c = simd.splat_u32s(rows[g][j]);
                        for r in 0..STRIP {
                            scores[g][r] = products.add(simd, scores[g][r], x[r], c);
                        }
                    }
                }
                let (mask, number) = (simd.splat_u32s(!3), simd.splat_u32s((group * TOGETHER) as u32));
                let greatest = &mut S::as_mut_simd_u32s(&mut greatest.0).0[at..at + STRIP];
                for r in 0..STRIP {
                    let mut four = [zero; TOGETHER];
                    for g in 0..TOGETHER {
                        four[g] = simd.or_u32s(simd.and_u32s(scores[g][r], mask), simd.splat_u32s(g as u32));
                    }
                    let [a, b, c, d] = four;
                    let (ab, cd) = (simd.max_u32s(a, b), simd.max_u32s(c, d));
                    let less = simd.max_u32s(simd.min_u32s(a, b), simd.min_u32s(c, d));
                    let (most, other) = (simd.max_u32s(ab, cd), simd.max_u32s(simd.min_u32s(ab, cd), less));
                    greatest[r] = most;
                    second[r] = simd.max_u32s(second[r], simd.max_u32s(other, simd.min_u32s(best[r], most)));
                    let better = simd.less_than_u32s(best[r], most);
                    first[r] = simd.select_u32s(better, number, first[r]);
                    best[r] = simd.max_u32s(best[r], most);
                }
                for line in ahead.by_ref().take(each) {
                    fetch(simd, line);
                }
            }
            S::as_mut_simd_u32s(&mut self.score).0[at..at + STRIP].copy_from_slice(&best);
            S::as_mut_simd_u32s(&mut self.second).0[at..at + STRIP].copy_from_slice(&second);
            S::as_mut_simd_u32s(&mut self.group).0[at..at + STRIP].copy_from_slice(&first);
        }
    }

    /// Says it in numbers of the rows' type, with what they may be off by.
    #[inline(always)]
    fn tell<F: Float>(&self, whole: &Whole, about: &About<F>, unit: F, known: &mut Known<F>) {
        let zero = F::of_index(ZERO);
        let (lost, longest) = (1.001 * whole.lost as f32, 1.001 * whole.longest as f32);
        for i in 0..TILE_ROWS {
            known.best.0[i] = (F::of_index(self.score[i]) - zero) * unit;
            known.second.0[i] = (F::of_index(self.second[i]) - zero) * unit;
            known.index.0[i] = F::of_index(self.group[i] + self.score[i] % TOGETHER as u32);
            // In units of st. The rows were rounded before, too.
            let length = about.square.0[i].sqrt();
            let error = length * lost + (about.lost.0[i].sqrt() + length * 1e-6) * longest + SLACK as f32;
            let error = F::narrow(f64::from(error)) * unit;
            known.error.0[i] = if known.norm2.0[i] <= about.limit { error } else { F::infinity() };
        }
    }
}

impl<F: Float> About<F> {
    /// For each row what the score of a centroid that is left out may be at most.
    #[inline(always)]
    fn far(&self, whole: &Whole) -> Column<F> {
        let mut most = Column::splat(F::neg_infinity());
        let Some(far) = whole.far.map(F::narrow) else { return most };
        let size = F::narrow(1.001) / self.scale;
        for i in 0..TILE_ROWS {
            let length = F::narrow(f64::from(self.square.0[i].sqrt())) * size;
            let b = if length > far { length } else { far };
            most.0[i] = length * b - F::narrow(0.5) * b * b;
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{Told, cases};
    use crate::rounded::Round;
    use crate::tile::Tile;
    use crate::uniform::{of_row, unit};
    use crate::{Block, Centroids, nearest_direct, squared_distance};
    use proptest::prelude::*;
    use pulp::WithSimd;
    use pulp::bytemuck::{cast_slice, cast_slice_mut};
    use std::slice::{from_mut, from_ref};

    /// What the instructions are to do, one lane after the other.
    #[derive(Clone, Copy)]
    struct Plain;

    impl<S: Simd> Products<S> for Plain {
        fn add(self, _: S, mut sums: S::u32s, a: S::u32s, b: S::u32s) -> S::u32s {
            let halves = |word: u32| [word as i16, (word >> 16) as i16].map(i32::from);
            let lanes = cast_slice::<_, u32>(from_ref(&a)).iter().zip(cast_slice::<_, u32>(from_ref(&b)));
            for (sum, (a, b)) in cast_slice_mut::<_, u32>(from_mut(&mut sums)).iter_mut().zip(lanes) {
                let ([a, b], [c, d]) = (halves(*a), halves(*b));
                *sum = sum.wrapping_add((a * c).wrapping_add(b * d) as u32);
            }
            sums
        }
    }

    struct Plainly<Op>(Op);

    impl<Op: WithProducts> WithSimd for Plainly<Op> {
        type Output = Op::Output;

        fn with_simd<S: Simd>(self, simd: S) -> Op::Output {
            self.0.with_products(simd, Plain)
        }
    }

    /// The rows of a tile scored by an instruction set, or by its own instructions for products: what was found, and whether that
    /// is to be used.
    fn score<F: Float>(isa: Isa, block: &Block<F>, centroids: &Centroids<F>, own: bool) -> Option<(bool, Found<F>)> {
        let (rows, offset, centroids) = (&Rows::of(block), centroids.offset(), centroids.shifted());
        let whole = &Whole::of(centroids, offset.len())?;
        let (mut tile, mut words) = (Tile::new(), Vec::new());
        tile.take(rows, offset);
        let about = &isa.run(Round { tile: &tile, reach: whole.reach(), words: &mut words });
        let (words, scratch, mut found) = (&words[..], &mut WholeScratch::default(), Found::new());
        let (ahead, kept) = (&[][..], &mut found);
        let score = ScoreWhole { rows, words, about, offset, centroids, whole, ahead, scratch, found: kept };
        let used = if own { isa.pairs()?.run(score) } else { isa.run(Plainly(score)) };
        Some((used, found))
    }

    /// Rows that are not in doubt have their nearest centroid, and bounds that hold, by every instruction set. Returns how many
    /// tiles were told, and how many rows of these are in doubt.
    fn conforms<F: Float>(rows: &[F], all: &[F], offset: &[F]) -> (usize, usize) {
        let (centroids, d) = (Centroids::new(all, offset), offset.len());
        let (mut told, mut doubtful) = (0, 0);
        for rows in rows.chunks(TILE_ROWS * d) {
            let block = Block::new(rows, d);
            for isa in Isa::available() {
                let Some((used, found)) = score(isa, &block, &centroids, false) else { continue };
                if let Some((also, same)) = score(isa, &block, &centroids, true) {
                    assert_eq!(also, used);
                    if used {
                        let bits =
                            |x: &Column<F>| x.0[..block.len()].iter().map(|x| x.widen().to_bits()).collect::<Vec<_>>();
                        assert_eq!(bits(&same.index), bits(&found.index));
                        assert_eq!(bits(&same.lead), bits(&found.lead));
                        assert_eq!(bits(&same.others), bits(&found.others));
                    }
                }
                if !used {
                    continue;
                }
                told += 1;
                let in_doubt: Vec<usize> = found.in_doubt(block.len()).collect();
                doubtful += in_doubt.len();
                for (i, row) in block.rows().enumerate().filter(|(i, _)| !in_doubt.contains(i)) {
                    let (nearest, squared) = nearest_direct(row, &centroids);
                    assert_eq!(found.index.0[i].index(), nearest, "{} {} row {i}", isa.name(), F::NAME);
                    assert!(squared <= found.nearest.0[i].widen(), "{squared} of row {i}");
                    let others = centroids.rows().enumerate().filter(|(c, _)| *c != nearest as usize);
                    let others = others.map(|(_, c)| squared_distance(row, c)).fold(f64::INFINITY, f64::min);
                    assert!(others >= found.others.0[i].widen(), "{others} of row {i}");
                }
            }
        }
        (told, doubtful)
    }

    /// Numbers about 100 that differ by one and more.
    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        (0..count).map(|i| 100.0 + 4.0 * unit(of_row(seed, i)) as f32).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_told_is_so(case in cases((1usize..130, 1usize..100, 1usize..40), 1)) {
            case.tell(
                |(rows, sets, offset, _): Told<f64>| _ = conforms(&rows.iter().copied().collect::<Vec<_>>(), &sets[1], offset),
                |(rows, sets, offset, _): Told<f32>| _ = conforms(&rows.iter().copied().collect::<Vec<_>>(), &sets[1], offset),
            );
        }
    }

    #[test]
    fn few_rows_are_in_doubt_whatever_lies_far_out() {
        let (n, k) = (TILE_ROWS, 30);
        for d in [8, 33, 128] {
            let (mut rows, mut all, offset) = (numbers(n * d, 1), numbers(k * d, 2), vec![102.0; d]);
            let sets = Isa::available().len();
            assert_eq!(conforms(&rows, &all, &offset), (sets, 0), "{d} columns");
            let doubles: Vec<f64> = rows.iter().map(|x| f64::from(*x)).collect();
            let more: Vec<f64> = all.iter().map(|x| f64::from(*x)).collect();
            assert_eq!(conforms(&doubles, &more, &vec![102.0; d]), (sets, 0), "{d} columns");
            // A row that is far from all others, and a centroid far from it or near it alone. The row is in doubt, and what rounding
            // may do in numbers of 24 bits is more.
            rows[5 * d..6 * d].fill(1e5);
            for far in [-1e6, 1e5] {
                all[7 * d..8 * d].fill(far);
                let (told, doubtful) = conforms(&rows, &all, &offset);
                assert!(
                    told == sets && (sets..=2 * sets).contains(&doubtful),
                    "{d} columns: {doubtful} of {told} tiles"
                );
            }
        }
    }

    #[test]
    fn tiles_of_which_nothing_is_told_are_given_up() {
        // Centroids that differ by less than is rounded away.
        let rows = numbers(TILE_ROWS * 16, 3);
        let all: Vec<f32> = (0..40 * 16).map(|i| 90.0 + ((i / 16 * 7 + i) % 5) as f32 / 1e4).collect();
        assert_eq!(conforms(&rows, &all, &[102.0; 16]).0, 0);
        // No length at all.
        assert_eq!(conforms(&rows, &[102.0; 40 * 16], &[102.0; 16]).0, 0);
    }
}
