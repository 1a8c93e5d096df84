//! A model of whatever kind a file holds.

use crate::bayesian::BayesianMixture;
use crate::bisecting::BisectingKMeans;
use crate::kmeans::KMeans;
use crate::mixture::GaussianMixture;
use crate::scaling::{ColumnScaling, Kept, unscaled};
use miscela_distance::AnyCentred;
use miscela_persist::{Codec, Document, Dtype, PersistError};
use std::path::Path;

/// A model read from a file, of whatever kind and number type.
///
/// ```
/// use miscela::prelude::*;
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("iris.json");
/// KMeans::params(3).fit(&linfa_datasets::iris())?.save(&file)?;
/// let model = AnyModel::load(&file)?;
/// assert_eq!((model.kind(), model.dtype(), model.n_clusters()), ("kmeans", "f64", 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AnyModel {
    /// K-means in `f32`, by whatever distance.
    KMeansF32(KMeans<f32, AnyCentred>),
    /// K-means in `f64`, by whatever distance.
    KMeansF64(KMeans<f64, AnyCentred>),
    /// A mixture in `f32`.
    GmmF32(GaussianMixture<f32>),
    /// A mixture in `f64`.
    GmmF64(GaussianMixture<f64>),
    /// A Bayesian mixture in `f32`.
    BayesianF32(BayesianMixture<f32>),
    /// A Bayesian mixture in `f64`.
    BayesianF64(BayesianMixture<f64>),
    /// Bisecting k-means in `f32`, by whatever distance.
    BisectingF32(BisectingKMeans<f32, AnyCentred>),
    /// Bisecting k-means in `f64`, by whatever distance.
    BisectingF64(BisectingKMeans<f64, AnyCentred>),
}

/// Evaluates an expression for whichever model it is.
macro_rules! each {
    ($self:expr, $model:ident => $result:expr) => {
        match $self {
            AnyModel::KMeansF32($model) => $result,
            AnyModel::KMeansF64($model) => $result,
            AnyModel::GmmF32($model) => $result,
            AnyModel::GmmF64($model) => $result,
            AnyModel::BayesianF32($model) => $result,
            AnyModel::BayesianF64($model) => $result,
            AnyModel::BisectingF32($model) => $result,
            AnyModel::BisectingF64($model) => $result,
        }
    };
}

impl AnyModel {
    /// Reads a model file, `.json` or `.cbor`.
    ///
    /// # Errors
    /// If the file cannot be read, is no model or one of [scaled](crate::Scaled) rows, or contradicts itself.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, PersistError> {
        unscaled(Self::from_file(&Document::open(path)?)?)
    }

    /// Reads a model file of scaled rows or of rows as they are: the scaling, if there is one, and the model.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let file = folder.path().join("iris.json");
    /// Standardized(KMeans::params(3)).fit(&linfa_datasets::iris())?.save(&file)?;
    /// assert!(AnyModel::load_with_scaling(&file)?.0.is_some());
    /// assert!(AnyModel::load(&file).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the file cannot be read, is no model, or contradicts itself.
    pub fn load_with_scaling(path: impl AsRef<Path>) -> Result<(Option<ColumnScaling>, Self), PersistError> {
        Self::from_file(&Document::open(path)?)
    }

    /// Reads a model from the bytes of a file, of whatever origin: nothing in them is believed. Memory is in proportion to their
    /// number.
    ///
    /// ```
    /// use miscela::{AnyModel, Codec};
    ///
    /// let hostile = br#"{"format": "miscela-model", "version": 1, "kind": "gmm", "dtype": "f64", "n_features": 1000000000}"#;
    /// let error = AnyModel::from_bytes(hostile.to_vec(), Codec::Json).unwrap_err();
    /// assert!(error.to_string().contains("missing field `feature_names`"));
    /// ```
    ///
    /// # Errors
    /// If they are no model or one of [scaled](crate::Scaled) rows, or contradict themselves; the error names the field.
    pub fn from_bytes(bytes: Vec<u8>, codec: Codec) -> Result<Self, PersistError> {
        unscaled(Self::from_file(&Document::from_bytes(bytes, codec)?)?)
    }

    /// The model of a document that was opened, and the scaling that its rows need.
    pub(crate) fn from_file(file: &Document) -> Result<(Option<ColumnScaling>, Self), PersistError> {
        fn of<M: Kept>(
            file: &Document,
            any: fn(M) -> AnyModel,
        ) -> Result<(Option<ColumnScaling>, AnyModel), PersistError> {
            M::read(file).map(|(scaling, model)| (scaling, any(model)))
        }
        file.header().expect_kind(&["kmeans", "bisecting-kmeans", "gmm", "bayesian-gmm"])?;
        match (file.header().kind.as_str(), file.header().dtype) {
            ("kmeans", Dtype::F32) => of(file, AnyModel::KMeansF32),
            ("kmeans", _) => of(file, AnyModel::KMeansF64),
            ("bisecting-kmeans", Dtype::F32) => of(file, AnyModel::BisectingF32),
            ("bisecting-kmeans", _) => of(file, AnyModel::BisectingF64),
            ("bayesian-gmm", Dtype::F32) => of(file, AnyModel::BayesianF32),
            ("bayesian-gmm", _) => of(file, AnyModel::BayesianF64),
            (_, Dtype::F32) => of(file, AnyModel::GmmF32),
            _ => of(file, AnyModel::GmmF64),
        }
    }

    /// Writes the model to a file, whole or not at all, in the format of its ending.
    ///
    /// # Errors
    /// On an unknown ending, or where the file system refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PersistError> {
        self.write_with(path.as_ref(), None)
    }

    /// With the scaling that its rows need.
    pub(crate) fn write_with(&self, path: &Path, scaling: Option<ColumnScaling>) -> Result<(), PersistError> {
        each!(self, model => model.write(path, scaling))
    }

    /// `kmeans`, `bisecting-kmeans`, `gmm` or `bayesian-gmm`.
    pub fn kind(&self) -> &'static str {
        match self {
            AnyModel::KMeansF32(_) | AnyModel::KMeansF64(_) => "kmeans",
            AnyModel::BisectingF32(_) | AnyModel::BisectingF64(_) => "bisecting-kmeans",
            AnyModel::GmmF32(_) | AnyModel::GmmF64(_) => "gmm",
            AnyModel::BayesianF32(_) | AnyModel::BayesianF64(_) => "bayesian-gmm",
        }
    }

    /// `f32` or `f64`.
    pub fn dtype(&self) -> &'static str {
        match self {
            AnyModel::KMeansF32(_) | AnyModel::GmmF32(_) | AnyModel::BayesianF32(_) | AnyModel::BisectingF32(_) => {
                "f32"
            }
            AnyModel::KMeansF64(_) | AnyModel::GmmF64(_) | AnyModel::BayesianF64(_) | AnyModel::BisectingF64(_) => {
                "f64"
            }
        }
    }

    /// d
    pub fn n_features(&self) -> usize {
        each!(self, model => model.n_features())
    }

    /// k
    pub fn n_clusters(&self) -> usize {
        each!(self, model => model.n_clusters())
    }

    /// The columns' names.
    pub fn feature_names(&self) -> &[String] {
        each!(self, model => model.feature_names())
    }
}
