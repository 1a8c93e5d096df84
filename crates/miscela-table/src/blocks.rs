//! A table as a source of chunks: rows that need not be in memory at once.

use crate::columnar::group_of;
use crate::field::Missed;
use crate::files::Files;
use crate::format::can_be_read_once;
use crate::opened::{Memory, Reading, source_name};
use crate::read::Wanted;
use crate::rows::Rows;
use crate::{ReadOptions, RecordBatch, TableError};
use arrow_schema::{Schema, SchemaRef};
use miscela_kernel::{Chunk, Chunks, Float, Origin, Source, SourceError};
use ndarray::Array2;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of a chunk are a multiple of this.
const ROWS: usize = 1 << 14;

/// Numbers of a chunk, as far as there may be so few: 8 MiB of `f64`.
const NUMBERS: usize = 1 << 20;

/// The rows of a chunk of so many columns, where nothing else is asked for: 8 MiB of `f64`, but at least 16,384 rows, and a
/// multiple of that. The number of columns alone decides, so that the same rows are cut alike whatever they are kept in.
pub fn chunk_rows(n_columns: usize) -> usize {
    (NUMBERS / n_columns.max(1) / ROWS).max(1) * ROWS
}

/// A table in a file, in the files of a folder, or in record batches, as a [`Source`]: read in chunks, from the start in each
/// pass. A chunk is read when it is asked for, which may be on another thread while the one before is in use.
///
/// Files are CSV, TSV, NPY, Parquet and Arrow, by their ending ([`Format`](crate::Format)); those of a folder are taken in the
/// order of their names, must have the same columns, and are passed over if their names start with `.` or `_`. Numbers are
/// checked as they are read: what is not finite, or missing and not [asked for](ReadOptions::missing), is an error that names
/// file, row group, row and column. A file that changes between or during passes is an error. What is
/// [carried](ReadOptions::carry) is not read.
///
/// Memory: the chunks that are in use ([`chunk_rows`]); for Parquet a page and a dictionary of each column (about 2 MB); for Arrow files a
/// batch, as large as it was written; for compressed NPY in Fortran's order the whole array. NPY files are read by position and
/// not mapped into memory, because a file that is cut short while it is mapped ends the process, with no error to report.
///
/// Cost of a pass: Parquet is decoded by all threads, column by column, and NPY is as fast as the disk; CSV is parsed by one
/// thread, and many times slower than either: convert what is read often. Do not stream what fits into memory:
/// [`read_with`](crate::read_with) reads it once.
///
/// ```
/// use miscela_kernel::{Source, SourceError};
/// use miscela_table::{Blocks, ReadOptions};
///
/// # let file = std::env::temp_dir().join("miscela-table-blocks.csv");
/// # std::fs::write(&file, "x,y\n1,2\n3,4\n5,6\n").unwrap();
/// let blocks = Blocks::open(&file, &ReadOptions::default())?.with_chunk_rows(2);
/// assert_eq!(blocks.names(), ["x", "y"]);
/// let chunks: Result<Vec<_>, SourceError> = Source::<f64>::chunks(&blocks)?.collect();
/// let chunks = chunks?;
/// assert_eq!(chunks[0].rows, ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
/// assert_eq!(chunks[1].rows, ndarray::array![[5.0, 6.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Blocks {
    files: Arc<Files>,
    names: Vec<String>,
    options: Arc<ReadOptions>,
    chunk_rows: usize,
    threads: usize,
    pool: Arc<Mutex<Option<Arc<ThreadPool>>>>,
}

impl Blocks {
    /// Opens each file once, to see that all are there, not empty, and alike. [`ReadOptions::carry`] is of no use here.
    ///
    /// # Errors
    ///
    /// As [`read_with`](crate::read_with), as far as it shows without reading the rows; [`TableError::Differs`],
    /// [`TableError::NoTables`]; [`TableError::ReadOnce`] for standard input and pipes.
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self, TableError> {
        let path = path.as_ref();
        if can_be_read_once(path) {
            return Err(TableError::ReadOnce { file: source_name(path) });
        }
        let options = ReadOptions { carry: None, ..options.clone() };
        let files = Files::of(path, &Wanted::of(&options))?;
        Ok(Self::new(files, options))
    }

    /// Record batches in memory, all of the schema of the first. No number is copied before it is asked for.
    ///
    /// # Errors
    ///
    /// As [`Blocks::open`]; [`TableError::Differs`] if their schemas do.
    pub fn of_batches(batches: Vec<RecordBatch>, options: &ReadOptions) -> Result<Self, TableError> {
        let options = ReadOptions { carry: None, ..options.clone() };
        let schema: SchemaRef = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
        for (i, batch) in batches.iter().enumerate() {
            if batch.schema().fields() != schema.fields() {
                let names = |schema: &Schema| crate::columnar::names(schema.fields()).join(", ");
                let (expected, got) = (names(&schema), names(&batch.schema()));
                let (file, first) = (format!("record batch {i}"), "record batch 0".to_string());
                return Err(TableError::Differs { file, first, expected, got });
            }
        }
        if batches.is_empty() {
            return Err(TableError::Empty { file: "record batches".to_string() });
        }
        let memory = Memory { schema, batches: Arc::new(batches) };
        let files = Files::of_memory(memory, &Wanted::of(&options))?;
        Ok(Self::new(files, options))
    }

    fn new(files: Files, options: ReadOptions) -> Self {
        let names = files.layout.names();
        let (chunk_rows, pool) = (chunk_rows(names.len()), Arc::default());
        Self { files: Arc::new(files), names, options: Arc::new(options), chunk_rows, threads: 0, pool }
    }

