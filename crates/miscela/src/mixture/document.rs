//! A mixture as a document, and back.

use super::{GaussianMixture, GmmError};
use crate::Float;
use crate::kmeans::{dtype, malformed};
use crate::report::Report;
use crate::scaling::{ColumnScaling, refuse_scaling, taken, unscaled};
use miscela_em::{
    Acceleration, Assignment, Collapse, Covariance, Covariances, Held, Missing, Mixing, Mixture, MixtureFit,
    MixtureSettings, Noise, ParameterError, Stream, Tails, Uniform,
};
use miscela_persist::{Document, Dtype, Format, PersistError, Version, layers, matrix, rows, save, stack, vector};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::Path;

/// What a mixture's file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianMixtureDocument<F> {
    /// Always `miscela-model`.
    pub format: Format,
    /// The version of the format.
    pub version: Version,
    /// `gmm`
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
    /// How rows were shared in the fit.
    pub assignment: Assignment,
    /// Whether the weights were estimated; the weights that were given.
    pub mixing: Mixing,
    /// What was held fixed.
    pub held: Held,
    /// How the density of the noise was found, where there is noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<Noise>,
    /// What was done about components that collapsed.
    #[serde(default)]
    pub collapse: Collapse,
    /// How densities fall off.
    #[serde(default, skip_serializing_if = "is_gaussian")]
    pub tails: Tails,
    /// What was added to every variance.
    pub reg_covariance: f64,
    /// Whether iterations were made fewer.
    #[serde(default)]
    pub acceleration: Acceleration,
    /// The tolerance of the fit.
    pub tolerance: f64,
    /// What is done about missing values.
    #[serde(default)]
    pub missing: Missing,
    /// k
    pub weights: Vec<F>,
    /// k × d
    pub means: Vec<Vec<F>>,
    /// In the shape of their structure.
    pub covariances: CovarianceLists<F>,
    /// The degrees of freedom of Student-t components, k.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degrees: Option<Vec<f64>>,
    /// The noise, where there is some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uniform: Option<Uniform>,
    /// What batches have come to, where it was learnt from any: their number, and the running statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
    /// Rows of positive weight by label.
    pub sizes: Vec<usize>,
    /// Σ w ln p(x) of the fit.
    pub log_likelihood: f64,
    /// Σ w maxₖ ln(wₖ Nₖ(x)) of the fit.
    pub classification_log_likelihood: f64,
    /// Σ w
    pub total_weight: f64,
    /// How the fit went.
    pub report: Report,
}

/// [`Covariances`] as nested lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CovarianceLists<F> {
    /// k × d × d
    Full(Vec<Vec<Vec<F>>>),
    /// d × d
    Tied(Vec<Vec<F>>),
    /// k × d
    Diagonal(Vec<Vec<F>>),
    /// d
    TiedDiagonal(Vec<F>),
    /// k
    Spherical(Vec<F>),
    /// One number.
    TiedSpherical(F),
}

fn is_gaussian(tails: &Tails) -> bool {
    *tails == Tails::Gaussian
}

const KIND: &str = "gmm";
const FIELD: &str = "covariances";

/// The field that parameters are at fault in.
fn field_of(error: &ParameterError) -> &'static str {
    match error {
        ParameterError::Shape { part, .. } | ParameterError::NotFinite { part } => part,
        ParameterError::NotSymmetric { .. } | ParameterError::NotPositiveDefinite { .. } => FIELD,
        ParameterError::Empty { .. } | ParameterError::TooMany(_) => "means",
        ParameterError::Noise { .. } => "uniform",
        ParameterError::Degrees { .. } => "degrees",
        _ => "weights",
    }
}

impl<F: Float> CovarianceLists<F> {
    pub(crate) fn new(covariances: &Covariances<F>) -> Option<Self> {
        Some(match covariances {
            Covariances::Full(all) => Self::Full(layers(all.view())),
            Covariances::Tied(one) => Self::Tied(rows(one.view())),
            Covariances::Diagonal(all) => Self::Diagonal(rows(all.view())),
            Covariances::TiedDiagonal(one) => Self::TiedDiagonal(one.to_vec()),
            Covariances::Spherical(all) => Self::Spherical(all.to_vec()),
            Covariances::TiedSpherical(one) => Self::TiedSpherical(*one),
            _ => return None,
        })
    }

    pub(crate) fn arrays(&self, k: usize, d: usize) -> Result<Covariances<F>, PersistError> {
        Ok(match self {
            Self::Full(all) => Covariances::Full(stack(FIELD, all, k, d, d)?),
            Self::Tied(one) => Covariances::Tied(matrix(FIELD, one, d, d)?),
            Self::Diagonal(all) => Covariances::Diagonal(matrix(FIELD, all, k, d)?),
            Self::TiedDiagonal(one) => Covariances::TiedDiagonal(vector(FIELD, one, d)?),
            Self::Spherical(all) => Covariances::Spherical(vector(FIELD, all, k)?),
            Self::TiedSpherical(one) => Covariances::TiedSpherical(*one),
        })
    }
}

