//! What can go wrong, each in one sentence.

use crate::points::MAX_POINTS;
use crate::steps::MAX_K;
use miscela::{GmmError, KMeansError};
use miscela_page::PageError;
use std::io;

/// Why there is no step, no page or no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlayError {
    /// More points than a page can show.
    #[error("{0} points are more than the {MAX_POINTS} that this page takes; draw fewer")]
    TooManyPoints(usize),
    /// A number of components that the page has no room for.
    #[error("the number of components is {0}; choose one from 1 to {MAX_K}")]
    Components(usize),
    /// A temperature that is none.
    #[error("the temperature is {0}; it goes from 1, soft, to 0, hard")]
    Temperature(f64),
    /// A structure that the engine does not have.
    #[error(transparent)]
    Covariance(#[from] miscela::UnknownCovariance),
    /// A fixed variance of something else than one shared sphere.
    #[error(
        "only one shared sphere (tied-spherical) has a size that can be fixed, at a part above zero of the variance of the points"
    )]
    Variance,
    /// As many weights, means and covariances as components.
    #[error("there are {weights} weights, {means} means and {covariances} covariances; give one of each a component")]
    Parts {
        /// Weights given.
        weights: usize,
        /// Means given.
        means: usize,
        /// Covariances given.
        covariances: usize,
    },
    /// The mixture cannot be fitted.
    #[error(transparent)]
    Mixture(#[from] GmmError),
    /// K-means cannot be fitted, or finds no start.
    #[error(transparent)]
    KMeans(#[from] KMeansError),
    /// The page cannot be put together.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The system gives no token, no port, or no thread of work.
    #[error("cannot serve on loopback: {0}")]
    Serve(#[from] io::Error),
    /// The system gives no random numbers for the token.
    #[error("the system gives no random numbers for the token: {0}")]
    Random(#[from] getrandom::Error),
}
