//! The miscela book: which method, why, and how, in the words of the field.
//!
//! | chapter | what it answers |
//! |---|---|
//! | [`choosing`] | Which method for which question, and when not |
//! | [`kmeans_as_a_mixture`] | In what sense, and under which conditions, is k-means a Gaussian mixture? |
//! | [`covariances`] | The fourteen structures: what they look like and what they cost |
//! | [`criteria`] | How are BIC, AIC and ICL read, and when do they tell nothing? |
//! | [`starts`] | Local optima: starts, restarts, searches |
//! | [`large_data`] | Files larger than memory, batches, checkpoints, statistics of several parties, clusters of machines |
//! | [`weights_and_missing`] | Rows that count several times, rows with gaps |
//! | [`migrating`] | From linfa-clustering, scikit-learn and mclust: names, defaults, conventions |
//! | [`reproducibility`] | What gives the same bits, and what does not |
//!
//! Rust code is run as tests of this page. Commands are run by the tests of the command, in the root of the repository as it
//! were, and what is shown below them is what they print, some lines left out. `cargo doc -p miscela-book --no-deps --open`
//! shows the book.
//!
//! In formulas i counts n rows x of d columns, k components or clusters; ω is the weight of a row, w that of a component.

#[doc = include_str!("choosing.md")]
pub mod choosing {}

#[doc = include_str!("kmeans_as_a_mixture.md")]
pub mod kmeans_as_a_mixture {}

#[doc = include_str!("covariances.md")]
#[doc = include_str!("../../docs/covariance_structures.svg")]
pub mod covariances {}

#[doc = include_str!("criteria.md")]
pub mod criteria {}

#[doc = include_str!("starts.md")]
pub mod starts {}

#[doc = include_str!("large_data.md")]
pub mod large_data {}

#[doc = include_str!("weights_and_missing.md")]
pub mod weights_and_missing {}

#[doc = include_str!("migrating.md")]
pub mod migrating {}

#[doc = include_str!("reproducibility.md")]
pub mod reproducibility {}
