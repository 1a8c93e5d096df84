//! Everything for `use miscela::prelude::*`: the models, their parameters, and linfa's traits.

pub use crate::{
    Acceleration, Algorithm, AnnealTo, Annealing, AnyModel, Assignment, BayesianMixture, BayesianParams,
    BayesianValidParams, BisectingKMeans, BisectingParams, BisectingValidParams, Collapse, ColumnScaling, Covariance,
    Covariances, Criterion, Degrees, Float, GapReference, GaussianMixture, GaussianMixtureModel, GmmError,
    GmmInitMethod, GmmParams, GmmValidParams, Held, IncrGmmError, IncrKMeansError, KMeans, KMeansCriterion,
    KMeansError, KMeansInit, KMeansParams, KMeansSelection, KMeansValidParams, MiniBatch, Missing, Mixing, Noise,
    Progress, Report, Scaled, Selection, Standardized, Tails, Termination, Threads, WeightPrior,
};
pub use crate::{Search, SearchBudget};
pub use linfa::dataset::{AsTargets, Records};
pub use linfa::traits::{Fit, FitWith, Predict, PredictInplace, Transformer};
pub use linfa::{Dataset, DatasetBase, ParamGuard};
