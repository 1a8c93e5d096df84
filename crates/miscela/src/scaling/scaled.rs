//! A model of scaled rows that takes rows as they are.

use super::ColumnScaling;
use crate::{BisectingKMeans, Float, KMeans, KMeansError};
use linfa::traits::PredictInplace;
use miscela_distance::Distance;
use ndarray::{Array1, Array2, ArrayBase, CowArray, Data, Ix2};

/// A model that was fitted to scaled rows, and the scaling: it takes rows in their own units, and answers in them.
///
/// | in the units of the rows | in units of the scaling |
/// |---|---|
/// | rows to predict, centroids, means, covariances | distances, inertia |
/// | log-densities, log-likelihoods, criteria: those of a density of the rows, to be compared with fits of the rows as they are | [`model`](Self::model) and all it says |
///
/// Predicting copies the rows. Saved and read as other models are; what cannot scale rows refuses the file.
///
/// ```
/// use miscela::prelude::*;
///
/// let iris = linfa_datasets::iris();
/// let model = Standardized(KMeans::params(3)).fit(&iris)?;
/// let labels = model.predict(&iris);
/// println!("{labels} about {}", model.centroids());
///
/// let folder = tempfile::tempdir()?;
/// model.save(folder.path().join("iris.json"))?;
/// let again: Scaled<KMeans<f64>> = Scaled::load(folder.path().join("iris.json"))?;
/// assert_eq!(again.predict(&iris), labels);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scaled<M> {
    scaling: ColumnScaling,
    model: M,
}

impl<M> Scaled<M> {
    /// A model that was fitted to rows scaled like this.
    pub fn new(scaling: ColumnScaling, model: M) -> Self {
        Self { scaling, model }
    }

    /// How rows are scaled.
    pub fn scaling(&self) -> &ColumnScaling {
        &self.scaling
    }

    /// The model of scaled rows.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// Scaling and model.
    pub fn into_parts(self) -> (ColumnScaling, M) {
        (self.scaling, self.model)
    }

    /// The rows scaled; those of another width as they are, for the model to refuse.
    pub(super) fn scaled<'a, F: Float, S: Data<Elem = F>>(
        &self,
        records: &'a ArrayBase<S, Ix2>,
    ) -> CowArray<'a, F, Ix2> {
        if records.ncols() == self.scaling.n_columns() { self.scaling.scaled(records).into() } else { records.into() }
    }
}

impl<F: Float, S: Data<Elem = F>, M> PredictInplace<ArrayBase<S, Ix2>, Array1<usize>> for Scaled<M>
where
    M: PredictInplace<Array2<F>, Array1<usize>>,
{
    /// # Panics
    /// As that of the model.
    fn predict_inplace(&self, records: &ArrayBase<S, Ix2>, labels: &mut Array1<usize>) {
        self.model.predict_inplace(&self.scaled(records).into_owned(), labels);
    }

    fn default_target(&self, records: &ArrayBase<S, Ix2>) -> Array1<usize> {
        Array1::zeros(records.nrows())
    }
}

impl<F: Float, D: Distance<F>> Scaled<KMeans<F, D>> {
    /// The centroids, k × d.
    pub fn centroids(&self) -> Array2<F> {
        self.scaling.unscaled(self.model.centroids())
    }

    /// The nearest centroid of each row, n.
    ///
    /// # Errors
    /// As [`KMeans::try_predict`].
    pub fn try_predict<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Result<Array1<usize>, KMeansError> {
        self.model.try_predict(&self.scaled(records))
    }
}

impl<F: Float, D: Distance<F>> Scaled<BisectingKMeans<F, D>> {
    /// The centroids, k × d.
    pub fn centroids(&self) -> Array2<F> {
        self.scaling.unscaled(self.model.centroids())
    }

    /// The cluster of each row, n.
    ///
    /// # Errors
    /// As [`BisectingKMeans::try_predict`].
    pub fn try_predict<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Result<Array1<usize>, KMeansError> {
        self.model.try_predict(&self.scaled(records))
    }
}
