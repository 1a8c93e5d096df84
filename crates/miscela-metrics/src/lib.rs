//! How good is a clustering?
//!
//! [`Clustering`] measures rows and their labels: silhouette, Calinski-Harabasz, Davies-Bouldin, Dunn, inertia. [`Agreement`]
//! measures labels against a truth, or against other labels: adjusted Rand index, mutual information in its forms,
//! homogeneity, completeness, Fowlkes-Mallows, variation of information. [`centroid_index`] compares centres.
//!
//! Values, and what is said of degenerate labellings, are scikit-learn's, to 1e-10; what it has not is defined where it
//! stands. Each measure says what it is *not* for. All of them are the same bits for any number of threads, and take weights:
//! one of 2 counts as two copies of its row, zero as its absence.
//!
//! ```
//! use miscela_metrics::{Agreement, Clustering, L2};
//! use ndarray::array;
//!
//! let rows = array![[0.0, 0.0], [0.0, 1.0], [9.0, 9.0], [9.0, 8.0]];
//! let labels = [0, 0, 1, 1];
//! println!("silhouette {}", Clustering::new(&rows, &labels)?.silhouette(&L2)?.mean());
//! println!("ARI {}", Agreement::new(["a", "a", "a", "b"], &labels)?.ari());
//! # Ok::<(), miscela_metrics::MetricsError>(())
//! ```

mod agreement;
mod centroid_index;
mod clustering;
mod dispersion;
mod dunn;
mod error;
mod pairs;
mod partition;
mod silhouette;

pub use agreement::{Agreement, PairConfusion};
pub use centroid_index::centroid_index;
pub use clustering::Clustering;
pub use error::MetricsError;
pub use silhouette::{Estimate, Silhouette};

pub use miscela_distance::{AnyDistance, Cosine, Distance, L1, L2, LInf, SquaredL2};
pub use miscela_kernel::{Samples, Threads};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
