//! What can be wrong with a table, each as one sentence.

use std::fmt;
use std::io;

/// Where in a file a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The line of a text file, counted from 1, as an editor shows it.
    Line(u64),
    /// The row of an array, counted from 0, as NumPy does.
    Row(usize),
    /// The row of a row group of a Parquet file, both counted from 0.
    Group {
        /// The row group.
        group: usize,
        /// The row in it.
        row: usize,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(f, "line {line}"),
            Place::Row(row) => write!(f, "row {row} (counted from 0)"),
            Place::Group { group, row } => write!(f, "row group {group}, row {row} (both counted from 0)"),
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

/// What is wrong with a table, a file, or what was asked of them. `file` is the path as it was given, or
/// "standard input".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be opened or read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written. Nothing half-written is left.
    #[error("cannot write {file}: {source}")]
    Write {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The ending says nothing about the format.
    #[error(
        "{file}: the ending does not say what the file is; use .csv, .tsv, .npy, each also with .gz, .parquet, .arrow or .feather"
    )]
    UnknownEnding {
        /// The file.
        file: String,
    },
    /// The format is known and cannot be read here.
    #[error("{file}: .{ending} files are not available; convert the table to .csv, .npy or .parquet")]
    NotAvailable {
        /// The file.
        file: String,
        /// The ending, without the dot.
        ending: String,
    },
    /// There is nothing in the file.
    #[error("{file} is empty; give at least one row")]
    Empty {
        /// The file.
        file: String,
    },
    /// There are names and no rows.
    #[error("{file} has columns and no rows; give at least one row")]
    NoRows {
        /// The file.
        file: String,
    },
    /// No column is left to read.
    #[error("{file}: no column is left to read; choose at least one of: {there}")]
    NoColumns {
        /// The file.
        file: String,
        /// The names that there are.
        there: String,
    },
    /// There is no column of this name.
    #[error("{file} has no column {column:?}; its columns are: {there}")]
    NoSuchColumn {
        /// The file.
        file: String,
        /// The name asked for.
        column: String,
        /// The names that there are.
        there: String,
    },
    /// Two columns have the same name.
    #[error("{file}: columns {first} and {second} are both called {column:?}; rename one of them")]
    DuplicateColumn {
        /// The file.
        file: String,
        /// The name.
        column: String,
        /// The first of the two, counted from 1.
        first: usize,
        /// The second of the two, counted from 1.
        second: usize,
    },
    /// A column was chosen twice.
    #[error("column {column:?} is chosen twice; name it once")]
    ChosenTwice {
        /// The name.
        column: String,
    },
    /// One column was expected.
    #[error("{file} has {got} columns where one is expected; leave only the one that is meant, or call it {name:?}")]
    NotOneColumn {
        /// The file.
        file: String,
        /// The name that would tell which one is meant.
        name: &'static str,
        /// Columns there are.
        got: usize,
    },
    /// A line has more or fewer fields than the first.
    #[error("{file}, line {line}: {got} fields where the first line has {expected}; make all lines equally wide")]
    Ragged {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// Fields in the first line.
        expected: usize,
        /// Fields in this line.
        got: usize,
    },
    /// Several columns hold text.
    #[error("{file}, line {line}: columns {} hold text and no numbers; leave them out", quoted(columns))]
    TextColumns {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// The columns.
        columns: Vec<String>,
    },
    /// A value is text.
    #[error("{file}, {place}, column {column:?}: {text:?} is not a number; correct it or leave the column out")]
    NotANumber {
        /// The file.
        file: String,
        /// Line or row.
        place: Place,
        /// The column.
        column: String,
        /// What stands there; long text is cut.
        text: String,
    },
    /// Values are missing.
    #[error("{file}, {place}, column {column:?}: {text:?} is a missing value{}", of_many(*count))]
    Missing {
        /// The file.
        file: String,
        /// Line or row.
        place: Place,
        /// The column.
        column: String,
        /// What stands there: nothing, or a word for it.
        text: String,
        /// How many values are missing in all; this is the first.
        count: usize,
    },
    /// A value is infinite, or too large for an `f64`.
    #[error("{file}, {place}, column {column:?}: {text} is not a finite number; fill it or remove the row")]
    NotFinite {
        /// The file.
        file: String,
        /// Line or row.
        place: Place,
        /// The column.
        column: String,
        /// What stands there.
        text: String,
    },
    /// A value is not a label.
    #[error("{file}, {place}, column {column:?}: {text} is not a label; labels are whole numbers from 0 on")]
    NotALabel {
        /// The file.
        file: String,
        /// Line or row.
        place: Place,
        /// The column.
        column: String,
        /// What stands there.
        text: String,
    },
    /// A name or text is not UTF-8.
    #[error("{file}, line {line}, field {field}: the text is not UTF-8; save the file in UTF-8")]
    NotUtf8 {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// The field of the line, counted from 1.
        field: usize,
    },
    /// A value is beyond the largest number of the type asked for.
    #[error("{file}, {place}, column {column:?}: {text} does not fit into 32 bits; use f64")]
    Overflow {
        /// The file.
        file: String,
        /// Line or row.
        place: Place,
        /// The column.
        column: String,
        /// What stands there.
        text: String,
    },
    /// The file is not an NPY file that can be read here.
    #[error("{file}: {what}")]
    Npy {
        /// The file.
        file: String,
        /// What is wrong, as a sentence.
        what: String,
    },
    /// A column of a file that says what its columns hold is none of numbers.
    #[error("{file}, column {column:?}: values of type {kind} are not numbers; leave the column out, or convert it")]
    NotNumeric {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// The type, as Arrow calls it.
        kind: String,
    },
    /// A column cannot be carried as text.
    #[error("{file}, column {column:?}: values of type {kind} cannot be written as text; leave the column out")]
    NotText {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// The type, as Arrow calls it.
        kind: String,
    },
    /// The file breaks the rules of its format.
    #[error("{file}{place}: {source}; write the file again")]
    Damaged {
        /// The file.
        file: String,
        /// Nothing, or where in the file, after a comma.
        place: String,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no room for all numbers.
    #[error("{file}: a table of {rows} rows and {columns} columns does not fit into memory")]
    TooLarge {
        /// The file.
        file: String,
        /// The rows it has.
        rows: u64,
        /// The columns that were asked for.
        columns: usize,
    },
    /// Files of a folder have different columns.
    #[error("{file} has the columns {got} and {first} has {expected}; make the files of a folder alike")]
    Differs {
        /// The file.
        file: String,
        /// The first file of the folder.
        first: String,
        /// The names of the columns of the first file.
        expected: String,
        /// The names of the columns of this file.
        got: String,
    },
    /// Nothing in a folder is a table.
    #[error("{folder} holds no table; give a folder of .parquet, .csv, .npy or .arrow files")]
    NoTables {
        /// The folder.
        folder: String,
    },
    /// A file is not what it was when it was read first.
    #[error("{file} has changed since it was first read; do not change the data during a fit")]
    Changed {
        /// The file.
        file: String,
    },
    /// Something that can be read only once.
    #[error("{file} can be read only once; put the table into a file to read it in chunks")]
    ReadOnce {
        /// What it is.
        file: String,
    },
    /// No thread could be started to read with.
    #[error("cannot start a thread to read with: {what}")]
    Threads {
        /// Why.
        what: String,
    },
    /// The array has another number of dimensions.
    #[error("{file}: the array has shape {got:?}, and {expected} is expected")]
    Shape {
        /// The file.
        file: String,
        /// The shape expected, in words.
        expected: &'static str,
        /// The shape there is.
        got: Vec<usize>,
    },
}

/// The end of the sentence about missing values.
fn of_many(count: usize) -> String {
    match count {
        1 => "; fill it or remove the row".to_string(),
        _ => format!(", the first of {count}; fill them or remove the rows"),
    }
}

impl TableError {
    /// Whether whoever read our output has closed it: a reason to stop quietly.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, TableError::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}
