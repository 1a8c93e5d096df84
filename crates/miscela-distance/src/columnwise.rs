//! Block kernels for distances that are built up column by column.
//!
//! ```text
//! reduced(a, b):  sum = 0;  for each column j:  sum = step(sum, aⱼ, bⱼ)
//! ```
//!
//! Such a sum is one long chain of additions, each waiting for the one before. Here eight rows are turned on their
//! side, so that eight chains run next to one another and the compiler puts them into registers. Each chain is still
//! the one above, in the same order, so that the answers are those of the naive loop to the last bit.

use miscela_kernel::{Block, Centroids, Float, Isa};
use std::ops::Range;

/// Rows that are measured together.
const STRIP: usize = 32;

/// A distance of the form above.
pub(crate) trait Columnwise<F: Float> {
    /// The numbers of a row that the steps see; the row itself unless said otherwise.
    fn view(row: &[F], view: &mut [f64]) {
        view.iter_mut().zip(row).for_each(|(to, from)| *to = from.widen());
    }

    /// Takes one more column into account.
    fn step(sum: f64, a: f64, b: f64) -> f64;
}

/// One number for each row of a strip.
type Lane = [f64; STRIP];

/// Some rows as columns, and the centroids. Where there are fewer rows than lanes, the last lanes hold nothing of use.
struct Strip<'a> {
    columns: &'a [Lane],
    centres: &'a [f64],
}

impl Strip<'_> {
    /// The reduced distances of the rows to each centroid in turn.
    #[inline(always)]
    fn sums<F: Float, D: Columnwise<F>>(&self) -> impl Iterator<Item = Lane> {
        self.centres.chunks_exact(self.columns.len()).map(|centre| {
            let mut sums = [0.0; STRIP];
            for (column, centre) in self.columns.iter().zip(centre) {
                for i in 0..STRIP {
                    sums[i] = D::step(sums[i], column[i], *centre);
                }
            }
            sums
        })
    }
}

/// Calls `measure(strip, range of its rows)` for all rows, a strip at a time.
#[inline(always)]
fn each_strip<F: Float, D: Columnwise<F>>(
    rows: &Block<F>,
    centroids: &Centroids<F>,
    mut measure: impl FnMut(Strip, Range<usize>),
) {
    let width = centroids.width();
    assert_eq!(rows.width(), width, "rows and centroids have the same columns");
    let mut centres = vec![0.0; width * centroids.len()];
    for (centre, centroid) in centres.chunks_exact_mut(width).zip(centroids.rows()) {
        D::view(centroid, centre);
    }
    let mut row = vec![0.0; width];
    let mut columns = vec![[0.0; STRIP]; width];
    Isa::best().vectorize(
        #[inline(always)]
        || {
            for first in (0..rows.len()).step_by(STRIP) {
                let range = first..rows.len().min(first + STRIP);
                for i in range.clone() {
                    D::view(rows.row(i), &mut row);
                    columns.iter_mut().zip(&row).for_each(|(column, x)| column[i - first] = *x);
                }
                measure(Strip { columns: &columns, centres: &centres }, range);
            }
        },
    );
}

/// A centroid for each row of a strip. Indices are `f64`, exactly, and choices are values rather than branches, so that
/// the lanes stay in registers.
#[derive(Clone, Copy)]
struct Nearest {
    index: Lane,
    reduced: Lane,
}

impl Nearest {
    const NONE: Self = Self { index: [0.0; STRIP], reduced: [f64::INFINITY; STRIP] };

    #[inline(always)]
    fn get(&self, i: usize) -> (f64, f64) {
        (self.index[i], self.reduced[i])
    }

    #[inline(always)]
    fn set(&mut self, i: usize, (index, reduced): (f64, f64)) {
        (self.index[i], self.reduced[i]) = (index, reduced);
    }

    fn label(&self, i: usize) -> (u32, f64) {
        (self.index[i] as u32, self.reduced[i])
    }
}

/// Calls `found(row, nearest centroid, its reduced distance)`.
#[inline(always)]
fn each_nearest<F: Float, D: Columnwise<F>>(
    rows: &Block<F>,
    centroids: &Centroids<F>,
    mut found: impl FnMut(usize, u32, f64),
) {
    each_strip::<F, D>(rows, centroids, |strip, range| {
        let mut best = Nearest::NONE;
        for (c, sums) in strip.sums::<F, D>().enumerate() {
            for i in 0..STRIP {
                let (found, first) = ((c as f64, sums[i]), best.get(i));
                best.set(i, if found.1 < first.1 { found } else { first });
            }
        }
        for (i, row) in range.enumerate() {
            let (label, reduced) = best.label(i);
            found(row, label, reduced);
        }
    });
}

