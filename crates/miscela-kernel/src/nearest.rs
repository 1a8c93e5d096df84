//! The nearest centroid, by squared L2, for blocks of rows.
//!
//! ```text
//! for each row x:  argmax over c of x·c − ½‖c‖²        (‖x‖² is the same for all c)
//! ```
//!
//! `scores.rs` computes that for tiles of rows, and `along.rs` for long rows and few centroids.
//!
//! **The labels are exact.** The short form above loses digits where clusters are close together and far from the origin.
//! So a row whose two best scores lie closer together than rounding could explain is decided again by direct differences
//! in `f64`, ties to the lowest index. Every label is therefore that of the naive loop, [`nearest_direct`], on every
//! machine.

use crate::along::{Along, Lines};
use crate::rounded::{About, Round};
use crate::scores::{Contenders, Found, Score, Shifted};
use crate::tile::{Column, Rows, TILE_ROWS, Tile};
use crate::whole::{ScoreWhole, Whole, WholeScratch};
use crate::{Block, Float, Isa};
use std::sync::{Arc, OnceLock};

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
    /// What is subtracted from rows and centroids alike, so that scores are about differences, not positions.
    offset: Vec<F>,
    shifted: Shifted<F>,
    /// In lines, made for the first rows that are scored as they lie; a clone made after that shares them.
    lines: OnceLock<Arc<Lines<F>>>,
    /// In whole numbers, if these may be of use, likewise.
    whole: OnceLock<Option<Arc<Whole>>>,
}

/// Space that [`Centroids::assign`] works in, kept between calls.
#[derive(Clone, Debug)]
pub struct NearestScratch<F> {
    pub(crate) tile: Tile<F>,
    pub(crate) found: Found<F>,
    /// The rows of the tile in whole numbers.
    words: Vec<Column<u32>>,
    about: About<F>,
    whole: WholeScratch,
    trial: Trial,
}

impl<F: Float> NearestScratch<F> {
    /// Forgets how well whole numbers told rows apart. Labels do not depend on it, but bounds of the others may: so that they do
    /// not depend on what the space was used for before.
    pub(crate) fn start_over(&mut self) {
        self.trial = Trial::default();
    }
}

impl<F: Float> Default for NearestScratch<F> {
    fn default() -> Self {
        Self {
            tile: Tile::new(),
            found: Found::new(),
            words: Vec::new(),
            about: About::default(),
            whole: WholeScratch::default(),
            trial: Trial::default(),
        }
    }
}

/// The columns after which a distance that is already too great is given up.
const STEP: usize = 16;

/// The most centroids an `f32` register can number.
pub const MAX_CENTROIDS: usize = 1 << 24;

impl<F: Float> Centroids<F> {
    /// The nearest of the listed centroids, or of all, by direct differences, and its squared distance; only those whose
    /// score is not below `floor` are looked at.
    pub(crate) fn settle(&self, isa: Isa, row: &[F], list: Option<&[u32]>, floor: F) -> (u32, f64) {
        // A score is no less work than a narrow row's distance.
        if self.width() < STEP {
            return match list {
                Some(list) => nearest_of(row, self, list.iter().copied()),
                None => nearest_direct(row, self),
            };
        }
        let shifted: Vec<F> = row.iter().zip(&self.offset).map(|(x, o)| *x - *o).collect();
        let contenders = isa.run(Contenders { row: &shifted, centroids: &self.shifted, list, floor });
        nearest_of(row, self, contenders.into_iter())
    }

