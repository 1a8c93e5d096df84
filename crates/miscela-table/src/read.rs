//! Opening files by their format, and the small files around a table: labels, weights, covariances.

use crate::columns::numbered;
use crate::field::{self, Check, Missed};
use crate::format::is_standard_stream;
use crate::npy::{self, Values};
use crate::table::pick;
use crate::{Columns, Format, Kind, Place, Table, TableError, TableValues, TextColumns, csv_text};
use flate2::read::MultiGzDecoder;
use ndarray::{Array1, Array2, Array3, ArrayD, Axis, Ix2, Ix3};
use num_traits::Float;
use std::fmt::{Display, LowerExp};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What to read of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The columns to read as numbers. What stands in the others does not matter.
    pub columns: Columns,
    /// Columns to keep as text beside the numbers, such as a name to write out again.
    pub carry: Option<Columns>,
    /// Whether missing values, such as an empty field, `NA` or NaN, are read, as NaN. Else they are an error that counts them.
    pub missing: bool,
}

/// Reads all columns of a table.
///
/// # Errors
///
/// The file cannot be read, its format is not known, or something in it is not as it should be: see [`TableError`].
pub fn read(path: impl AsRef<Path>) -> Result<Table, TableError> {
    read_with(path, &ReadOptions::default())
}

/// Reads the columns that `options` choose. Memory: the numbers, and about as much again while they grow.
///
/// # Errors
///
/// As [`read`], and columns that are not there.
pub fn read_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Table, TableError> {
    read_wanted(path.as_ref(), &Wanted::of(options))
}

/// Reads CSV from anything that can be read; `name` stands for the file in messages.
///
/// # Errors
///
/// As [`read_with`].
pub fn read_csv_from(input: impl Read, name: &str, options: &ReadOptions) -> Result<Table, TableError> {
    csv_text::read(input, b',', name, &Wanted::of(options))
}

/// Reads labels: whole numbers from 0 on, from a file of one column (a header is optional) or from the column `label`
/// of a wider one.
///
/// # Errors
///
/// As [`read`]; [`TableError::NotALabel`]; [`TableError::NotOneColumn`].
///
/// ```
/// # let file = std::env::temp_dir().join("miscela-table-labels.csv");
/// miscela_table::write_labels(&file, &[1, 0, 1])?;
/// assert_eq!(miscela_table::read_labels(&file)?, [1, 0, 1]);
/// # Ok::<(), miscela_table::TableError>(())
/// ```
pub fn read_labels(path: impl AsRef<Path>) -> Result<Vec<usize>, TableError> {
    let table = read_wanted(path.as_ref(), &Wanted::one("label", field::label))?;
    Ok(table.into_f64().iter().map(|&label| label as usize).collect())
}

/// Reads weights: a file of one column (a header is optional), or the column `weight` of a wider one.
///
/// # Errors
///
/// As [`read`]; [`TableError::NotOneColumn`].
pub fn read_vector(path: impl AsRef<Path>) -> Result<Array1<f64>, TableError> {
    let table = read_wanted(path.as_ref(), &Wanted::one("weight", field::finite))?;
    Ok(table.into_f64().into_iter().collect())
}

/// What a reader is asked for.
pub(crate) struct Wanted<'a> {
    choice: Choice<'a>,
    carry: Option<&'a Columns>,
    /// What a number must be.
    pub(crate) check: Check,
    /// Whether it may be missing.
    pub(crate) missing: bool,
}

