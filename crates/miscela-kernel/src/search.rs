//! Labels renewed: only rows whose bounds no longer tell are looked at, and only at the centroids that may be theirs.
//!
//! ```text
//! for each row: renew its bounds by its centroid's step; put it aside if they do not tell
//! for each 64 rows put aside, as one dense tile:
//!     m, r ← the middle of the tile and how far its rows are from it
//!     candidates ← every c with ‖m − c‖ ≤ max over rows of (rᵢ + upperᵢ)
//!     score the tile against the candidates: new labels, new bounds
//! ```
//!
//! No other centroid can be nearest to a row of the tile, because ‖x − c‖ ≥ ‖m − c‖ − r. Rows that lie close together in
//! the order given share few candidates; where they do not, the tile is scored against all centroids (`scores.rs`). Rows
//! that are put aside are packed densely, so that the kernel always works on full registers.
//!
//! Every label is that of [`nearest_direct`](crate::nearest_direct), as by [`Centroids::assign`].

use crate::bounds::{Bounds, Step, above, below};
use crate::prefix::{Prefix, Sift, SiftScratch};
use crate::scores::{Found, Score};
use crate::tile::{Column, Rows, TILE_ROWS};
use crate::{Centroids, Float, Isa, NearestScratch, Samples};
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// How the labels of rows are renewed.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a, F> {
    /// What to find the nearest of.
    pub centroids: &'a Centroids<F>,
    /// How the centroids moved since the bounds were made; `None` if there are no bounds yet.
    pub steps: Option<&'a [Step]>,
    /// The centroids column by column, where tiles are to be narrowed to candidates.
    pub columns: Option<&'a CentroidColumns<F>>,
    /// The centroids through the leading directions of the rows, where rows that have a label are sifted by them.
    pub prefix: Option<&'a Prefix<F>>,
}

/// The centroids column by column, for [`Search`].
#[derive(Clone, Debug)]
pub struct CentroidColumns<F> {
    count: usize,
    /// d × k, relative to the centroids' offset.
    all: Vec<F>,
    /// The greatest distance from the offset.
    reach: F,
}

/// What a search cost, in counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Rows that were looked at: whose bounds, or the box around them, did not tell.
    pub opened: u64,
    /// Scores of a row and a centroid, and of a box and a centroid.
    pub scores: u64,
    /// Rows of tiles that [whole numbers](crate::Rounded) told enough of, in a sweep.
    pub whole: u64,
    /// Rows whose label is another than before.
    pub changed: u64,
    /// Rows of which it was asked whether bounds would have told their label after one more such step,
    pub asked: u64,
    /// and those of them whose bounds would have.
    pub told: u64,
}

impl Effort {
    /// The scores, by those of every open row and each of k centroids.
    pub fn share(&self, k: usize) -> f64 {
        self.scores as f64 / (self.opened * k as u64).max(1) as f64
    }

    /// Takes another's counts in.
    pub fn add(&mut self, other: Effort) {
        self.opened += other.opened;
        self.scores += other.scores;
        self.whole += other.whole;
        self.changed += other.changed;
        self.asked += other.asked;
        self.told += other.told;
    }
}

/// Space to search in, kept between calls.
#[derive(Clone, Debug)]
pub struct SearchScratch<F> {
    open: Vec<u32>,
    copied: Vec<F>,
    nearest: NearestScratch<F>,
    /// For each row of the tile a distance that no centroid is within which was not scored.
    beyond: Column<F>,
    /// Of each centroid from the middle of the tile.
    distances: Vec<F>,
    candidates: Vec<u32>,
    sift: SiftScratch<F>,
}

impl<F: Float> Default for SearchScratch<F> {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            copied: Vec::new(),
            nearest: NearestScratch::default(),
            beyond: Column::splat(F::zero()),
            distances: Vec::new(),
            candidates: Vec::new(),
            sift: SiftScratch::default(),
        }
    }
}

impl<F: Float> SearchScratch<F> {
    /// To be called before rows are searched whose bounds are to be the same whatever the space was used for before.
    pub fn start_over(&mut self) {
        self.nearest.start_over();
    }
}

/// A row that is in another cluster than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its place in the order of the samples.
    pub row: usize,
    /// Its label before; `u32::MAX` if it had none.
    pub from: u32,
    /// Its label now.
    pub to: u32,
}

