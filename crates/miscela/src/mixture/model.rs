//! A fitted mixture and what can be asked of it.

use super::{GmmError, GmmParams, SelectionParams};
use crate::Float;
use crate::input::{has_gaps, samples_by, weights_of};
use crate::provenance::Provenance;
use crate::report::Report;
use linfa::{DatasetBase, traits::PredictInplace};
use miscela_em::{
    Assignment, Collapse, Covariance, Covariances, Density, Held, Mixing, Mixture, MixtureFit, MixtureSettings, Noise,
    ParameterError, Spread, Stream, Tails, Uniform, densest_labels, evaluate_mixture, log_densities, responsibilities,
};
use miscela_kernel::{Samples, SamplesError, Threads};
use ndarray::{Array1, Array2, Array3, ArrayBase, Data, Ix1, Ix2};
use rand::Rng;
use rand::distributions::{Distribution, WeightedIndex};
use rand_distr::{ChiSquared, StandardNormal};
use rand_xoshiro::Xoshiro256Plus;

/// A mixture of k Gaussians, each with a weight, a mean and a covariance.
///
/// Fitted by EM (Dempster, Laird & Rubin 1977). EM never lowers the likelihood, but that likelihood is unbounded where a
/// covariance collapses: variances are kept above a floor relative to the data's, and the
/// [report](GaussianMixture::report) says where that was needed. With hard assignment, equal weights and one shared
/// sphere the fit is k-means.
///
/// ```
/// use miscela::prelude::*;
///
/// let iris = linfa_datasets::iris();
/// let model = GaussianMixture::params(3).fit(&iris)?;
/// let p = model.predict_proba(iris.records());
/// assert_eq!(p.dim(), (150, 3));
/// println!("{} iterations, BIC {}", model.report().iterations, model.bic(&iris)?);
///
/// // This is k-means, by the mixture's own door.
/// let same = GaussianMixture::params(3)
///     .covariance(Covariance::TiedSpherical)
///     .assignment(Assignment::Hard)
///     .mixing(Mixing::Equal)
///     .fit(&iris)?;
/// assert_eq!(same.predict(&iris), KMeans::params(3).fit(&iris)?.predict(&iris));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct GaussianMixture<F> {
    pub(crate) mixture: Mixture<F>,
    pub(crate) settings: MixtureSettings,
    pub(super) log_likelihood: f64,
    pub(super) classification_log_likelihood: f64,
    pub(super) total_weight: f64,
    pub(super) sizes: Vec<usize>,
    pub(super) report: Report,
    pub(crate) feature_names: Vec<String>,
    /// What batches have come to, if it was learnt from any.
    pub(super) stream: Option<Stream>,
    pub(super) density: Density<F>,
}

impl<F: PartialEq> PartialEq for GaussianMixture<F> {
    fn eq(&self, other: &Self) -> bool {
        let figures = |m: &Self| (m.log_likelihood, m.classification_log_likelihood, m.total_weight);
        (&self.mixture, &self.settings, &self.sizes) == (&other.mixture, &other.settings, &other.sizes)
            && figures(self) == figures(other)
            && (&self.report, &self.feature_names, &self.stream) == (&other.report, &other.feature_names, &other.stream)
    }
}

/// What a fit found.
pub(crate) struct Fitted<F> {
    pub(crate) mixture: Mixture<F>,
    pub(crate) settings: MixtureSettings,
    pub(crate) fit: MixtureFit,
    pub(crate) total_weight: f64,
    pub(crate) report: Report,
}

/// How well a mixture fits some rows. Criteria: lower is better.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MixtureScore {
    /// Rows of positive weight.
    pub n_samples: usize,
    /// Σ w, which takes the place of the number of rows in the criteria.
    pub total_weight: f64,
    /// Σ w ln p(x)
    pub log_likelihood: f64,
    /// The same a unit of weight.
    pub mean_log_likelihood: f64,
    /// Free parameters of the model.
    pub n_parameters: usize,
    /// −2 ln L + p ln n (Schwarz 1978).
    pub bic: f64,
    /// −2 ln L + 2 p (Akaike 1974).
    pub aic: f64,
    /// BIC − 2 Σ w ln maxₖ rₖ (Biernacki, Celeux & Govaert 2000).
    pub icl: f64,
}

