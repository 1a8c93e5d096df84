//! A k-means model as a document, and back.

use super::{KMeans, KMeansError, Trimming};
use crate::Float;
use crate::report::Report;
use crate::scaling::{ColumnScaling, refuse_scaling, taken, unscaled};
use miscela_distance::{AnyCentred, Distance, L2};
use miscela_em::{CentroidFit, Missing, Tally};
use miscela_kernel::Block;
use miscela_persist::{Document, Dtype, Format, PersistError, Version, matrix, rows, save, vector};
use ndarray::Array2;
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
    /// What is done to the rows before: all that follows is of scaled rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<ColumnScaling>,
    /// The distance: `l2`, `cosine`, …; that of Mahalanobis with its matrix.
    pub metric: AnyCentred,
    /// What is done about missing values.
    #[serde(default)]
    pub missing: Missing,
    /// What a trimmed fit left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trimming: Option<Trimming>,
    /// What batches have given each centre, if they were learnt from any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tally: Option<Tally>,
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

impl<F: Float + Serialize + DeserializeOwned> KMeans<F, L2> {
    /// Reads a model from a file. Its predictions are, bit for bit, those of the model that was saved.
    ///
    /// # Errors
    /// If the file cannot be read, is not a k-means model by Euclidean distance of this number type, or contradicts itself.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, KMeansError> {
        Self::load_with(path)
    }

    /// Reads a model by any distance, as [`load`](KMeans::load) does one by Euclidean distance. With
    /// [`AnyCentred`] the file says which.
    ///
    /// ```
    /// use miscela::{AnyCentred, Cosine, prelude::*};
    /// use ndarray::array;
    ///
    /// let rows = DatasetBase::from(array![[1.0, 0.1], [9.0, 1.0], [0.2, 2.0], [0.1, 7.0]]);
    /// # use rand::SeedableRng;
    /// # let rng = rand_xoshiro::Xoshiro256Plus::seed_from_u64(42);
    /// let model = KMeans::params_with(2, rng, Cosine).fit(&rows)?;
    /// let folder = tempfile::tempdir()?;
    /// let file = folder.path().join("directions.json");
    /// model.save(&file)?;
    /// let again: KMeans<f64, Cosine> = KMeans::load_with(&file)?;
    /// assert_eq!(again, model);
    /// let any: KMeans<f64, AnyCentred> = KMeans::load_with(&file)?;
    /// assert_eq!(any.distance().name(), "cosine");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`load`](KMeans::load); also if the file is of a model by another distance.
    pub fn load_with<D: Distance<F> + TryFrom<AnyCentred>>(
        path: impl AsRef<Path>,
    ) -> Result<KMeans<F, D>, KMeansError> {
        Ok(unscaled(KMeans::from_file(&Document::open(path)?)?)?)
    }
}

impl<F: Float + Serialize + DeserializeOwned, D: Distance<F>> KMeans<F, D> {
    /// Writes the model to a file, whole or not at all, as JSON (`.json`) or CBOR (`.cbor`) by its ending.
    ///
    /// # Errors
    /// On an unknown ending, or where the file system refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), KMeansError>
    where
        D: Into<AnyCentred>,
    {
        Ok(save(path, &self.to_document()?)?)
    }

    /// The model as a document.
    ///
    /// # Errors
    /// Never for a fitted model; the number type has a name that documents know.
    pub fn to_document(&self) -> Result<KMeansDocument<F>, PersistError>
    where
        D: Into<AnyCentred>,
    {
        Ok(KMeansDocument {
            format: Format,
            version: Version::default(),
            kind: KIND.into(),
            dtype: dtype::<F>()?,
            n_features: self.n_features(),
            feature_names: self.feature_names.clone(),
            scaling: None,
            metric: self.distance.clone().into(),
            missing: self.missing,
            trimming: self.trimming,
            tally: self.tally.clone(),
            centroids: rows(self.centroids.view()),
            cluster_count: self.cluster_count.to_vec(),
            sizes: self.sizes.clone(),
            inertia: self.inertia_sum,
            total_weight: self.total_weight,
            report: self.report.clone(),
        })
    }

    /// The model of a document that was opened, and the scaling that its rows need.
    pub(crate) fn from_file(file: &Document) -> Result<(Option<ColumnScaling>, Self), PersistError>
    where
        D: TryFrom<AnyCentred>,
    {
        file.header().expect_kind(&[KIND])?;
        file.header().expect_dtype(dtype::<F>()?)?;
        let mut document: KMeansDocument<F> = file.decode()?;
        let scaling = taken(&mut document.scaling, document.n_features)?;
        Ok((scaling, Self::from_document(document)?))
    }

    /// The model of a document.
    ///
    /// # Errors
    /// If its rows are [scaled](crate::Scaled), the parts contradict each other; the error names the field.
    pub fn from_document(document: KMeansDocument<F>) -> Result<Self, PersistError>
    where
        D: TryFrom<AnyCentred>,
    {
        refuse_scaling(document.scaling.as_ref())?;
        let (k, d) = (document.centroids.len(), document.n_features);
        let name = document.metric.name();
        let of_another =
            |_| malformed("metric", format!("`{name}` is not the distance of the model that is asked for"));
        let distance = D::try_from(document.metric).map_err(of_another)?;
        let takes_gaps = document.missing == Missing::Error || distance.is_squared_euclidean();
        if !takes_gaps {
            return Err(malformed("missing", format!("`{}` is for Euclidean distances", document.missing)));
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
        // Zero is for a model of given centres, without rows.
        if document.total_weight < 0.0 {
            return Err(malformed("total_weight", "it must not be below zero".into()));
        }
        check_centres("centroids", &fitted.centroids, &distance)?;
        let mut model = Self::from_fitted(fitted, distance).set_missing(document.missing);
        model.cluster_count = vector("cluster_count", &document.cluster_count, k)?;
        if document.tally.as_ref().is_some_and(|tally| !tally.fits(k)) {
            return Err(malformed(
                "tally",
                format!("it must hold {k} counts, none below zero, and as many at re-seedings"),
            ));
        }
        model.tally = document.tally;
        model.trimming = document.trimming.map(Trimming::checked).transpose()?;
        model.feature_names = crate::names::checked(document.feature_names, d)?;
        if let Some(count) = model.cluster_count.iter().find(|count| **count < F::zero()) {
            return Err(malformed("cluster_count", format!("{count} is negative")));
        }
        Ok(model)
    }
}

/// Whether the distance is defined for the centres: their width, and their numbers.
pub(crate) fn check_centres<F: Float, D: Distance<F>>(
    field: &str,
    centres: &Array2<F>,
    distance: &D,
) -> Result<(), PersistError> {
    let all: Vec<F> = centres.iter().copied().collect();
    let checked = distance.check(&Block::new(&all, centres.ncols()));
    checked.map_err(|error| malformed(field, format!("as a row of data, {error}")))
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
