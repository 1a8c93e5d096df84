//! K-means and Gaussian mixtures from one EM engine, for the linfa ecosystem.
//!
//! K-means is a special Gaussian mixture: fix the covariances to one shared sphere, the weights to equal, and make the
//! assignment hard, and EM is k-means. So one engine serves both, and what one has the other has: weights, `f32` and
//! `f64`, threads that change no bit of the result, restarts, reports, model files.
//!
//! ```
//! use miscela::prelude::*;
//!
//! let iris = linfa_datasets::iris();
//! let kmeans = KMeans::params(3).fit(&iris)?;
//! let mixture = GaussianMixture::params(3).covariance(Covariance::Tied).fit(&iris)?;
//! println!("inertia {}, log-likelihood {}", kmeans.inertia_sum(), mixture.log_likelihood());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to | use |
//! |---|---|
//! | partition rows around centres | [`KMeans`] |
//! | split in two, again and again: a tree of clusters, cut at any number | [`BisectingKMeans`] |
//! | fit densities, get probabilities, compare models by BIC | [`GaussianMixture`] |
//! | leave the number of components open, or say beforehand what is likely | [`BayesianMixture`] |
//! | learn from batches as they come | `partial_fit`, or linfa's `fit_with`, of [`KMeansParams`] and [`GmmParams`] |
//! | fit a large table by batches of its rows | [`KMeansParams::mini_batch`], [`GmmParams::mini_batch`] |
//! | say how good a clustering is | [`metrics`] |
//! | fit columns of different units | [`Standardized`], [`Scaled`] |
//! | read a model file of whatever kind | [`AnyModel`] |
//!
//! Everything here accepts any memory layout and honours the weights of a dataset: an integer weight counts as that many
//! copies of the row, zero as its absence.

mod aligned;
mod any;
mod bayesian;
mod bisecting;
mod drift;
mod float;
mod input;
mod kmeans;
mod known;
mod mixture;
mod names;
mod order;
mod provenance;
mod report;
mod scaling;
mod search;
mod squares;
pub mod statistics;
mod told;
mod workers;

#[cfg(feature = "linfa-clustering")]
mod linfa_clustering;

pub mod prelude;

pub use any::AnyModel;
pub use bayesian::{BayesianMixture, BayesianMixtureDocument, BayesianParams, BayesianValidParams, PriorsDocument};
pub use bisecting::{
    BisectingKMeans, BisectingKMeansDocument, BisectingNode, BisectingParams, BisectingSplit, BisectingValidParams,
    SplitStrategy, UnknownSplitStrategy,
};
pub use drift::{Drift, MatchedClusters, Relabelled};
pub use float::Float;
pub use kmeans::{
    Algorithm, Empty, GapReference, IncrKMeansError, KMeans, KMeansCriterion, KMeansDocument, KMeansError,
    KMeansParams, KMeansParamsError, KMeansSelection, KMeansSelectionParams, KMeansSelectionRow, KMeansValidParams,
    Sizes, SizesError, Sizing, Trimming, UnknownAlgorithm, UnknownEmpty, UnknownKMeansCriterion, UnknownSizing,
};
pub use known::KnownLabelsError;
pub use mixture::{
    Bootstrap, Conditional, CovarianceLists, Criterion, GaussianMixture, GaussianMixtureDocument, GmmError,
    GmmInitMethod, GmmParams, GmmParamsError, GmmValidParams, IncrGmmError, LikelihoodRatioTest, LikelihoodRatioTests,
    Merging, MixtureScore, Regression, Replicates, Selection, SelectionParams, SelectionRow, SelectionStart,
    StandardErrors, UnknownCriterion,
};
pub use order::{CanonicalOrder, UnknownOrder};
pub use provenance::{Provenance, SelectionLine, SelectionTable};
pub use report::{Report, Seconds};
pub use scaling::{ColumnScaling, Kept, Scaled, ScaledSource, ScalingError, Standardized};
pub use search::{SearchBudget, SearchError};
pub use squares::SquaresError;

pub use miscela_distance::{
    AnyCentred, AnyDistance, CentreRule, Centred, Cosine, Distance, ItakuraSaito, Kl, L1, L2, LInf, Lp, Mahalanobis,
    Metric, SquaredL2,
};
#[cfg(feature = "linfa-nn")]
pub use miscela_distance::{FromLinfa, ToLinfa};
pub use miscela_em::{
    Acceleration, AnnealTo, Annealing, Assignment, ClusterSummary, Collapse, ColumnsError, ConditionalError,
    Covariance, Covariances, Degrees, Held, MiniBatch, Missing, Mixing, Mixture, Noise, Observer, Posterior,
    PriorError, Priors, Progress, Repair, RepairAction, StepSize, Stream, Tails, Tally, Termination, Uniform,
    UnknownCollapse, UnknownCovariance, UnknownMissing, WeightConcentration, WeightPrior,
};
pub use miscela_em::{
    AllRows, MixtureTask, Partial, Pick, Picked, Picks, RowCount, Statistics, Streamed, Summary, Task, Work, WorkError,
    Workers,
};
pub use miscela_em::{Search, SearchReport, UnknownSearch};
pub use miscela_init::{
    Agglomerate, Agglomeration, AgglomerationModel, KMeansInit, Merge, SeedingError, Transform, quantile_labels,
};
pub use miscela_kernel::{Chunk, Chunked, Chunks, Origin, Samples, SamplesError, Source, SourceError, Threads};
/// How good is a clustering? Silhouette and its like, and agreement with a truth.
pub use miscela_metrics as metrics;
pub use miscela_persist::{Codec, PersistError};
pub use statistics::{load_statistics, save_statistics};
pub use workers::{CheckpointError, Checkpoints, Elsewhere};

/// linfa-clustering's name for [`GaussianMixture`].
pub type GaussianMixtureModel<F> = GaussianMixture<F>;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
