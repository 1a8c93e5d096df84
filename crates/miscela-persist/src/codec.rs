//! A document to bytes and back.

use crate::{Header, PersistError, cbor, finite, json};
use serde::{Serialize, de::DeserializeOwned};
use std::path::Path;

/// A way to write a document as bytes.
///
/// | codec | ending | for |
/// |---|---|---|
/// | [`Codec::Json`] | `.json` | people, other programs, version control: rows of numbers stay on one line |
/// | [`Codec::Cbor`] | `.cbor` | size and speed: an `f32` takes 5 bytes, an `f64` 9 ([RFC 8949](https://www.rfc-editor.org/rfc/rfc8949)) |
///
/// Both give back every finite number bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// JSON text.
    Json,
    /// Concise Binary Object Representation.
    Cbor,
}

impl Codec {
    /// All codecs, the default one first.
    pub const ALL: [Codec; 2] = [Codec::Json, Codec::Cbor];

    /// The name for people: `JSON` or `CBOR`.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Json => "JSON",
            Codec::Cbor => "CBOR",
        }
    }

    /// The ending of file names, without the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Codec::Json => "json",
            Codec::Cbor => "cbor",
        }
    }

    /// The known endings in a sentence: `.json or .cbor`.
    pub fn endings() -> String {
        Codec::ALL.map(|codec| format!(".{}", codec.ending())).join(" or ")
    }

    /// The codec that a file's ending stands for, in upper or lower case.
    ///
    /// # Errors
    ///
    /// [`PersistError::UnknownEnding`], which lists the endings there are.
    ///
    /// ```
    /// use miscela_persist::Codec;
    ///
    /// assert_eq!(Codec::from_path("out/model.cbor")?, Codec::Cbor);
    /// let error = Codec::from_path("model.bin").unwrap_err();
    /// assert_eq!(error.to_string(), "model.bin: a model file ends in .json or .cbor");
    /// # Ok::<(), miscela_persist::PersistError>(())
    /// ```
    pub fn from_path(path: impl AsRef<Path>) -> Result<Codec, PersistError> {
        let path = path.as_ref();
        let ending = path.extension().unwrap_or_default();
        let known = Codec::ALL.into_iter().find(|codec| ending.eq_ignore_ascii_case(codec.ending()));
        known.ok_or_else(|| PersistError::UnknownEnding { path: path.to_path_buf() })
    }

    /// The document as bytes.
    ///
    /// # Errors
    ///
    /// [`PersistError::NotFinite`] with the place of the first number that is NaN or infinite;
    /// [`PersistError::Malformed`] if the codec cannot hold the value (a map whose keys are not text).
    pub fn encode<T: Serialize + ?Sized>(self, document: &T) -> Result<Vec<u8>, PersistError> {
        finite::check_document(document)?;
        match self {
            Codec::Json => json::encode(document),
            Codec::Cbor => cbor::encode(document),
        }
    }

    /// The document that the bytes hold.
    ///
    /// The type has to be serialisable too, because what is read has to be fit to be written: all numbers finite.
    /// Derive it with `#[serde(deny_unknown_fields)]` and without `flatten` and `untagged`, which read numbers through
    /// a buffer that is not exact for `f32`.
    ///
    /// # Errors
    ///
    /// [`PersistError::NotAModel`] if the bytes are no document of this codec; [`PersistError::Malformed`] with the
    /// place where reading stopped, also for a file that ends early; [`PersistError::NotFinite`];
    /// [`PersistError::TrailingBytes`]. Memory stays in proportion to the bytes, whatever lengths they claim.
    pub fn decode<T: Serialize + DeserializeOwned>(self, bytes: &[u8]) -> Result<T, PersistError> {
        let document = self.parse(bytes)?;
        finite::check_document(&document)?;
        Ok(document)
    }

    /// What a document says about itself; its other fields are skipped unread.
    ///
    /// # Errors
    ///
    /// As [`Codec::decode`], and [`PersistError::NewerVersion`], [`PersistError::UnknownDtype`].
    pub fn peek(self, bytes: &[u8]) -> Result<Header, PersistError> {
        Header::peek(bytes, self)
    }

    pub(crate) fn parse<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, PersistError> {
        match self {
            Codec::Json => json::decode(bytes),
            Codec::Cbor => cbor::decode(bytes),
        }
    }
}
