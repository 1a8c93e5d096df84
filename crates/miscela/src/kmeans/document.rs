//! A k-means model as a document, and back.

use super::{KMeans, KMeansError, Trimming};
use crate::Float;
use crate::report::Report;
use miscela_distance::L2;
use miscela_em::{CentroidFit, Missing};
use miscela_persist::{Document, Dtype, Format, PersistError, Version, matrix, rows, save, vector};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::Path;

/// What a k-means model file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KMeansDocument<F> {
    /// Always `miscela-model`.
    pub format: Format,
    /// The version of the format.
    pub version: Version,
    /// `kmeans`
    pub kind: String,
    /// The type of the parameters.
    pub dtype: Dtype,
    /// d
    pub n_features: usize,
    /// One a column.
    pub feature_names: Vec<String>,
    /// The distance: `l2`.
    pub metric: String,
    /// What is done about missing values.
    #[serde(default)]
    pub missing: Missing,
    /// What a trimmed fit left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trimming: Option<Trimming>,
    /// k × d
    pub centroids: Vec<Vec<F>>,
    /// Weight of the rows of each cluster.
    pub cluster_count: Vec<F>,
    /// Rows of positive weight in each cluster.
    pub sizes: Vec<usize>,
    /// Σ w ‖x − c‖²
    pub inertia: f64,
    /// Σ w
    pub total_weight: f64,
    /// How the fit went.
    pub report: Report,
}

const KIND: &str = "kmeans";
const METRIC: &str = "l2";

impl<F: Float + Serialize + DeserializeOwned> KMeans<F, L2> {
    /// Writes the model to a file, whole or not at all, as JSON (`.json`) or CBOR (`.cbor`) by its ending.
    ///
    /// # Errors
    /// On an unknown ending, or where the file system refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), KMeansError> {
        Ok(save(path, &self.to_document()?)?)
    }

    /// Reads a model from a file. Its predictions are, bit for bit, those of the model that was saved.
    ///
    /// # Errors
    /// If the file cannot be read, is not a k-means model of this number type, or contradicts itself.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, KMeansError> {
        Ok(Self::from_file(&Document::open(path)?)?)
    }

    /// The model as a document.
    ///
    /// # Errors
    /// Never for a fitted model; the number type has a name that documents know.
    pub fn to_document(&self) -> Result<KMeansDocument<F>, PersistError> {
        Ok(KMeansDocument {
            format: Format,
            version: Version::default(),
            kind: KIND.into(),
            dtype: dtype::<F>()?,
            n_features: self.n_features(),
            feature_names: self.feature_names.clone(),
            metric: METRIC.into(),
            missing: self.missing,
            trimming: self.trimming,
            centroids: rows(self.centroids.view()),
            cluster_count: self.cluster_count.to_vec(),
            sizes: self.sizes.clone(),
            inertia: self.inertia_sum,
            total_weight: self.total_weight,
            report: self.report.clone(),
        })
    }

    /// The model of a document that was opened.
    pub(crate) fn from_file(file: &Document) -> Result<Self, PersistError> {
        file.header().expect_kind(&[KIND])?;
        file.header().expect_dtype(dtype::<F>()?)?;
        Self::from_document(file.decode()?)
    }

    /// The model of a document.
    ///
    /// # Errors
    /// If the parts contradict each other; the error names the field.
    pub fn from_document(document: KMeansDocument<F>) -> Result<Self, PersistError> {
        let (k, d) = (document.centroids.len(), document.n_features);
        if document.metric != METRIC {
            return Err(malformed("metric", format!("`{}` is not available; it is `{METRIC}`", document.metric)));
        }
        if k == 0 || d == 0 {
            return Err(malformed("centroids", "a model has at least one, of at least one column".into()));
        }
        let fitted = super::model::Fitted {
            centroids: matrix("centroids", &document.centroids, k, d)?,
            fit: CentroidFit {
                inertia: not_negative("inertia", document.inertia)?,
                sizes: vector("sizes", &document.sizes, k)?.to_vec(),
                weights: vec![0.0; k],
            },
            total_weight: document.total_weight,
            report: document.report,
            joint: None,
        };
        if document.total_weight <= 0.0 {
            return Err(malformed("total_weight", "it must be above zero".into()));
        }
        let mut model = Self::from_fitted(fitted, L2).with_missing(document.missing);
        model.cluster_count = vector("cluster_count", &document.cluster_count, k)?;
        model.trimming = document.trimming.map(Trimming::checked).transpose()?;
        model.feature_names = crate::names::checked(document.feature_names, d)?;
        if let Some(count) = model.cluster_count.iter().find(|count| **count < F::zero()) {
            return Err(malformed("cluster_count", format!("{count} is negative")));
        }
        Ok(model)
    }
}

pub(crate) fn dtype<F: Float>() -> Result<Dtype, PersistError> {
    <F as miscela_kernel::Float>::NAME.parse()
}

pub(crate) fn malformed(field: &str, message: String) -> PersistError {
    PersistError::Malformed { field: field.into(), message }
}

pub(crate) fn not_negative(field: &str, value: f64) -> Result<f64, PersistError> {
    if value >= 0.0 { Ok(value) } else { Err(malformed(field, format!("{value} is negative"))) }
}