    /// Cuts the rows into chunks of so many (at least 1; the last may have fewer). The size of chunks is part of what decides
    /// the last bits of a fit.
    #[must_use]
    pub fn with_chunk_rows(mut self, rows: usize) -> Self {
        self.chunk_rows = rows.max(1);
        self
    }

    /// Decodes with so many threads, beside those that compute; 0: as many as there are. They change no bit.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self.pool = Arc::default();
        self
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many rows there are, if the files say so: NPY, Parquet, and record batches.
    pub fn n_rows(&self) -> Option<u64> {
        self.files.n_rows
    }

    /// The size of all files in bytes; of record batches, in memory.
    pub fn n_bytes(&self) -> u64 {
        self.files.n_bytes
    }

    /// About the bytes of the numbers once they are read: exact where files [say](Self::n_rows) how many rows they have, else
    /// guessed from their size. A number of a text takes about as many bytes as it does in memory, and compression makes it a fourth.
    pub fn n_bytes_read(&self) -> u64 {
        let size = if self.is_f32() { 4 } else { 8 };
        self.n_rows().map_or(self.files.unpacked, |rows| rows.saturating_mul(self.names.len() as u64 * size))
    }

    /// All numbers are 32-bit floats, so that `f32` computes with all of their digits.
    pub fn is_f32(&self) -> bool {
        self.files.is_f32
    }

    /// The threads that decode, made when they are needed first.
    fn pool(&self) -> Result<Arc<ThreadPool>, TableError> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = &*pool {
            return Ok(Arc::clone(pool));
        }
        let name = |i| format!("miscela-decoder-{i}");
        let made = ThreadPoolBuilder::new().num_threads(self.threads).thread_name(name).build();
        let made = Arc::new(made.map_err(|error| TableError::Threads { what: error.to_string() })?);
        Ok(Arc::clone(pool.insert(made)))
    }

    fn pass(&self) -> Pass {
        let Self { files, options, chunk_rows, .. } = self.clone();
        Pass { files, options, chunk_rows, part: 0, reading: None, in_part: 0, row: 0, ended: false }
    }
}

impl<F: Float> Source<F> for Blocks {
    fn n_columns(&self) -> usize {
        self.names.len()
    }

    fn chunks(&self) -> Result<Chunks<'_, F>, SourceError> {
        let pool = self.pool().map_err(SourceError::read)?;
        let mut pass = self.pass();
        let read = move || pool.install(|| pass.next::<F>()).map(|chunk| chunk.map_err(SourceError::read));
        Ok(Box::new(std::iter::from_fn(read)))
    }
}

/// One time through all rows.
struct Pass {
    files: Arc<Files>,
    options: Arc<ReadOptions>,
    chunk_rows: usize,
    /// The part that is read, or next to be.
    part: usize,
    reading: Option<Reading>,
    /// Rows of this part, and of all, that are read.
    in_part: u64,
    row: u64,
    ended: bool,
}

impl Pass {
    /// The next chunk; nothing after the last, or after an error.
    fn next<'a, F: Float>(&mut self) -> Option<Result<Chunk<'a, F>, TableError>> {
        let chunk = match self.ended {
            true => return None,
            false => self.chunk(),
        };
        self.ended = !matches!(chunk, Ok(Some(_)));
        chunk.transpose()
    }

    fn chunk<'a, F: Float>(&mut self) -> Result<Option<Chunk<'a, F>>, TableError> {
        let mut rows = Rows::new(&self.files.layout, &Wanted::of(&self.options), Missed::at_once);
        rows.reserve(self.chunk_rows.min(chunk_rows(self.files.layout.chosen.len())));
        let (mut n, mut start, mut last) = (0, None, 0);
        while n < self.chunk_rows && self.part < self.files.n_parts() {
            let reading = match &mut self.reading {
                Some(reading) => reading,
                none => none.insert(self.files.start(self.part)?),
            };
            let read = reading.read(&self.files.layout, self.chunk_rows - n, &mut rows)?;
            if read > 0 {
                start.get_or_insert((self.part, self.in_part));
                last = self.part;
            }
            n += read;
            self.in_part += read as u64;
            if n < self.chunk_rows {
                self.files.unchanged(self.part)?;
                (self.part, self.in_part, self.reading) = (self.part + 1, 0, None);
            }
        }
        let Some(start) = start else { return Ok(None) };
        let origin = self.origin(start, last, n as u64);
        self.row += n as u64;
        // The length is a multiple of the width: every row gave one value a column.
        let values =
            Array2::from_shape_vec((n, self.files.layout.chosen.len()), rows.numbers.values).unwrap_or_default();
        let weights = rows.weights.map(|weights| weights.values.into());
        Ok(Some(Chunk { rows: values.into(), weights, origin }))
    }

    /// Where `n` rows from a part and a row in it on come from: the row group if they are in one, else the file if they are in
    /// one, else the table.
    fn origin(&self, (part, row): (usize, u64), last: usize, n: u64) -> Origin {
        let (files, columns) = (&self.files, self.files.layout.names());
        if part != last {
            return Origin { name: files.name.clone(), first_row: self.row, columns };
        }
        let (name, groups) = (files.part_name(part), files.groups(part));
        match group_of(groups, row) {
            Some(group) if group_of(groups, row + n - 1) == Some(group) => {
                Origin { name: format!("{name}, row group {group}"), first_row: row - groups[group], columns }
            }
            _ => Origin { name, first_row: row, columns },
        }
    }
}
