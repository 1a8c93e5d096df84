//! What can go wrong with a mixture.

use crate::kmeans::KMeansError;
use crate::known::KnownLabelsError;
use crate::search::SearchError;
use crate::squares::SquaresError;
use miscela_em::{
    Assignment, Collapse, ColumnsError, ConditionalError, Covariance, ParameterError, PriorError, StartError, StepSize,
    WorkError,
};
use miscela_init::SeedingError;
use miscela_kernel::SamplesError;
use miscela_persist::PersistError;

/// A parameter of a mixture that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GmmParamsError {
    /// No components.
    #[error("n_clusters cannot be 0")]
    NClusters,
    /// No runs.
    #[error("n_runs cannot be 0")]
    NRuns,
    /// A tolerance below zero or not finite.
    #[error("tolerance must be a finite number, zero or greater, not {0}")]
    Tolerance(f64),
    /// A regularisation below zero or not finite.
    #[error("reg_covariance must be a finite number, zero or greater, not {0}")]
    RegCovariance(f64),
    /// A temperature that is not above zero.
    #[error("the temperature must be a finite number above zero, not {0}; for zero use hard assignment")]
    Temperature(f64),
    /// Too few replicates of a bootstrap.
    #[error("a bootstrap needs at least two replicates (one for a test), not {0}")]
    NReplicates(usize),
    /// A level of significance that is none.
    #[error("the level of significance must lie between 0 and 1, not {0}")]
    Level(f64),
    /// A start for one number of components where several are tried.
    #[error(
        "several numbers of components are tried, and the given start is for one; start from k-means or random rows"
    )]
    GivenStart,
    /// Annealing from a temperature below one, or not finite.
    #[error("annealing must start from a finite temperature of 1 or more, not {0}")]
    AnnealFrom(f64),
    /// A temperature that would not fall, or at once to zero.
    #[error("the factor of annealing must be between 0 and 1, not {0}")]
    AnnealFactor(f64),
    /// Given mixing weights that are none.
    #[error(transparent)]
    Mixing(#[from] ParameterError),
    /// Missing values and what cannot bear them.
    #[error("missing values do not go with {0}; fill them, or leave that out")]
    Missing(&'static str),
    /// A volume of the noise that is not above zero.
    #[error("the volume of the noise must be a finite number above zero, not {0}")]
    Volume(f64),
    /// No number of components, or no structure, to select from.
    #[error("there is nothing to select from; give at least one number of components and one covariance structure")]
    NothingToSelect,
    /// What a selection has no shared start for.
    #[error("a selection does not take {0}; fit the models one by one")]
    NotSelected(&'static str),
    /// Fewer than two folds.
    #[error("the number of folds must be at least 2, not {0}")]
    NFolds(usize),
    /// Acceleration of what does not converge as EM does.
    #[error("acceleration is for assignment that shares rows, and {0} assignment does not; leave one of the two out")]
    Acceleration(Assignment),
    /// The structure has no prior.
    #[error(
        "mclust's prior is not defined for the covariance structure {0}; use another structure or another policy than prior"
    )]
    NoPrior(Covariance),
    /// Parameters are held, weights given or labels known, and components may start again or go.
    #[error(
        "components that may start again or be removed can have no weights, other parameters or rows given for good, and no acceleration; use another policy than {0}"
    )]
    HeldAndReplaced(Collapse),
    /// A policy for collapsing components that is not defined for Student-t ones.
    #[error("a collapsing Student-t component can be floored or shrunk; use one of these policies instead of {0}")]
    TailsAndCollapse(Collapse),
    /// Degrees of freedom that are not above zero.
    #[error("the degrees of freedom must be a finite number above zero, not {0}")]
    Degrees(f64),
    /// A search that makes no sense.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// Batches of no rows.
    #[error("the size of batches cannot be 0")]
    BatchSize,
    /// Batches, and something that is about all rows.
    #[error("{0} is decided over all rows at once, and a batch is only some of them; leave that out, or the batches")]
    NotByBatches(&'static str),
    /// Steps by which batches do not average out, or that get stuck.
    #[error(
        "the exponent of the step size must be above 0.5 and at most 1, and its offset 1 or more; they are {} and {}",
        .0.exponent, .0.offset
    )]
    StepSize(StepSize),
    /// No threads.
    #[error("the number of threads cannot be 0")]
    NThreads,
    /// A prior of a Bayesian mixture that makes no sense whatever the data.
    #[error(transparent)]
    Prior(#[from] PriorError),
}

