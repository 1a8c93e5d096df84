//! How many clusters? K-means for each of several numbers, one table of what speaks for each, and one answer.
//!
//! The inertia falls with every further cluster and so chooses nothing. Criteria ask instead whether rows are nearer to their own
//! cluster than to the next (silhouette), how the variance between clusters compares with that within (Calinski-Harabasz), how
//! much the most similar clusters overlap (Davies-Bouldin), whether the inertia is lower than it would be without any clusters
//! (gap), or where its curve bends (elbow).

mod criterion;
mod gap;
mod over;
mod params;
mod run;
mod table;

pub use criterion::{KMeansCriterion, UnknownKMeansCriterion};
pub use gap::GapReference;
pub use params::KMeansSelectionParams;
pub use table::{KMeansSelection, KMeansSelectionRow};
