//! The fits themselves: what the library is asked for.

use crate::args::Bayesian;
use crate::model::Number;
use crate::plan::{BayesianSettings, BisectingSettings, KMeansSettings, MixtureSettings};
use crate::start::Origin;
use crate::values::Metric;
use miscela::{
    AnyCentred, Assignment, BayesianMixture, BisectingKMeans, Covariance, Elsewhere, GaussianMixture, GmmError,
    GmmParams, KMeans, KMeansError, KMeansInit, KMeansParams, Mahalanobis, Missing, Mixing, Observer, Search,
    SearchBudget, Threads, WeightPrior, WorkError,
};
use ndarray::{Array2, Axis};
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;

/// Rows, and what holds for both kinds of model.
#[derive(Clone, Copy)]
pub(crate) struct Problem<'a, F> {
    /// All rows, if they are in memory.
    pub(crate) rows: Option<&'a Array2<F>>,
    pub(crate) weights: Option<&'a [f64]>,
    pub(crate) k: usize,
    pub(crate) origin: &'a Origin,
    /// Mixing weights that are fixed.
    pub(crate) given_weights: Option<&'a [f64]>,
    /// The rows whose cluster is known.
    pub(crate) known: Option<&'a [Option<usize>]>,
    pub(crate) seed: u64,
    pub(crate) n_runs: usize,
    pub(crate) max_iter: Option<u64>,
    pub(crate) tol: Option<f64>,
    pub(crate) threads: Threads,
    pub(crate) missing: Missing,
    pub(crate) search: Search,
    pub(crate) search_budget: SearchBudget,
    pub(crate) batch_size: Option<usize>,
}

