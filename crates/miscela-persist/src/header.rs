//! The five fields that open every document, readable without knowing the rest.

use crate::{Codec, PersistError};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The value of every document's field `format`.
pub const FORMAT: &str = "miscela-model";

/// The document version that this library writes, and the highest that it reads.
pub const VERSION: u32 = 1;

/// What a document says about itself before its parameters.
///
/// # Example
///
/// ```
/// use miscela_persist::{Codec, Dtype, Header};
///
/// let text = r#"{"format": "miscela-model", "version": 1, "kind": "kmeans", "dtype": "f32",
///                "n_features": 2, "centroids": [[0.0, 1.0]]}"#;
/// let header: Header = Codec::Json.peek(text.as_bytes())?;
/// header.expect_kind(&["kmeans"])?;
/// assert_eq!((header.dtype, header.n_features), (Dtype::F32, 2));
///
/// let error = header.expect_kind(&["gmm"]).unwrap_err();
/// assert_eq!(error.to_string(), "a model of kind `kmeans` where `gmm` is needed");
/// # Ok::<(), miscela_persist::PersistError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version of the document, from 1 to [`VERSION`].
    pub version: u32,
    /// The kind of model, such as `kmeans` or `gmm`.
    pub kind: String,
    /// The type of the parameters.
    pub dtype: Dtype,
    /// The number of columns that the model was fitted on, at least 1.
    pub n_features: usize,
}

impl Header {
    /// Fails with [`PersistError::WrongKind`] unless the kind is one of `kinds`.
    pub fn expect_kind(&self, kinds: &[&str]) -> Result<(), PersistError> {
        if kinds.contains(&self.kind.as_str()) {
            return Ok(());
        }
        let expected = kinds.iter().map(|kind| kind.to_string()).collect();
        Err(PersistError::WrongKind { expected, found: self.kind.clone() })
    }

    /// Fails with [`PersistError::WrongDtype`] unless the parameters are of type `dtype`.
    pub fn expect_dtype(&self, dtype: Dtype) -> Result<(), PersistError> {
        if self.dtype == dtype {
            return Ok(());
        }
        Err(PersistError::WrongDtype { expected: dtype, found: self.dtype })
    }

    pub(crate) fn peek(bytes: &[u8], codec: Codec) -> Result<Self, PersistError> {
        match codec.parse::<Fields>(bytes) {
            Ok(fields) => fields.check(),
            // A newer document may have changed every field but two, and those say more than what is missing here.
            Err(error) => match codec.parse::<Stamp>(bytes) {
                Ok(stamp) => Err(stamp.check().err().unwrap_or(error)),
                Err(_) => Err(error),
            },
        }
    }
}

#[derive(Deserialize)]
struct Fields {
    format: String,
    version: u64,
    kind: String,
    dtype: String,
    n_features: usize,
}

impl Fields {
    fn check(self) -> Result<Header, PersistError> {
        let version = Stamp { format: Some(self.format), version: Some(self.version) }.check()?;
        if self.n_features == 0 {
            return Err(malformed("n_features", "a model has at least one feature"));
        }
        Ok(Header { version, kind: self.kind, dtype: self.dtype.parse()?, n_features: self.n_features })
    }
}

/// What is the same in the documents of all versions.
#[derive(Deserialize)]
struct Stamp {
    format: Option<String>,
    version: Option<u64>,
}

impl Stamp {
    fn check(self) -> Result<u32, PersistError> {
        let Some(format) = self.format else {
            return Err(PersistError::NotAModel { reason: format!("no field `format` says `{FORMAT}`") });
        };
        format_named(&format)?;
        let version = self.version.ok_or_else(|| malformed("version", "it is missing"))?;
        version_numbered(version)
    }
}

fn format_named(name: &str) -> Result<(), PersistError> {
    if name == FORMAT {
        return Ok(());
    }
    Err(PersistError::NotAModel { reason: format!("its field `format` says `{name}`, not `{FORMAT}`") })
}

fn version_numbered(found: u64) -> Result<u32, PersistError> {
    match u32::try_from(found) {
        Ok(0) => Err(malformed("version", "versions count from 1")),
        Ok(version) if version <= VERSION => Ok(version),
        _ => Err(PersistError::NewerVersion { found, supported: VERSION }),
    }
}

fn malformed(field: &str, message: &str) -> PersistError {
    PersistError::Malformed { field: field.to_string(), message: message.to_string() }
}

/// The field `format` of a document struct: written as [`FORMAT`], and nothing else is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub struct Format;

impl From<Format> for &'static str {
    fn from(_: Format) -> Self {
        FORMAT
    }
}

impl TryFrom<String> for Format {
    type Error = PersistError;
    fn try_from(name: String) -> Result<Self, PersistError> {
        format_named(&name).map(|()| Format)
    }
}

/// The field `version` of a document struct: written as [`VERSION`]; the versions from 1 to that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u32", try_from = "u64")]
pub struct Version(u32);

impl Default for Version {
    fn default() -> Self {
        Version(VERSION)
    }
}

impl From<Version> for u32 {
    fn from(version: Version) -> Self {
        version.0
    }
}

impl TryFrom<u64> for Version {
    type Error = PersistError;
    fn try_from(found: u64) -> Result<Self, PersistError> {
        version_numbered(found).map(Version)
    }
}

/// The type of a model's parameters.
///
/// ```
/// use miscela_persist::Dtype;
///
/// assert_eq!("f32".parse::<Dtype>()?, Dtype::F32);
/// assert_eq!(Dtype::F64.to_string(), "f64");
/// assert!("f16".parse::<Dtype>().is_err());
/// # Ok::<(), miscela_persist::PersistError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Dtype {
    /// Four bytes a number.
    F32,
    /// Eight bytes a number.
    F64,
}

impl Dtype {
    /// `"f32"` or `"f64"`.
    pub fn name(self) -> &'static str {
        match self {
            Dtype::F32 => "f32",
            Dtype::F64 => "f64",
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dtype {
    type Err = PersistError;
    fn from_str(name: &str) -> Result<Self, PersistError> {
        let known = [Dtype::F32, Dtype::F64].into_iter().find(|dtype| dtype.name() == name);
        known.ok_or_else(|| PersistError::UnknownDtype { found: name.to_string() })
    }
}

impl From<Dtype> for &'static str {
    fn from(dtype: Dtype) -> Self {
        dtype.name()
    }
}

impl TryFrom<String> for Dtype {
    type Error = PersistError;
    fn try_from(name: String) -> Result<Self, PersistError> {
        name.parse()
    }
}
