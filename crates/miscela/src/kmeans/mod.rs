//! K-means: parameters, fit, incremental fit, model, document.

mod document;
mod error;
mod fit;
mod incremental;
mod model;
mod params;

pub use document::KMeansDocument;
pub(crate) use document::{dtype, malformed};
pub use error::{IncrKMeansError, KMeansError, KMeansParamsError};
pub use miscela_em::{Algorithm, UnknownAlgorithm};
pub use model::KMeans;
pub use params::{KMeansParams, KMeansValidParams};
