//! The rows with the smallest keys: a sum that keeps only so many terms.

use crate::missing::alike;
use crate::workers::WorkError;
use miscela_kernel::{Float, Samples};
use ndarray::Array2;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A row that was picked.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Picked<F> {
    /// By what it was picked.
    pub key: f64,
    /// d
    pub row: Vec<F>,
    /// Its weight; where distinct rows are asked for, that of all its copies.
    pub weight: f64,
    /// Its label, where it was labelled.
    pub label: u32,
    /// Its number in the table.
    pub number: u64,
}

/// At most so many rows, those with the smallest keys; of equal keys those that come first in the table.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Picks<F> {
    count: usize,
    /// Whether copies of a row, which have one key, are one.
    distinct: bool,
    /// In no order before they are tidied up, and some more than there should be.
    rows: Vec<Picked<F>>,
    /// The greatest key when there were enough rows.
    limit: Option<f64>,
}

impl<F: Float> Picks<F> {
    pub(super) fn new(count: usize) -> Self {
        Self { count, distinct: false, rows: Vec::new(), limit: None }
    }

    pub(super) fn distinct(count: usize) -> Self {
        Self { distinct: true, ..Self::new(count) }
    }

    /// Keys above this are of no use any more.
    pub(super) fn limit(&self) -> f64 {
        self.limit.unwrap_or(f64::INFINITY)
    }

    /// Takes row `i` of these in, if it has weight and its key is small enough. Keys that are no numbers are not.
    pub(super) fn offer(&mut self, samples: &Samples<F>, i: usize, first: u64, key: f64, label: u32) {
        if samples.weight(i) > 0.0 && key <= self.limit() && self.count > 0 {
            self.rows.push(Picked::of(samples, i, first, key, label));
            if self.rows.len() >= self.count.saturating_mul(2).saturating_add(64) {
                self.tidy();
            }
        }
    }

    /// Adds the picks of other rows.
    pub(super) fn merge(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.tidy();
    }

    /// The same with no more rows than there should be, in order.
    pub(super) fn tidied(mut self) -> Self {
        self.tidy();
        self
    }

    /// Keeps no more than there should be, in order.
    fn tidy(&mut self) {
        self.rows.sort_by(|a, b| a.key.total_cmp(&b.key).then(a.number.cmp(&b.number)));
        if self.distinct {
            let mut kept: Vec<Picked<F>> = Vec::new();
            for next in self.rows.drain(..) {
                let same_key = kept.iter_mut().rev().take_while(|kept| kept.key.total_cmp(&next.key).is_eq());
                match same_key.into_iter().find(|kept| alike(&kept.row, &next.row)) {
                    Some(copy) => copy.weight += next.weight,
                    None => kept.push(next),
                }
            }
            self.rows = kept;
        }
        self.rows.truncate(self.count);
        if self.rows.len() == self.count {
            self.limit = self.rows.last().map(|last| last.key);
        }
    }

    /// The rows, those with the smallest keys first.
    pub fn into_rows(self) -> Vec<Picked<F>> {
        self.tidied().rows
    }

    /// A sample in the order of the table, m × d, and what each of its rows stands for: their weights sum to about that of
    /// all rows, and are the rows' own where the sample is all of them. For [`Pick::Sample`](super::Pick::Sample).
    ///
    /// # Errors
    /// If there are no rows.
    pub fn standing_for(self) -> Result<(Array2<F>, Vec<f64>), WorkError> {
        let count = self.count;
        let mut rows = self.into_rows();
        // The smallest weight for which the one row too many would have had no chance to be left out.
        let least = if rows.len() == count { rows.pop().map_or(0.0, |last| 1.0 / last.key) } else { 0.0 };
        rows.sort_by_key(|picked| picked.number);
        let width = rows.first().map_or(0, |picked| picked.row.len());
        let weights = rows.iter().map(|picked| picked.weight.max(least)).collect();
        let values: Vec<F> = rows.iter().flat_map(|picked| picked.row.iter().copied()).collect();
        match Array2::from_shape_vec((rows.len(), width), values) {
            Ok(sample) if !sample.is_empty() => Ok((sample, weights)),
            _ => Err(miscela_kernel::SourceError::NoRows.into()),
        }
    }
}