impl<F: Float> GaussianMixture<F> {
    /// Parameters for this number of components, with the seed 42.
    pub fn params(n_clusters: usize) -> GmmParams<F, Xoshiro256Plus> {
        GmmParams::new(n_clusters)
    }

    /// Parameters that draw random numbers from `rng`.
    pub fn params_with_rng<R>(n_clusters: usize, rng: R) -> GmmParams<F, R> {
        GmmParams::new_with_rng(n_clusters, rng)
    }

    /// Parameters of a selection: each of these numbers of components with each of these structures.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let selection = GaussianMixture::select(1..=4, Covariance::all()).fit(&iris)?;
    /// println!("{selection}");
    /// assert_eq!((selection.table().len(), selection.best().n_clusters()), (4 * 14, 2));
    /// assert_eq!(selection.best().covariance(), Covariance::Vev); // as mclust finds
    /// # Ok::<(), GmmError>(())
    /// ```
    pub fn select(
        n_clusters: impl IntoIterator<Item = usize>,
        covariances: impl IntoIterator<Item = Covariance>,
    ) -> SelectionParams<F> {
        SelectionParams::new(n_clusters, covariances)
    }

    pub(crate) fn from_fitted(fitted: Fitted<F>) -> Result<Self, ParameterError> {
        let Fitted { mixture, settings, fit, total_weight, report } = fitted;
        Ok(Self {
            density: Density::new(&mixture)?,
            feature_names: crate::names::default_names(mixture.n_columns()),
            mixture,
            settings,
            log_likelihood: fit.log_likelihood,
            classification_log_likelihood: fit.classification_log_likelihood,
            total_weight,
            sizes: fit.sizes,
            report,
            stream: None,
        })
    }

    /// The mixing weights, k, summing to one, or to what the [noise](Self::noise) leaves of it.
    pub fn weights(&self) -> &Array1<F> {
        &self.mixture.weights
    }

    /// The means, k × d.
    pub fn means(&self) -> &Array2<F> {
        &self.mixture.means
    }

    /// The means, by the name they have in k-means.
    pub fn centroids(&self) -> &Array2<F> {
        &self.mixture.means
    }

    /// The covariances, k × d × d, built on each call; of Student-t components the scale matrices.
    pub fn covariances(&self) -> Array3<F> {
        self.mixture.covariances.dense(self.n_clusters(), self.n_features())
    }

    /// The covariances in the shape of their structure.
    pub fn covariance_parameters(&self) -> &Covariances<F> {
        &self.mixture.covariances
    }

    /// The inverses of the covariances, k × d × d, built on each call.
    pub fn precisions(&self) -> Array3<F> {
        let (k, d) = (self.n_clusters(), self.n_features());
        // The covariances of a model have been factored before, so this does not fail.
        self.mixture.precisions().unwrap_or_else(|_| Array3::from_elem((k, d, d), F::nan()))
    }

    /// Weights, means and covariances together.
    pub fn parameters(&self) -> &Mixture<F> {
        &self.mixture
    }

    /// The uniform component, of a mixture fitted with [noise](GmmParams::noise).
    pub fn noise(&self) -> Option<&Uniform> {
        self.mixture.noise.as_ref()
    }

    /// The degrees of freedom, k, of a mixture of Student-t [components](GmmParams::tails).
    pub fn degrees(&self) -> Option<&[f64]> {
        self.mixture.degrees.as_deref()
    }

    /// How the components' densities fall off.
    pub fn tails(&self) -> Tails {
        self.settings.tails
    }

    /// Whether there is noise, or components are Student's t.
    pub(super) fn bears_outliers(&self) -> bool {
        self.mixture.noise.is_some() || self.mixture.degrees.is_some()
    }

    /// How the density of the noise was found.
    pub fn noise_rule(&self) -> Option<Noise> {
        self.settings.noise
    }

    /// The structure of the covariances.
    pub fn covariance(&self) -> Covariance {
        self.settings.covariance
    }

    /// How rows were shared in the fit.
    pub fn assignment(&self) -> Assignment {
        self.settings.assignment
    }

