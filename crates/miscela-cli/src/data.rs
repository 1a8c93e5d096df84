//! The rows that a command works on: columns chosen, weights set apart.

use crate::args::{ColumnArgs, Dtype};
use crate::error::{Failure, name_of};
use crate::{output, paths};
use miscela::Missing;
use miscela_table::{
    Columns, Format, Meter, ReadOptions, Table, TableError, TableValues, TextColumns, read_csv_from, read_vector,
    read_with,
};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::slice;

/// Where the weights of rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Weights {
    Column(String),
    File(PathBuf),
}

impl Weights {
    /// A file if the name has the ending of one, a column otherwise.
    pub(crate) fn named(name: &str) -> Self {
        match Format::of(name) {
            Ok(_) => Weights::File(name.into()),
            Err(_) => Weights::Column(name.into()),
        }
    }

    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Weights::File(path) => Some(path),
            Weights::Column(_) => None,
        }
    }

    fn column(&self) -> Option<&str> {
        match self {
            Weights::Column(name) => Some(name),
            Weights::File(_) => None,
        }
    }
}

/// What of a table is wanted.
#[derive(Debug, Default)]
pub(crate) struct Request<'a> {
    /// The names that a model has for its columns.
    pub(crate) model: Option<&'a [String]>,
    pub(crate) weights: Option<&'a Weights>,
    /// Columns to carry as text.
    pub(crate) carry: Option<Columns>,
    /// A column that is not to be computed with.
    pub(crate) id: Option<&'a str>,
    /// What to do about missing values, where there is a choice.
    pub(crate) missing: Option<Missing>,
    /// Counts what is read.
    pub(crate) meter: Meter,
}

/// Rows with weights.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) table: Table,
    pub(crate) weights: Option<Vec<f64>>,
    /// The columns go by other names than the model's and were taken in order.
    in_order: bool,
}

impl Data {
    /// Reads the columns that `choice` names; by default those of the model if they are all there, else all of them.
    pub(crate) fn read(path: &Path, choice: &ColumnArgs, request: &Request) -> Result<Self, Failure> {
        let source = Source::open(path)?;
        let failed = |error: TableError| match (&error, request.missing) {
            (TableError::Missing { .. }, Some(_)) => Failure::fault(format!("{error}, or use --missing marginal")),
            (TableError::NotANumber { column, .. }, _) => leave_out(&error, slice::from_ref(column)),
            (TableError::TextColumns { columns, .. }, _) => leave_out(&error, columns),
            _ => error.into(),
        };
        let (table, in_order) = match (wanted(choice), request.model) {
            (Columns::All, Some(names)) => match source.read(Columns::only(names), request) {
                Err(TableError::NoSuchColumn { .. }) => (source.read(Columns::All, request).map_err(failed)?, true),
                table => (table.map_err(failed)?, false),
            },
            (columns, _) => (source.read(columns, request).map_err(failed)?, false),
        };
        let weights = match request.weights {
            None | Some(Weights::Column(_)) => table.weights().map(<[f64]>::to_vec),
            Some(Weights::File(file)) => {
                let weights = read_vector(file)?.to_vec();
                check_length(file, weights.len(), path, table.n_rows())?;
                Some(weights)
            }
        };
        Ok(Self { table, weights, in_order })
    }

    /// Refuses another width than the model's, and says where names were passed over.
    pub(crate) fn check_for(&self, path: &Path, model: &[String], quiet: bool) -> Result<(), Failure> {
        check_width(path, self.table.n_columns(), model)?;
        if self.in_order && !quiet {
            note_order(self.table.names(), model);
        }
        Ok(())
    }

    pub(crate) fn dtype(&self) -> Dtype {
        match self.table.values() {
            TableValues::F32(_) => Dtype::F32,
            TableValues::F64(_) => Dtype::F64,
        }
    }
}

