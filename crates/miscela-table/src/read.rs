//! Opening files by their format, and the small files around a table: labels, weights, covariances.

use crate::columns;
use crate::csv_text::Csv;
use crate::field::{self, Check, Missed};
use crate::files::Files;
use crate::format::can_be_read_once;
use crate::layout::Layout;
use crate::meter::Meter;
use crate::opened::{Opened, Reading, bytes, source_name};
use crate::rows::Rows;
use crate::{Columns, Format, Kind, Table, TableError, TableValues, npy};
use miscela_kernel::Float;
use ndarray::{Array1, Array2, Array3, Ix3};
use std::io::Read;
use std::path::Path;

/// What to read of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The columns to read as numbers. What stands in the others does not matter.
    pub columns: Columns,
    /// The column of weights; it is none of the numbers.
    pub weights: Option<String>,
    /// Columns to keep as text beside the numbers, such as a name to write out again.
    pub carry: Option<Columns>,
    /// Whether missing values, such as an empty field, `NA` or NaN, are read, as NaN. Else they are an error that counts them.
    pub missing: bool,
    /// Counts what is read.
    pub meter: Meter,
}

/// Reads all columns of a table.
///
/// # Errors
///
/// The file cannot be read, its format is not known, or something in it is not as it should be: see [`TableError`].
pub fn read(path: impl AsRef<Path>) -> Result<Table, TableError> {
    read_with(path, &ReadOptions::default())
}

/// Reads the columns that `options` choose, of a file or of the files of a folder. Memory: the numbers, and about as much again
/// while they grow, if the format does not say how many there are.
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
    let wanted = Wanted::of(options);
    let mut csv = Csv::open(input, b',', name)?;
    let layout = Layout::of(name, csv.names(), &wanted)?;
    let mut rows = Rows::new(&layout, &wanted, Missed::counted);
    csv.read(&layout, usize::MAX, &mut rows)?;
    table(name, &layout, rows, TableValues::F64)
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
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    choice: Choice<'a>,
    weights: Option<&'a str>,
    pub(crate) carry: Option<&'a Columns>,
    /// What a number must be.
    pub(crate) check: Check,
    /// Whether it may be missing.
    pub(crate) missing: bool,
    /// Counts what is read.
    pub(crate) meter: Meter,
}

#[derive(Clone, Debug)]
enum Choice<'a> {
    Columns(&'a Columns),
    /// The only column, or the one of this name.
    One(&'static str),
}

impl<'a> Wanted<'a> {
    pub(crate) fn of(options: &'a ReadOptions) -> Self {
        let ReadOptions { columns, weights, carry, missing, meter } = options;
        let (weights, carry) = (weights.as_deref(), carry.as_ref());
        Self {
            choice: Choice::Columns(columns),
            weights,
            carry,
            check: field::finite,
            missing: *missing,
            meter: meter.clone(),
        }
    }

    fn one(name: &'static str, check: Check) -> Self {
        Self { choice: Choice::One(name), weights: None, carry: None, check, missing: false, meter: Meter::default() }
    }

    /// The places of the columns to read as numbers, and of that of weights.
    pub(crate) fn numbers(&self, file: &str, names: &[String]) -> Result<(Vec<usize>, Option<usize>), TableError> {
        let weights = self.weights.map(|name| columns::place(file, names, name)).transpose()?;
        let mut chosen = match self.choice {
            Choice::Columns(columns) => columns.resolve(file, names)?,
            Choice::One(name) => match names.iter().position(|there| there == name) {
                Some(column) => vec![column],
                None if names.len() == 1 => vec![0],
                None => return Err(TableError::NotOneColumn { file: file.to_string(), name, got: names.len() }),
            },
        };
        chosen.retain(|j| Some(*j) != weights);
        if chosen.is_empty() {
            return Err(TableError::NoColumns { file: file.to_string(), there: names.join(", ") });
        }
        Ok((chosen, weights))
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
    let array = npy::read_array(bytes(path, format, &Meter::default())?, &file)?;
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

fn read_wanted(path: &Path, wanted: &Wanted) -> Result<Table, TableError> {
    if can_be_read_once(path) {
        let (file, opened) = (source_name(path), Opened::open(path)?);
        let layout = Layout::of(&file, &opened.names(), wanted)?;
        return match opened.is_f32(&layout) {
            true => table(&file, &layout, once(opened, &file, &layout, wanted)?, TableValues::F32),
            false => table(&file, &layout, once(opened, &file, &layout, wanted)?, TableValues::F64),
        };
    }
    let files = Files::of(path, wanted)?;
    match files.is_f32 {
        true => table(&files.name, &files.layout, all(&files, wanted)?, TableValues::F32),
        false => table(&files.name, &files.layout, all(&files, wanted)?, TableValues::F64),
    }
}

/// All rows of a file that is open.
fn once<F: Float>(opened: Opened, file: &str, layout: &Layout, wanted: &Wanted) -> Result<Rows<F>, TableError> {
    let mut rows = Rows::new(layout, wanted, Missed::counted);
    opened.start(file, layout)?.read(layout, usize::MAX, &mut rows)?;
    Ok(rows)
}

/// All rows of all files.
fn all<F: Float>(files: &Files, wanted: &Wanted) -> Result<Rows<F>, TableError> {
    let mut rows = Rows::new(&files.layout, wanted, Missed::counted);
    let n_rows = files.n_rows.unwrap_or(0);
    if !rows.reserve(usize::try_from(n_rows).unwrap_or(usize::MAX)) {
        let (file, columns) = (files.name.clone(), files.layout.chosen.len());
        return Err(TableError::TooLarge { file, rows: n_rows, columns });
    }
    for part in 0..files.n_parts() {
        let mut reading: Reading = files.start(part)?;
        reading.read(&files.layout, usize::MAX, &mut rows)?;
    }
    Ok(rows)
}

/// The rows as a table.
fn table<F: Float>(
    file: &str,
    layout: &Layout,
    mut rows: Rows<F>,
    wrap: impl Fn(Array2<F>) -> TableValues,
) -> Result<Table, TableError> {
    rows.finish()?;
    let width = layout.chosen.len();
    let shape = (rows.numbers.values.len() / width, width);
    if shape.0 == 0 {
        return Err(TableError::NoRows { file: file.to_string() });
    }
    // The length is a multiple of the width: every row gave one value a column.
    let values = Array2::from_shape_vec(shape, rows.numbers.values).unwrap_or_default();
    let weights = rows.weights.map(|weights| weights.values);
    Ok(Table::new(file.to_string(), layout.names(), wrap(values), weights, rows.carried))
}