    /// Whether the mixing weights were estimated.
    pub fn mixing(&self) -> &Mixing {
        &self.settings.mixing
    }

    /// What was held fixed in the fit.
    pub fn held(&self) -> Held {
        self.settings.held
    }

    /// What was done in the fit about components that collapsed.
    pub fn collapse(&self) -> Collapse {
        self.settings.collapse
    }

    /// The number of rows of positive weight by their densest component, k; with noise k + 1, its rows last.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Σ w ln p(x) over the rows of the fit, at the parameters of the model; for rows of [known
    /// label](GmmParams::known_labels) ln(wₖ Nₖ(x)) of their own component.
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// Σ w maxₖ ln(wₖ Nₖ(x)) over the rows of the fit.
    pub(crate) fn classification_log_likelihood(&self) -> f64 {
        self.classification_log_likelihood
    }

    /// What the batches that it was learnt from have come to: their number, and the running statistics from which a further
    /// batch goes on. None if it was fitted to all rows in each iteration.
    pub fn stream(&self) -> Option<&Stream> {
        self.stream.as_ref()
    }

    /// How the fit went.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// k
    pub fn n_clusters(&self) -> usize {
        self.mixture.n_components()
    }

    /// d
    pub fn n_features(&self) -> usize {
        self.mixture.n_columns()
    }

    /// The columns' names: `x0`, `x1`, … unless [given](Self::with_feature_names).
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// Names the columns.
    ///
    /// # Panics
    /// If there are not as many names as columns.
    pub fn with_feature_names(mut self, names: Vec<String>) -> Self {
        assert_eq!(names.len(), self.n_features(), "one name a column");
        self.feature_names = names;
        self
    }

    /// Says how the model came about, for its report and its file.
    pub fn with_provenance(mut self, provenance: Provenance) -> Self {
        self.report.provenance = Some(provenance);
        self
    }

    /// The number of free parameters, counted as mclust does: what is equal, given or held fixed does not count, and noise has
    /// two, its weight and its volume. Estimated degrees of freedom count.
    pub fn n_parameters(&self) -> usize {
        let (k, d, held) = (self.n_clusters(), self.n_features(), self.settings.held);
        let weights = if held.weights || self.settings.mixing != Mixing::Free { 0 } else { k - 1 };
        let means = if held.means { 0 } else { k * d };
        let covariances = if held.covariances { 0 } else { self.settings.covariance.n_parameters(k, d) };
        let noise = if self.noise().is_some() { 2 - usize::from(held.weights) } else { 0 };
        weights + means + covariances + noise + self.settings.tails.n_parameters(k)
    }

    /// The densest component of each row, n; the lowest index on ties, and k for the noise.
    ///
    /// # Errors
    /// If rows are not finite, or of another width than the model.
    pub fn try_predict<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Result<Array1<usize>, GmmError> {
        self.check_width(records)?;
        let samples = samples_by(records, None, self.settings.missing, Threads::Ambient)?;
        if samples.n_missing() > 0 {
            return Ok(self.incomplete().densest_labels(records.view(), Threads::Ambient));
        }
        Ok(densest_labels(&samples, &self.density, Threads::Ambient))
    }

    /// The probability of each component for each row, n × k, or with noise n × (k + 1), the noise last; rows sum to one.
    ///
    /// # Panics
    /// If the rows are of another width than the model.
    pub fn predict_proba<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array2<F> {
        if has_gaps(records, self.settings.missing) {
            self.unchecked(records);
            return self.incomplete().responsibilities(records.view(), Threads::Ambient);
        }
        responsibilities(&self.unchecked(records), &self.density, Threads::Ambient)
    }

    /// ln p(x) of each row, n.
    ///
    /// # Panics
    /// If the rows are of another width than the model.
    pub fn score_samples<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array1<f64> {
        if has_gaps(records, self.settings.missing) {
            self.unchecked(records);
            return self.incomplete().log_densities(records.view(), Threads::Ambient);
        }
        log_densities(&self.unchecked(records), &self.density, Threads::Ambient)
    }