enum Choice<'a> {
    Columns(&'a Columns),
    /// The only column, or the one of this name.
    One(&'static str),
}

impl<'a> Wanted<'a> {
    fn of(options: &'a ReadOptions) -> Self {
        let ReadOptions { columns, carry, missing } = options;
        Self { choice: Choice::Columns(columns), carry: carry.as_ref(), check: field::finite, missing: *missing }
    }

    fn one(name: &'static str, check: Check) -> Self {
        Self { choice: Choice::One(name), carry: None, check, missing: false }
    }

    /// The places of the columns to read as numbers, and of those to carry as text.
    pub(crate) fn resolve(&self, file: &str, names: &[String]) -> Result<(Vec<usize>, Vec<usize>), TableError> {
        let chosen = match self.choice {
            Choice::Columns(columns) => columns.resolve(file, names)?,
            Choice::One(name) => match names.iter().position(|there| there == name) {
                Some(column) => vec![column],
                None if names.len() == 1 => vec![0],
                None => return Err(TableError::NotOneColumn { file: file.to_string(), name, got: names.len() }),
            },
        };
        let carried = self.carry.map_or(Ok(vec![]), |carry| carry.resolve(file, names))?;
        Ok((chosen, carried))
    }
}

/// Reads k matrices, k × d × d, from an NPY file of any type of number.
///
/// # Errors
///
/// As [`read`]; [`TableError::Shape`]; [`TableError::Npy`] if the file is of another format or holds a number that is
/// not finite.
pub fn read_array3(path: impl AsRef<Path>) -> Result<Array3<f64>, TableError> {
    let path = path.as_ref();
    let (format, file) = (Format::of(path)?, source_name(path));
    if format.kind != Kind::Npy {
        let what = "arrays of three dimensions are read from .npy alone; save it with numpy.save".to_string();
        return Err(TableError::Npy { file, what });
    }
    let array = match npy::read(open(path, format)?, &file)? {
        Values::F64(array) => array,
        Values::F32(array) => array.mapv(f64::from),
    };
    let got = array.shape().to_vec();
    let array = match array.into_dimensionality::<Ix3>() {
        Ok(array) if got[1] == got[2] => array,
        _ => return Err(TableError::Shape { file, expected: "k × d × d", got }),
    };
    match array.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some((place, value)) => {
            let what = format!("the number at {place:?} is {value}, not a finite number; correct it");
            Err(TableError::Npy { file, what })
        }
        None => Ok(array),
    }
}

/// The file as messages call it.
fn source_name(path: &Path) -> String {
    if is_standard_stream(path) { "standard input".to_string() } else { path.display().to_string() }
}

fn open(path: &Path, format: Format) -> Result<Box<dyn Read>, TableError> {
    if is_standard_stream(path) {
        return Ok(Box::new(io::stdin().lock()));
    }
    let input = File::open(path).map_err(|source| TableError::Read { file: source_name(path), source })?;
    let input = io::BufReader::with_capacity(1 << 16, input);
    Ok(if format.gzip { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) })
}

fn read_wanted(path: &Path, wanted: &Wanted) -> Result<Table, TableError> {
    let (format, file) = (Format::of(path)?, source_name(path));
    let input = open(path, format)?;
    match format.kind {
        Kind::Csv => csv_text::read(input, b',', &file, wanted),
        Kind::Tsv => csv_text::read(input, b'\t', &file, wanted),
        Kind::Npy => match npy::read(input, &file)? {
            Values::F64(array) => array_table(array, TableValues::F64, file, wanted),
            Values::F32(array) => array_table(array, TableValues::F32, file, wanted),
        },
    }
}

/// What is wanted of an array of one or two dimensions.
fn array_table<F: Float + Display + LowerExp>(
    array: ArrayD<F>,
    wrap: impl Fn(Array2<F>) -> TableValues,
    file: String,
    wanted: &Wanted,
) -> Result<Table, TableError> {
    let array = if array.ndim() == 1 { array.insert_axis(Axis(1)) } else { array };
    let got = array.shape().to_vec();
    let Ok(mut rows) = array.into_dimensionality::<Ix2>() else {
        return Err(TableError::Shape { file, expected: "rows × columns", got });
    };
    if rows.is_empty() {
        return Err(TableError::Empty { file });
    }
    let names = numbered(rows.ncols());
    let (chosen, carry) = wanted.resolve(&file, &names)?;
    let named = |places: &[usize]| places.iter().map(|&j| names[j].clone()).collect::<Vec<_>>();
    let carried = as_text(&rows, &carry, named(&carry));
    if chosen.iter().copied().ne(0..rows.ncols()) {
        rows = pick(&rows, &chosen);
    }
    let names = named(&chosen);
    let mut missed = Missed::new(wanted.missing);
    for ((i, j), value) in rows.indexed_iter() {
        let checked = (wanted.check)(value.to_f64().unwrap_or(f64::NAN));
        missed.value(checked, |problem| problem.at(&file, Place::Row(i), &names[j], &value.to_string()))?;
    }
    missed.finish()?;
    Ok(Table::new(file, names, wrap(rows), carried))
}

/// Columns of numbers as text.
fn as_text<F: Float + Display + LowerExp>(rows: &Array2<F>, columns: &[usize], names: Vec<String>) -> TextColumns {
    let mut carried = TextColumns::new(names);
    let mut text = String::new();
    for row in rows.rows() {
        for &j in columns {
            text.clear();
            field::push_number(&mut text, row[j]);
            carried.push(&text);
        }
    }
    carried
}
