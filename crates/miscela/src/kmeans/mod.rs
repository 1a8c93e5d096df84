//! K-means: parameters, fit, selection, incremental fit, model, document.

mod alignment;
mod document;
mod empty;
mod error;
mod fit;
mod given;
mod incremental;
mod inference;
mod mini_batch;
mod model;
mod params;
mod selection;
mod sizes;
mod trim;

pub use document::KMeansDocument;
pub(crate) use document::{check_centres, dtype, malformed, not_negative};
pub(crate) use empty::settle;
pub use error::{IncrKMeansError, KMeansError, KMeansParamsError};
pub(crate) use fit::{check_count, check_domain};
pub use miscela_em::{Algorithm, Empty, Sizes, SizesError, Sizing, UnknownAlgorithm, UnknownEmpty, UnknownSizing};
pub use model::KMeans;
pub(crate) use model::{Fitted, index};
pub use params::{KMeansParams, KMeansValidParams};
pub use selection::{
    GapReference, KMeansCriterion, KMeansSelection, KMeansSelectionParams, KMeansSelectionRow, UnknownKMeansCriterion,
};
pub use trim::Trimming;
