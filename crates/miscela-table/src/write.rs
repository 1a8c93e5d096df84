//! Writing: to a temporary file beside the target, which then takes its name, so that nothing half-written is ever seen.

use crate::field::push_number;
use crate::format::is_standard_stream;
use crate::{Format, Kind, TableError};
use flate2::{Compression, write::GzEncoder};
use ndarray::{ArrayView1, ArrayView2};
use ndarray_npy::{WriteNpyError, WriteNpyExt};
use num_traits::Float;
use std::any::TypeId;
use std::fmt::{Display, LowerExp};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a file of any kind by what `content` writes; `-` is standard output.
///
/// The file appears when all is written, or not at all. Devices and pipes are written directly.
///
/// # Errors
///
/// [`TableError::Write`], for errors of `content` too.
pub fn write_file(
    path: impl AsRef<Path>,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), TableError> {
    let path = path.as_ref();
    let (file, written) = if is_standard_stream(path) {
        ("standard output".to_string(), buffered(io::stdout().lock(), content).map(drop))
    } else if path.metadata().is_ok_and(|there| !there.is_file()) {
        (path.display().to_string(), File::create(path).and_then(|file| buffered(file, content)).map(drop))
    } else {
        (path.display().to_string(), write_beside(path, content))
    };
    written.map_err(|source| TableError::Write { file, source })
}

fn write_beside(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    // A link stays, and the file it leads to is replaced.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".miscela-");
    #[cfg(unix)]
    {
        // As for any new file: what the user's mask leaves.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let temporary = buffered(builder.tempfile_in(folder)?, content)?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn buffered<W: Write>(target: W, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<W> {
    let mut writer = BufWriter::with_capacity(1 << 16, target);
    content(&mut writer)?;
    writer.flush()?;
    writer.into_inner().map_err(|error| error.into_error())
}

/// As [`write_file`], compressed if the format says so.
fn write_by_format(
    path: &Path,
    format: Format,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), TableError> {
    write_file(path, |out| {
        if !format.gzip {
            return content(out);
        }
        let mut packed = GzEncoder::new(out, Compression::default());
        content(&mut packed)?;
        packed.finish().map(drop)
    })
}

/// Writes a CSV or TSV file row by row: a line of `names`, then what `rows` writes.
///
/// # Errors
///
/// [`TableError::Write`]; an ending that is not that of a text table.
///
/// ```
/// # let file = std::env::temp_dir().join("miscela-table-rows.csv");
/// miscela_table::write_rows(&file, &["id", "density"], |rows| {
///     rows.text("a")?;
///     rows.number(0.25)?;
///     rows.end()
/// })?;
/// assert_eq!(std::fs::read_to_string(&file).unwrap(), "id,density\na,0.25\n");
/// # Ok::<(), miscela_table::TableError>(())
/// ```
pub fn write_rows<S: AsRef<str>>(
    path: impl AsRef<Path>,
    names: &[S],
    rows: impl FnOnce(&mut RowWriter<'_>) -> io::Result<()>,
) -> Result<(), TableError> {
    let (path, format) = (path.as_ref(), Format::of(&path)?);
    let delimiter = match format.kind {
        Kind::Csv => b',',
        Kind::Tsv => b'\t',
        Kind::Npy => {
            let what = "an array cannot hold text; use .csv or .tsv".to_string();
            return Err(TableError::Npy { file: path.display().to_string(), what });
        }
    };
    write_by_format(path, format, |out| {
        let mut writer = RowWriter::new(out, delimiter);
        names.iter().try_for_each(|name| writer.text(name.as_ref()))?;
        writer.end()?;
        rows(&mut writer)?;
        writer.csv.flush()
    })
}

/// The fields of a text table, one after the other.
pub struct RowWriter<'a> {
    csv: csv::Writer<&'a mut dyn Write>,
    number: String,
}

impl<'a> RowWriter<'a> {
    fn new(out: &'a mut dyn Write, delimiter: u8) -> Self {
        let csv = csv::WriterBuilder::new().delimiter(delimiter).from_writer(out);
        Self { csv, number: String::new() }
    }

    /// Writes a field of text, quoted where it must be.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.csv.write_field(text).map_err(cause)
    }

    /// Writes a number as the shortest text that reads back the same.
    pub fn number<F: Float + Display + LowerExp>(&mut self, value: F) -> io::Result<()> {
        self.number.clear();
        push_number(&mut self.number, value);
        self.csv.write_field(&self.number).map_err(cause)
    }

    /// Writes a whole number, such as a label.
    pub fn integer(&mut self, value: usize) -> io::Result<()> {
        self.csv.write_field(value.to_string()).map_err(cause)
    }

    /// Ends the row.
    ///
    /// # Errors
    ///
    /// Writing failed, or the row is not as wide as the names.
    pub fn end(&mut self) -> io::Result<()> {
        self.csv.write_record(None::<&[u8]>).map_err(cause)
    }
}

/// The error of the stream beneath, whose kind says what happened.
fn cause(error: csv::Error) -> io::Error {
    if !error.is_io_error() {
        return io::Error::other(error);
    }
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// Writes numbers, n × d, under their `names`: as CSV or TSV, or as NPY, which keeps the type and has no names.
///
/// # Errors
///
/// [`TableError::Write`], for a wrong number of names too; an ending that is not known.
pub fn write_array<F: Float + Display + LowerExp + 'static, S: AsRef<str>>(
    path: impl AsRef<Path>,
    names: &[S],
    values: ArrayView2<F>,
) -> Result<(), TableError> {
    let (path, format) = (path.as_ref(), Format::of(&path)?);
    if format.kind != Kind::Npy {
        return write_rows(path, names, |rows| {
            for row in values.rows() {
                row.iter().try_for_each(|&value| rows.number(value))?;
                rows.end()?;
            }
            Ok(())
        });
    }
    // The casts are between equal types.
    write_by_format(path, format, |out| {
        if TypeId::of::<F>() == TypeId::of::<f32>() {
            write_npy(&values.mapv(|x| x.to_f32().unwrap_or(f32::NAN)), out)
        } else {
            write_npy(&values.mapv(|x| x.to_f64().unwrap_or(f64::NAN)), out)
        }
    })
}

/// Writes labels: a column with the header `label`, or integers in NPY.
///
/// # Errors
///
/// [`TableError::Write`]; an ending that is not known.
pub fn write_labels(path: impl AsRef<Path>, labels: &[usize]) -> Result<(), TableError> {
    let (path, format) = (path.as_ref(), Format::of(&path)?);
    if format.kind == Kind::Npy {
        return write_by_format(path, format, |out| {
            write_npy(&ArrayView1::from(labels).mapv(|label| label as i64), out)
        });
    }
    write_rows(path, &["label"], |rows| {
        labels.iter().try_for_each(|&label| {
            rows.integer(label)?;
            rows.end()
        })
    })
}

fn write_npy(array: &impl WriteNpyExt, out: &mut dyn Write) -> io::Result<()> {
    array.write_npy(out).map_err(|error| match error {
        WriteNpyError::Io(error) => error,
        other => io::Error::other(other),
    })
}