impl<F: Float> Search<'_, F> {
    /// Renews the labels and bounds of the rows `range`, which are the whole of both slices, and adds those that moved to
    /// `moved`.
    ///
    /// # Panics
    /// If the slices are not as long as the range, or a label that is to be kept is not below k.
    pub fn renew(
        &self,
        samples: &Samples<F>,
        range: Range<usize>,
        labels: &mut [u32],
        bounds: &mut [Bounds],
        scratch: &mut SearchScratch<F>,
        moved: &mut Vec<Moved>,
    ) -> Effort {
        self.renew_with(Isa::best(), samples, range, labels, bounds, scratch, moved)
    }

    /// The same by a given instruction set.
    fn renew_with(
        &self,
        isa: Isa,
        samples: &Samples<F>,
        range: Range<usize>,
        labels: &mut [u32],
        bounds: &mut [Bounds],
        scratch: &mut SearchScratch<F>,
        moved: &mut Vec<Moved>,
    ) -> Effort {
        assert_eq!((labels.len(), bounds.len()), (range.len(), range.len()));
        let mut open = std::mem::take(&mut scratch.open);
        open.resize(labels.len(), 0);
        let count = match self.steps {
            None => {
                open.iter_mut().zip(0..).for_each(|(place, i)| *place = i);
                labels.len()
            }
            Some(steps) => step_all(steps, labels, bounds, &mut open),
        };
        open.truncate(count);
        let mut effort = Effort { opened: open.len() as u64, ..Effort::default() };
        let before = moved.len();
        for tile in open.chunks(TILE_ROWS) {
            effort.scores += self.renew_tile(isa, samples, range.start, tile, labels, bounds, scratch, moved);
        }
        effort.changed = (moved.len() - before) as u64;
        scratch.open = open;
        effort
    }

    /// The same for one tile of rows, `open` places after `first`; returns how many scores it took.
    fn renew_tile(
        &self,
        isa: Isa,
        samples: &Samples<F>,
        first: usize,
        open: &[u32],
        labels: &mut [u32],
        bounds: &mut [Bounds],
        scratch: &mut SearchScratch<F>,
        moved: &mut Vec<Moved>,
    ) -> u64 {
        let mut copied = std::mem::take(&mut scratch.copied);
        let rows = Rows::gather(samples, open.iter().map(|i| first + *i as usize), &mut copied);
        let (scored, scores) = self.score(isa, &rows, open, labels, bounds, scratch);
        scratch.copied = copied;
        let SearchScratch { nearest: NearestScratch { found, .. }, beyond, candidates, sift, .. } = scratch;
        let (mut nearest, mut renewed) = ([0; TILE_ROWS], [Bounds::UNKNOWN; TILE_ROWS]);
        isa.run(Renew { found, beyond, labels: &mut nearest, bounds: &mut renewed });
        for i in found.in_doubt(open.len()) {
            let row = samples.copied_row(first + open[i] as usize);
            let list = match scored {
                Scored::All => None,
                Scored::Candidates => Some(&candidates[..]),
                Scored::Contenders => Some(sift.contenders(i)),
            };
            let (label, squared) = self.centroids.settle(isa, &row, list, found.floor.0[i]);
            let distance = squared.sqrt();
            nearest[i] = label;
            renewed[i] = Bounds { upper: above(distance), lower: below(distance).min(renewed[i].lower) };
        }
        // Written first and kept if so: without a branch that depends on the answer, which no processor could predict.
        let mut kept = moved.len();
        moved.resize(kept + open.len(), Moved { row: 0, from: 0, to: 0 });
        for ((i, renewed), to) in open.iter().zip(renewed).zip(nearest) {
            let i = *i as usize;
            bounds[i] = renewed;
            moved[kept] = Moved { row: first + i, from: labels[i], to };
            kept += usize::from(labels[i] != to);
            labels[i] = to;
        }
        moved.truncate(kept);
        scores
    }

    /// Scores the tile against the centroids that may be nearest to its rows; returns which and how many scores it took.
    fn score(
        &self,
        isa: Isa,
        rows: &Rows<F>,
        open: &[u32],
        labels: &[u32],
        bounds: &[Bounds],
        scratch: &mut SearchScratch<F>,
    ) -> (Scored, u64) {
        let (centroids, offset, k) = (self.centroids.shifted(), self.centroids.offset(), self.centroids.len());
        if let Some(columns) = self.columns {
            scratch.nearest.tile.take(rows, offset);
            let mut uppers = [0.0; TILE_ROWS];
            uppers.iter_mut().zip(open).for_each(|(upper, i)| *upper = bounds[*i as usize].upper);
            if isa.run(Narrow { columns, uppers: &uppers[..open.len()], scratch }) {
                let SearchScratch { nearest: NearestScratch { tile, found, .. }, candidates, .. } = scratch;
                let (columns, rows) = (tile.columns(), tile.rows());
                isa.run(Score { columns, rows, centroids, list: Some(candidates), ahead: &[], found });
                return (Scored::Candidates, (open.len() * candidates.len()) as u64);
            }
        }
        let SearchScratch { nearest, beyond, sift, .. } = scratch;
        if let Some(prefix) = self.prefix {
            let NearestScratch { tile, found, .. } = nearest;
            if self.columns.is_none() {
                tile.take(rows, offset);
            }
            let mut own = [0; TILE_ROWS];
            own.iter_mut().zip(open).for_each(|(own, i)| *own = labels[*i as usize]);
            let labels = &own[..open.len()];
            let sifted = Sift { prefix, rows, tile, offset, centroids, labels, scratch: sift, found, beyond };
            return (Scored::Contenders, isa.run(sifted));
        }
        *beyond = Column::splat(F::infinity());
        if self.columns.is_some() {
            let NearestScratch { tile, found, .. } = nearest;
            isa.run(Score { columns: tile.columns(), rows: open.len(), centroids, list: None, ahead: &[], found });
        } else {
            self.centroids.find(isa, rows, None, nearest);
        }
        (Scored::All, (open.len() * k) as u64)
    }
}

