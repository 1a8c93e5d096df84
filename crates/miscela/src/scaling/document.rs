//! Models in files, with the scaling of their rows or without.

use super::{ColumnScaling, Scaled};
use crate::bayesian::BayesianMixture;
use crate::bisecting::BisectingKMeans;
use crate::kmeans::{KMeans, malformed};
use crate::mixture::GaussianMixture;
use crate::{AnyModel, Float};
use miscela_distance::{AnyCentred, Distance};
use miscela_persist::{Document, PersistError, save};
use serde::{Serialize, de::DeserializeOwned};
use std::path::Path;

/// A model that a file can hold, in which a scaling may stand beside it.
///
/// The models of this crate are that; there is nothing to implement.
pub trait Kept: Sized {
    /// The model of a document that was opened, and the scaling that its rows need.
    ///
    /// # Errors
    /// If the document is of another kind or number type, or contradicts itself.
    fn read(file: &Document) -> Result<(Option<ColumnScaling>, Self), PersistError>;

    /// Writes the model and the scaling of its rows to a file, whole or not at all, in the format of its ending.
    ///
    /// # Errors
    /// On an unknown ending, or where the file system refuses.
    fn write(&self, path: &Path, scaling: Option<ColumnScaling>) -> Result<(), PersistError>;
}

impl<M: Kept> Scaled<M> {
    /// Writes model and scaling to a file, whole or not at all, as JSON (`.json`) or CBOR (`.cbor`) by its ending.
    ///
    /// # Errors
    /// On an unknown ending, or where the file system refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PersistError> {
        self.model().write(path.as_ref(), Some(self.scaling().clone()))
    }

    /// Reads a model of scaled rows from a file. Its predictions are, bit for bit, those of the model that was saved.
    ///
    /// # Errors
    /// If the file cannot be read, is not such a model, knows no scaling, or contradicts itself.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, PersistError> {
        let (scaling, model) = M::read(&Document::open(path)?)?;
        let none = || malformed("scaling", "the model has none; load it as what it is".into());
        Ok(Self::new(scaling.ok_or_else(none)?, model))
    }
}

/// A model that was read, unless it needs scaled rows.
pub(crate) fn unscaled<M>((scaling, model): (Option<ColumnScaling>, M)) -> Result<M, PersistError> {
    refuse_scaling(scaling.as_ref()).map(|()| model)
}

/// Refuses what would be taken for a model of rows as they are.
pub(crate) fn refuse_scaling(scaling: Option<&ColumnScaling>) -> Result<(), PersistError> {
    let sentence = || malformed("scaling", "the model is one of scaled rows; read the file as `Scaled`".into());
    scaling.map_or(Ok(()), |_| Err(sentence()))
}

/// The scaling of a document of d columns, taken out of it.
pub(crate) fn taken(scaling: &mut Option<ColumnScaling>, d: usize) -> Result<Option<ColumnScaling>, PersistError> {
    let checked = scaling.take().map(|scaling| scaling.checked(d)).transpose();
    checked.map_err(|error| malformed("scaling", error.to_string()))
}

/// What a model kind needs: how it is read, and its document, in which the scaling has its place.
macro_rules! kept {
    () => {
        fn read(file: &Document) -> Result<(Option<ColumnScaling>, Self), PersistError> {
            Self::from_file(file)
        }

        fn write(&self, path: &Path, scaling: Option<ColumnScaling>) -> Result<(), PersistError> {
            let mut document = self.to_document()?;
            document.scaling = scaling;
            save(path, &document)
        }
    };
}

impl<F, D> Kept for KMeans<F, D>
where
    F: Float + Serialize + DeserializeOwned,
    D: Distance<F> + TryFrom<AnyCentred> + Into<AnyCentred>,
{
    kept!();
}

impl<F, D> Kept for BisectingKMeans<F, D>
where
    F: Float + Serialize + DeserializeOwned,
    D: Distance<F> + TryFrom<AnyCentred> + Into<AnyCentred>,
{
    kept!();
}

impl<F: Float + Serialize + DeserializeOwned> Kept for GaussianMixture<F> {
    kept!();
}

impl<F: Float + Serialize + DeserializeOwned> Kept for BayesianMixture<F> {
    kept!();
}

impl Kept for AnyModel {
    fn read(file: &Document) -> Result<(Option<ColumnScaling>, Self), PersistError> {
        Self::from_file(file)
    }

    fn write(&self, path: &Path, scaling: Option<ColumnScaling>) -> Result<(), PersistError> {
        self.write_with(path, scaling)
    }
}
