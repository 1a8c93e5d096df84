//! The parameters of a Bayesian mixture.

use crate::Float;
use crate::mixture::{GmmInitMethod, GmmParams, GmmParamsError};
use linfa::ParamGuard;
use miscela_em::{Covariance, Covariances, PriorSettings, WeightPrior};
use miscela_kernel::Threads;
use ndarray::Array1;
use rand_xoshiro::Xoshiro256Plus;

/// Checked parameters of a Bayesian mixture; see [`BayesianParams`].
#[derive(Clone, Debug, PartialEq)]
pub struct BayesianValidParams<F, R> {
    /// What it shares with other mixtures.
    pub(super) mixture: GmmParams<F, R>,
    pub(super) priors: PriorSettings,
}

/// Parameters of [`BayesianMixture`](crate::BayesianMixture), set one by one and checked when fitting.
///
/// Defaults, which are scikit-learn's: full covariances, a Dirichlet process with concentration 1/k for the weights, a mean
/// prior that is the mean of the rows and counts as one of them, a covariance prior that is the covariance of the rows with
/// d degrees of freedom, one run from k-means, at most 100 iterations, a tolerance of 1e-3 on the lower bound, 1e-6 added to
/// the variances, and a fixed seed of 42.
///
/// ```
/// use miscela::prelude::*;
///
/// let iris = linfa_datasets::iris();
/// let params = BayesianMixture::params(6).weight_prior(WeightPrior::Dirichlet(0.01)).max_n_iterations(500);
/// let model = params.fit(&iris)?;
/// assert!(model.report().converged());
/// assert!(model.n_effective() < 6);
/// # Ok::<(), GmmError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BayesianParams<F, R>(BayesianValidParams<F, R>);

impl<F: Float> BayesianParams<F, Xoshiro256Plus> {
    /// The defaults for at most this many components.
    pub fn new(n_clusters: usize) -> Self {
        Self::of(GmmParams::new(n_clusters))
    }
}

impl<F: Float, R> BayesianParams<F, R> {
    /// The defaults, drawing random numbers from `rng`.
    pub fn new_with_rng(n_clusters: usize, rng: R) -> Self {
        Self::of(GmmParams::new_with_rng(n_clusters, rng))
    }

    fn of(mixture: GmmParams<F, R>) -> Self {
        Self(BayesianValidParams { mixture, priors: PriorSettings::default() })
    }

    fn map<R2>(self, change: impl FnOnce(GmmParams<F, R>) -> GmmParams<F, R2>) -> BayesianParams<F, R2> {
        BayesianParams(BayesianValidParams { mixture: change(self.0.mixture), priors: self.0.priors })
    }

    /// What is believed of the mixing weights before: a Dirichlet distribution, which treats components alike, or a Dirichlet
    /// process, which prefers the first. The lower the concentration, the fewer components stay.
    pub fn weight_prior(mut self, prior: WeightPrior) -> Self {
        self.0.priors.weights = Some(prior);
        self
    }

    /// β₀ > 0: how many rows the prior mean counts for.
    pub fn mean_precision_prior(mut self, mean_precision: F) -> Self {
        self.0.priors.mean_precision = mean_precision.widen();
        self
    }

    /// m₀: where components are expected, d.
    pub fn mean_prior(mut self, mean: Array1<F>) -> Self {
        self.0.priors.mean = Some(mean.mapv(|m| m.widen()));
        self
    }

    /// ν₀ > d − 1: how many rows the prior covariance counts for.
    pub fn degrees_of_freedom_prior(mut self, degrees_of_freedom: F) -> Self {
        self.0.priors.degrees_of_freedom = Some(degrees_of_freedom.widen());
        self
    }

    /// W₀: the scatter expected of ν₀ rows about their component's mean, one for all components:
    /// [`Covariances::Tied`] (d × d), [`TiedDiagonal`](Covariances::TiedDiagonal) (d) or
    /// [`TiedSpherical`](Covariances::TiedSpherical). As scikit-learn's `covariance_prior`, it is not divided by ν₀.
    pub fn covariance_prior(mut self, covariance: Covariances<F>) -> Self {
        self.0.priors.covariance = Some(covariance.cast());
        self
    }

    /// The structure of the covariances: `Full`, `Tied`, `Diagonal`, `Spherical`, `TiedDiagonal` or `TiedSpherical`.
    pub fn covariance(self, covariance: Covariance) -> Self {
        self.map(|mixture| mixture.covariance(covariance))
    }

    /// Stop when the lower bound, of all rows together, changes by less. Zero: go on until nothing changes.
    pub fn tolerance(self, tolerance: F) -> Self {
        self.map(|mixture| mixture.tolerance(tolerance))
    }

    /// Added to the variances of every row in each M-step. With zero the lower bound never falls.
    pub fn reg_covariance(self, reg_covariance: F) -> Self {
        self.map(|mixture| mixture.reg_covariance(reg_covariance))
    }

    /// The number of starts, of which the one with the highest lower bound is kept.
    pub fn n_runs(self, n_runs: u64) -> Self {
        self.map(|mixture| mixture.n_runs(n_runs))
    }

    /// Stop after this many iterations at the latest; zero evaluates the start.
    pub fn max_n_iterations(self, max_n_iterations: u64) -> Self {
        self.map(|mixture| mixture.max_n_iterations(max_n_iterations))
    }

    /// Where to start. Parameters, too, only share out the rows.
    pub fn init_method(self, init: GmmInitMethod<F>) -> Self {
        self.map(|mixture| mixture.init_method(init))
    }

    /// Who does the work. The result is the same, bit for bit.
    pub fn threads(self, threads: Threads) -> Self {
        self.map(|mixture| mixture.threads(threads))
    }

    /// Draws random numbers from `rng`.
    pub fn with_rng<R2>(self, rng: R2) -> BayesianParams<F, R2> {
        self.map(|mixture| mixture.with_rng(rng))
    }
}

impl<F: Float, R> ParamGuard for BayesianParams<F, R> {
    type Checked = BayesianValidParams<F, R>;
    type Error = GmmParamsError;

    fn check_ref(&self) -> Result<&Self::Checked, GmmParamsError> {
        let covariance = self.0.mixture.check_ref()?.covariance();
        self.0.priors.check(covariance)?;
        Ok(&self.0)
    }

    fn check(self) -> Result<Self::Checked, GmmParamsError> {
        self.check_ref()?;
        Ok(self.0)
    }
}