/// What the rows of a tile were scored against.
#[derive(Clone, Copy)]
enum Scored {
    /// All centroids.
    All,
    /// The candidates of the tile.
    Candidates,
    /// The contenders of each row.
    Contenders,
}

/// Renews the bounds, and writes to `open` which of them do not tell; returns how many. Without a branch that depends on
/// the answer, which no processor could predict.
fn step_all(steps: &[Step], labels: &[u32], bounds: &mut [Bounds], open: &mut [u32]) -> usize {
    let mut count = 0;
    for (i, (label, bounds)) in labels.iter().zip(bounds).enumerate() {
        let (renewed, told) = steps[*label as usize].renew(*bounds);
        *bounds = renewed;
        open[count] = i as u32;
        count += usize::from(!told);
    }
    count
}

impl<F: Float> CentroidColumns<F> {
    /// Turns centroids on their side. Cost: k·d.
    pub fn new(centroids: &Centroids<F>) -> Self {
        let (shifted, count, width) = (centroids.shifted(), centroids.len(), centroids.width());
        let all = (0..width).flat_map(|j| (0..count).map(move |c| shifted.row(c)[j])).collect();
        Self { count, all, reach: shifted.reach() }
    }
}

/// Lists the centroids that may be nearest to a row of the tile, each no farther from its own than `uppers` says; says
/// whether enough are left out to be worth it.
struct Narrow<'a, F> {
    columns: &'a CentroidColumns<F>,
    uppers: &'a [f32],
    scratch: &'a mut SearchScratch<F>,
}

