//! The nearest centroid, by squared L2, for a tile of rows.
//!
//! ```text
//! for each row x:  argmin over c of ½‖c‖² − x·c        (‖x‖² is the same for all c)
//! ```
//!
//! The real code holds two registers of rows against twelve centroids at a time, so that 24 accumulators stay in
//! registers over all columns, starts them at ½‖c‖², and keeps the smallest and second smallest score of each row: no
//! n × k matrix is ever written.
//!
//! **The labels are exact.** The short form above loses digits where clusters are close together and far from the origin.
//! So a row whose two best scores lie closer together than rounding could explain is decided again by direct differences
//! in `f64`, ties to the lowest index. Every label is therefore that of the naive loop, [`nearest_direct`], on every
//! machine.

use crate::tile::{Column, TILE_ROWS, Tile};
use crate::{Block, Float, Isa};
use pulp::{Simd, WithSimd};

/// Centroids, prepared for [`Centroids::assign`].
///
/// ```
/// use miscela_kernel::{Block, Centroids, NearestScratch};
///
/// let centroids = Centroids::new(&[0.0, 10.0], &[5.0]);
/// let mut labels = [0; 3];
/// centroids.assign(&Block::new(&[1.0, 5.0, 9.0], 1), &mut labels, &mut NearestScratch::default());
/// assert_eq!(labels, [0, 0, 1], "the row half-way goes to the first");
/// ```
#[derive(Clone, Debug)]
pub struct Centroids<F> {
    /// k × d, as given.
    rows: Vec<F>,
    width: usize,
    /// What is subtracted from rows and centroids alike, so that scores are about differences, not positions.
    offset: Vec<F>,
    groups: Vec<Group<F>>,
    /// The greatest ‖c − offset‖.
    reach: f64,
}

/// Some centroids side by side: for each column the negated coordinates of all of them.
#[derive(Clone, Debug)]
struct Group<F> {
    size: GroupSize,
    first: usize,
    half_norms: Vec<F>,
    negated: Vec<F>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum GroupSize {
    Four,
    Twelve,
}

impl GroupSize {
    fn count(self) -> usize {
        match self {
            GroupSize::Four => 4,
            GroupSize::Twelve => 12,
        }
    }
}

/// Space that [`Centroids::assign`] works in, kept between calls.
#[derive(Clone, Debug)]
pub struct NearestScratch<F> {
    tile: Tile<F>,
    scores: Scores<F>,
}

impl<F: Float> Default for NearestScratch<F> {
    fn default() -> Self {
        Self { tile: Tile::new(), scores: Scores::new() }
    }
}

/// For each row of a tile: the two smallest scores, the index of the smallest, and ‖x‖².
#[derive(Clone, Debug)]
struct Scores<F> {
    best: Column<F>,
    second: Column<F>,
    index: Column<F>,
    norm: Column<F>,
}

impl<F: Float> Scores<F> {
    fn new() -> Self {
        let zero = Column::splat(F::zero());
        Self { best: zero, second: zero, index: zero, norm: zero }
    }
}

/// The most centroids an `f32` register can number.
pub const MAX_CENTROIDS: usize = 1 << 24;

impl<F: Float> Centroids<F> {
    /// Prepares centroids given row by row, `offset.len()` numbers each. `offset` should be about the mean of the rows to
    /// come; any value gives the same labels. Cost: O(k·d).
    ///
    /// # Panics
    /// If there is no centroid, more than [`MAX_CENTROIDS`], or a part of one.
    pub fn new(rows: &[F], offset: &[F]) -> Self {
        let width = offset.len();
        assert!(width > 0 && !rows.is_empty() && rows.len().is_multiple_of(width), "centroids are whole rows");
        let count = rows.len() / width;
        assert!(count <= MAX_CENTROIDS, "{count} centroids are more than {MAX_CENTROIDS}");
        let mut groups = Vec::with_capacity(count / 12 + 3);
        let (mut first, mut reach) = (0, 0.0f64);
        while first < count {
            let size = if count - first > 8 { GroupSize::Twelve } else { GroupSize::Four };
            let group = Group::new(&rows[first * width..], offset, size, first);
            let norms = group.half_norms.iter().take(count - first);
            reach = norms.fold(reach, |reach, half| reach.max((2.0 * half.widen()).sqrt()));
            groups.push(group);
            first += size.count();
        }
        Self { rows: rows.to_vec(), width, offset: offset.to_vec(), groups, reach }
    }

