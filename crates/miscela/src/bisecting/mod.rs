//! Bisecting k-means: parameters, fit, tree, descent, model, document.

mod descent;
mod document;
mod fit;
mod model;
mod params;
mod strategy;
mod tree;

pub use document::{BisectingKMeansDocument, BisectingSplit};
pub use model::BisectingKMeans;
pub use params::{BisectingParams, BisectingValidParams};
pub use strategy::{SplitStrategy, UnknownSplitStrategy};
pub use tree::BisectingNode;