impl<F: Float> WithSimd for Narrow<'_, F> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        let Self { columns: CentroidColumns { count, all, reach }, uppers, scratch } = self;
        let SearchScratch { nearest: NearestScratch { tile, .. }, beyond, distances, candidates, .. } = scratch;
        let mut radius = Column::splat(F::zero());
        let share = F::narrow(1.0 / tile.rows() as f64);
        distances.clear();
        distances.resize(*count, F::zero());
        let mut norm2 = F::zero();
        for (column, all) in tile.columns().iter().zip(all.chunks_exact(*count)) {
            // The places without a row hold zeros. In parts, so that they are summed side by side.
            let mut parts = [F::zero(); 16];
            for x in column.0.as_chunks::<16>().0 {
                (0..16).for_each(|p| parts[p] += x[p]);
            }
            let middle = parts.iter().fold(F::zero(), |sum, part| sum + *part) * share;
            norm2 += middle * middle;
            for (r, x) in radius.0.iter_mut().zip(&column.0) {
                *r += (*x - middle) * (*x - middle);
            }
            for (distance, c) in distances.iter_mut().zip(all) {
                *distance += (*c - middle) * (*c - middle);
            }
        }
        radius.0.iter_mut().chain(&mut *distances).for_each(|square| *square = square.sqrt());
        let mut least = [F::infinity(); 16];
        for d in distances.chunks(16) {
            d.iter().zip(&mut least).for_each(|(d, least)| *least = if *d < *least { *d } else { *least });
        }
        let nearest = least.iter().fold(F::infinity(), |least, d| least.min(*d));
        let (mut within, mut farthest) = (F::zero(), F::zero());
        for (r, upper) in radius.0.iter().zip(uppers) {
            let (upper, most) = (F::narrow(f64::from(*upper)), *r + nearest);
            let upper = *r + if upper < most { upper } else { most };
            within = if upper > within { upper } else { within };
            farthest = if *r > farthest { *r } else { farthest };
        }
        // Distances of numbers that were rounded when they were shifted, and squares that may have vanished.
        let relative = (tile.columns().len() + 8) as f64 * F::UNIT_ROUNDOFF;
        let size = *reach + norm2.sqrt() + farthest;
        let absolute = F::narrow(4.0 * relative) * size + F::narrow(F::min_positive_value().widen().sqrt());
        let within = within * F::narrow(1.0 + 4.0 * relative) + absolute;
        // A square that overflowed says nothing, and what is no number stays in too.
        let is_out = |d: F| d > within && d < F::infinity();
        let mut rest = [F::infinity(); 16];
        for d in distances.chunks(16) {
            d.iter().zip(&mut rest).for_each(|(d, rest)| *rest = if is_out(*d) && *d < *rest { *d } else { *rest });
        }
        let rest = rest.iter().fold(F::infinity(), |least, d| least.min(*d));
        candidates.resize(*count, 0);
        let mut listed = 0;
        for (c, distance) in distances.iter().enumerate() {
            candidates[listed] = c as u32;
            listed += usize::from(!is_out(*distance));
        }
        candidates.truncate(listed);
        let rest = rest * F::narrow(1.0 - 4.0 * relative) - absolute;
        beyond.0.iter_mut().zip(radius.0).for_each(|(beyond, radius)| *beyond = rest - radius);
        listed * 4 <= count * 3
    }
}

/// The labels and bounds that follow from what was found, if no centroid that was not scored is within `beyond`.
struct Renew<'a, F> {
    found: &'a Found<F>,
    beyond: &'a Column<F>,
    labels: &'a mut [u32; TILE_ROWS],
    bounds: &'a mut [Bounds; TILE_ROWS],
}

