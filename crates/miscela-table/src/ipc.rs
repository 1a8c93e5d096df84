//! Arrow's interprocess format: files, which end in a list of their batches, and streams, which do not. Feather, version 2, is
//! the first of these.
//!
//! Batches are as large as whoever wrote the file made them, and one is in memory at a time.

use crate::claims::Claims;
use crate::columnar::{self, Batches, Columnar};
use crate::layout::Layout;
use crate::meter::Meter;
use crate::{RecordBatch, TableError};
use arrow_ipc::reader::{FileReaderBuilder, StreamReader};
use arrow_schema::{ArrowError, SchemaRef};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The mark that ends a stream: the next message has no bytes.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// An Arrow file whose schema is known.
pub(crate) struct Ipc {
    path: PathBuf,
    file: String,
    schema: SchemaRef,
    meter: Meter,
}

impl Ipc {
    pub(crate) fn open(path: &Path, file: &str, meter: &Meter) -> Result<Self, TableError> {
        // Nothing is read yet but what the file says of itself.
        let (schema, _) = batches(path, file, None, &Meter::default())?;
        Ok(Self { path: path.to_path_buf(), file: file.to_string(), schema, meter: meter.clone() })
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn start(&self, layout: &Layout) -> Result<Columnar, TableError> {
        columnar::check(&self.file, self.schema.fields(), layout)?;
        let (_, found) = batches(&self.path, &self.file, Some(columnar::needed(layout)), &self.meter)?;
        let file = self.file.clone();
        let found: Batches =
            Box::new(found.map(move |batch| Ok(batch.map_err(|error| damaged(&file, error))?.columns().to_vec())));
        Ok(Columnar::new(&self.file, found, layout, Vec::new()))
    }
}

type Found = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// The schema, and the batches, with all columns or some.
fn batches(
    path: &Path,
    file: &str,
    columns: Option<Vec<usize>>,
    meter: &Meter,
) -> Result<(SchemaRef, Found), TableError> {
    let unreadable = |source| TableError::Read { file: file.to_string(), source };
    let mut input = BufReader::with_capacity(1 << 16, File::open(path).map_err(unreadable)?);
    let mut magic = Vec::new();
    input.by_ref().take(6).read_to_end(&mut magic).and_then(|_| input.rewind()).map_err(unreadable)?;
    if magic.is_empty() {
        return Err(TableError::Empty { file: file.to_string() });
    }
    let is_file = magic == b"ARROW1";
    let wrong = |what: &str| TableError::Damaged {
        file: file.to_string(),
        place: String::new(),
        source: what.to_string().into(),
    };
    if !is_file && !has_end(&mut input).map_err(unreadable)? {
        return Err(wrong("the stream is cut short"));
    }
    let claims = Claims::new(&mut input).map_err(unreadable)?;
    let believable = if is_file { claims.of_file() } else { claims.of_stream() };
    if !believable.map_err(unreadable)? {
        return Err(wrong("it claims to hold more than its size allows"));
    }
    input.rewind().map_err(unreadable)?;
    // Outside of the buffer, which a leap to the next batch throws away.
    let input = meter.count(input);
    if !is_file {
        let reader = StreamReader::try_new(input, columns).map_err(|error| damaged(file, error))?;
        return Ok((reader.schema(), Box::new(reader)));
    }
    let builder = FileReaderBuilder::new();
    let builder = match columns {
        Some(columns) => builder.with_projection(columns),
        None => builder,
    };
    let reader = builder.build(input).map_err(|error| damaged(file, error))?;
    Ok((reader.schema(), Box::new(reader)))
}

/// Whether a stream ends with its mark: one that is cut between two batches looks as if it ended there.
fn has_end(input: &mut BufReader<File>) -> io::Result<bool> {
    let start = input.seek(SeekFrom::End(0))?.saturating_sub(END.len() as u64);
    let mut end = Vec::new();
    input.seek(SeekFrom::Start(start))?;
    input.read_to_end(&mut end)?;
    input.rewind()?;
    Ok(end == END)
}

pub(crate) fn damaged(file: &str, error: ArrowError) -> TableError {
    match error {
        ArrowError::IoError(_, source) => TableError::Read { file: file.to_string(), source },
        error => TableError::Damaged { file: file.to_string(), place: String::new(), source: Box::new(error) },
    }
}