/// The error, and the flag by which these columns are left out, where it can name them.
fn leave_out(error: &TableError, columns: &[String]) -> Failure {
    let is_plain = |name: &String| name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    match columns.iter().all(is_plain) {
        true => Failure::fault(format!("{error} with --exclude {}", columns.join(","))),
        false => Failure::fault(error),
    }
}

/// Says that the names of a table were passed over, where both sides have real ones.
pub(crate) fn note_order(names: &[String], model: &[String]) {
    let named = |names: &[String]| names.iter().enumerate().any(|(j, name)| *name != format!("x{j}"));
    if named(names) && named(model) {
        let (table, model) = (shortened(names), shortened(model));
        output::note(&format!("the columns {table} are taken, in order, for the model's {model}"));
    }
}

/// A table has as many columns as the model.
pub(crate) fn check_width(path: &Path, got: usize, model: &[String]) -> Result<(), Failure> {
    if got == model.len() {
        return Ok(());
    }
    Err(Failure::fault(format!(
        "{} has {got} columns and the model was fitted on {} ({}); choose them with --columns or --exclude",
        name_of(path),
        model.len(),
        shortened(model),
    )))
}

/// The columns that are asked for.
pub(crate) fn wanted(choice: &ColumnArgs) -> Columns {
    match (&choice.columns, &choice.exclude) {
        (Some(names), _) => Columns::only(names),
        (None, Some(names)) => Columns::except(names),
        (None, None) => Columns::All,
    }
}

/// The labels of a column that was carried as text: whole numbers from 0, or nothing.
pub(crate) fn known_labels(
    path: &Path,
    name: &str,
    carried: &TextColumns,
    n_rows: usize,
) -> Result<Vec<Option<usize>>, Failure> {
    let label = |row: usize| {
        match carried.row(row).next().unwrap_or_default().trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            let file = name_of(path);
            Failure::fault(format!(
                "{file}: row {row} of column {name} is '{text}'; known labels are whole numbers from 0, and empty where unknown"
            ))
        }),
    }
    };
    (0..n_rows).map(label).collect()
}

pub(crate) fn check_length(weights: &Path, got: usize, data: &Path, expected: usize) -> Result<(), Failure> {
    if got == expected {
        return Ok(());
    }
    let (weights, data) = (name_of(weights), name_of(data));
    Err(Failure::fault(format!("{weights} has {got} weights and {data} has {expected} rows; give one weight a row")))
}

/// At most eight names.
fn shortened(names: &[String]) -> String {
    match names {
        [first @ .., last] if names.len() > 8 => format!("{}, …, {last}", first[..6].join(", ")),
        _ => names.join(", "),
    }
}

/// A table that can be read more than once.
enum Source<'a> {
    File(&'a Path),
    Input(Vec<u8>),
}

impl<'a> Source<'a> {
    fn open(path: &'a Path) -> Result<Self, Failure> {
        if !paths::is_stream(path) {
            return Ok(Source::File(path));
        }
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| Failure::fault(format!("cannot read standard input: {error}")))?;
        Ok(Source::Input(bytes))
    }

    fn read(&self, columns: Columns, request: &Request) -> Result<Table, TableError> {
        let options = options(columns, request);
        match self {
            Source::File(path) => read_with(path, &options),
            Source::Input(bytes) => read_csv_from(bytes.as_slice(), "standard input", &options),
        }
    }
}

/// What to read of a table: the columns but for those that are set apart.
pub(crate) fn options(columns: Columns, request: &Request) -> ReadOptions {
    let columns = match (columns, request.id) {
        (Columns::All, Some(id)) => Columns::except([id]),
        (Columns::Except(mut names), Some(id)) if !names.iter().any(|name| name == id) => {
            names.push(id.to_string());
            Columns::Except(names)
        }
        (columns, _) => columns,
    };
    let weights = request.weights.and_then(Weights::column).map(str::to_string);
    let missing = request.missing == Some(Missing::Marginal);
    ReadOptions { columns, weights, carry: request.carry.clone(), missing, meter: request.meter.clone() }
}
