//! Rows of whole weights as copies, for clusters whose sizes count them.

use super::KMeansError;
use crate::Float;
use miscela_em::{JointFit, SizesError};
use miscela_kernel::{Samples, UNKNOWN};

/// Which row each copy is of, rows in order; none where all rows count for one. Rows of no weight are not there.
///
/// # Errors
/// If a weight is no whole number, or there are more copies than one fit can number.
pub(super) fn copies<F: Float>(samples: &Samples<F>) -> Result<Option<Vec<usize>>, KMeansError> {
    let weights = match samples.weights() {
        Some(weights) if weights.iter().any(|w| *w != 1.0) => weights,
        _ => return Ok(None),
    };
    if let Some(row) = weights.iter().position(|w| w.fract() != 0.0) {
        return Err(SizesError::Weight { row, weight: weights[row] }.into());
    }
    if samples.total_weight() > f64::from(u32::MAX) {
        return Err(miscela_kernel::SamplesError::TooManyRows(samples.total_weight() as usize).into());
    }
    let copies = weights.iter().enumerate().flat_map(|(i, w)| std::iter::repeat_n(i, *w as usize));
    Ok(Some(copies.collect()))
}

/// The labels of n rows from those of their copies: the cluster that has most of them, the lowest of equals.
pub(super) fn labels_of_rows(fit: JointFit, copies: &[usize], n: usize) -> JointFit {
    let mut labels = vec![UNKNOWN; n];
    let mut first = 0;
    for copies in copies.chunk_by(|a, b| a == b) {
        let mut own = fit.labels[first..first + copies.len()].to_vec();
        first += copies.len();
        own.sort_unstable();
        let most = own.chunk_by(|a, b| a == b).rev().max_by_key(|same| same.len());
        labels[copies[0]] = most.map_or(UNKNOWN, |same| same[0]);
    }
    JointFit { labels, ..fit }
}
