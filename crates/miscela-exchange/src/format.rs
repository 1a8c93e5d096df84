//! The formats, by their endings.

use crate::plain::Plain;
use crate::{ExchangeError, onnx, pmml, sklearn};
use miscela::{AnyModel, ColumnScaling, Float, GaussianMixture, Scaled};
use miscela_persist::load_bytes;
use std::path::Path;

/// A format of other tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// [ONNX](crate::onnx), for onnxruntime and its like.
    Onnx,
    /// [scikit-learn's arrays](crate::sklearn), for NumPy.
    Npz,
    /// [PMML](crate::pmml), for scoring engines.
    Pmml,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 3] = [Format::Npz, Format::Onnx, Format::Pmml];

    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Format::Onnx => "ONNX",
            Format::Npz => "scikit-learn's arrays",
            Format::Pmml => "PMML",
        }
    }

    /// The ending of file names, without the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Format::Onnx => "onnx",
            Format::Npz => "npz",
            Format::Pmml => "pmml",
        }
    }

    /// The known endings in a sentence.
    pub fn endings() -> String {
        Format::ALL.map(|format| format!(".{}", format.ending())).join(", ")
    }

    /// The format that a file's ending stands for, in upper or lower case.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::UnknownEnding`], which lists the endings there are.
    ///
    /// ```
    /// use miscela_exchange::Format;
    ///
    /// assert_eq!(Format::from_path("models/iris.ONNX")?, Format::Onnx);
    /// assert!(Format::from_path("iris.json").is_err());
    /// # Ok::<(), miscela_exchange::ExchangeError>(())
    /// ```
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, ExchangeError> {
        let path = path.as_ref();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let found = Format::ALL.into_iter().find(|format| format.ending().eq_ignore_ascii_case(ending));
        found.ok_or_else(|| ExchangeError::UnknownEnding { path: path.to_path_buf() })
    }

    /// Whether models in this format are read too.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::WriteOnly`]
    pub fn check_readable(self) -> Result<(), ExchangeError> {
        match self {
            Format::Npz => Ok(()),
            Format::Onnx | Format::Pmml => Err(ExchangeError::WriteOnly(self)),
        }
    }

    /// Reads a model of another tool from a file.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::File`] if the file cannot be read, and those of [`decode`](Self::decode).
    pub fn load(self, path: impl AsRef<Path>) -> Result<AnyModel, ExchangeError> {
        self.check_readable()?;
        self.decode(&load_bytes(path)?)
    }

    /// The model that the bytes of a file hold.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::WriteOnly`], and [`ExchangeError::Damaged`] for whatever is wrong with the bytes.
    pub fn decode(self, bytes: &[u8]) -> Result<AnyModel, ExchangeError> {
        match self {
            Format::Npz => sklearn::decode(bytes),
            Format::Onnx | Format::Pmml => Err(ExchangeError::WriteOnly(self)),
        }
    }

    /// The model as the bytes of a file.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Inexpressible`] where the format has no words for the model, and
    /// [`ExchangeError::TooLarge`].
    pub fn encode(self, model: &AnyModel) -> Result<Vec<u8>, ExchangeError> {
        self.encode_scaled(model, None)
    }

    /// The same of a model of scaled rows, as one that takes rows as they are: ONNX scales them before all else, a
    /// mixture becomes the [same density of the rows](Scaled::unscaled), and what has a place for neither is refused.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    pub fn encode_scaled(self, model: &AnyModel, scaling: Option<&ColumnScaling>) -> Result<Vec<u8>, ExchangeError> {
        match (self, scaling) {
            (Format::Onnx, scaling) => onnx::encode(&Plain::of(model)?.scaled(scaling)),
            (_, Some(scaling)) => self.encode(&self.of_rows(model, scaling)?),
            (Format::Npz, None) => sklearn::encode(&Plain::of(model)?),
            (Format::Pmml, None) => pmml::encode(&Plain::of(model)?),
        }
    }

    /// A model of rows as they are, for a format that does not scale them.
    fn of_rows(self, model: &AnyModel, scaling: &ColumnScaling) -> Result<AnyModel, ExchangeError> {
        fn unscaled<F: Float>(
            model: &GaussianMixture<F>,
            scaling: &ColumnScaling,
        ) -> Result<GaussianMixture<F>, ExchangeError> {
            let unscaled = Scaled::new(scaling.clone(), model.clone()).unscaled();
            unscaled.map_err(|error| ExchangeError::Parameters(error.to_string()))
        }
        match model {
            AnyModel::GmmF32(model) => Ok(AnyModel::GmmF32(unscaled(model, scaling)?)),
            AnyModel::GmmF64(model) => Ok(AnyModel::GmmF64(unscaled(model, scaling)?)),
            _ => Err(ExchangeError::Inexpressible {
                format: self,
                what: "a model of standardised columns".into(),
                why: "it has no place for the scaling; write .onnx, or scale the columns before both tools",
            }),
        }
    }
}