impl<F: Number> Problem<'_, F> {
    pub(crate) fn kmeans(
        &self,
        settings: &KMeansSettings,
        observer: &mut dyn Observer,
    ) -> Result<KMeans<F, AnyCentred>, GmmError> {
        Ok(self.kmeans_params(settings)?.fit_observed(self.all("k-means")?, self.weights, observer)?)
    }

    /// Of rows that are elsewhere.
    pub(crate) fn kmeans_over(
        &self,
        settings: &KMeansSettings,
        elsewhere: Elsewhere<F>,
    ) -> Result<KMeans<F, AnyCentred>, GmmError> {
        Ok(self.kmeans_params(settings)?.fit_over(elsewhere)?)
    }

    /// The rows, for what needs all of them.
    fn all(&self, what: &'static str) -> Result<&Array2<F>, GmmError> {
        Ok(self.rows.ok_or(WorkError::NeedsRows(what))?)
    }

    fn kmeans_params(
        &self,
        settings: &KMeansSettings,
    ) -> Result<KMeansParams<F, Xoshiro256Plus, AnyCentred>, GmmError> {
        let distance = self.distance(&settings.metric)?;
        let init = match self.origin.for_kmeans(settings.trials) {
            Some(init) => init,
            None => KMeansInit::Precomputed(self.centres_of_labels()?),
        };
        let mut params = KMeans::params_with(self.k, self.rng(), distance)
            .init_method(init)
            .algorithm(settings.algorithm)
            .empty(settings.empty)
            .trim(settings.trim.unwrap_or_default())
            .sizing(settings.sizing)
            .missing(self.missing)
            .search(self.search)
            .search_budget(self.search_budget)
            .n_runs(self.n_runs)
            .threads(self.threads);
        if let Some(limit) = self.max_iter {
            params = params.max_n_iterations(limit);
        }
        if let Some(rows) = self.batch_size {
            params = params.mini_batch(rows);
        }
        if let Some(tolerance) = self.tol {
            params = params.tolerance(F::narrow(tolerance));
        }
        if let Some(rows) = settings.min_size {
            params = params.min_size(rows);
        }
        if let Some(rows) = settings.max_size {
            params = params.max_size(rows);
        }
        if let Some(known) = self.known {
            params = params.known_labels(known.iter().copied());
        }
        Ok(params)
    }

    pub(crate) fn bisecting(
        &self,
        settings: &BisectingSettings,
        observer: &mut dyn Observer,
    ) -> Result<BisectingKMeans<F, AnyCentred>, GmmError> {
        let mut params = BisectingKMeans::params_with(self.k, self.rng(), self.distance(&settings.metric)?)
            .init_method(self.origin.for_kmeans(settings.trials).unwrap_or(KMeansInit::KMeansPlusPlus))
            .strategy(settings.strategy)
            .n_runs(self.n_runs)
            .threads(self.threads);
        if let Some(limit) = self.max_iter {
            params = params.max_n_iterations(limit);
        }
        if let Some(tolerance) = self.tol {
            params = params.tolerance(F::narrow(tolerance));
        }
        Ok(params.fit_observed(self.all("bisecting k-means")?, self.weights, observer)?)
    }

    fn distance(&self, metric: &Metric) -> Result<AnyCentred, GmmError> {
        match metric {
            Metric::Named(distance) => Ok(distance.clone()),
            Metric::Mahalanobis => Ok(self.mahalanobis()?.into()),
        }
    }

    /// By the covariance of the rows, that of one component.
    fn mahalanobis(&self) -> Result<Mahalanobis, GmmError> {
        let params = GaussianMixture::params_with_rng(1, self.rng()).reg_covariance(F::zero()).threads(self.threads);
        let whole = params.fit_observed(self.all("the covariance of --metric mahalanobis")?, self.weights, &mut ())?;
        let distance = Mahalanobis::from_covariance(whole.covariances().index_axis(Axis(0), 0));
        Ok(distance.map_err(KMeansError::from)?)
    }

    pub(crate) fn mixture(
        &self,
        settings: &MixtureSettings,
        observer: &mut dyn Observer,
    ) -> Result<GaussianMixture<F>, GmmError> {
        self.mixture_params(settings).fit_observed(self.all("a mixture")?, self.weights, observer)
    }

    /// Of rows that are elsewhere.
    pub(crate) fn mixture_over(
        &self,
        settings: &MixtureSettings,
        elsewhere: Elsewhere<F>,
    ) -> Result<GaussianMixture<F>, GmmError> {
        self.mixture_params(settings).fit_over(elsewhere)
    }

    fn mixture_params(&self, settings: &MixtureSettings) -> GmmParams<F, Xoshiro256Plus> {
        let covariance = settings.covariance.or(self.origin.structure()).unwrap_or_default();
        let given = self.given_weights.map(|weights| Mixing::Given(weights.to_vec()));
        let mut params = GaussianMixture::params_with_rng(self.k, self.rng())
            .init_method(self.origin.for_mixture())
            .covariance(covariance)
            .assignment(settings.assignment)
            .mixing(given.unwrap_or_else(|| settings.mixing.clone()))
            .held(settings.held)
            .acceleration(settings.acceleration)
            .missing(self.missing)
            .collapse(settings.collapse)
            .search(self.search)
            .search_budget(self.search_budget)
            .n_runs(self.n_runs as u64)
            .threads(self.threads);
        if let Some(limit) = self.max_iter {
            params = params.max_n_iterations(limit);
        }
        if let Some(rows) = self.batch_size {
            params = params.mini_batch(rows);
        }
        if let Some(tolerance) = self.tol {
            params = params.tolerance(F::narrow(tolerance));
        }
        if let Some(tails) = settings.tails.or(self.origin.tails()) {
            params = params.tails(tails);
        }
        if let Some(noise) = settings.noise.or(self.origin.noise()) {
            params = params.noise(noise);
        }
        if let Some(ridge) = settings.reg_covariance {
            params = params.reg_covariance(F::narrow(ridge));
        }
        if let Some(known) = self.known {
            params = params.known_labels(known.iter().copied());
        }
        params
    }

    pub(crate) fn bayesian(
        &self,
        settings: &BayesianSettings,
        observer: &mut dyn Observer,
    ) -> Result<BayesianMixture<F>, GmmError> {
        let concentration = settings.concentration.unwrap_or(1.0 / self.k as f64);
        let prior = match settings.prior {
            Bayesian::Dirichlet => WeightPrior::Dirichlet(concentration),
            Bayesian::DirichletProcess => WeightPrior::DirichletProcess(concentration),
        };
        let covariance = settings.covariance.or(self.origin.structure()).unwrap_or_default();
        let mut params = BayesianMixture::params_with_rng(self.k, self.rng())
            .init_method(self.origin.for_mixture())
            .covariance(covariance)
            .weight_prior(prior)
            .n_runs(self.n_runs as u64)
            .threads(self.threads);
        if let Some(limit) = self.max_iter {
            params = params.max_n_iterations(limit);
        }
        if let Some(tolerance) = self.tol {
            params = params.tolerance(F::narrow(tolerance));
        }
        if let Some(ridge) = settings.reg_covariance {
            params = params.reg_covariance(F::narrow(ridge));
        }
        params.fit_observed(self.all("a Bayesian mixture")?, self.weights, observer)
    }

    /// The means of a partition of the rows. K-means is a mixture, and a mixture starts from a partition with an M-step.
    fn centres_of_labels(&self) -> Result<Array2<F>, GmmError> {
        let params = GaussianMixture::params(self.k)
            .covariance(Covariance::TiedSpherical)
            .assignment(Assignment::Hard)
            .mixing(Mixing::Equal)
            .init_method(self.origin.for_mixture::<F>())
            .max_n_iterations(0)
            .missing(self.missing)
            .threads(self.threads);
        Ok(params.fit_observed(self.all("a start from labels")?, self.weights, &mut ())?.means().clone())
    }

    fn rng(&self) -> Xoshiro256Plus {
        Xoshiro256Plus::seed_from_u64(self.seed)
    }
}