impl<F: Float + Serialize + DeserializeOwned> GaussianMixture<F> {
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
    /// If the file cannot be read, is not a mixture of this number type, or contradicts itself.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, GmmError> {
        Ok(unscaled(Self::from_file(&Document::open(path)?)?)?)
    }

    /// The model as a document.
    ///
    /// # Errors
    /// If the covariances have a shape that documents do not know.
    pub fn to_document(&self) -> Result<GaussianMixtureDocument<F>, PersistError> {
        let unknown = || malformed(FIELD, "their shape cannot be written".into());
        Ok(GaussianMixtureDocument {
            format: Format,
            version: Version::default(),
            kind: KIND.into(),
            dtype: dtype::<F>()?,
            n_features: self.n_features(),
            feature_names: self.feature_names.clone(),
            scaling: None,
            covariance: self.settings.covariance,
            assignment: self.settings.assignment,
            mixing: self.settings.mixing.clone(),
            held: self.settings.held,
            noise: self.settings.noise,
            collapse: self.settings.collapse,
            tails: self.settings.tails,
            reg_covariance: self.settings.reg_covariance,
            acceleration: self.settings.acceleration,
            tolerance: self.settings.tolerance,
            missing: self.settings.missing,
            weights: self.mixture.weights.to_vec(),
            means: rows(self.mixture.means.view()),
            covariances: CovarianceLists::new(&self.mixture.covariances).ok_or_else(unknown)?,
            degrees: self.mixture.degrees.clone(),
            uniform: self.mixture.noise.clone(),
            stream: self.stream.clone(),
            sizes: self.sizes.clone(),
            log_likelihood: self.log_likelihood,
            classification_log_likelihood: self.classification_log_likelihood,
            total_weight: self.total_weight,
            report: self.report.clone(),
        })
    }

    /// The model of a document that was opened, and the scaling that its rows need.
    pub(crate) fn from_file(file: &Document) -> Result<(Option<ColumnScaling>, Self), PersistError> {
        file.header().expect_kind(&[KIND])?;
        file.header().expect_dtype(dtype::<F>()?)?;
        let mut document: GaussianMixtureDocument<F> = file.decode()?;
        let scaling = taken(&mut document.scaling, document.n_features)?;
        Ok((scaling, Self::from_document(document)?))
    }

    /// The model of a document.
    ///
    /// # Errors
    /// If its rows are [scaled](crate::Scaled), the parts contradict each other, or a covariance is not positive definite; the error names the field.
    pub fn from_document(document: GaussianMixtureDocument<F>) -> Result<Self, PersistError> {
        refuse_scaling(document.scaling.as_ref())?;
        let (k, d) = (document.weights.len(), document.n_features);
        let mixture = Mixture {
            weights: vector("weights", &document.weights, k)?,
            means: matrix("means", &document.means, k, d)?,
            covariances: document.covariances.arrays(k, d)?,
            noise: document.uniform,
            degrees: document.degrees,
        };
        mixture.check().map_err(|error| malformed(field_of(&error), error.to_string()))?;
        if !document.covariance.has_shape(&mixture.covariances) {
            return Err(malformed(FIELD, format!("their shape is not that of `{}`", document.covariance)));
        }
        document.mixing.check(k).map_err(|error| malformed("mixing", error.to_string()))?;
        if document.noise.is_some() != mixture.noise.is_some() {
            return Err(malformed("uniform", "it goes with `noise`, and neither is there alone".into()));
        }
        if (mixture.noise.is_some() || mixture.degrees.is_some()) && document.missing != Missing::Error {
            return Err(malformed("missing", "a mixture with noise or Student-t components refuses them".into()));
        }
        if is_gaussian(&document.tails) != mixture.degrees.is_none() {
            return Err(malformed("degrees", "they go with Student-t `tails`, and neither is there alone".into()));
        }
        // Zero is for a model that was made from parameters, without rows.
        if document.total_weight < 0.0 {
            return Err(malformed("total_weight", "it must not be below zero".into()));
        }
        let n_labels = mixture.n_labels();
        let fitted = super::model::Fitted {
            mixture,
            settings: MixtureSettings {
                covariance: document.covariance,
                assignment: document.assignment,
                mixing: document.mixing,
                held: document.held,
                noise: document.noise,
                collapse: document.collapse,
                tails: document.tails,
                reg_covariance: document.reg_covariance,
                acceleration: document.acceleration,
                tolerance: document.tolerance,
                missing: document.missing,
            },
            fit: MixtureFit {
                log_likelihood: document.log_likelihood,
                classification_log_likelihood: document.classification_log_likelihood,
                tempered_log_likelihood: document.log_likelihood,
                total_weight: document.total_weight,
                sizes: vector("sizes", &document.sizes, n_labels)?.to_vec(),
            },
            total_weight: document.total_weight,
            report: document.report,
        };
        let mut model = Self::from_fitted(fitted).map_err(|error| malformed(FIELD, error.to_string()))?;
        model.feature_names = crate::names::checked(document.feature_names, d)?;
        if document.stream.as_ref().is_some_and(|stream| !stream.belongs_to(&model.mixture, &model.settings)) {
            return Err(malformed("stream", "its statistics are not those of this model".into()));
        }
        model.stream = document.stream;
        Ok(model)
    }
}
