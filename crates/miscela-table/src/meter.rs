//! How much of a file was read, for those who wait.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the bytes that are read of CSV and TSV, as they lie on the disk, while others look: copies count together. Other files are not
/// counted; they are read many times faster.
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
}

/// Who counts is no part of what is read.
impl PartialEq for Meter {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Meter {}

/// A reader that is counted.
pub(crate) struct Metered<R> {
    pub(crate) inner: R,
    pub(crate) meter: Meter,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter.0.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