    /// k
    pub fn len(&self) -> usize {
        self.rows.len() / self.width
    }

    /// Never: there is at least one centroid.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// d
    pub fn width(&self) -> usize {
        self.width
    }

    /// Centroid `c`, as given.
    #[inline]
    pub fn row(&self, c: usize) -> &[F] {
        &self.rows[c * self.width..(c + 1) * self.width]
    }

    /// All centroids, as given: k·d numbers.
    pub fn all(&self) -> &[F] {
        &self.rows
    }

    /// The centroids, as given, one by one.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, F> {
        self.rows.chunks_exact(self.width)
    }

    /// Writes to `labels` the index of the centroid nearest to each row: exactly [`nearest_direct`]'s.
    ///
    /// Cost: 2·k·d operations a row, vectorised.
    ///
    /// # Panics
    /// If the widths disagree or there are not as many labels as rows.
    pub fn assign(&self, block: &Block<F>, labels: &mut [u32], scratch: &mut NearestScratch<F>) {
        self.assign_with(Isa::best(), block, labels, scratch);
    }

    /// [`Centroids::assign`] by a given instruction set.
    pub fn assign_with(&self, isa: Isa, block: &Block<F>, labels: &mut [u32], scratch: &mut NearestScratch<F>) {
        assert_eq!((block.width(), labels.len()), (self.width, block.len()));
        if self.len() == 1 {
            return labels.fill(0);
        }
        for (t, labels) in labels.chunks_mut(TILE_ROWS).enumerate() {
            let rows = block.slice(t * TILE_ROWS..t * TILE_ROWS + labels.len());
            scratch.tile.fill(&rows, &self.offset);
            isa.run(Score { tile: &scratch.tile, groups: &self.groups, scores: &mut scratch.scores });
            for (i, label) in labels.iter_mut().enumerate() {
                *label = match scratch.scores.certain(i, self.width, self.reach) {
                    Some(index) => index,
                    None => nearest_direct(rows.row(i), self).0,
                };
            }
        }
    }
}

impl<F: Float> Group<F> {
    fn new(rows: &[F], offset: &[F], size: GroupSize, first: usize) -> Self {
        let (width, count) = (offset.len(), size.count());
        // A place without a centroid scores infinity and is never chosen.
        let mut half_norms = vec![F::infinity(); count];
        let mut negated = vec![F::zero(); count * width];
        for (g, row) in rows.chunks_exact(width).take(count).enumerate() {
            let mut norm = 0.0;
            for (j, (c, o)) in row.iter().zip(offset).enumerate() {
                let shifted = *c - *o;
                norm += shifted.widen() * shifted.widen();
                negated[j * count + g] = -shifted;
            }
            half_norms[g] = F::narrow(norm / 2.0);
        }
        Self { size, first, half_norms, negated }
    }
}

impl<F: Float> Scores<F> {
    /// The label of row `i`, if its lead over the second best is more than rounding can explain.
    ///
    /// A score computed for a centroid c is off by at most γ(‖x‖‖c‖ + ½‖c‖²), γ = (2d + 6)u: the standard bound of a dot
    /// product (Higham 2002, §3.1), which the half norm enters twice, with the rounding of the shift and of the start. With
    /// ‖c‖ ≤ `reach` that bounds all scores. Where some centroid is very far away, the bound is poor, but such a centroid is
    /// not in the running: if ‖c‖ ≤ 4‖x‖ the error is at most 12γ‖x‖², and otherwise the score is at least ¼‖c‖², so that
    /// its error is at most 3γ times itself. The direct form rounds too: its squares are within (d + 4)·2⁻⁵³ of true, and
    /// they are at most (‖x‖ + ‖c‖)².
    #[inline]
    fn certain(&self, i: usize, width: usize, reach: f64) -> Option<u32> {
        let (best, second, norm2) = (self.best.0[i].widen(), self.second.0[i].widen(), self.norm.0[i].widen());
        let gamma = (2 * width + 6) as f64 * F::UNIT_ROUNDOFF;
        // ‖x‖² was itself computed, and products may have underflowed.
        let norm2 = norm2 * (1.0 + 2.0 * gamma);
        let norm = norm2.sqrt();
        let underflow = (width + 4) as f64 * F::min_positive_value().widen();
        let near = gamma * (norm * reach + 0.5 * reach * reach);
        let far = gamma * (12.0 * norm2 + 3.0 * second.abs());
        let direct = (width + 4) as f64 * f64::EPSILON / 2.0;
        let error = near.min(far) + direct * (norm + reach).powi(2).min(25.0 * norm2 + 8.0 * second.abs()) + underflow;
        // Written so that a NaN, from sums that overflowed, is not certain.
        (second - best > 2.0 * error && norm2.is_finite() && reach.is_finite()).then(|| self.index.0[i].widen() as u32)
    }
}

