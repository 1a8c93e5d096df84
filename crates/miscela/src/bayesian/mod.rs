//! Bayesian mixtures: parameters, fit, model, document.

mod document;
mod fit;
mod model;
mod params;

pub use document::{BayesianMixtureDocument, PriorsDocument};
pub use model::BayesianMixture;
pub use params::{BayesianParams, BayesianValidParams};