/// An error in fitting or using a mixture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GmmError {
    /// A parameter makes no sense.
    #[error("invalid hyperparameter: {0}")]
    InvalidParams(#[from] GmmParamsError),
    /// A prior of a Bayesian mixture makes no sense, or does not fit the data.
    #[error(transparent)]
    Prior(#[from] PriorError),
    /// The rows or weights are at fault.
    #[error(transparent)]
    Samples(#[from] SamplesError),
    /// The number type does not hold the squares of the rows' deviations.
    #[error(transparent)]
    Squares(#[from] SquaresError),
    /// There are fewer rows than components.
    #[error(
        "{n_clusters} components were asked for, more than the number of rows, {n_samples}; ask for at most that many"
    )]
    TooFewSamples {
        /// Rows.
        n_samples: usize,
        /// Components asked for.
        n_clusters: usize,
    },
    /// Of the models of a selection none can be chosen.
    #[error("none of the {n_models} models can be chosen; the first of them: {first}")]
    NothingFitted {
        /// How many there are.
        n_models: usize,
        /// What is wrong with the first.
        first: String,
    },
    /// The k-means that finds a start failed.
    #[error(transparent)]
    KMeans(#[from] KMeansError),
    /// Known labels are at fault.
    #[error(transparent)]
    KnownLabels(#[from] KnownLabelsError),
    /// No start could be found.
    #[error(transparent)]
    Seeding(#[from] SeedingError),
    /// A given start does not fit the data.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Start parameters are at fault.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// The rows have another number of columns than the model.
    #[error("the model was fitted on {expected} columns and the rows have {got}; give the same columns")]
    FeatureCount {
        /// Columns of the model.
        expected: usize,
        /// Columns of the rows.
        got: usize,
    },
    /// Columns were chosen that make no sense.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// A mixture cannot be conditioned like this.
    #[error(transparent)]
    Conditional(#[from] ConditionalError),
    /// Covariances in another shape than the structure's.
    #[error(
        "the covariances are not in the shape of the structure `{covariance}`; give them in its shape, or name theirs"
    )]
    CovarianceShape {
        /// The structure.
        covariance: Covariance,
    },
    /// Something was asked for that is about all rows.
    #[error("{0} is decided over all rows at once, and a batch is only some of them; use `fit`, or leave it out")]
    NeedsAllRows(&'static str),
    /// Batches have missing values.
    #[error(
        "a mixture cannot be learnt batch by batch from rows with missing values; fill them, or fit all rows at once"
    )]
    MissingInBatch,
    /// The model to go on with has another number of components.
    #[error("the model has {got} components and the parameters ask for {expected}; go on with the number it has")]
    ComponentCount {
        /// Components asked for.
        expected: usize,
        /// Components of the model.
        got: usize,
    },
    /// The model to go on with is of another kind.
    #[error("the model has another {0} than the parameters ask for; go on with the one it has")]
    OtherKind(&'static str),
    /// The rows are elsewhere and could not be had, or cannot be had all at once.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// A model file could not be read or written.
    #[error(transparent)]
    Persist(#[from] PersistError),
    /// An error of linfa's.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

/// An error in fitting a mixture batch by batch, with linfa's convention: a model that has not settled comes back in
/// `NotConverged`, to be handed the next batch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IncrGmmError<M: std::fmt::Debug> {
    /// A parameter makes no sense.
    #[error("invalid hyperparameter: {0}")]
    InvalidParams(#[from] GmmParamsError),
    /// The batch's log-likelihood still rose by more than the tolerance. No failure: go on with this model.
    #[error("the algorithm has not yet converged; go on with the next batch")]
    NotConverged(M),
    /// The batch could not be used.
    #[error(transparent)]
    Fit(#[from] GmmError),
    /// An error of linfa's.
    #[error(transparent)]
    LinfaError(#[from] linfa::Error),
}