impl<F: Float> WithSimd for Renew<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { found, beyond, labels, bounds } = self;
        // What is no number, as infinity less infinity, bounds nothing.
        let positive = |x: F| if x > F::zero() { x } else { F::zero() };
        let root = |square: F| positive(square).sqrt();
        labels.iter_mut().zip(&found.index.0).for_each(|(label, index)| *label = index.index());
        for i in 0..TILE_ROWS {
            let (others, beyond) = (root(found.others.0[i]), positive(beyond.0[i]));
            bounds[i] = Bounds {
                upper: above(root(found.nearest.0[i]).widen()),
                lower: below(if others < beyond { others } else { beyond }.widen()),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{Told, cases};
    use crate::{nearest_direct, squared_distance};
    use ndarray::Array2;
    use proptest::prelude::*;

    /// Labels after each of a few sets of centroids are the definition's, with and without steps, gaps and lists, in any
    /// order, by every instruction set; the bounds are bounds; and what moved is what moved. Returns the scores taken.
    fn conforms<F: Float>((rows, sets, offset, order): Told<F>) -> u64 {
        let all = Samples::new(&rows).unwrap();
        let samples = all.in_order(order);
        let sets: Vec<_> = sets.iter().map(|set| Centroids::new(set, offset)).collect();
        let contiguous: Vec<F> = rows.iter().copied().collect();
        let directions = Prefix::directions(&contiguous, offset);
        let mut scores = 0;
        for isa in Isa::available() {
            let [plain, gaps, narrows, sifts] = [0, 1, 2, 4];
            for way in [plain, gaps, narrows, narrows | gaps, sifts, sifts | gaps] {
                let has = |part| way & part != 0;
                if has(sifts) && offset.len() < 8 {
                    continue;
                }
                let n = samples.n_rows();
                let (mut labels, mut bounds) = (vec![u32::MAX; n], vec![Bounds::UNKNOWN; n]);
                let mut scratch = SearchScratch::default();
                for (t, centroids) in sets.iter().enumerate() {
                    let steps = (t > 0).then(|| Step::all(&sets[t - 1], centroids, has(gaps)));
                    let columns = has(narrows).then(|| CentroidColumns::new(centroids));
                    let prefix = (has(sifts) && t > 0).then(|| Prefix::new(&directions, centroids));
                    let (steps, columns, prefix) = (steps.as_deref(), columns.as_ref(), prefix.as_ref());
                    let search = Search { centroids, steps, columns, prefix };
                    let (before, mut moved) = (labels.clone(), Vec::new());
                    let args = (&mut labels[..], &mut bounds[..]);
                    let effort = search.renew_with(isa, &samples, 0..n, args.0, args.1, &mut scratch, &mut moved);
                    scores += effort.scores;
                    assert_eq!(effort.changed, moved.len() as u64);
                    let changes = (0..n).filter(|i| before[*i] != labels[*i]);
                    let changes = changes.map(|row| Moved { row, from: before[row], to: labels[row] });
                    moved.sort_by_key(|moved| moved.row);
                    assert_eq!(moved, changes.collect::<Vec<_>>());
                    for (i, (label, bounds)) in labels.iter().zip(&bounds).enumerate() {
                        let row = samples.copied_row(i);
                        let told = format!("{} {} {way} set {t} row {i}", isa.name(), F::NAME);
                        assert_eq!(*label, nearest_direct(&row, centroids).0, "{told}");
                        for (c, centroid) in centroids.rows().enumerate() {
                            let distance = squared_distance(&row, centroid).sqrt();
                            let holds = if c == *label as usize {
                                distance <= f64::from(bounds.upper)
                            } else {
                                distance >= f64::from(bounds.lower)
                            };
                            assert!(holds, "{told}: {distance} of {c} and {bounds:?}");
                        }
                    }
                }
            }
        }
        scores
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn labels_are_those_of_the_definition_and_bounds_are_bounds(case in cases(
            prop_oneof![
                3 => (prop_oneof![1usize..6, Just(17), Just(40)], 1usize..150, 1usize..24),
                1 => (70usize..130, 1usize..150, 1usize..24),
            ],
            3,
        )) {
            case.tell(|told| _ = conforms(told), |told| _ = conforms(told));
        }
    }

    #[test]
    fn squares_that_overflow_leave_no_one_out() {
        // The row on the right is nearest to a centroid whose distance from the middle of the tile has an infinite square.
        let mut rows = Array2::from_elem((64, 1), 0.0f32);
        rows[[0, 0]] = 5.5e18;
        let sets = [vec![-1.7e19f32, 1.9e19, 1.91e19, 1.92e19, 1.93e19]];
        conforms((rows.view(), &sets, &[0.0], None));
    }

    #[test]
    fn what_is_known_is_not_looked_at_again() {
        let rows = Array2::from_shape_fn((512, 2), |(i, j)| ((i % 8) * 50 + i / 8 % 8 * j) as f64);
        let order: Vec<u32> = (0..512).map(|i| i % 64 * 8 + i / 64).collect();
        let set: Vec<f64> = (0..8).flat_map(|c| [c as f64 * 50.0 + 1.0, c as f64 * 50.0]).collect();
        let still = vec![set.clone(), set.clone(), set];
        let runs = 4 * Isa::available().len() as u64;
        assert!(conforms((rows.view(), &still, &[0.0, 0.0], None)) <= runs * 512 * 8, "two of three passes are free");
        let listed = conforms((rows.view(), &still, &[0.0, 0.0], Some(&order)));
        assert!(listed < runs * 512 * 6, "{listed}: half of the runs need few candidates");
    }
}