/// The nearest centroid and its squared distance by direct differences in `f64`; ties go to the lowest index.
///
/// This is the definition that [`Centroids::assign`] reproduces. A sum that has passed the best one so far is abandoned,
/// which changes nothing.
pub fn nearest_direct<F: Float>(row: &[F], centroids: &Centroids<F>) -> (u32, f64) {
    const STEP: usize = 16;
    let mut best = (0, f64::INFINITY);
    for (c, centroid) in centroids.rows().enumerate() {
        let mut sum = 0.0;
        for (x, y) in row.chunks(STEP).zip(centroid.chunks(STEP)) {
            sum = squared_distance_from(sum, x, y);
            if sum > best.1 {
                break;
            }
        }
        if sum < best.1 {
            best = (c as u32, sum);
        }
    }
    best
}

/// Σ (a − b)², differences and sum in `f64`, in order.
#[inline]
pub fn squared_distance<F: Float>(a: &[F], b: &[F]) -> f64 {
    squared_distance_from(0.0, a, b)
}

#[inline]
fn squared_distance_from<F: Float>(start: f64, a: &[F], b: &[F]) -> f64 {
    a.iter().zip(b).fold(start, |sum, (a, b)| {
        let difference = a.widen() - b.widen();
        sum + difference * difference
    })
}

struct Score<'a, F> {
    tile: &'a Tile<F>,
    groups: &'a [Group<F>],
    scores: &'a mut Scores<F>,
}

/// What two registers of rows know so far.
struct Running<V> {
    best: [V; 2],
    second: [V; 2],
    index: [V; 2],
}

impl<F: Float> WithSimd for Score<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tile, groups, scores } = self;
        let lanes = TILE_ROWS / F::vectors::<S>(&scores.best.0).len();
        let strips = tile.rows().div_ceil(2 * lanes);
        for strip in 0..strips {
            let at = 2 * strip;
            let infinity = F::splat(simd, F::infinity());
            let mut running =
                Running { best: [infinity; 2], second: [infinity; 2], index: [F::splat(simd, F::zero()); 2] };
            for group in groups {
                match group.size {
                    GroupSize::Four => group_scores::<S, F, 4>(simd, tile.columns(), at, group, &mut running),
                    GroupSize::Twelve => group_scores::<S, F, 12>(simd, tile.columns(), at, group, &mut running),
                }
            }
            let mut norm = [F::splat(simd, F::zero()); 2];
            for column in tile.columns() {
                let x = &F::vectors::<S>(&column.0)[at..at + 2];
                norm = [F::vfma(simd, x[0], x[0], norm[0]), F::vfma(simd, x[1], x[1], norm[1])];
            }
            F::vectors_mut::<S>(&mut scores.best.0)[at..at + 2].copy_from_slice(&running.best);
            F::vectors_mut::<S>(&mut scores.second.0)[at..at + 2].copy_from_slice(&running.second);
            F::vectors_mut::<S>(&mut scores.index.0)[at..at + 2].copy_from_slice(&running.index);
            F::vectors_mut::<S>(&mut scores.norm.0)[at..at + 2].copy_from_slice(&norm);
        }
    }
}

