//! A trimmed k-means model: which rows counted, and which others would.

use super::document::{malformed, not_negative};
use super::{KMeans, KMeansError};
use crate::Float;
use miscela_distance::Distance;
use miscela_kernel::UNKNOWN;
use miscela_persist::PersistError;
use ndarray::{Array1, ArrayBase, Data, Ix2};
use serde::{Deserialize, Serialize};

/// What a trimmed fit left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trimming {
    /// The fraction of the rows, or of their weight, that was to be left out.
    pub fraction: f64,
    /// How many rows were left out whole.
    pub n_rows: usize,
    /// The greatest distance of a row that counted to its centre (squared for L2).
    pub cutoff: f64,
}

impl Trimming {
    pub(super) fn checked(self) -> Result<Self, PersistError> {
        if self.fraction > 0.0 && self.fraction < 1.0 {
            not_negative("cutoff", self.cutoff).map(|_| self)
        } else {
            Err(malformed("fraction", format!("{} is not between 0 and 1", self.fraction)))
        }
    }
}

impl<F: Float, D: Distance<F>> KMeans<F, D> {
    /// What was left out, if the fit was [trimmed](super::KMeansParams::trim).
    pub fn trimming(&self) -> Option<Trimming> {
        self.trimming
    }

    /// Where the rows of the fit went, n, if that was decided for all of them together: the cluster of each, and none for
    /// those that did not count (trimmed, or of no weight). `None` after any other fit, whose labels are those of
    /// [`predict`](linfa::traits::Predict), and after loading: they belong to the rows and are not kept in files.
    pub fn fit_labels(&self) -> Option<Vec<Option<usize>>> {
        let labels = self.joint_labels.as_ref()?;
        Some(labels.iter().map(|label| (*label != UNKNOWN).then_some(*label as usize)).collect())
    }

    /// The cluster of each row, n, and none for rows farther away from it than any that counted in a
    /// [trimmed](super::KMeansParams::trim) fit; all have one if the fit was not. Of rows of the fit at just that distance, some
    /// may have been left out.
    ///
    /// # Errors
    /// If rows are not finite, or of another width than the model.
    pub fn predict_trimmed<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
    ) -> Result<Array1<Option<usize>>, KMeansError> {
        let (labels, reduced) = self.nearest(records)?;
        let cutoff = self.trimming.map_or(f64::INFINITY, |trimming| trimming.cutoff);
        let near = |(label, reduced): (&usize, &f64)| (*reduced <= cutoff).then_some(*label);
        Ok(labels.iter().zip(&reduced).map(near).collect())
    }
}
