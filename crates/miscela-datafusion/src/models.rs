//! Models as functions of SQL have them: by name in a query, as a document on the way to where it runs.

use crate::error::TableError;
use crate::pass::{AnyTask, Scalar};
use crate::rows::{Columns, Rows};
use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, ListArray};
use datafusion::arrow::datatypes::Float64Type;
use miscela::{AnyCentred, AnyModel, Codec, Distance, GaussianMixture, KMeans, Missing};
use miscela_em::{MixtureTask, Summary, Task};
use miscela_persist::{Document, Dtype};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, RwLock};

/// The models that a session's functions know by name.
///
/// A name that is none of theirs and ends as a model file does (`.json`, `.cbor`) is read as one, where the query is planned:
/// workers need no such file.
#[derive(Clone, Debug, Default)]
pub struct Models(Arc<RwLock<HashMap<String, Model>>>);

impl Models {
    /// Makes a model known by this name, in the place of one that had it.
    ///
    /// # Errors
    /// If the model cannot be written as a document.
    pub fn insert<M: TryInto<Model, Error = TableError>>(
        &self,
        name: impl Into<String>,
        model: M,
    ) -> Result<(), TableError> {
        let model = model.try_into()?;
        self.0.write().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(name.into(), model);
        Ok(())
    }

    pub(crate) fn get(&self, name: &str) -> Result<Model, TableError> {
        if let Some(model) = self.0.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(name) {
            return Ok(model.clone());
        }
        match Codec::from_path(name) {
            Ok(_) => AnyModel::load(name)?.try_into(),
            Err(_) => Err(TableError::NoModel { name: name.to_string() }),
        }
    }
}

// Functions that know models by name are the same if they know the same.
impl PartialEq for Models {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Models {}

impl Hash for Models {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// A model of either kind and number type that functions of SQL can use, and its document.
#[derive(Clone)]
pub struct Model {
    predictor: Arc<dyn Predictor>,
    document: Arc<Vec<u8>>,
}

impl Model {
    fn new(predictor: impl Predictor + 'static, document: Vec<u8>) -> Self {
        Self { predictor: Arc::new(predictor), document: Arc::new(document) }
    }

    /// The model of a document that [`document`](Self::document) wrote.
    pub(crate) fn from_document(bytes: &[u8]) -> Result<Self, TableError> {
        let file = Document::from_bytes(bytes.to_vec(), Codec::Cbor)?;
        match (file.header().kind.as_str(), file.header().dtype) {
            ("kmeans", Dtype::F32) => KMeans::<f32, AnyCentred>::from_document(file.decode()?)?.try_into(),
            ("kmeans", _) => KMeans::<f64, AnyCentred>::from_document(file.decode()?)?.try_into(),
            (_, Dtype::F32) => GaussianMixture::<f32>::from_document(file.decode()?)?.try_into(),
            _ => GaussianMixture::<f64>::from_document(file.decode()?)?.try_into(),
        }
    }

    /// The whole model, as its file would have it.
    pub(crate) fn document(&self) -> &[u8] {
        &self.document
    }

    pub(crate) fn predictor(&self) -> &dyn Predictor {
        self.predictor.as_ref()
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("n_features", &self.predictor.n_features()).finish_non_exhaustive()
    }
}

impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.document, &other.document) || self.document == other.document
    }
}

impl Eq for Model {}

impl Hash for Model {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.document.hash(state);
    }
}

impl<F: Scalar, D: Distance<F> + Into<AnyCentred>> TryFrom<KMeans<F, D>> for Model {
    type Error = TableError;

    fn try_from(model: KMeans<F, D>) -> Result<Self, TableError> {
        let model = model.into_any();
        let document = Codec::Cbor.encode(&model.to_document()?)?;
        Ok(Self::new(model, document))
    }
}

impl<F: Scalar> TryFrom<GaussianMixture<F>> for Model {
    type Error = TableError;

    fn try_from(model: GaussianMixture<F>) -> Result<Self, TableError> {
        let document = Codec::Cbor.encode(&model.to_document()?)?;
        Ok(Self::new(model, document))
    }
}

impl TryFrom<AnyModel> for Model {
    type Error = TableError;

    fn try_from(model: AnyModel) -> Result<Self, TableError> {
        match model {
            AnyModel::KMeansF32(model) => model.try_into(),
            AnyModel::KMeansF64(model) => model.try_into(),
            AnyModel::GmmF32(model) => model.try_into(),
            AnyModel::GmmF64(model) => model.try_into(),
            other => Err(TableError::Message(format!(
                "a model of kind {} has no functions in SQL; k-means and Gaussian mixtures have",
                other.kind()
            ))),
        }
    }
}

/// What a scalar function says of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) enum Answer {
    /// The cluster.
    Label,
    /// ln p(x)
    LogDensity,
    /// The probability of each component.
    Probabilities,
}

