//! Parquet: row groups of columns, each a run of compressed pages.
//!
//! Decoding is what reading costs, so the columns are decoded beside each other, by as many threads as there are: each has a
//! reader of its own, that goes through all row groups. Of a column no more than a page and a dictionary are in memory.

use crate::TableError;
use crate::columnar::{self, Batch, Batches, Columnar};
use crate::guarded::guarded;
use crate::layout::Layout;
use crate::meter::{Meter, Metered};
use crate::page_header::is_believable;
use arrow_array::{Array, ArrayRef};
use arrow_schema::Fields;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, Length};
use rayon::prelude::*;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The length of the metadata and the mark, which end a file.
const END: u64 = 8;

/// Rows that are decoded at once.
const BATCH: usize = 1 << 14;

/// A Parquet file whose footer is known.
pub(crate) struct Parquet {
    file: String,
    input: Shared,
    metadata: ArrowReaderMetadata,
}

impl Parquet {
    pub(crate) fn open(path: &Path, file: &str, meter: &Meter) -> Result<Self, TableError> {
        let unreadable = |source| TableError::Read { file: file.to_string(), source };
        let input = Shared::new(meter.open(path).map_err(unreadable)?).map_err(unreadable)?;
        if input.length == 0 {
            return Err(TableError::Empty { file: file.to_string() });
        }
        let metadata = ArrowReaderMetadata::load(&input, ArrowReaderOptions::default());
        let metadata = metadata.map_err(|error| damaged(file, String::new(), error))?;
        if metadata.metadata().file_metadata().num_rows() <= 0 {
            return Err(TableError::NoRows { file: file.to_string() });
        }
        Ok(Self { file: file.to_string(), input, metadata })
    }

    pub(crate) fn fields(&self) -> &Fields {
        self.metadata.schema().fields()
    }

    pub(crate) fn n_rows(&self) -> u64 {
        self.metadata.metadata().file_metadata().num_rows().max(0) as u64
    }

    /// The first row of each row group.
    pub(crate) fn groups(&self) -> Vec<u64> {
        let groups = self.metadata.metadata().row_groups();
        let mut next = 0;
        let first = |group: &RowGroupMetaData| {
            next += group.num_rows().max(0) as u64;
            next - group.num_rows().max(0) as u64
        };
        groups.iter().map(first).collect()
    }

    pub(crate) fn start(&self, layout: &Layout) -> Result<Columnar, TableError> {
        columnar::check(&self.file, self.fields(), layout)?;
        let names = columnar::names(self.fields());
        let columns = columnar::needed(layout).into_iter().map(|j| {
            let reader = self.column(j).map_err(|error| damaged(&self.file, said(None, &names[j]), error))?;
            Ok(Column { name: names[j].clone(), reader })
        });
        let columns = columns.collect::<Result<_, TableError>>()?;
        let (file, n_rows) = (self.file.clone(), self.n_rows());
        let decoder = Decoder { file, columns, groups: self.groups(), n_rows, row: 0 };
        let batches: Batches = Box::new(decoder);
        Ok(Columnar::new(&self.file, batches, layout, self.groups()))
    }

    fn column(&self, j: usize) -> ParquetResult<ParquetRecordBatchReader> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.input.clone(), self.metadata.clone());
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), [j]);
        builder.with_projection(mask).with_batch_size(BATCH).build()
    }
}

struct Column {
    name: String,
    reader: ParquetRecordBatchReader,
}

/// The same rows of all columns, batch by batch.
struct Decoder {
    file: String,
    columns: Vec<Column>,
    groups: Vec<u64>,
    /// By the footer.
    n_rows: u64,
    /// The first row of the next batch.
    row: u64,
}

impl Decoder {
    fn batch(&mut self) -> Result<Option<Batch>, TableError> {
        let group = columnar::group_of(&self.groups, self.row);
        let file = &self.file;
        let next = |Column { name, reader }: &mut Column| match reader.next() {
            None => Ok(None),
            Some(Ok(batch)) => Ok(batch.columns().first().cloned()),
            Some(Err(error)) => Err(damaged(file, said(group, name), ParquetError::from(error))),
        };
        // Each on its own thread, where a panic is to be caught.
        let decoded = self.columns.par_iter_mut().map(|column| guarded(file, || next(column)));
        let decoded: Vec<_> = decoded.collect::<Result<_, _>>()?;
        let rows = |column: &Option<ArrayRef>| column.as_ref().map_or(0, |column| column.len() as u64);
        let most = decoded.iter().map(rows).max().unwrap_or(0);
        let left = self.n_rows - self.row;
        // No column ends before the others, and all of them where the footer says.
        let wrong = |column| rows(column) < most || most > left || (most == 0 && left > 0);
        if let Some(j) = decoded.iter().position(wrong) {
            let error = ParquetError::General("it has other rows than the footer says".to_string());
            return Err(damaged(file, said(group, &self.columns[j].name), error));
        }
        self.row += most;
        Ok(decoded.into_iter().collect())
    }
}

impl Iterator for Decoder {
    type Item = Result<Batch, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

/// A place in a file as it follows the name of the file.
fn said(group: Option<usize>, column: &str) -> String {
    let group = group.map_or(String::new(), |group| format!(", row group {group} (counted from 0)"));
    format!("{group}, column {column:?}")
}

fn damaged(file: &str, place: String, error: ParquetError) -> TableError {
    let file = file.to_string();
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(source) => TableError::Read { file, source: *source },
            Err(source) => TableError::Damaged { file, place, source },
        },
        error => TableError::Damaged { file, place, source: Box::new(error) },
    }
}

/// A file that many threads read, each where it wants.
#[derive(Clone)]
struct Shared {
    file: Arc<Mutex<Metered<File>>>,
    length: u64,
}

impl Shared {
    fn new(file: Metered<File>) -> io::Result<Self> {
        let length = file.length()?;
        Ok(Self { file: Arc::new(Mutex::new(file)), length })
    }

    fn at(&self, place: u64) -> At {
        At { file: Arc::clone(&self.file), place }
    }
}

impl Length for Shared {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Shared {
    type T = BufReader<At>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        // What is read this way is the header of a page, or the end of the file.
        let mut input = BufReader::with_capacity(1 << 10, self.at(start));
        if start.saturating_add(END) < self.length && !is_believable(input.fill_buf()?) {
            return Err(ParquetError::General("a page has no header, or claims more than its size allows".to_string()));
        }
        Ok(input)
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        // No more than there can be, whatever a footer says.
        let mut bytes = Vec::with_capacity(length.min(self.length as usize));
        self.at(start).take(length as u64).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// A place in a shared file.
struct At {
    file: Arc<Mutex<Metered<File>>>,
    place: u64,
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.place))?;
        let read = file.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            // Not nothing, which whoever passes over as many values as a header claims would take for one more.
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is cut short"));
        }
        self.place += read as u64;
        Ok(read)
    }
}