    /// Prepares centroids given row by row, `offset.len()` numbers each. `offset` should be about the mean of the rows to
    /// come; any value gives the same labels. Cost: O(k·d).
    ///
    /// # Panics
    /// If there is no centroid, more than [`MAX_CENTROIDS`] less one, or a part of one.
    pub fn new(rows: &[F], offset: &[F]) -> Self {
        let width = offset.len();
        assert!(width > 0 && !rows.is_empty() && rows.len().is_multiple_of(width), "centroids are whole rows");
        let count = rows.len() / width;
        assert!(count < MAX_CENTROIDS, "{count} centroids are not fewer than {MAX_CENTROIDS}");
        let shifted = Shifted::new(rows, offset);
        let (lines, whole) = (OnceLock::new(), OnceLock::new());
        Self { rows: rows.to_vec(), offset: offset.to_vec(), shifted, lines, whole }
    }

    /// k
    pub fn len(&self) -> usize {
        self.shifted.len()
    }

    /// Never: there is at least one centroid.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// d
    pub fn width(&self) -> usize {
        self.offset.len()
    }

    /// What rows and centroids are taken relative to.
    pub fn offset(&self) -> &[F] {
        &self.offset
    }

    /// The centroids relative to the offset.
    pub(crate) fn shifted(&self) -> &Shifted<F> {
        &self.shifted
    }

    /// Centroid `c`, as given.
    #[inline]
    pub fn row(&self, c: usize) -> &[F] {
        let width = self.width();
        &self.rows[c * width..(c + 1) * width]
    }

    /// All centroids, as given: k·d numbers.
    pub fn all(&self) -> &[F] {
        &self.rows
    }

    /// The centroids, as given, one by one.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, F> {
        self.rows.chunks_exact(self.width())
    }

    /// What the scores of a row against all centroids cost, in columns of `f32`: in full, or by whole numbers where these tell enough
    /// and rows are [rounded](crate::Rounded) and kept, or not.
    pub fn scores_cost(&self, by_whole_numbers: bool, rounded: bool) -> usize {
        let whole = by_whole_numbers && (self.rounds() || rounded && self.whole().is_some());
        let columns = if whole { self.width().div_ceil(2) } else { self.width() * size_of::<F>() / size_of::<f32>() };
        self.len() * columns
    }

    /// The centroids in whole numbers, if these may be of use.
    pub(crate) fn whole(&self) -> Option<&Whole> {
        self.whole.get_or_init(|| Whole::new(&self.shifted, self.width()).map(Arc::new)).as_deref()
    }

    /// Whether rows are rounded for that alone.
    fn rounds(&self) -> bool {
        // What rounding costs beside few scores: as measured.
        const FEW: usize = 24;
        self.len() >= FEW && !self.scores_along() && self.whole().is_some()
    }

    /// Whether rows are scored as they lie.
    fn scores_along(&self) -> bool {
        Lines::<F>::pay(self.width(), self.len())
    }

    /// The centroids in lines, if rows are scored as they lie.
    fn lines(&self) -> Option<&Lines<F>> {
        let new = || Arc::new(Lines::new(&self.rows, &self.offset, &self.shifted));
        self.scores_along().then(|| &**self.lines.get_or_init(new))
    }

    /// Finds the nearest of the listed centroids, or of all, for the rows of a tile; says whether whole numbers told enough.
    pub(crate) fn find(&self, isa: Isa, rows: &Rows<F>, list: Option<&[u32]>, scratch: &mut NearestScratch<F>) -> bool {
        F::find(Find { centroids: self, isa, rows, rounded: None, list }, scratch)
    }

    /// Finds the nearest of all centroids for the rows of a tile that has been rounded.
    pub(crate) fn find_rounded(
        &self,
        isa: Isa,
        rows: &Rows<F>,
        rounded: (&[Column<u32>], &About<F>),
        scratch: &mut NearestScratch<F>,
    ) -> bool {
        F::find(Find { centroids: self, isa, rows, rounded: Some(rounded), list: None }, scratch)
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
        assert_eq!((block.width(), labels.len()), (self.width(), block.len()));
        if self.len() == 1 {
            return labels.fill(0);
        }
        for (t, labels) in labels.chunks_mut(TILE_ROWS).enumerate() {
            let first = t * TILE_ROWS;
            self.find(isa, &Rows::part(block, first..first + labels.len()), None, scratch);
            let found = &scratch.found;
            isa.vectorize(|| labels.iter_mut().zip(&found.index.0).for_each(|(label, index)| *label = index.index()));
            for i in found.in_doubt(labels.len()) {
                labels[i] = self.settle(isa, block.row(first + i), None, found.floor.0[i]).0;
            }
        }
    }
}

