//! A fitted Bayesian mixture and what can be asked of it.

use super::BayesianParams;
use crate::Float;
use crate::input::samples_by;
use crate::mixture::{GaussianMixture, GmmError};
use crate::provenance::Provenance;
use linfa::traits::PredictInplace;
use miscela_em::{
    Density, Missing, ParameterError, Posterior, Priors, WeightConcentration, WeightPrior, densest_labels, entropies,
    log_densities, responsibilities, uncertainties,
};
use miscela_kernel::Threads;
use ndarray::{Array1, Array2, ArrayBase, Data, Ix1, Ix2};
use rand_xoshiro::Xoshiro256Plus;
use std::ops::Deref;

/// A mixture of at most k Gaussians whose parameters are known as far as the rows and a prior tell.
///
/// Variational inference (Attias 2000; Bishop 2006, §10.2; Blei & Jordan 2006), with the conventions and results of
/// scikit-learn's `BayesianGaussianMixture`. Use it where the number of components is not known: ask for more than there can
/// be and let a low concentration empty those that are not needed; or where rows are few for the columns: the prior keeps
/// every covariance from collapsing, and components without rows stay at the prior. Where k is known and rows are many, a
/// [`GaussianMixture`] says the same at less cost; where k is to be chosen by a criterion, compare its BICs, or here
/// [`evidence_bound`](Self::evidence_bound).
///
/// The model is a [`GaussianMixture`] of the expected parameters in all that is asked of one: sampling, scores, criteria,
/// `means()` and so on. Labels, probabilities, their uncertainty and [`score_samples`](Self::score_samples) follow from what is believed of the
/// parameters, and not from their expectations alone.
///
/// ```
/// use miscela::prelude::*;
///
/// // Ten components are too many for the three species of iris, and most of them lose their rows.
/// let iris = linfa_datasets::iris();
/// let model = BayesianMixture::params(10)
///     .weight_prior(WeightPrior::DirichletProcess(1e-3))
///     .max_n_iterations(1000)
///     .fit(&iris)?;
/// println!("{} components, weights {:.3}", model.n_effective(), model.weights());
/// assert!(model.n_effective() <= 4);
/// assert_eq!(model.predict(&iris).iter().max(), model.sizes().iter().rposition(|n| *n > 0).as_ref());
/// # Ok::<(), GmmError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BayesianMixture<F> {
    mixture: GaussianMixture<F>,
    posterior: Posterior,
    priors: Priors,
    lower_bound: f64,
    evidence_bound: f64,
    density: Density<F>,
}

impl<F: PartialEq> PartialEq for BayesianMixture<F> {
    fn eq(&self, other: &Self) -> bool {
        let bounds = |m: &Self| (m.lower_bound, m.evidence_bound);
        (&self.mixture, &self.posterior, &self.priors) == (&other.mixture, &other.posterior, &other.priors)
            && bounds(self) == bounds(other)
    }
}

impl<F> Deref for BayesianMixture<F> {
    type Target = GaussianMixture<F>;

    /// The mixture of the expected parameters.
    fn deref(&self) -> &GaussianMixture<F> {
        &self.mixture
    }
}

impl<F: Float> BayesianMixture<F> {
    /// Parameters for at most this many components, with the seed 42.
    pub fn params(n_clusters: usize) -> BayesianParams<F, Xoshiro256Plus> {
        BayesianParams::new(n_clusters)
    }

    /// Parameters that draw random numbers from `rng`.
    pub fn params_with_rng<R>(n_clusters: usize, rng: R) -> BayesianParams<F, R> {
        BayesianParams::new_with_rng(n_clusters, rng)
    }

    pub(super) fn new(
        mixture: GaussianMixture<F>,
        posterior: Posterior,
        priors: Priors,
        lower_bound: f64,
        evidence_bound: f64,
    ) -> Result<Self, ParameterError> {
        let density = posterior.expected_density(mixture.parameters())?;
        Ok(Self { mixture, posterior, priors, lower_bound, evidence_bound, density })
    }

    /// The mixture of the expected weights and means and the inverses of the expected precisions.
    pub fn mixture(&self) -> &GaussianMixture<F> {
        &self.mixture
    }

    /// [`mixture`](Self::mixture), for those who need no more.
    pub fn into_mixture(self) -> GaussianMixture<F> {
        self.mixture
    }

    /// What is believed after the fit, beside the expected parameters.
    pub fn posterior(&self) -> &Posterior {
        &self.posterior
    }

    /// What is believed of the mixing weights.
    pub fn weight_concentration(&self) -> &WeightConcentration {
        &self.posterior.weight_concentration
    }

    /// βₖ, k: the precision of each mean in units of its component's own; about the rows that it is known from.
    pub fn mean_precision(&self) -> &[f64] {
        &self.posterior.mean_precision
    }

