//! Columns in units of their own spread, and models that know them so.
//!
//! ```text
//! rows ──(x − shift) / scale──► scaled rows ──fit──► a model of these; with the scaling a Scaled model of the rows
//! ```
//!
//! K-means, and mixtures of spheres or of components that share shapes or axes, are other models in other units: a scaling cannot
//! be folded into their parameters. So it stays beside them, in memory ([`Scaled`]) and in files (the member `scaling`).

mod columns;
mod covariances;
mod document;
mod fit;
mod mixture;
mod scaled;
mod source;

pub use columns::{ColumnScaling, ScalingError};
pub use document::Kept;
pub use fit::Standardized;
pub use scaled::Scaled;
pub use source::ScaledSource;

pub(crate) use document::{refuse_scaling, taken, unscaled};