/// The search for the nearest of the listed centroids, or of all, for the rows of a tile.
pub struct Find<'a, F> {
    centroids: &'a Centroids<F>,
    isa: Isa,
    rows: &'a Rows<'a, F>,
    rounded: Option<(&'a [Column<u32>], &'a About<F>)>,
    list: Option<&'a [u32]>,
}

impl<F: Float> Find<'_, F> {
    pub(crate) fn run(self, scratch: &mut NearestScratch<F>) -> bool {
        let Self { centroids: all, isa, rows, list, .. } = self;
        if list.is_none() && self.tell_by_whole_numbers(scratch) {
            return true;
        }
        let NearestScratch { tile, found, .. } = scratch;
        let Centroids { offset, shifted: centroids, .. } = all;
        if let (None, Some(lines)) = (list, all.lines()) {
            isa.run(Along { rows, offset, centroids, lines, found });
            return false;
        }
        tile.take(rows, offset);
        isa.run(Score { columns: tile.columns(), rows: rows.len(), centroids, list, ahead: rows.beyond(), found });
        false
    }

    /// The same by whole numbers, if they can pay; says whether they told enough.
    fn tell_by_whole_numbers(&self, scratch: &mut NearestScratch<F>) -> bool {
        let Self { centroids: all, isa, rows, rounded, .. } = self;
        let NearestScratch { tile, found, words, about, whole: scratch, trial } = scratch;
        if rounded.is_none() && !all.rounds() {
            return false;
        }
        let (Some(pairs), Some(whole)) = (isa.pairs(), all.whole()) else { return false };
        if !trial.goes_on() {
            return false;
        }
        let Centroids { offset, shifted: centroids, .. } = all;
        let (words, about, ahead) = if let Some((words, about)) = *rounded {
            (words, about, Default::default())
        } else {
            tile.take(rows, offset);
            words.clear();
            *about = isa.run(Round { tile, reach: whole.reach(), words: &mut *words });
            (&words[..], &*about, rows.beyond())
        };
        trial.note(pairs.run(ScoreWhole { rows, words, about, offset, centroids, whole, ahead, scratch, found }))
    }
}

/// Whether whole numbers tell enough to be tried: after a tile of which they did not, they are left alone for a while, and for
/// longer each time.
#[derive(Clone, Copy, Debug, Default)]
struct Trial {
    /// Tiles until the next trial,
    left: u32,
    /// and how many they were at first.
    wait: u32,
}

impl Trial {
    fn goes_on(&mut self) -> bool {
        let goes_on = self.left == 0;
        self.left = self.left.saturating_sub(1);
        goes_on
    }

    /// Takes in whether a trial went well, and returns it.
    fn note(&mut self, well: bool) -> bool {
        self.wait = if well { 0 } else { (8 * self.wait).clamp(64, 1 << 16) };
        self.left = self.wait;
        well
    }
}

/// The nearest centroid and its squared distance by direct differences in `f64`; ties go to the lowest index.
///
/// This is the definition that [`Centroids::assign`] reproduces. A sum that has passed the best one so far is abandoned,
/// which changes nothing.
pub fn nearest_direct<F: Float>(row: &[F], centroids: &Centroids<F>) -> (u32, f64) {
    nearest_of(row, centroids, 0..centroids.len() as u32)
}

