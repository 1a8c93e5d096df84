//! Gaussian mixtures: parameters, starts, fit, model, document.

mod alignment;
mod bootstrap;
mod conditional;
mod document;
mod doubt;
mod error;
mod fit;
mod given;
mod hierarchy;
mod incremental;
mod lrt;
mod marginal;
mod merging;
mod missing;
mod model;
mod params;
mod promote;
mod selection;
mod start;

pub(crate) use fit::{Attempt, Finished};
pub(crate) use model::Fitted;

pub use bootstrap::{Bootstrap, Replicates, StandardErrors};
pub use conditional::{Conditional, Regression};
pub use document::{CovarianceLists, GaussianMixtureDocument};
pub use error::{GmmError, GmmParamsError, IncrGmmError};
pub use lrt::{LikelihoodRatioTest, LikelihoodRatioTests};
pub use merging::Merging;
pub use model::{GaussianMixture, MixtureScore};
pub use params::{GmmParams, GmmValidParams};
pub use selection::{Criterion, Selection, SelectionParams, SelectionRow, SelectionStart, UnknownCriterion};
pub use start::GmmInitMethod;
