//! Rows that become columns: Parquet and Arrow files, written field by field.

use crate::RecordBatch;
use arrow_array::{ArrayRef, Float32Array, Float64Array, Int64Array, StringArray};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::io::{self, Write};
use std::sync::Arc;

/// Rows that are held until they are written.
const BATCH: usize = 1 << 16;

/// The values of a column; its first value says of which type they are.
#[derive(Debug)]
enum Column {
    New,
    Text(Vec<String>),
    Number(Vec<f64>),
    Short(Vec<f32>),
    Integer(Vec<i64>),
}

/// A field.
pub(crate) enum Value<'a> {
    Text(&'a str),
    Number(f64),
    Short(f32),
    Integer(i64),
}

impl Column {
    /// Appends a value, if it is of the type that the column has.
    fn push(&mut self, value: Value) -> bool {
        match (&mut *self, value) {
            (Column::New, Value::Text(text)) => *self = Column::Text(vec![text.to_string()]),
            (Column::New, Value::Number(number)) => *self = Column::Number(vec![number]),
            (Column::New, Value::Short(number)) => *self = Column::Short(vec![number]),
            (Column::New, Value::Integer(number)) => *self = Column::Integer(vec![number]),
            (Column::Text(values), Value::Text(text)) => values.push(text.to_string()),
            (Column::Number(values), Value::Number(number)) => values.push(number),
            (Column::Short(values), Value::Short(number)) => values.push(number),
            (Column::Integer(values), Value::Integer(number)) => values.push(number),
            _ => return false,
        }
        true
    }

    fn len(&self) -> usize {
        match self {
            Column::New => 0,
            Column::Text(values) => values.len(),
            Column::Number(values) => values.len(),
            Column::Short(values) => values.len(),
            Column::Integer(values) => values.len(),
        }
    }

    fn kind(&self) -> DataType {
        match self {
            Column::New | Column::Number(_) => DataType::Float64,
            Column::Text(_) => DataType::Utf8,
            Column::Short(_) => DataType::Float32,
            Column::Integer(_) => DataType::Int64,
        }
    }

    /// The values, which are then gone.
    fn take(&mut self) -> ArrayRef {
        match self {
            Column::New => Arc::new(Float64Array::from(Vec::<f64>::new())),
            Column::Text(values) => Arc::new(StringArray::from(std::mem::take(values))),
            Column::Number(values) => Arc::new(Float64Array::from(std::mem::take(values))),
            Column::Short(values) => Arc::new(Float32Array::from(std::mem::take(values))),
            Column::Integer(values) => Arc::new(Int64Array::from(std::mem::take(values))),
        }
    }
}

/// Where batches go.
enum Target<'a> {
    /// Nothing is written yet, as the types of the columns are not known.
    Waiting(&'a mut (dyn Write + Send), Format),
    Parquet(ArrowWriter<&'a mut (dyn Write + Send)>),
    Arrow(FileWriter<&'a mut (dyn Write + Send)>),
    /// An error came in between.
    Failed,
}

#[derive(Clone, Copy)]
enum Format {
    Parquet,
    Arrow,
}

/// A file that is written row by row.
pub(crate) struct ColumnWriter<'a> {
    names: Vec<String>,
    columns: Vec<Column>,
    /// The column of the next field.
    next: usize,
    target: Target<'a>,
}

impl<'a> ColumnWriter<'a> {
    pub(crate) fn parquet<'n>(out: &'a mut (dyn Write + Send), names: impl Iterator<Item = &'n str>) -> Self {
        Self::new(Target::Waiting(out, Format::Parquet), names)
    }

    pub(crate) fn arrow<'n>(out: &'a mut (dyn Write + Send), names: impl Iterator<Item = &'n str>) -> Self {
        Self::new(Target::Waiting(out, Format::Arrow), names)
    }

    fn new<'n>(target: Target<'a>, names: impl Iterator<Item = &'n str>) -> Self {
        let names: Vec<String> = names.map(str::to_string).collect();
        let columns = names.iter().map(|_| Column::New).collect();
        Self { names, columns, next: 0, target }
    }

    /// Writes the next field of a row.
    pub(crate) fn field(&mut self, value: Value) -> io::Result<()> {
        let Some(column) = self.columns.get_mut(self.next) else {
            return Err(self.width(self.next + 1));
        };
        if !column.push(value) {
            let name = &self.names[self.next];
            return Err(io::Error::other(format!("column {name:?} would hold values of two types")));
        }
        self.next += 1;
        Ok(())
    }

    pub(crate) fn end(&mut self) -> io::Result<()> {
        if self.next != self.columns.len() {
            return Err(self.width(self.next));
        }
        self.next = 0;
        if self.columns.first().map_or(0, Column::len) < BATCH { Ok(()) } else { self.write() }
    }

    fn width(&self, got: usize) -> io::Error {
        io::Error::other(format!("a row has {got} fields where the table has {} columns", self.columns.len()))
    }

    /// Writes the rows that are held.
    fn write(&mut self) -> io::Result<()> {
        let fields = self.names.iter().zip(&self.columns).map(|(name, column)| Field::new(name, column.kind(), false));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let values = self.columns.iter_mut().map(Column::take).collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), values).map_err(io::Error::other)?;
        self.target = match std::mem::replace(&mut self.target, Target::Failed) {
            Target::Waiting(out, Format::Parquet) => {
                let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
                Target::Parquet(ArrowWriter::try_new(out, schema, Some(properties)).map_err(io::Error::other)?)
            }
            Target::Waiting(out, Format::Arrow) => {
                Target::Arrow(FileWriter::try_new(out, &schema).map_err(io::Error::other)?)
            }
            target => target,
        };
        match &mut self.target {
            Target::Parquet(writer) => writer.write(&batch).map_err(io::Error::other),
            Target::Arrow(writer) => writer.write(&batch).map_err(io::Error::other),
            Target::Waiting(..) | Target::Failed => Ok(()),
        }
    }

    /// Writes the rest, and the end of the file.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if matches!(self.target, Target::Waiting(..)) || self.columns.first().is_some_and(|column| column.len() > 0) {
            self.write()?;
        }
        match self.target {
            Target::Parquet(writer) => writer.close().map(drop).map_err(io::Error::other),
            Target::Arrow(mut writer) => writer.finish().map_err(io::Error::other),
            Target::Waiting(..) | Target::Failed => Ok(()),
        }
    }
}