/// The same among the listed centroids, in ascending order.
fn nearest_of<F: Float>(row: &[F], centroids: &Centroids<F>, list: impl Iterator<Item = u32>) -> (u32, f64) {
    let mut best = (0, f64::INFINITY);
    for c in list {
        let mut sum = 0.0;
        for (x, y) in row.chunks(STEP).zip(centroids.row(c as usize).chunks(STEP)) {
            sum = squared_distance_from(sum, x, y);
            if sum > best.1 {
                break;
            }
        }
        if sum < best.1 {
            best = (c, sum);
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
            (d, rows, centroids) in (prop_oneof![1usize..20, Just(67), Just(80), Just(128)], 1usize..150, 1usize..40)
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
                conforms(&rows, &centroids, &vec![single(&0.0); d]);
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
        // Long rows, which are scored as they lie.
        for far in [1.8e19f32, 3.4e38, 1e-30] {
            let rows: Vec<f32> = (0..5 * 100).map(|i| if i % 7 == i / 100 { far } else { 1.0 }).collect();
            conforms(&rows, &rows[100..400], &[0.0; 100]);
            conforms(&rows, &rows[..100], &[0.0; 100]);
        }
        // A centroid that lies infinitely far from the offset, between others that do not.
        let far = [-1e38f32, 5.0, 3.4e38, 0.0, -1e38, 0.0, -1e38, 1.0];
        conforms(&[-1e38f32, 5.0, -1e38, 0.1, -1e38, 0.9], &far, &[-1e38, 0.0]);
    }

    #[test]
    fn rows_far_shorter_than_the_offset_find_what_is_as_near() {
        // The products of all columns but the first are lost in any sum of differences that goes column by column.
        let d = 64;
        let line = |first: f32| (0..d).map(move |j| if j == 0 { first } else { 0.0 });
        let offset: Vec<f32> = (0..d).map(|j| if j == 0 { 1.01 } else { 2.4e-4 }).collect();
        let centroids: Vec<f32> = [9.0, 1e-3, -1e-3].into_iter().flat_map(line).collect();
        conforms(&vec![0.0; d], &centroids, &offset);
        // Offsets less, and more, than twice as far from zero as any centroid is from them: five, or a thousandth of their own length.
        for far in [1.0, 9.9, 10.1, 1e4, 1e18, 1e19] {
            let centroids: Vec<f32> = [far - 5.0, far, far, far + 1e-3 * far].into_iter().flat_map(line).collect();
            let offset: Vec<f32> = line(far).collect();
            let rows: Vec<f32> = [0.0, far, far - 2.5, -far, 3.4e38].into_iter().flat_map(line).collect();
            conforms(&rows, &centroids, &offset);
        }
    }

    #[test]
    fn ties_go_to_the_lowest_index() {
        conforms(&[0.0f32, 1.0, 2.0], &[3.0, 1.0, 1.0, 0.0, 0.0], &[0.0]);
        conforms(&[0.5f64; 70], &[0.0, 1.0, 0.0, 1.0], &[0.5]);
    }

    #[test]
    fn whole_numbers_that_do_not_tell_are_left_alone_for_longer_each_time() {
        let mut trial = Trial::default();
        let mut tried =
            |well: bool, tiles: usize| (0..tiles).filter(|_| trial.goes_on() && trial.note(well) == well).count();
        assert_eq!(tried(true, 100), 100);
        assert_eq!(tried(false, 65), 1);
        assert_eq!(tried(false, 513), 1);
        assert_eq!(tried(true, 10), 10, "and once they do, nothing is held against them");
        assert_eq!(tried(false, 65), 1);
    }

    #[test]
    fn one_distant_centroid_leaves_the_others_certain() {
        let rows: Vec<f32> = (0..64).map(|i| (i as f32) * 0.01).collect();
        let centroids = Centroids::new(&[0.0, 0.31, 1e6], &[0.0]);
        let mut scratch = NearestScratch::default();
        centroids.assign(&Block::new(&rows, 1), &mut [0; 64], &mut scratch);
        let in_doubt = scratch.found.in_doubt(64).count();
        assert!(in_doubt <= 4, "{in_doubt} of 64 rows were decided directly");
    }
}
