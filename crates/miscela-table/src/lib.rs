//! Numeric tables as named columns: reading CSV, TSV, NPY, Parquet, Arrow and standard input, and writing them.
//!
//! | what | function |
//! |---|---|
//! | a table, all columns or some of them | [`read`], [`read_with`], [`read_csv_from`] |
//! | a table in chunks, as often as it is asked for: what is larger than memory | [`Blocks`], [`Arrays`] |
//! | a file of labels, of weights, of k × d × d covariances | [`read_labels`], [`read_vector`], [`read_array3`] |
//! | an array of any shape, of numbers or text | [`read_npy_from`], [`write_npy_text`] |
//! | writing rows, arrays, labels; any file, atomically | [`write_rows`], [`write_array`], [`write_labels`], [`write_file`] |
//!
//! The format follows from the ending: see [`Format`]. Values that are not finite are errors, and every error names
//! the file, the place in it and what to do ([`TableError`]). Integers, floats, decimals and truth values (0 and 1) are numbers; null is a
//! missing value. Text in columns that are not chosen is let be, and can be
//! carried along ([`ReadOptions::carry`]).
//!
//! ```
//! use miscela_table::{Columns, ReadOptions, read_csv_from};
//!
//! let text = "eruption,waiting,day\n3.6,79,Monday\n1.8,54,Tuesday\n";
//! let options = ReadOptions { columns: Columns::except(["day"]), ..ReadOptions::default() };
//! let table = read_csv_from(text.as_bytes(), "geyser", &options)?;
//! assert_eq!(table.names(), ["eruption", "waiting"]);
//! assert_eq!(table.column("waiting")?.to_vec(), [79.0, 54.0]);
//!
//! let error = read_csv_from(text.as_bytes(), "geyser", &ReadOptions::default()).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "geyser, line 2, column \"day\": \"Monday\" is not a number; correct it or leave the column out"
//! );
//! # Ok::<(), miscela_table::TableError>(())
//! ```

mod arrays;
mod blocks;
mod claims;
mod column_writer;
mod columnar;
mod columns;
mod csv_text;
mod error;
mod field;
mod files;
mod format;
mod guarded;
mod ipc;
mod layout;
mod meter;
mod npy;
mod opened;
mod page_header;
mod parquet_file;
mod read;
mod rows;
mod table;
mod write;

pub use arrays::Arrays;
pub use arrow_array::RecordBatch;
pub use blocks::{Blocks, chunk_rows};
pub use columns::Columns;
pub use error::{Place, TableError};
pub use format::{Format, Kind, STANDARD_STREAM};
pub use guarded::is_guarded;
pub use meter::Meter;
pub use npy::{NpyArray, read_npy_from, write_npy_text};
pub use read::{ReadOptions, read, read_array3, read_csv_from, read_labels, read_vector, read_with};
pub use table::{Table, TableValues, TextColumns};
pub use write::{RowWriter, write_array, write_file, write_labels, write_rows};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
