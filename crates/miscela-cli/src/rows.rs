//! The rows of a command: all in memory, or read again in each pass where they would not fit.

use crate::args::{ColumnArgs, Dtype, MemoryArgs};
use crate::data::{Data, Request};
use crate::error::Failure;
use crate::stream::Stream;
use miscela::Threads;
use std::path::Path;

/// Rows with their weights.
pub(crate) enum Rows {
    Table(Box<Data>),
    Stream(Box<Stream>),
}

impl Rows {
    /// Opens a table, and reads it if it may be in memory. Where the request names a model's columns, another width is refused, and
    /// one line says where names were passed over.
    pub(crate) fn open(
        path: &Path,
        choice: &ColumnArgs,
        request: &Request,
        limits: (&MemoryArgs, Threads),
        quiet: bool,
    ) -> Result<Self, Failure> {
        let rows = match Stream::open(path, choice, request, limits, quiet)? {
            Some(stream) => Rows::Stream(Box::new(stream)),
            None => Rows::Table(Box::new(Data::read(path, choice, request)?)),
        };
        if let Some(model) = request.model {
            match &rows {
                Rows::Table(data) => data.check_for(path, model, quiet)?,
                Rows::Stream(stream) => stream.check_for(path, model, quiet)?,
            }
        }
        Ok(rows)
    }

    /// The names of the columns.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Rows::Table(data) => data.table.names(),
            Rows::Stream(stream) => stream.blocks.names(),
        }
    }

    pub(crate) fn dtype(&self) -> Dtype {
        match self {
            Rows::Table(data) => data.dtype(),
            Rows::Stream(stream) => stream.dtype(),
        }
    }
}
