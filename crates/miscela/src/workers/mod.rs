//! Fits of rows that are elsewhere: in files that are larger than memory, in a database, on other machines.
//!
//! `fit_source` reads a [`Source`](crate::Source) chunk by chunk, as often as it takes; `fit_over` asks any [`Workers`]. Both take the
//! steps of `fit`, and say in the [report](crate::Report::passes) how often they went over the rows. Their differences:
//!
//! * Nothing is remembered of single rows. K-means searches all centroids for each row ([`Algorithm::Lloyd`](crate::Algorithm)), unless the
//!   workers find that [all rows](crate::Workers::all_rows) can be held here: then it goes on from the same start in memory.
//! * Starts are found in a sample of the rows (65,536, or 16 a cluster, or fewer where rows are wide), or by k-means‖ in seven
//!   passes over all of them.
//! * Clusters of a single column are iterated like any others.
//! * A fit can be left and gone on with: [`Checkpoints`].
//!
//! What needs all rows at once is refused.

mod checkpoints;
mod kmeans;
mod mixture;
mod seeding;

pub use checkpoints::{CheckpointError, Checkpoints};

use crate::Float;
use miscela_em::{Observer, Workers};
use miscela_kernel::Threads;

pub(crate) use seeding::sample_of;

/// What a fit over workers is given, beside its parameters.
pub struct Elsewhere<'a, F: Float> {
    /// Who passes over the rows.
    pub workers: &'a mut dyn Workers<F>,
    /// Where to write down how far the fit has come, and to go on from there.
    pub checkpoints: Option<&'a mut Checkpoints>,
    /// Told of each iteration; may stop the fit, which then keeps what it has.
    pub observer: &'a mut dyn Observer,
    /// Who does what is to be done here.
    pub threads: Threads,
}
