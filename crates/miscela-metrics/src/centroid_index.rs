//! How many centres are in the wrong place?
//!
//! ```text
//! CI₁(A → B)  =  the number of centres of B that are nearest to none of A
//! CI(A, B)    =  max(CI₁(A → B), CI₁(B → A))
//! ```
//!
//! Fränti, Rezaei & Zhao 2014. It counts clusters that are missed at the level of whole clusters: 0 says that both sets of
//! centres tell the same story, 3 that three of them would have to move.

use crate::MetricsError;
use miscela_kernel::{BLOCK_ROWS, Block, Centroids, Float, NearestScratch, Samples};
use ndarray::{ArrayBase, Data, Ix2};

/// The centroid index of two sets of centres, k₁ × d and k₂ × d: how many clusters one set has and the other misses.
///
/// **Not** for the fine print: centres may be off by half the way to the next and it is still 0; and not for clusters that
/// centres do not describe. It is no share of rows, whose number does not matter.
///
/// Cost: O(k₁·k₂·d).
///
/// # Errors
/// If a set has no centre, a number is not finite, or the sets have other columns.
///
/// ```
/// use miscela_metrics::centroid_index;
/// use ndarray::array;
///
/// let truth = array![[0.0], [10.0], [20.0]];
/// assert_eq!(centroid_index(&truth, &array![[1.0], [9.0], [21.0]])?, 0);
/// // Two centres share the first cluster, and one has to do for the others.
/// assert_eq!(centroid_index(&truth, &array![[-1.0], [1.0], [15.1]])?, 1);
/// # Ok::<(), miscela_metrics::MetricsError>(())
/// ```
pub fn centroid_index<F: Float, S: Data<Elem = F>, T: Data<Elem = F>>(
    a: &ArrayBase<S, Ix2>,
    b: &ArrayBase<T, Ix2>,
) -> Result<usize, MetricsError> {
    let (a, b) = (Samples::new(a)?, Samples::new(b)?);
    if a.n_columns() != b.n_columns() {
        return Err(MetricsError::ColumnCount { expected: a.n_columns(), got: b.n_columns() });
    }
    Ok(orphans(&a, &b).max(orphans(&b, &a)))
}

/// The centres of `to` that are nearest to none of `from`.
fn orphans<F: Float>(from: &Samples<F>, to: &Samples<F>) -> usize {
    let (mut of_to, mut of_from) = (Vec::new(), Vec::new());
    let all = to.block(0..to.n_rows(), &mut of_to);
    let numbers: Vec<F> = all.rows().flatten().copied().collect();
    let centres = Centroids::new(&numbers, &vec![F::zero(); to.n_columns()]);
    let mut is_nearest = vec![false; to.n_rows()];
    let (mut labels, mut scratch) = (vec![0; BLOCK_ROWS], NearestScratch::default());
    for first in (0..from.n_rows()).step_by(BLOCK_ROWS) {
        let block: Block<F> = from.block(first..(first + BLOCK_ROWS).min(from.n_rows()), &mut of_from);
        centres.assign(&block, &mut labels[..block.len()], &mut scratch);
        labels[..block.len()].iter().for_each(|label| is_nearest[*label as usize] = true);
    }
    is_nearest.iter().filter(|nearest| !**nearest).count()
}
