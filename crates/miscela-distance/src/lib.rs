//! How far apart are rows?
//!
//! A [`Distance`] measures two rows of equal length. [`Metric`] marks those that obey the triangle inequality, and
//! [`Centred`] those for which the best centre of a cluster is known, so that k-means may use them. Each distance is one
//! file.
//!
//! | distance | of rows a and b | [`Metric`] | [`Centred`] by | name |
//! |---|---|---|---|---|
//! | [`L2`] | √Σ(a − b)² | yes | mean | `l2` |
//! | [`SquaredL2`] | Σ(a − b)² | | mean | `sqeuclidean` |
//! | [`L1`] | Σ\|a − b\| | yes | median | `l1` |
//! | [`LInf`] | max \|a − b\| | yes | | `linf` |
//! | [`Lp`] | (Σ\|a − b\|ᵖ)^(1/p), p ≥ 1 | yes | | `lp` |
//! | [`Cosine`] | 1 − cos of the angle | | normalised mean | `cosine` |
//! | [`Mahalanobis`] | √((a − b)ᵀ Σ⁻¹ (a − b)) | yes | mean | `mahalanobis` |
//! | [`Kl`] | Σ a ln(a/b) − a + b | | mean | `kl` |
//! | [`ItakuraSaito`] | Σ a/b − ln(a/b) − 1 | | mean | `itakura-saito` |
//!
//! [`AnyDistance`] is one of them, chosen at run time by its name, and [`AnyCentred`] one that k-means may use.
//!
//! ```
//! use miscela_distance::{Distance, L1, L2};
//! use miscela_kernel::{Block, Centroids, NearestScratch};
//!
//! assert_eq!(L2.distance(&[0.0, 0.0], &[3.0, 4.0]), 5.0);
//!
//! // The nearest of two centroids, for three rows of two columns.
//! let rows = Block::new(&[0.0f32, 0.0, 1.0, 1.0, 9.0, 9.0], 2);
//! let centroids = Centroids::new(&[0.0, 1.0, 8.0, 8.0], &[0.0, 0.0]);
//! let (mut labels, mut distances) = ([0; 3], [0.0; 3]);
//! L1.nearest(&rows, &centroids, &mut labels, &mut distances, &mut NearestScratch::default());
//! assert_eq!(labels, [0, 0, 1]);
//! assert_eq!(distances, [1.0, 1.0, 2.0]);
//! ```
//!
//! # Features
//!
//! * `linfa`: any distance here as one of `linfa_nn`, and the other way round.
//! * `serde`: `Serialize` and `Deserialize` for all distances; what is read is checked as in their constructors.

mod any;
mod any_centred;
mod centre;
mod columnwise;
#[cfg(test)]
mod conformance;
mod cosine;
mod distance;
mod domain;
mod itakura_saito;
mod kl;
mod l1;
mod l2;
mod linf;
#[cfg(feature = "linfa")]
mod linfa;
mod lp;
mod mahalanobis;

pub use any::AnyDistance;
pub use any_centred::{AnyCentred, NoCentre};
pub use centre::{CentreRule, Centred};
pub use cosine::Cosine;
pub use distance::{Distance, Metric, Sums};
pub use domain::DomainError;
pub use itakura_saito::ItakuraSaito;
pub use kl::Kl;
pub use l1::L1;
pub use l2::{L2, SquaredL2};
pub use linf::LInf;
#[cfg(feature = "linfa")]
pub use linfa::{FromLinfa, ToLinfa};
pub use lp::{Lp, LpError};
pub use mahalanobis::{Mahalanobis, MahalanobisError};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