    /// The mean log-likelihood a unit of weight of the dataset.
    ///
    /// # Errors
    /// If rows or weights are at fault, or the width is another.
    pub fn score<S: Data<Elem = F>, T>(&self, dataset: &DatasetBase<ArrayBase<S, Ix2>, T>) -> Result<f64, GmmError> {
        Ok(self.evaluate_dataset(dataset)?.mean_log_likelihood)
    }

    /// The Bayesian information criterion on the dataset; lower is better.
    ///
    /// # Errors
    /// If rows or weights are at fault, or the width is another.
    pub fn bic<S: Data<Elem = F>, T>(&self, dataset: &DatasetBase<ArrayBase<S, Ix2>, T>) -> Result<f64, GmmError> {
        Ok(self.evaluate_dataset(dataset)?.bic)
    }

    /// Akaike's information criterion on the dataset; lower is better.
    ///
    /// # Errors
    /// If rows or weights are at fault, or the width is another.
    pub fn aic<S: Data<Elem = F>, T>(&self, dataset: &DatasetBase<ArrayBase<S, Ix2>, T>) -> Result<f64, GmmError> {
        Ok(self.evaluate_dataset(dataset)?.aic)
    }

    /// The integrated completed likelihood criterion on the dataset; lower is better.
    ///
    /// # Errors
    /// If rows or weights are at fault, or the width is another.
    pub fn icl<S: Data<Elem = F>, T>(&self, dataset: &DatasetBase<ArrayBase<S, Ix2>, T>) -> Result<f64, GmmError> {
        Ok(self.evaluate_dataset(dataset)?.icl)
    }

    /// Likelihood and criteria on a dataset, in one pass.
    ///
    /// # Errors
    /// If rows or weights are at fault, or the width is another.
    pub fn evaluate_dataset<S: Data<Elem = F>, T>(
        &self,
        dataset: &DatasetBase<ArrayBase<S, Ix2>, T>,
    ) -> Result<MixtureScore, GmmError> {
        self.evaluate(&dataset.records, weights_of(dataset).as_deref())
    }

