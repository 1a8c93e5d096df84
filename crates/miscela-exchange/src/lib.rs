//! Models carried to other tools and back.
//!
//! | format | ending | k-means | bisecting | mixtures | Bayesian | read |
//! |---|---|---|---|---|---|---|
//! | [ONNX](onnx) | `.onnx` | `l2`, `l1`, `cosine`, `mahalanobis` | the same | all structures, noise, Student-t | yes | no |
//! | [scikit-learn](sklearn) | `.npz` | `l2` | no | all structures | no | yes |
//! | [PMML](pmml) | `.pmml` | `l2`, `l1` | no | no | no | no |
//!
//! ```
//! use miscela::prelude::*;
//! use miscela_exchange::Format;
//!
//! let mixture = GaussianMixture::params(3).fit(&linfa_datasets::iris())?;
//! let bytes = Format::Onnx.encode(&AnyModel::GmmF64(mixture))?;
//! assert!(bytes.len() > 500);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod format;
pub mod onnx;
mod plain;
pub mod pmml;
pub mod sklearn;

pub use error::ExchangeError;
pub use format::Format;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
