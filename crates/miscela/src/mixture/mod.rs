//! Gaussian mixtures: parameters, starts, fit, model, document.

mod document;
mod error;
mod fit;
mod hierarchy;
mod model;
mod params;
mod start;

pub use document::{CovarianceLists, GaussianMixtureDocument};
pub use error::{GmmError, GmmParamsError};
pub use model::{GaussianMixture, MixtureScore};
pub use params::{GmmParams, GmmValidParams};
pub use start::GmmInitMethod;