/// [`Distance::assign`](crate::Distance::assign)
pub(crate) fn assign<F: Float, D: Columnwise<F>>(rows: &Block<F>, centroids: &Centroids<F>, labels: &mut [u32]) {
    each_nearest::<F, D>(rows, centroids, |row, label, _| labels[row] = label);
}

/// [`Distance::nearest`](crate::Distance::nearest)
pub(crate) fn nearest<F: Float, D: Columnwise<F>>(
    rows: &Block<F>,
    centroids: &Centroids<F>,
    labels: &mut [u32],
    reduced: &mut [f64],
) {
    each_nearest::<F, D>(rows, centroids, |row, label, nearest| (labels[row], reduced[row]) = (label, nearest));
}

/// [`Distance::nearest_two`](crate::Distance::nearest_two)
pub(crate) fn nearest_two<F: Float, D: Columnwise<F>>(
    rows: &Block<F>,
    centroids: &Centroids<F>,
    two: &mut [[(u32, f64); 2]],
) {
    each_strip::<F, D>(rows, centroids, |strip, range| {
        let (mut best, mut second) = (Nearest::NONE, Nearest::NONE);
        for (c, sums) in strip.sums::<F, D>().enumerate() {
            for i in 0..STRIP {
                let (found, first, next) = ((c as f64, sums[i]), best.get(i), second.get(i));
                let next = if found.1 < next.1 { found } else { next };
                second.set(i, if found.1 < first.1 { first } else { next });
                best.set(i, if found.1 < first.1 { found } else { first });
            }
        }
        for (i, two) in two[range].iter_mut().enumerate() {
            *two = [best.label(i), second.label(i)];
        }
    });
}

/// [`Distance::pairwise`](crate::Distance::pairwise)
pub(crate) fn pairwise<F: Float, D: Columnwise<F>>(rows: &Block<F>, centroids: &Centroids<F>, reduced: &mut [f64]) {
    let k = centroids.len();
    each_strip::<F, D>(rows, centroids, |strip, range| {
        for (c, sums) in strip.sums::<F, D>().enumerate() {
            range.clone().zip(sums).for_each(|(row, sum)| reduced[row * k + c] = sum);
        }
    });
}

/// Inside an `impl<F: Float> Distance<F>`: the named block kernels, computed columnwise as `$D` says.
macro_rules! columnwise_kernels {
    ($D:ty: $($kernel:ident),+) => { $(columnwise_kernels!(@$kernel $D);)+ };
    (@assign $D:ty) => {
        fn assign(
            &self,
            rows: &::miscela_kernel::Block<F>,
            centroids: &::miscela_kernel::Centroids<F>,
            labels: &mut [u32],
            _: &mut ::miscela_kernel::NearestScratch<F>,
        ) {
            $crate::columnwise::assign::<F, $D>(rows, centroids, labels);
        }
    };
    (@nearest $D:ty) => {
        fn nearest(
            &self,
            rows: &::miscela_kernel::Block<F>,
            centroids: &::miscela_kernel::Centroids<F>,
            labels: &mut [u32],
            reduced: &mut [f64],
            _: &mut ::miscela_kernel::NearestScratch<F>,
        ) {
            $crate::columnwise::nearest::<F, $D>(rows, centroids, labels, reduced);
        }
    };
    (@nearest_two $D:ty) => {
        fn nearest_two(
            &self,
            rows: &::miscela_kernel::Block<F>,
            centroids: &::miscela_kernel::Centroids<F>,
            two: &mut [[(u32, f64); 2]],
        ) {
            $crate::columnwise::nearest_two::<F, $D>(rows, centroids, two);
        }
    };
    (@pairwise $D:ty) => {
        fn pairwise(
            &self,
            rows: &::miscela_kernel::Block<F>,
            centroids: &::miscela_kernel::Centroids<F>,
            reduced: &mut [f64],
        ) {
            $crate::columnwise::pairwise::<F, $D>(rows, centroids, reduced);
        }
    };
}
pub(crate) use columnwise_kernels;
