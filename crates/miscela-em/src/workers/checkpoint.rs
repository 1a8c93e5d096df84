//! Where a fit stands between two iterations: enough to go on from as if nothing had happened.
//!
//! Fits of rows that are elsewhere remember nothing of single rows, so the parameters, and what the rules of stopping know,
//! are all there is. A fit that goes on from a checkpoint ends with the same bits.

use crate::engine::State;
use crate::parameters::Mixture;
use crate::report::Run;
use ndarray::Array2;
use std::error::Error;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Where a fit stands.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Checkpoint<F> {
    pub(super) parameters: Parameters<F>,
    pub(super) state: State,
    pub(super) run: Run,
    /// The fingerprint of the labels in the latest pass.
    pub(super) labels: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
pub(super) enum Parameters<F> {
    Centroids(Array2<F>),
    Mixture(Box<Mixture<F>>),
}

impl<F> Checkpoint<F> {
    /// The iterations that were done.
    pub fn iterations(&self) -> usize {
        self.run.iterations
    }

    /// The objectives so far.
    pub fn trace(&self) -> &[f64] {
        &self.run.trace
    }
}

/// Keeps checkpoints.
pub trait Keeper<F> {
    /// Whether it is time for one. Asked after each iteration but the last; one is kept in any case where an observer asked to
    /// stop when the iteration was done.
    fn is_due(&mut self) -> bool;

    /// Keeps it in the place of the one before.
    ///
    /// # Errors
    /// Whatever goes wrong; it ends the fit.
    fn keep(&mut self, checkpoint: Checkpoint<F>) -> Result<(), Box<dyn Error + Send + Sync>>;
}

/// Keeps none.
impl<F> Keeper<F> for () {
    fn is_due(&mut self) -> bool {
        false
    }

    fn keep(&mut self, _: Checkpoint<F>) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}
