//! Writing: to a temporary file beside the target, which then takes its name, so that nothing half-written is ever seen.

use crate::column_writer::{ColumnWriter, Value};
use crate::field::push_number;
use crate::format::is_standard_stream;
use crate::{Format, Kind, TableError};
use flate2::{Compression, write::GzEncoder};
use miscela_persist::write_atomically;
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
    content: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> Result<(), TableError> {
    let path = path.as_ref();
    let (file, written) = if is_standard_stream(path) {
        ("standard output".to_string(), buffered(io::stdout(), content))
    } else if path.metadata().is_ok_and(|there| !there.is_file()) {
        (path.display().to_string(), File::create(path).and_then(|file| buffered(file, content)))
    } else {
        (path.display().to_string(), write_atomically(path, |file| buffered(file, content)))
    };
    written.map_err(|source| TableError::Write { file, source })
}

fn buffered<W: Write + Send>(
    target: W,
    content: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> io::Result<()> {
    let mut writer = BufWriter::with_capacity(1 << 16, target);
    content(&mut writer)?;
    writer.flush()
}

/// As [`write_file`], compressed if the format says so.
fn write_by_format(
    path: &Path,
    format: Format,
    content: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
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

/// Writes a table row by row: `names`, and what `rows` writes. In Parquet and Arrow a column has the type of its first field.
///
/// # Errors
///
/// [`TableError::Write`]; an ending that is not that of a table with names.
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
    if format.kind == Kind::Npy {
        let what = "an array cannot hold text; use .csv, .tsv, .parquet or .arrow".to_string();
        return Err(TableError::Npy { file: path.display().to_string(), what });
    }
    write_by_format(path, format, |out| {
        let names = names.iter().map(AsRef::as_ref);
        let mut writer = match format.kind {
            Kind::Parquet => RowWriter(Fields::Columns(Box::new(ColumnWriter::parquet(out, names)))),
            Kind::Arrow => RowWriter(Fields::Columns(Box::new(ColumnWriter::arrow(out, names)))),
            Kind::Tsv => RowWriter::text_table(out, b'\t', names)?,
            _ => RowWriter::text_table(out, b',', names)?,
        };
        rows(&mut writer)?;
        match writer.0 {
            Fields::Text { mut csv, .. } => csv.flush(),
            Fields::Columns(columns) => columns.finish(),
        }
    })
}

/// The fields of a table, one after the other.
pub struct RowWriter<'a>(Fields<'a>);

enum Fields<'a> {
    Text { csv: Box<csv::Writer<&'a mut (dyn Write + Send)>>, number: String },
    Columns(Box<ColumnWriter<'a>>),
}

impl<'a> RowWriter<'a> {
    fn text_table<'n>(
        out: &'a mut (dyn Write + Send),
        delimiter: u8,
        mut names: impl Iterator<Item = &'n str>,
    ) -> io::Result<Self> {
        let csv = Box::new(csv::WriterBuilder::new().delimiter(delimiter).from_writer(out));
        let mut writer = Self(Fields::Text { csv, number: String::new() });
        names.try_for_each(|name| writer.text(name))?;
        writer.end()?;
        Ok(writer)
    }

    /// Writes a field of text, quoted where it must be.
    ///
    /// # Errors
    ///
    /// Writing failed; a column of another type.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        match &mut self.0 {
            Fields::Text { csv, .. } => csv.write_field(text).map_err(cause),
            Fields::Columns(columns) => columns.field(Value::Text(text)),
        }
    }

    /// Writes a number: in a text table as the shortest text that reads back the same.
    ///
    /// # Errors
    ///
    /// As [`RowWriter::text`].
    pub fn number<F: Float + Display + LowerExp + 'static>(&mut self, value: F) -> io::Result<()> {
        match &mut self.0 {
            Fields::Text { csv, number } => {
                number.clear();
                push_number(number, value);
                csv.write_field(number).map_err(cause)
            }
            // The casts are between equal types.
            Fields::Columns(columns) if TypeId::of::<F>() == TypeId::of::<f32>() => {
                columns.field(Value::Short(value.to_f32().unwrap_or(f32::NAN)))
            }
            Fields::Columns(columns) => columns.field(Value::Number(value.to_f64().unwrap_or(f64::NAN))),
        }
    }

    /// Writes a whole number, such as a label.
    ///
    /// # Errors
    ///
    /// As [`RowWriter::text`].
    pub fn integer(&mut self, value: usize) -> io::Result<()> {
        match &mut self.0 {
            Fields::Text { csv, .. } => csv.write_field(value.to_string()).map_err(cause),
            Fields::Columns(columns) => columns.field(Value::Integer(value as i64)),
        }
    }

    /// Ends the row.
    ///
    /// # Errors
    ///
    /// Writing failed, or the row is not as wide as the names.
    pub fn end(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Fields::Text { csv, .. } => csv.write_record(None::<&[u8]>).map_err(cause),
            Fields::Columns(columns) => columns.end(),
        }
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

/// Writes numbers, n × d, under their `names`, in any format. NPY, Parquet and Arrow keep the type; NPY has no names.
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

/// Writes labels: a column of the name `label`; integers without a name in NPY.
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

fn write_npy(array: &impl WriteNpyExt, out: &mut (dyn Write + Send)) -> io::Result<()> {
    array.write_npy(out).map_err(|error| match error {
        WriteNpyError::Io(error) => error,
        other => io::Error::other(other),
    })
}