    /// νₖ, k: the degrees of freedom of each precision matrix.
    pub fn degrees_of_freedom(&self) -> &[f64] {
        &self.posterior.degrees_of_freedom
    }

    /// What was believed before the fit.
    pub fn priors(&self) -> &Priors {
        &self.priors
    }

    /// What was believed of the mixing weights before.
    pub fn weight_prior(&self) -> WeightPrior {
        self.priors.weights
    }

    /// The lower bound that was maximised, as scikit-learn counts it: for the shares of the last E-step, and without what
    /// priors and rows alone determine.
    pub fn lower_bound(&self) -> f64 {
        self.lower_bound
    }

    /// The lower bound of ln p(rows), the log-evidence: higher is better, whatever k, structure and priors are compared. (With
    /// another structure than full it is still the full model's, under a narrower belief.)
    pub fn evidence_bound(&self) -> f64 {
        self.evidence_bound
    }

    /// How many components are the densest for any row of the fit: k less those that were not needed.
    pub fn n_effective(&self) -> usize {
        self.mixture.sizes().iter().filter(|size| **size > 0).count()
    }

    /// Names the columns.
    ///
    /// # Panics
    /// If there are not as many names as columns.
    pub fn with_feature_names(mut self, names: Vec<String>) -> Self {
        self.mixture = self.mixture.with_feature_names(names);
        self
    }

    /// Says how the model came about, for its report and its file.
    pub fn with_provenance(mut self, provenance: Provenance) -> Self {
        self.mixture = self.mixture.with_provenance(provenance);
        self
    }

    /// The likeliest component of each row, n; the lowest index on ties.
    ///
    /// # Errors
    /// If rows are not finite, or of another width than the model.
    pub fn try_predict<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Result<Array1<usize>, GmmError> {
        self.mixture.check_width(records)?;
        let samples = samples_by(records, None, Missing::Error, Threads::Ambient)?;
        Ok(densest_labels(&samples, &self.density, Threads::Ambient))
    }

    /// The probability of each component for each row, n × k, by what is believed of the parameters; rows sum to one.
    ///
    /// # Panics
    /// If the rows are of another width than the model.
    pub fn predict_proba<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array2<F> {
        responsibilities(&self.mixture.unchecked(records), &self.density, Threads::Ambient)
    }

    /// The uncertainty of each row's label, n: 1 − its greatest probability.
    ///
    /// # Panics
    /// If the rows are of another width than the model.
    pub fn uncertainty<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array1<f64> {
        uncertainties(&self.mixture.unchecked(records), &self.density, Threads::Ambient)
    }

    /// The entropy −Σ rₖ ln rₖ of each row's probabilities, n, from 0 (no doubt) to ln k.
    ///
    /// # Panics
    /// If the rows are of another width than the model.
    pub fn entropy<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array1<f64> {
        entropies(&self.mixture.unchecked(records), &self.density, Threads::Ambient)
    }

    /// ln Σₖ exp E[ln πₖ N(x; μₖ, Λₖ⁻¹)] of each row, n: what scikit-learn calls so, and below the logarithm of any density.
    /// That of the expected parameters is `mixture().score_samples(rows)`.
    ///
    /// # Panics
    /// If the rows are of another width than the model.
    pub fn score_samples<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array1<f64> {
        log_densities(&self.mixture.unchecked(records), &self.density, Threads::Ambient)
    }
}

impl<F: Float, S: Data<Elem = F>> PredictInplace<ArrayBase<S, Ix2>, Array1<usize>> for BayesianMixture<F> {
    /// # Panics
    /// If the rows are of another width than the model, or `labels` of another length.
    /// [`try_predict`](BayesianMixture::try_predict) returns an error instead.
    fn predict_inplace(&self, records: &ArrayBase<S, Ix2>, labels: &mut Array1<usize>) {
        assert_eq!(records.nrows(), labels.len(), "one label a row");
        *labels = densest_labels(&self.mixture.unchecked(records), &self.density, Threads::Ambient);
    }

    fn default_target(&self, records: &ArrayBase<S, Ix2>) -> Array1<usize> {
        Array1::zeros(records.nrows())
    }
}

impl<F: Float, S: Data<Elem = F>> PredictInplace<ArrayBase<S, Ix1>, usize> for BayesianMixture<F> {
    /// # Panics
    /// If the row is of another width than the model.
    fn predict_inplace(&self, row: &ArrayBase<S, Ix1>, label: &mut usize) {
        let row = row.view().insert_axis(ndarray::Axis(0));
        *label = densest_labels(&self.mixture.unchecked(&row), &self.density, Threads::One)[0];
    }

    fn default_target(&self, _: &ArrayBase<S, Ix1>) -> usize {
        0
    }
}
