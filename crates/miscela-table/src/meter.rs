//! How much of a file was read, for those who wait.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the bytes that are read of files, as they lie on the disk, while others look: copies count together. Columns of a Parquet file that
/// nobody asked for are not read.
///
/// ```
/// use miscela_table::{Meter, ReadOptions, read_with};
///
/// # let file = std::env::temp_dir().join("miscela-table-meter.csv");
/// # std::fs::write(&file, "x,y\n1,2\n3,4\n").unwrap();
/// let meter = Meter::default();
/// read_with(&file, &ReadOptions { meter: meter.clone(), ..ReadOptions::default() })?;
/// assert_eq!(meter.bytes(), 12);
/// # Ok::<(), miscela_table::TableError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<AtomicU64>);

impl Meter {
    /// How many bytes were read so far.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// A file that is counted from here on, without a buffer: what goes through one by leaps is counted as it is read.
    pub(crate) fn open(&self, path: &Path) -> io::Result<Metered<File>> {
        Ok(self.count(File::open(path)?))
    }

    pub(crate) fn count<R>(&self, inner: R) -> Metered<R> {
        Metered { inner, meter: self.clone() }
    }
}

/// Who counts is no part of what is read.
impl PartialEq for Meter {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Meter {}

/// What is read of this is counted.
pub(crate) struct Metered<R> {
    inner: R,
    meter: Meter,
}

impl Metered<File> {
    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.inner.metadata()?.len())
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter.0.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
