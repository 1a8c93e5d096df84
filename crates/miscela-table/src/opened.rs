//! A file of any format, opened: what it says of itself, and its rows, once.

use crate::columnar::{self, Columnar};
use crate::columns::refuse_duplicates;
use crate::csv_text::Csv;
use crate::format::is_standard_stream;
use crate::guarded::guarded;
use crate::ipc::Ipc;
use crate::layout::Layout;
use crate::meter::Meter;
use crate::npy::{Input, Npy};
use crate::parquet_file::Parquet;
use crate::rows::Rows;
use crate::{Format, Kind, TableError};
use arrow_schema::{Fields, SchemaRef};
use flate2::read::MultiGzDecoder;
use miscela_kernel::Float;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

/// A file whose rows have not been asked for yet.
pub(crate) enum Opened {
    Csv(Box<Csv<Box<dyn Read + Send>>>),
    Npy(Box<Npy>),
    Parquet(Box<Parquet>),
    Arrow(Ipc),
    Memory(Memory),
}

/// Record batches in memory, all of one schema.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Arc<Vec<crate::RecordBatch>>,
}

/// A file whose rows are being read.
pub(crate) enum Reading {
    Csv(Box<Csv<Box<dyn Read + Send>>>),
    Npy(Box<Npy>),
    Columnar(Columnar),
}

/// The file as messages call it.
pub(crate) fn source_name(path: &Path) -> String {
    if is_standard_stream(path) { "standard input".to_string() } else { path.display().to_string() }
}

pub(crate) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> TableError {
    let file = source_name(path);
    move |source| TableError::Read { file, source }
}

/// The bytes of a file, unpacked.
pub(crate) fn bytes(path: &Path, format: Format, meter: &Meter) -> Result<Box<dyn Read + Send>, TableError> {
    if is_standard_stream(path) {
        return Ok(Box::new(BufReader::with_capacity(1 << 16, io::stdin())));
    }
    let input = BufReader::with_capacity(1 << 16, meter.open(path).map_err(unreadable(path))?);
    Ok(if format.gzip { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) })
}

impl Opened {
    pub(crate) fn open(path: &Path) -> Result<Self, TableError> {
        Self::open_metered(path, &Meter::default())
    }

    pub(crate) fn open_metered(path: &Path, meter: &Meter) -> Result<Self, TableError> {
        let (format, file) = (Format::of(path)?, source_name(path));
        let opened = match format.kind {
            Kind::Csv => Opened::Csv(Box::new(Csv::open(bytes(path, format, meter)?, b',', &file)?)),
            Kind::Tsv => Opened::Csv(Box::new(Csv::open(bytes(path, format, meter)?, b'\t', &file)?)),
            Kind::Npy if format.gzip => {
                Opened::Npy(Box::new(Npy::open(Input::Stream(bytes(path, format, meter)?), &file)?))
            }
            Kind::Npy => {
                let input = BufReader::with_capacity(1 << 16, meter.open(path).map_err(unreadable(path))?);
                Opened::Npy(Box::new(Npy::open(Input::File(Box::new(input)), &file)?))
            }
            Kind::Parquet => Opened::Parquet(Box::new(guarded(&file, || Parquet::open(path, &file, meter))?)),
            Kind::Arrow => Opened::Arrow(guarded(&file, || Ipc::open(path, &file, meter))?),
        };
        refuse_duplicates(&file, &opened.names())?;
        Ok(opened)
    }

    /// The names of its columns.
    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            Opened::Csv(csv) => csv.names().to_vec(),
            Opened::Npy(npy) => npy.names().to_vec(),
            Opened::Parquet(_) | Opened::Arrow(_) | Opened::Memory(_) => {
                self.fields().map(columnar::names).unwrap_or_default()
            }
        }
    }

    fn fields(&self) -> Option<&Fields> {
        match self {
            Opened::Csv(_) | Opened::Npy(_) => None,
            Opened::Parquet(parquet) => Some(parquet.fields()),
            Opened::Arrow(ipc) => Some(ipc.schema().fields()),
            Opened::Memory(memory) => Some(memory.schema.fields()),
        }
    }

    /// How many rows it has, if it says so.
    pub(crate) fn n_rows(&self) -> Option<u64> {
        match self {
            Opened::Csv(_) | Opened::Arrow(_) => None,
            Opened::Npy(npy) => Some(npy.n_rows() as u64),
            Opened::Parquet(parquet) => Some(parquet.n_rows()),
            Opened::Memory(memory) => Some(memory.batches.iter().map(|batch| batch.num_rows() as u64).sum()),
        }
    }

    /// All numbers are 32-bit floats.
    pub(crate) fn is_f32(&self, layout: &Layout) -> bool {
        match self {
            Opened::Csv(_) => false,
            Opened::Npy(npy) => npy.is_f32(),
            _ => self
                .fields()
                .is_some_and(|fields| layout.chosen.iter().all(|&j| columnar::is_f32(fields[j].data_type()))),
        }
    }

    /// The first row of each row group; nothing if there are none.
    pub(crate) fn groups(&self) -> Vec<u64> {
        match self {
            Opened::Parquet(parquet) => parquet.groups(),
            _ => Vec::new(),
        }
    }

    /// That the columns can be read as `layout` says, as far as the file says what they hold.
    pub(crate) fn check(&self, file: &str, layout: &Layout) -> Result<(), TableError> {
        self.fields().map_or(Ok(()), |fields| columnar::check(file, fields, layout))
    }

    pub(crate) fn start(self, file: &str, layout: &Layout) -> Result<Reading, TableError> {
        Ok(match self {
            Opened::Csv(csv) => Reading::Csv(csv),
            Opened::Npy(npy) => Reading::Npy(npy),
            Opened::Parquet(parquet) => Reading::Columnar(guarded(file, || parquet.start(layout))?),
            Opened::Arrow(ipc) => Reading::Columnar(guarded(file, || ipc.start(layout))?),
            Opened::Memory(memory) => Reading::Columnar(memory.start(layout)),
        })
    }
}

impl Memory {
    fn start(self, layout: &Layout) -> Columnar {
        let needed = columnar::needed(layout);
        let batches = (0..self.batches.len()).map(move |i| {
            let batch = &self.batches[i];
            Ok(needed.iter().map(|&j| batch.column(j).clone()).collect())
        });
        Columnar::new("record batches", Box::new(batches), layout, Vec::new())
    }
}

impl Reading {
    /// Appends at most `most` rows, fewer only where the file ends; says how many.
    pub(crate) fn read<F: Float>(
        &mut self,
        layout: &Layout,
        most: usize,
        rows: &mut Rows<F>,
    ) -> Result<usize, TableError> {
        match self {
            Reading::Csv(csv) => csv.read(layout, most, rows),
            Reading::Npy(npy) => npy.read(layout, most, rows),
            Reading::Columnar(columnar) => columnar.read(layout, most, rows),
        }
    }
}
