//! Block kernels for distances that are built up column by column.
//!
//! ```text
//! reduced(a, b):  sum = 0;  for each column j:  sum = step(sum, aⱼ, bⱼ)
//! ```
//!
//! Such a sum is one long chain of additions, each waiting for the one before. Here sixteen rows are turned on their
//! side, so that sixteen chains run next to one another and the compiler puts them into registers. Each chain is still
//! the one above, in the same order, so that the answers are those of the naive loop to the last bit.

use crate::distance::{NOTHING_NEAR, offer};
use miscela_kernel::{Block, Centroids, Float};

/// Rows that are measured together.
const STRIP: usize = 16;

/// A distance of the form above.
pub(crate) trait Columnwise<F: Float> {
    /// The numbers of a row that the steps see; the row itself unless said otherwise.
    fn view(row: &[F], view: &mut [f64]) {
        view.iter_mut().zip(row).for_each(|(to, from)| *to = from.widen());
    }

    /// Takes one more column into account.
    fn step(sum: f64, a: f64, b: f64) -> f64;
}

/// Calls `found(first row, centroid, reduced distances)` for each strip of rows and each centroid, these in order.
#[inline(always)]
fn each_strip<F: Float, D: Columnwise<F>>(
    rows: &Block<F>,
    centroids: &Centroids<F>,
    mut found: impl FnMut(usize, usize, &[f64]),
) {
    let width = centroids.width();
    assert_eq!(rows.width(), width, "rows and centroids have the same columns");
    let mut centres = vec![0.0; width * centroids.len()];
    for (centre, centroid) in centres.chunks_exact_mut(width).zip(centroids.rows()) {
        D::view(centroid, centre);
    }
    let mut row = vec![0.0; width];
    let mut columns = vec![[0.0; STRIP]; width];
    for first in (0..rows.len()).step_by(STRIP) {
        let count = STRIP.min(rows.len() - first);
        for i in 0..count {
            D::view(rows.row(first + i), &mut row);
            columns.iter_mut().zip(&row).for_each(|(column, x)| column[i] = *x);
        }
        for (c, centre) in centres.chunks_exact(width).enumerate() {
            let mut sums = [0.0; STRIP];
            for (column, centre) in columns.iter().zip(centre) {
                for i in 0..STRIP {
                    sums[i] = D::step(sums[i], column[i], *centre);
                }
            }
            found(first, c, &sums[..count]);
        }
    }
}

/// [`Distance::nearest`](crate::Distance::nearest)
pub(crate) fn nearest<F: Float, D: Columnwise<F>>(
    rows: &Block<F>,
    centroids: &Centroids<F>,
    labels: &mut [u32],
    reduced: &mut [f64],
) {
    labels.fill(0);
    reduced.fill(f64::INFINITY);
    each_strip::<F, D>(rows, centroids, |first, c, sums| {
        for ((sum, best), label) in sums.iter().zip(&mut reduced[first..]).zip(&mut labels[first..]) {
            if *sum < *best {
                (*best, *label) = (*sum, c as u32);
            }
        }
    });
}

/// [`Distance::assign`](crate::Distance::assign)
pub(crate) fn assign<F: Float, D: Columnwise<F>>(rows: &Block<F>, centroids: &Centroids<F>, labels: &mut [u32]) {
    nearest::<F, D>(rows, centroids, labels, &mut vec![0.0; rows.len()]);
}

/// [`Distance::nearest_two`](crate::Distance::nearest_two)
pub(crate) fn nearest_two<F: Float, D: Columnwise<F>>(
    rows: &Block<F>,
    centroids: &Centroids<F>,
    two: &mut [[(u32, f64); 2]],
) {
    two.fill(NOTHING_NEAR);
    each_strip::<F, D>(rows, centroids, |first, c, sums| {
        two[first..].iter_mut().zip(sums).for_each(|(two, sum)| offer(two, c, *sum));
    });
}

/// [`Distance::pairwise`](crate::Distance::pairwise)
pub(crate) fn pairwise<F: Float, D: Columnwise<F>>(rows: &Block<F>, centroids: &Centroids<F>, reduced: &mut [f64]) {
    let k = centroids.len();
    each_strip::<F, D>(rows, centroids, |first, c, sums| {
        reduced[first * k + c..].iter_mut().step_by(k).zip(sums).for_each(|(to, sum)| *to = *sum);
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
