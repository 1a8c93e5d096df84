//! Fits of rows that are elsewhere: in files, in a database, on other machines.
//!
//! ```text
//! task ──► workers, each with some of the rows ──► partials (they add up) ──merge──► what the fit goes on with
//! ```
//!
//! All that a fit ever asks of rows is a sum over them. A [`Task`] says which one, and can be sent anywhere; prepared, it is
//! [`Work`] and turns rows into a [`Partial`]; partials of all rows, merged, are the answer. Whoever can do that is
//! [`Workers`]: [`Streamed`] reads a [`Source`](miscela_kernel::Source) chunk by chunk, others may ask a cluster. The loop, the
//! M-steps and the rules of stopping are those of fits in memory.
//!
//! What needs all rows at once cannot be had this way, and says so ([`WorkError::NeedsRows`]).

mod checkpoint;
mod elsewhere;
mod kmeans;
mod mixture;
mod partial;
mod picks;
mod step;
mod streamed;
mod task;

pub use checkpoint::{Checkpoint, Keeper};
pub use kmeans::KMeansOver;
pub use mixture::{MixtureOver, check_settings, start_over};
pub use partial::{Observed, Partial, RowCount};
pub use picks::{Picked, Picks};
pub use step::{maximised, maximised_centroids};
pub use streamed::Streamed;
pub use task::{MixtureTask, Pick, Task, Work};

use crate::parameters::ParameterError;
use crate::start::StartError;
use crate::statistics::MergeError;
use miscela_kernel::{Float, SourceError};
use ndarray::Array2;
use std::error::Error;

/// Rows, n × d, and their weights if they have any.
pub type AllRows<F> = (Array2<F>, Option<Vec<f64>>);

/// Who passes over the rows.
///
/// ```
/// use miscela_em::{Partial, Streamed, Task, Workers};
/// use miscela_kernel::{Chunked, Threads};
/// use ndarray::array;
///
/// let rows = array![[1.0], [2.0], [6.0]];
/// let source = Chunked::new(&rows, None, 2);
/// let mut workers = Streamed::new(&source, Threads::One);
/// let Partial::Summary(summary, _) = workers.run(&Task::Summary)? else { unreachable!("that is what was asked for") };
/// assert_eq!((summary.mean, workers.passes()), (vec![3.0], 1));
/// # Ok::<(), miscela_em::WorkError>(())
/// ```
pub trait Workers<F: Float> {
    /// The sum of the task's [partials](Work::run) over all rows.
    ///
    /// # Errors
    /// If the rows cannot be had, or the task's parameters cannot be used.
    fn run(&mut self, task: &Task<F>) -> Result<Partial<F>, WorkError>;

    /// How many passes over the rows there were so far.
    fn passes(&self) -> usize;

    /// All rows, in any order, if they can be held here; `n_rows` were counted in a pass. Default: `None`, they cannot.
    ///
    /// In memory a fit may remember something of each row, which saves k-means most of its work.
    ///
    /// # Errors
    /// If the rows cannot be had.
    fn all_rows(&mut self, n_rows: u64) -> Result<Option<AllRows<F>>, WorkError> {
        let _ = n_rows;
        Ok(None)
    }
}

/// Why workers cannot do what they are asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    /// The rows cannot be had, or something is wrong with them.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There are fewer rows than components.
    #[error("{n_samples} rows cannot make {n_clusters} clusters; ask for fewer clusters")]
    TooFewSamples {
        /// Rows of positive weight.
        n_samples: u64,
        /// Components.
        n_clusters: usize,
    },
    /// Parameters cannot be used.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// There is no start in the rows.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Partials do not belong together.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// Something needs all rows at once.
    #[error(
        "{0} needs all rows in memory at once, and cannot be had of a stream or a cluster; fit a sample, or leave it out"
    )]
    NeedsRows(&'static str),
    /// The workers answered another question.
    #[error("the workers gave {got} where {expected} was asked for")]
    Unexpected {
        /// What was asked for.
        expected: &'static str,
        /// What came.
        got: &'static str,
    },
    /// What a checkpoint does not hold has a part in the fit.
    #[error("{0} remembers what a checkpoint does not hold; leave the one or the other out")]
    NoCheckpoints(&'static str),
    /// A checkpoint is not one of this fit.
    #[error(
        "the checkpoint is of another fit ({0}); remove it, or go on with the data and the parameters that it was made with"
    )]
    OtherFit(String),
    /// Whatever else the workers met with.
    #[error(transparent)]
    Other(Box<dyn Error + Send + Sync>),
}
