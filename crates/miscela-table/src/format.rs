//! The format of a file, which follows from its ending.

use crate::TableError;
use std::path::Path;

/// The name that stands for standard input when read and for standard output when written: CSV, both ways.
pub const STANDARD_STREAM: &str = "-";

/// How the numbers of a table are laid down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Fields separated by commas.
    Csv,
    /// Fields separated by tabs.
    Tsv,
    /// NumPy's array format.
    Npy,
    /// Apache Parquet: columns, compressed.
    Parquet,
    /// Apache Arrow's interprocess format, as a file or a stream; Feather, version 2, is the same.
    Arrow,
}

/// A [`Kind`], possibly compressed by gzip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// How the numbers are laid down.
    pub kind: Kind,
    /// Whether the file is compressed.
    pub gzip: bool,
}

impl Format {
    /// The format of a path: `.csv`, `.tsv`, `.npy`, each also `.gz`, `.parquet`, `.arrow`, `.feather`, in any case of letters;
    /// `-` is CSV.
    ///
    /// # Errors
    ///
    /// [`TableError::NotAvailable`] for `.parquet.gz` and its like, as these formats compress by themselves,
    /// [`TableError::UnknownEnding`] for all others. The path alone decides; no file is touched.
    ///
    /// ```
    /// use miscela_table::{Format, Kind};
    /// assert_eq!(Format::of("data/points.tsv.gz")?, Format { kind: Kind::Tsv, gzip: true });
    /// # Ok::<(), miscela_table::TableError>(())
    /// ```
    pub fn of(path: impl AsRef<Path>) -> Result<Self, TableError> {
        let path = path.as_ref();
        if is_standard_stream(path) {
            return Ok(Self { kind: Kind::Csv, gzip: false });
        }
        let file = path.display().to_string();
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let (stem, gzip) = name.strip_suffix(".gz").map_or((name.as_str(), false), |stem| (stem, true));
        match stem.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "csv" => Ok(Self { kind: Kind::Csv, gzip }),
            "tsv" => Ok(Self { kind: Kind::Tsv, gzip }),
            "npy" => Ok(Self { kind: Kind::Npy, gzip }),
            "parquet" if !gzip => Ok(Self { kind: Kind::Parquet, gzip }),
            "arrow" | "feather" if !gzip => Ok(Self { kind: Kind::Arrow, gzip }),
            ending @ ("parquet" | "arrow" | "feather") => {
                Err(TableError::NotAvailable { file, ending: format!("{ending}.gz") })
            }
            _ => Err(TableError::UnknownEnding { file }),
        }
    }

    /// Whether files of this format are smaller than what they hold: by how much, they do not say.
    pub fn is_packed(self) -> bool {
        self.gzip || matches!(self.kind, Kind::Parquet | Kind::Arrow)
    }
}

/// Standard input, or a pipe: what is read is gone.
pub(crate) fn can_be_read_once(path: &Path) -> bool {
    is_standard_stream(path) || path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir())
}

pub(crate) fn is_standard_stream(path: &Path) -> bool {
    path.as_os_str() == STANDARD_STREAM
}