/// What functions need of a model.
pub(crate) trait Predictor: Send + Sync {
    /// `kmeans` or `gmm`, as the names of its functions begin.
    fn kind(&self) -> &'static str;
    fn n_features(&self) -> usize;
    /// The answer for each row of some columns.
    fn answer(&self, answer: Answer, columns: &Columns, arrays: &[ArrayRef]) -> Result<ArrayRef, TableError>;
    /// The task of one step of its fit.
    fn step(&self) -> Result<AnyTask, TableError>;
    /// Whether it takes rows in which values are missing.
    fn takes_missing(&self) -> bool;
    /// Whether the sums of one step are all that is needed of such rows.
    fn sums_missing(&self) -> bool;
}

/// The rows of some columns, checked, as a model takes them.
fn on_rows<F: Scalar, T>(
    columns: &Columns,
    arrays: &[ArrayRef],
    work: impl FnOnce(&ArrayView2<F>) -> Result<T, TableError>,
) -> Result<T, TableError> {
    let mut rows = Rows::<F>::new("a batch");
    rows.fill(columns, arrays)?;
    rows.check(columns)?;
    work(&rows.chunk(columns)?.rows.view())
}

fn labels(labels: impl IntoIterator<Item = usize>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(labels.into_iter().map(|label| label as i64)))
}

impl<F: Scalar> Predictor for KMeans<F, AnyCentred> {
    fn kind(&self) -> &'static str {
        "kmeans"
    }

    fn n_features(&self) -> usize {
        self.n_features()
    }

    fn takes_missing(&self) -> bool {
        self.missing() == Missing::Marginal
    }

    fn sums_missing(&self) -> bool {
        // Each column has a weight of its own then.
        false
    }

    fn step(&self) -> Result<AnyTask, TableError> {
        if !Distance::<F>::is_squared_euclidean(self.distance()) {
            return Err(TableError::Message(
                "kmeans_step is for k-means by Euclidean distance; the model has another".into(),
            ));
        }
        let offset = self.centroids().mean_axis(Axis(0)).map_or_else(Vec::new, |mean| mean.to_vec());
        Ok(F::wrap(Task::KMeans { centroids: self.centroids().clone(), offset }))
    }

    fn answer(&self, answer: Answer, columns: &Columns, arrays: &[ArrayRef]) -> Result<ArrayRef, TableError> {
        match answer {
            Answer::Label => on_rows::<F, _>(columns, arrays, |rows| Ok(labels(self.try_predict(rows)?))),
            Answer::LogDensity | Answer::Probabilities => Err(TableError::Message("k-means has no densities".into())),
        }
    }
}

impl<F: Scalar> Predictor for GaussianMixture<F> {
    fn kind(&self) -> &'static str {
        "gmm"
    }

    fn n_features(&self) -> usize {
        self.n_features()
    }

    fn takes_missing(&self) -> bool {
        self.missing() == Missing::Marginal
    }

    fn sums_missing(&self) -> bool {
        self.takes_missing()
    }

    fn step(&self) -> Result<AnyTask, TableError> {
        let mixture = self.parameters().clone();
        if mixture.noise.is_some() {
            return Err(TableError::Message("gmm_step is for mixtures without noise; the model has some".into()));
        }
        let (covariance, assignment, tails) = (self.covariance(), self.assignment(), self.tails());
        let summary = summary_of(self);
        // Where a part of the rows may have gaps, all parts are summed up as such.
        let observed = self.takes_missing().then(|| vec![summary.total_weight; summary.mean.len()]);
        Ok(F::wrap(Task::Mixture(Box::new(MixtureTask {
            summary: Summary { observed, ..summary },
            mixture,
            covariance,
            assignment,
            tails,
        }))))
    }

    fn answer(&self, answer: Answer, columns: &Columns, arrays: &[ArrayRef]) -> Result<ArrayRef, TableError> {
        on_rows::<F, _>(columns, arrays, |rows| {
            Ok(match answer {
                Answer::Label => labels(self.try_predict(rows)?),
                Answer::LogDensity => Arc::new(Float64Array::from_iter_values(self.score_samples(rows))),
                Answer::Probabilities => lists(&self.predict_proba(rows)),
            })
        })
    }
}

/// The mean and variance of each column of what a mixture describes.
fn summary_of<F: Scalar>(model: &GaussianMixture<F>) -> Summary {
    let (weights, means): (Array1<f64>, Array2<f64>) = (model.weights().mapv(F::widen), model.means().mapv(F::widen));
    let mean: Array1<f64> = weights.dot(&means);
    let mut variance: Vec<f64> = vec![0.0; mean.len()];
    for ((w, centre), covariance) in weights.iter().zip(means.outer_iter()).zip(model.covariances().outer_iter()) {
        for (j, variance) in variance.iter_mut().enumerate() {
            *variance += w * (covariance[[j, j]].widen() + (centre[j] - mean[j]) * (centre[j] - mean[j]));
        }
    }
    let total_weight = 1.0;
    Summary { mean: mean.to_vec(), variance, total_weight, covariance: None, observed: None }
}

/// A list for each row.
fn lists<F: Scalar>(matrix: &Array2<F>) -> ArrayRef {
    let rows = matrix.outer_iter().map(|row| Some(row.into_iter().map(|x| Some(x.widen())).collect::<Vec<_>>()));
    Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(rows))
}
