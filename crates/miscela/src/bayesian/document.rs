//! A Bayesian mixture as a document, and back.

use super::BayesianMixture;
use crate::Float;
use crate::kmeans::{dtype, malformed};
use crate::mixture::{CovarianceLists, GaussianMixture, GaussianMixtureDocument, GmmError};
use crate::report::Report;
use crate::scaling::{ColumnScaling, refuse_scaling, taken, unscaled};
use miscela_em::{
    Assignment, Collapse, Covariance, Held, Missing, Mixing, Posterior, Priors, Tails, WeightConcentration, WeightPrior,
};
use miscela_persist::{Document, Dtype, Format, PersistError, Version, save, vector};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::Path;

/// What a Bayesian mixture's file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BayesianMixtureDocument<F> {
    /// Always `miscela-model`.
    pub format: Format,
    /// The version of the format.
    pub version: Version,
    /// `bayesian-gmm`
    pub kind: String,
    /// The type of the parameters.
    pub dtype: Dtype,
    /// d
    pub n_features: usize,
    /// One a column.
    pub feature_names: Vec<String>,
    /// What is done to the rows before: all that follows is of scaled rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<ColumnScaling>,
    /// The structure of the covariances.
    pub covariance: Covariance,
    /// What was added to the variances of every row.
    pub reg_covariance: f64,
    /// The tolerance of the fit.
    pub tolerance: f64,
    /// What was believed before.
    pub priors: PriorsDocument,
    /// The expected weights, k.
    pub weights: Vec<F>,
    /// The expected means, k × d.
    pub means: Vec<Vec<F>>,
    /// The inverses of the expected precisions, in the shape of their structure.
    pub covariances: CovarianceLists<F>,
    /// What is believed of the weights.
    pub weight_concentration: WeightConcentration,
    /// βₖ, k.
    pub mean_precision: Vec<f64>,
    /// νₖ, k.
    pub degrees_of_freedom: Vec<f64>,
    /// The bound that was maximised.
    pub lower_bound: f64,
    /// The bound of ln p(rows).
    pub evidence_bound: f64,
    /// Rows of positive weight by label.
    pub sizes: Vec<usize>,
    /// Σ w ln p(x) of the fit, at the expected parameters.
    pub log_likelihood: f64,
    /// Σ w maxₖ ln(wₖ Nₖ(x)) of the fit, at the expected parameters.
    pub classification_log_likelihood: f64,
    /// Σ w
    pub total_weight: f64,
    /// How the fit went.
    pub report: Report,
}

/// [`Priors`] as nested lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorsDocument {
    /// Of the mixing weights.
    pub weights: WeightPrior,
    /// β₀
    pub mean_precision: f64,
    /// m₀, d.
    pub mean: Vec<f64>,
    /// ν₀
    pub degrees_of_freedom: f64,
    /// W₀, one for all components.
    pub covariance: CovarianceLists<f64>,
}

pub(crate) const KIND: &str = "bayesian-gmm";

