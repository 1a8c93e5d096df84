#![doc = include_str!("../README.md")]
//!
//! # How
//!
//! A [task](miscela::Task) says what is to be summed up of the rows. It lies within an aggregate function, whose state is the
//! sums so far; DataFusion cuts a table into parts, gathers each, and merges. [`Passes`] are [`Workers`](miscela::Workers) that run
//! such a query for each task, and the fit is `miscela`'s own.
//!
//! Sums of parts are merged in the order in which they come, so the last bits of two fits can differ. Everything else is a
//! function of the rows, draws too, as long as the engine reads them in the same batches.

mod cluster;
mod codec;
mod collect;
mod error;
mod fit;
mod gather;
mod kept;
mod locate;
mod models;
mod pass;
mod rows;
mod score;
mod table;
mod worker;

pub use cluster::Cluster;
pub use codec::FunctionCodec;
pub use error::TableError;
pub use fit::{fit_gaussian_mixture, fit_gaussian_mixture_observed, fit_kmeans, fit_kmeans_observed};
pub use gather::statistics;
pub use models::{Model, Models};
pub use pass::Scalar;
pub use table::{Passes, Table};
pub use worker::{serve, worker};

use datafusion::prelude::SessionContext;

/// Makes the functions of this crate known to a session, and returns the models that they know by name: none yet.
pub fn register(context: &SessionContext) -> Models {
    let models = Models::default();
    score::scalars(&models).for_each(|function| context.register_udf(function));
    score::aggregates(&models).for_each(|function| context.register_udaf(function));
    models
}
