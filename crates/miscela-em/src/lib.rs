//! One EM engine for k-means and Gaussian mixtures.
//!
//! ```text
//! block of rows ──E-step──► statistics (add up) ──merge──► M-step ──► next parameters
//! ```
//!
//! [`Session`] is the loop; [`KMeansFamily`] and [`GaussianFamily`] are what it runs; [`Course`] is a mixture's whole fit. K-means is the mixture whose components
//! share one sphere and equal fixed weights and whose rows belong wholly to one component: asked for by the mixture's own
//! door, it takes the same steps.
//!
//! The engine needs no threads, files or clock of its own, and does not know linfa.

mod annealing;
mod assignment;
mod bayesian;
mod centroids;
mod closeness;
mod collapse;
mod conditional;
mod course;
mod covariance;
mod density;
mod doubt;
mod engine;
mod gaussian;
mod history;
mod hungarian;
mod inference;
mod joint;
mod line;
mod marginal;
mod maximise;
mod median;
mod merging;
mod missing;
mod nearest;
mod neighbours;
mod noise;
mod parameters;
mod passes;
mod places;
mod plan;
mod prior;
mod relocate;
mod report;
mod search;
mod sizes;
mod spread;
mod squarem;
mod start;
mod statistics;
mod stochastic;
mod stream;
mod summary;
mod tails;
mod tiles;
mod trim;
mod workers;

pub use annealing::{AnnealTo, Annealing};
pub use assignment::{Assignment, Held, Mixing};
pub use bayesian::{
    BayesianFamily, BayesianSettings, Posterior, PriorError, PriorSettings, Priors, WeightConcentration, WeightPrior,
};
pub use centroids::KMeansFamily;
pub use collapse::{Collapse, UnknownCollapse};
pub use conditional::{Conditional, ConditionalError};
pub use course::{Course, Outcome};
pub use covariance::{Covariance, FLOOR_F32, FLOOR_F64, UnknownCovariance};
pub use density::Density;
pub use doubt::{component_log_densities, entropies, uncertainties};
pub use engine::{Assigned, Family, MStep, Session, run, summarize};
pub use gaussian::{GaussianFamily, MixtureSettings};
pub use history::Change;
pub use hungarian::cheapest_matching;
pub use inference::{
    CentroidFit, MixtureFit, densest_labels, distances, evaluate_centroids, evaluate_mixture, log_densities,
    nearest_centres, nearest_labels, nearest_reduced, responsibilities, shares,
};
pub use joint::{Joint, JointFit};
pub use line::optimal_centres;
pub use marginal::ColumnsError;
pub use merging::Hierarchy;
pub use missing::{
    ColumnMoments, IncompleteDensity, Missing, UnknownMissing, filled, partial_distances, partial_fit, partial_impute,
    partial_nearest, partial_nearest_of,
};
pub use neighbours::{ClusterSummary, cluster_summaries, nearest_m};
pub use noise::{Noise, START_WEIGHT, Uniform, far_rows};
pub use parameters::{Covariances, Mixture, ParameterError};
pub use plan::{Algorithm, UnknownAlgorithm};
pub use relocate::{Empty, UnknownEmpty};
pub use report::{Observer, Progress, Repair, RepairAction, Run, Termination};
pub use search::{KMeansSearch, MixtureSearch, Search, SearchReport, UnknownSearch};
pub use sizes::{Sizes, SizesError, Sizing, UnknownSizing};
pub use spread::Spread;
pub use squarem::Acceleration;
pub use start::{Shares, StartError, from_shares};
pub use statistics::{MergeError, Statistics, Sums};
pub use stream::{
    BatchStep, KMeansBatches, Learning, MiniBatch, StepSize, Stepped, Stepwise, StepwiseBatches, Stream, Tally,
    drawn_rows,
};
pub use summary::Summary;
pub use tails::{Degrees, LEAST_DEGREES, MOST_DEGREES, START_DEGREES, Tails};
pub use workers::{
    AllRows, Checkpoint, KMeansOver, Keeper, MixtureOver, MixtureTask, Observed, Partial, Pick, Picked, Picks,
    RowCount, Streamed, Task, Work, WorkError, Workers, check_settings, maximised, maximised_centroids, start_over,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
