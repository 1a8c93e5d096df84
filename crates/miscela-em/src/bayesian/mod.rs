//! Bayesian mixtures: a distribution over the parameters instead of one best value, by variational inference.
//!
//! The same engine, statistics and E-step as for other mixtures; only the M-step differs. `priors.rs` holds what is believed
//! before the rows are seen, `posterior.rs` what is believed after, `bound.rs` how good that is, and `family.rs` turns it
//! all into a [`Family`](crate::Family).

mod bound;
mod family;
mod posterior;
mod priors;

pub use family::{BayesianFamily, BayesianSettings};
pub use posterior::{Posterior, WeightConcentration};
pub use priors::{PriorError, PriorSettings, Priors, WeightPrior};
