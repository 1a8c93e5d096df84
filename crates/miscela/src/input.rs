//! Rows and weights as linfa hands them over.

use crate::Float;
use linfa::DatasetBase;
use miscela_kernel::{Samples, SamplesError};
use ndarray::{ArrayBase, Data, Ix2};

/// The rows of a dataset with its weights, widened; a dataset without weights has an empty list.
pub(crate) fn samples_of<F: Float, S: Data<Elem = F>, T>(
    dataset: &DatasetBase<ArrayBase<S, Ix2>, T>,
) -> Result<Samples<'_, F>, SamplesError> {
    // Not `dataset.weights()`, which panics on strided arrays.
    let weights: Vec<f64> = dataset.weights.iter().map(|w| f64::from(*w)).collect();
    if weights.is_empty() { Samples::new(&dataset.records) } else { Samples::weighted(&dataset.records, weights) }
}

/// Rows with optional weights.
pub(crate) fn samples<'a, F: Float, S: Data<Elem = F>>(
    records: &'a ArrayBase<S, Ix2>,
    weights: Option<&'a [f64]>,
) -> Result<Samples<'a, F>, SamplesError> {
    match weights {
        Some(weights) => Samples::weighted(records, weights),
        None => Samples::new(records),
    }
}
