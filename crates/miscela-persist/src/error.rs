//! What can be wrong with a file, each in one sentence.

use crate::{Codec, Dtype};
use std::{io, path::Path, path::PathBuf};

/// Why a document could not be written or read.
///
/// `field` is a path into the document, for example `centroids[3][1]`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PersistError {
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file that was asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The ending of the file name belongs to no codec.
    #[error("{}: a model file ends in {}", path.display(), Codec::endings())]
    UnknownEnding {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The file is larger than any that is read.
    #[error("{}: larger than {limit} bytes, the most that is read as a model", path.display())]
    TooLarge {
        /// The file that was asked for.
        path: PathBuf,
        /// The most bytes that are read.
        limit: u64,
    },
    /// The content is something else altogether.
    #[error("not a miscela model file: {}", one_line(reason))]
    NotAModel {
        /// What was seen.
        reason: String,
    },
    /// A later version of miscela wrote this.
    #[error("written by a newer miscela: version {found}, this one reads up to {supported}; update miscela to read it")]
    NewerVersion {
        /// The version in the document.
        found: u64,
        /// The highest version this library reads.
        supported: u32,
    },
    /// The document holds another kind of model.
    #[error("a model of kind `{}` where `{}` is needed", one_line(found), expected.join("` or `"))]
    WrongKind {
        /// The kinds that would do.
        expected: Vec<String>,
        /// The kind in the document.
        found: String,
    },
    /// The document's numbers are of the other type.
    #[error("a model of {found} numbers where {expected} is needed: read it as {found}")]
    WrongDtype {
        /// The type that was asked for.
        expected: Dtype,
        /// The type in the document.
        found: Dtype,
    },
    /// The name of the number type is none that is known.
    #[error("unknown dtype `{}`: it is f32 or f64", one_line(found))]
    UnknownDtype {
        /// The name in the document.
        found: String,
    },
    /// The document breaks the rules of its codec or of its kind.
    #[error("{}: {}", place(field), one_line(message))]
    Malformed {
        /// Where, as far as the codec knows; empty for the document as a whole.
        field: String,
        /// What is wrong there.
        message: String,
    },
    /// A list is longer or shorter than the rest of the document says.
    #[error("`{field}` has length {got} where {expected} is needed")]
    Shape {
        /// The list.
        field: String,
        /// Its length by the rest of the document.
        expected: usize,
        /// Its length.
        got: usize,
    },
    /// A number is NaN or infinite.
    #[error("`{field}` is {value}: a model holds finite numbers only")]
    NotFinite {
        /// The number.
        field: String,
        /// NaN or an infinity.
        value: f64,
    },
    /// Something follows the document.
    #[error(
        "the document ends before the file does (bytes left over: {count}): the file is damaged, or holds more than a model"
    )]
    TrailingBytes {
        /// How many bytes from the end of the document to the end of the file.
        count: usize,
    },
}

impl PersistError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        PersistError::Io { path: path.to_path_buf(), source }
    }

    pub(crate) fn malformed(field: &serde_path_to_error::Path, message: String) -> Self {
        // A path without segments prints as a dot.
        let field = if field.iter().len() == 0 { String::new() } else { field.to_string() };
        PersistError::Malformed { field, message }
    }
}

/// What a file says may hold line breaks, and what a terminal obeys.
fn one_line(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

fn place(field: &str) -> String {
    if field.is_empty() { "the document".to_string() } else { format!("`{}`", one_line(field)) }
}