impl<F: Float + Serialize + DeserializeOwned> BayesianMixture<F> {
    /// Writes the model to a file, whole or not at all, as JSON (`.json`) or CBOR (`.cbor`) by its ending.
    ///
    /// # Errors
    /// On an unknown ending, or where the file system refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), GmmError> {
        Ok(save(path, &self.to_document()?)?)
    }

    /// Reads a model from a file. Its predictions are, bit for bit, those of the model that was saved.
    ///
    /// # Errors
    /// If the file cannot be read, is not a Bayesian mixture of this number type, or contradicts itself.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, GmmError> {
        Ok(unscaled(Self::from_file(&Document::open(path)?)?)?)
    }

    /// The model as a document.
    ///
    /// # Errors
    /// If the covariances have a shape that documents do not know.
    pub fn to_document(&self) -> Result<BayesianMixtureDocument<F>, PersistError> {
        let unknown = || malformed("covariances", "their shape cannot be written".into());
        let (mixture, posterior, priors) = (self.mixture().to_document()?, self.posterior().clone(), self.priors());
        Ok(BayesianMixtureDocument {
            format: mixture.format,
            version: mixture.version,
            kind: KIND.into(),
            dtype: mixture.dtype,
            n_features: mixture.n_features,
            feature_names: mixture.feature_names,
            scaling: None,
            covariance: mixture.covariance,
            reg_covariance: mixture.reg_covariance,
            tolerance: mixture.tolerance,
            priors: PriorsDocument {
                weights: priors.weights,
                mean_precision: priors.mean_precision,
                mean: priors.mean.to_vec(),
                degrees_of_freedom: priors.degrees_of_freedom,
                covariance: CovarianceLists::new(&priors.covariance).ok_or_else(unknown)?,
            },
            weights: mixture.weights,
            means: mixture.means,
            covariances: mixture.covariances,
            weight_concentration: posterior.weight_concentration,
            mean_precision: posterior.mean_precision,
            degrees_of_freedom: posterior.degrees_of_freedom,
            lower_bound: self.lower_bound(),
            evidence_bound: self.evidence_bound(),
            sizes: mixture.sizes,
            log_likelihood: mixture.log_likelihood,
            classification_log_likelihood: mixture.classification_log_likelihood,
            total_weight: mixture.total_weight,
            report: mixture.report,
        })
    }

    /// The model of a document that was opened, and the scaling that its rows need.
    pub(crate) fn from_file(file: &Document) -> Result<(Option<ColumnScaling>, Self), PersistError> {
        file.header().expect_kind(&[KIND])?;
        file.header().expect_dtype(dtype::<F>()?)?;
        let mut document: BayesianMixtureDocument<F> = file.decode()?;
        let scaling = taken(&mut document.scaling, document.n_features)?;
        Ok((scaling, Self::from_document(document)?))
    }

    /// The model of a document.
    ///
    /// # Errors
    /// If its rows are [scaled](crate::Scaled), the parts contradict each other, or a covariance is not positive definite; the error names the field.
    pub fn from_document(document: BayesianMixtureDocument<F>) -> Result<Self, PersistError> {
        refuse_scaling(document.scaling.as_ref())?;
        let (k, d) = (document.weights.len(), document.n_features);
        let priors = Priors {
            weights: document.priors.weights,
            mean_precision: document.priors.mean_precision,
            mean: vector("priors.mean", &document.priors.mean, d)?,
            degrees_of_freedom: document.priors.degrees_of_freedom,
            covariance: document.priors.covariance.arrays(1, d)?,
        };
        priors.check(document.covariance, d).map_err(|error| malformed("priors", error.to_string()))?;
        let posterior = Posterior {
            weight_concentration: document.weight_concentration,
            mean_precision: document.mean_precision,
            degrees_of_freedom: document.degrees_of_freedom,
        };
        if !posterior.is_sound(k, d) {
            let message = format!("these are not the parameters of a posterior of {k} components and {d} columns");
            return Err(malformed("weight_concentration, mean_precision, degrees_of_freedom", message));
        }
        let expected = posterior.weight_concentration.weights();
        if expected.iter().zip(&document.weights).any(|(expected, w)| (expected - w.widen()).abs() > 1e-5) {
            return Err(malformed("weights", "they are not those that `weight_concentration` leads to expect".into()));
        }
        let mixture = GaussianMixture::from_document(GaussianMixtureDocument {
            format: document.format,
            version: document.version,
            kind: document.kind,
            dtype: document.dtype,
            n_features: d,
            feature_names: document.feature_names,
            scaling: None,
            covariance: document.covariance,
            assignment: Assignment::Soft,
            mixing: Mixing::Free,
            held: Held::default(),
            missing: Missing::Error,
            noise: None,
            uniform: None,
            stream: None,
            acceleration: miscela_em::Acceleration::None,
            collapse: Collapse::Floor,
            tails: Tails::Gaussian,
            degrees: None,
            reg_covariance: document.reg_covariance,
            tolerance: document.tolerance,
            weights: document.weights,
            means: document.means,
            covariances: document.covariances,
            sizes: document.sizes,
            log_likelihood: document.log_likelihood,
            classification_log_likelihood: document.classification_log_likelihood,
            total_weight: document.total_weight,
            report: document.report,
        })?;
        Self::new(mixture, posterior, priors, document.lower_bound, document.evidence_bound)
            .map_err(|error| malformed("covariances", error.to_string()))
    }
}