    /// Likelihood and criteria on rows with optional weights in `f64`, in one pass.
    ///
    /// # Errors
    /// If rows or weights are at fault, or the width is another.
    pub fn evaluate<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
    ) -> Result<MixtureScore, GmmError> {
        self.check_width(records)?;
        self.score_of(&samples_by(records, weights, self.settings.missing, Threads::Ambient)?)
    }

    /// Likelihood and criteria on the rows of the fit.
    pub fn training_score(&self) -> MixtureScore {
        let n = self.sizes.iter().sum();
        self.criteria(n, self.total_weight, self.log_likelihood, self.classification_log_likelihood)
    }

    pub(super) fn score_of(&self, samples: &Samples<F>) -> Result<MixtureScore, GmmError> {
        let (n, weight) = (samples.n_positive(), samples.total_weight());
        if weight <= 0.0 {
            return Err(SamplesError::NoWeight.into());
        }
        let fit = match samples.n_missing() {
            0 => evaluate_mixture(samples, &self.density, 1.0, Threads::Ambient),
            _ => self.incomplete().evaluate(samples, 1.0, Threads::Ambient),
        };
        Ok(self.criteria(n, weight, fit.log_likelihood, fit.classification_log_likelihood))
    }

    /// Likelihood and criteria on the rows that this is the fit of.
    pub(crate) fn score_from(&self, fit: &MixtureFit) -> MixtureScore {
        let n = fit.sizes.iter().sum();
        self.criteria(n, fit.total_weight, fit.log_likelihood, fit.classification_log_likelihood)
    }

    fn criteria(&self, n_samples: usize, total_weight: f64, log_likelihood: f64, classification: f64) -> MixtureScore {
        let n_parameters = self.n_parameters();
        let bic = -2.0 * log_likelihood + n_parameters as f64 * total_weight.ln();
        MixtureScore {
            n_samples,
            total_weight,
            log_likelihood,
            mean_log_likelihood: log_likelihood / total_weight,
            n_parameters,
            bic,
            aic: -2.0 * log_likelihood + 2.0 * n_parameters as f64,
            // ln max r = ln(w N) of the winner − ln p.
            icl: bic - 2.0 * (classification - log_likelihood),
        }
    }

    /// Draws rows from the mixture: n × d, and the component of each, n.
    ///
    /// Noise, whose label is k, is drawn from the box that the rows of the fit span along the columns, whatever its volume.
    pub fn sample<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> (Array2<F>, Array1<usize>) {
        let d = self.n_features();
        let spread = Spread::new(&self.mixture.covariances, d);
        let noise = self.noise();
        let weights = self.mixture.weights.iter().map(|w| w.widen()).chain(noise.map(|noise| noise.weight));
        let weights = WeightedIndex::new(weights);
        let labels: Array1<usize> = (0..n).map(|_| weights.as_ref().map_or(0, |index| index.sample(rng))).collect();
        let degrees = self.mixture.degrees.iter().flatten();
        let chi_squared: Vec<_> = degrees.filter_map(|v| Some((*v, ChiSquared::new(*v).ok()?))).collect();
        let mut rows = Array2::zeros((n, d));
        let mut normal = vec![0.0f64; d];
        for (label, mut row) in labels.iter().zip(rows.outer_iter_mut()) {
            if let Some(noise) = noise.filter(|_| *label == self.n_clusters()) {
                let bounds = noise.lower.iter().zip(&noise.upper);
                row.iter_mut().zip(bounds).for_each(|(x, (low, high))| *x = F::narrow(rng.gen_range(*low..=*high)));
                continue;
            }
            normal.iter_mut().for_each(|z| *z = StandardNormal.sample(rng));
            // z/√(χ²/ν) is Student's t.
            if let Some((degrees, chi_squared)) = chi_squared.get(*label) {
                let stretch = (degrees / chi_squared.sample(rng)).sqrt();
                normal.iter_mut().for_each(|z| *z *= stretch);
            }
            row.iter_mut().zip(spread.apply(*label, &normal)).for_each(|(x, z)| *x = z);
            row += &self.mixture.means.row(*label);
        }
        (rows, labels)
    }

    pub(crate) fn check_width<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Result<(), GmmError> {
        let (expected, got) = (self.n_features(), records.ncols());
        if expected == got { Ok(()) } else { Err(GmmError::FeatureCount { expected, got }) }
    }

    pub(crate) fn unchecked<'a, S: Data<Elem = F>>(&self, records: &'a ArrayBase<S, Ix2>) -> Samples<'a, F> {
        assert_eq!(records.ncols(), self.n_features(), "rows must have the columns the model was fitted on");
        Samples::unchecked(records)
    }
}

impl<F: Float, S: Data<Elem = F>> PredictInplace<ArrayBase<S, Ix2>, Array1<usize>> for GaussianMixture<F> {
    /// # Panics
    /// If the rows are of another width than the model, or `labels` of another length.
    /// [`try_predict`](GaussianMixture::try_predict) returns an error instead.
    fn predict_inplace(&self, records: &ArrayBase<S, Ix2>, labels: &mut Array1<usize>) {
        assert_eq!(records.nrows(), labels.len(), "one label a row");
        let samples = self.unchecked(records);
        *labels = if has_gaps(records, self.settings.missing) {
            self.incomplete().densest_labels(records.view(), Threads::Ambient)
        } else {
            densest_labels(&samples, &self.density, Threads::Ambient)
        };
    }

    fn default_target(&self, records: &ArrayBase<S, Ix2>) -> Array1<usize> {
        Array1::zeros(records.nrows())
    }
}

impl<F: Float, S: Data<Elem = F>> PredictInplace<ArrayBase<S, Ix1>, usize> for GaussianMixture<F> {
    /// # Panics
    /// If the row is of another width than the model.
    fn predict_inplace(&self, row: &ArrayBase<S, Ix1>, label: &mut usize) {
        let row = row.view().insert_axis(ndarray::Axis(0));
        let samples = self.unchecked(&row);
        *label = if has_gaps(&row, self.settings.missing) {
            self.incomplete().densest_labels(row, Threads::One)[0]
        } else {
            densest_labels(&samples, &self.density, Threads::One)[0]
        };
    }

    fn default_target(&self, _: &ArrayBase<S, Ix1>) -> usize {
        0
    }
}
