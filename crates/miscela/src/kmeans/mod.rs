//! K-means: parameters, fit, incremental fit, model, document.

mod alignment;
mod document;
mod empty;
mod error;
mod fit;
mod incremental;
mod inference;
mod model;
mod params;
mod sizes;
mod trim;

pub use document::KMeansDocument;
pub(crate) use document::{dtype, malformed};
pub use error::{IncrKMeansError, KMeansError, KMeansParamsError};
pub use miscela_em::{Algorithm, Empty, Sizes, SizesError, Sizing, UnknownAlgorithm, UnknownEmpty, UnknownSizing};
pub use model::KMeans;
pub use params::{KMeansParams, KMeansValidParams};
pub use trim::Trimming;
