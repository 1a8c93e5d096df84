//! Rows and weights as linfa hands them over.

use crate::Float;
use linfa::dataset::{DatasetBase, Records};
use miscela_em::{Missing, Summary, filled};
use miscela_kernel::{Samples, SamplesError, Threads};
use ndarray::{ArrayBase, Data, Dimension, Ix2};
use std::borrow::Cow;

/// The rows of a dataset with its weights.
pub(crate) fn samples_of<F: Float, S: Data<Elem = F>, T>(
    dataset: &DatasetBase<ArrayBase<S, Ix2>, T>,
    missing: Missing,
) -> Result<Samples<'_, F>, SamplesError> {
    let weights = weights_of(dataset).map(Cow::Owned);
    Samples::checked(&dataset.records, weights, missing == Missing::Marginal, Threads::One)
}

/// The weights of a dataset, widened, if it has any.
pub(crate) fn weights_of<R: Records, T>(dataset: &DatasetBase<R, T>) -> Option<Vec<f64>> {
    // Not `dataset.weights()`, which panics on strided arrays. A dataset without weights has an empty list.
    let weights: Vec<f64> = dataset.weights.iter().map(|w| f64::from(*w)).collect();
    (!weights.is_empty()).then_some(weights)
}

/// Rows with optional weights.
pub(crate) fn samples<'a, F: Float, S: Data<Elem = F>>(
    records: &'a ArrayBase<S, Ix2>,
    weights: Option<&'a [f64]>,
    missing: Missing,
) -> Result<Samples<'a, F>, SamplesError> {
    samples_by(records, weights, missing, Threads::One)
}

/// The same, checked by several threads.
pub(crate) fn samples_by<'a, F: Float, S: Data<Elem = F>>(
    records: &'a ArrayBase<S, Ix2>,
    weights: Option<&'a [f64]>,
    missing: Missing,
    threads: Threads,
) -> Result<Samples<'a, F>, SamplesError> {
    Samples::checked(records, weights.map(Cow::Borrowed), missing == Missing::Marginal, threads)
}

/// Whether a model that takes missing values has any before it.
pub(crate) fn has_gaps<F: Float, S: Data<Elem = F>, D: Dimension>(records: &ArrayBase<S, D>, missing: Missing) -> bool {
    missing == Missing::Marginal && records.iter().any(|x| x.is_nan())
}

/// Works on samples that have all their values. Where some are missing, it sees them filled with their columns' means.
pub(crate) fn on_whole_rows<F: Float, T, E: From<SamplesError>>(
    samples: &Samples<F>,
    summary: &Summary,
    work: impl FnOnce(&Samples<F>) -> Result<T, E>,
) -> Result<T, E> {
    if samples.n_missing() == 0 {
        return work(samples);
    }
    let rows = filled(samples.rows(), &summary.mean);
    work(&self::samples(&rows, samples.weights(), Missing::Error)?)
}
