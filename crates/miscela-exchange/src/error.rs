//! Why a model could not be carried over, each in one sentence.

use crate::Format;
use std::path::PathBuf;

/// Why a model could not be written for another tool, or read from one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The ending of the file name belongs to no format.
    #[error("{}: a model for other tools ends in {}", path.display(), Format::endings())]
    UnknownEnding {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The format has no words for this model.
    #[error("{} cannot hold {what}: {why}", format.name())]
    Inexpressible {
        /// The format that was asked for.
        format: Format,
        /// What of the model.
        what: String,
        /// Why not, and what to do.
        why: &'static str,
    },
    /// The file would be longer than its format allows.
    #[error(
        "the model takes {bytes} bytes as {}, which is more than the {most} that such a file may have; fit fewer clusters or a sparer covariance",
        format.name()
    )]
    TooLarge {
        /// The format that was asked for.
        format: Format,
        /// The length it would have.
        bytes: usize,
        /// The length that is allowed.
        most: usize,
    },
    /// The format is only written.
    #[error("a model in {} is written and not read; convert from the file that it was made of", .0.name())]
    WriteOnly(Format),
    /// The file is not what its ending says, or contradicts itself.
    #[error("not a model in {}: {what}", format.name())]
    Damaged {
        /// The format that was read.
        format: Format,
        /// What is wrong.
        what: String,
    },
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] miscela::PersistError),
    /// The parameters are not those of a model.
    #[error("{0}")]
    Parameters(String),
}
