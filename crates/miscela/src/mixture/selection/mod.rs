//! Selection: many mixtures of the same rows, and the best of them by a criterion.
//!
//! Each number of components k is fitted with each covariance structure, all from the same starts: one hierarchy of
//! partitions, cut at each k, serves all structures, so that they differ by what they are and not by where they began (Fraley
//! & Raftery 2002). The criteria weigh the likelihood against the number of parameters (BIC, AIC), against overlap (ICL), or
//! ask rows that the fit did not see.

mod criterion;
mod folds;
mod over;
mod params;
mod run;
mod starts;
mod table;

pub use criterion::{Criterion, UnknownCriterion};
pub use params::{SelectionParams, SelectionStart};
pub use table::{Selection, SelectionRow};