/// Scores two registers of rows, those at `at`, against one group of `G` centroids.
#[inline(always)]
fn group_scores<S: Simd, F: Float, const G: usize>(
    simd: S,
    columns: &[Column<F>],
    at: usize,
    group: &Group<F>,
    running: &mut Running<F::Vector<S>>,
) {
    let mut scores = [[F::splat(simd, F::zero()); 2]; G];
    for (score, half) in scores.iter_mut().zip(&group.half_norms) {
        *score = [F::splat(simd, *half); 2];
    }
    for (column, negated) in columns.iter().zip(group.negated.as_chunks::<G>().0) {
        let x = &F::vectors::<S>(&column.0)[at..at + 2];
        let (x0, x1) = (x[0], x[1]);
        for g in 0..G {
            let c = F::splat(simd, negated[g]);
            scores[g] = [F::vfma(simd, x0, c, scores[g][0]), F::vfma(simd, x1, c, scores[g][1])];
        }
    }
    for g in 0..G {
        let index = F::splat(simd, F::narrow((group.first + g) as f64));
        for r in 0..2 {
            let score = scores[g][r];
            running.second[r] = F::vmin(simd, running.second[r], F::vmax(simd, running.best[r], score));
            let better = F::vless(simd, score, running.best[r]);
            running.index[r] = F::vselect(simd, better, index, running.index[r]);
            running.best[r] = F::vmin(simd, score, running.best[r]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Labels by every instruction set equal the definition's.
    fn conforms<F: Float>(rows: &[F], centroids: &[F], offset: &[F]) {
        let block = Block::new(rows, offset.len());
        let centroids = Centroids::new(centroids, offset);
        let expected: Vec<u32> = block.rows().map(|row| nearest_direct(row, &centroids).0).collect();
        for isa in Isa::available() {
            let mut labels = vec![u32::MAX; block.len()];
            centroids.assign_with(isa, &block, &mut labels, &mut NearestScratch::default());
            assert_eq!(labels, expected, "{} {}", isa.name(), F::NAME);
        }
    }

    fn numbers(count: usize) -> impl Strategy<Value = Vec<f64>> {
        // Few distinct values make exact ties; a wide range of scales and an offset make cancellation.
        let value = prop_oneof![(-3i32..4).prop_map(f64::from), -1.0..1.0f64, (-1e6..1e6f64)];
        prop::collection::vec(value, count)
    }

    proptest! {
        #[test]
        fn labels_are_those_of_the_definition(
            (d, rows, centroids) in (1usize..20, 1usize..150, 1usize..40)
                .prop_flat_map(|(d, n, k)| (Just(d), numbers(n * d), numbers(k * d))),
            offset in prop_oneof![Just(0.0), Just(1e8), Just(-3.5)],
            scale in prop_oneof![Just(1.0), Just(1e-150), Just(1e140)],
        ) {
            let moved = |x: &f64| (x + offset) * scale;
            let (rows, centroids): (Vec<f64>, Vec<f64>) =
                (rows.iter().map(moved).collect(), centroids.iter().map(moved).collect());
            conforms(&rows, &centroids, &vec![offset * scale; d]);
            conforms(&rows, &centroids, &vec![0.0; d]);
            let single = |x: &f64| ((x + offset) * scale.clamp(1e-30, 1e30)) as f32;
            let (rows, centroids): (Vec<f32>, Vec<f32>) =
                (rows.iter().map(single).collect(), centroids.iter().map(single).collect());
            if rows.iter().chain(&centroids).all(|x| x.is_finite()) {
                conforms(&rows, &centroids, &vec![0.0; d]);
            }
        }
    }

    #[test]
    fn what_overflows_or_drowns_is_decided_directly() {
        conforms(&[1.8e19f32], &[0.0, -1e19, 2.7e19], &[0.0]);
        conforms(&[1e8f64], &[0.0, 1e-9], &[0.0]);
        conforms(&[1.0f32], &[0.0, 1e-30], &[0.0]);
        conforms(&[1e-30f32, 3e-30], &[2e-30, 1e-30], &[0.0]);
    }

    #[test]
    fn ties_go_to_the_lowest_index() {
        conforms(&[0.0f32, 1.0, 2.0], &[3.0, 1.0, 1.0, 0.0, 0.0], &[0.0]);
        conforms(&[0.5f64; 70], &[0.0, 1.0, 0.0, 1.0], &[0.5]);
    }

    #[test]
    fn one_distant_centroid_leaves_the_others_certain() {
        let rows: Vec<f32> = (0..64).map(|i| (i as f32) * 0.01).collect();
        let centroids = Centroids::new(&[0.0, 0.31, 1e6], &[0.0]);
        let mut scratch = NearestScratch::default();
        let mut labels = vec![0; 64];
        centroids.assign(&Block::new(&rows, 1), &mut labels, &mut scratch);
        let certain = (0..64).filter(|i| scratch.scores.certain(*i, 1, centroids.reach).is_some()).count();
        assert!(certain >= 60, "{certain} of 64 rows were decided by the fast kernel");
    }
}
