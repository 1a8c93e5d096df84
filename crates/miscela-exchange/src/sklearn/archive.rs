//! An `.npz` file: a zip archive of arrays, one `.npy` a name.

use super::damaged;
use crate::ExchangeError;
use miscela_table::{NpyArray, read_npy_from, write_npy_text};
use ndarray::{ArrayView, Dimension};
use ndarray_npy::WriteNpyExt;
use std::io::{Cursor, Read};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// What the arrays together may take, unpacked: so many times the file, and this much in any case.
const MOST_PACKED: u64 = 16;
const LEAST_LIMIT: u64 = 1 << 28;

/// Arrays by name, unpacked when they are asked for.
pub(super) struct Reader<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
}

impl<'a> Reader<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, ExchangeError> {
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| damaged(format!("this is no .npz archive ({error}); write it with numpy.savez")))?;
        Ok(Self { archive, left: (MOST_PACKED * bytes.len() as u64).max(LEAST_LIMIT) })
    }

    /// The names of the arrays, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.archive.file_names().flatten();
        let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(".npy").map(str::to_string)).collect();
        names.sort();
        names
    }

    /// The array of this name, if there is one.
    pub(super) fn array(&mut self, name: &str) -> Result<Option<NpyArray>, ExchangeError> {
        let Some(index) = self.archive.index_for_name(&format!("{name}.npy")) else {
            return Ok(None);
        };
        let broken = |error: String| damaged(format!("`{name}` cannot be unpacked ({error}); write the file again"));
        let entry = self.archive.by_index(index).map_err(|error| broken(error.to_string()))?;
        let mut entry = Counted { inner: entry, left: self.left };
        let array = read_npy_from(&mut entry, name);
        self.left = entry.left;
        if self.left == 0 {
            return Err(damaged(format!("`{name}` unpacks to more than any model; write the file with numpy.savez")));
        }
        array.map(Some).map_err(|error| damaged(error.to_string()))
    }
}

/// Reads so many bytes at most.
struct Counted<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let n = self.inner.read(&mut buffer[..most])?;
        self.left -= n as u64;
        Ok(n)
    }
}

/// An archive in the making. Arrays are stored as they are; the same arrays give the same bytes.
pub(super) struct Writer {
    archive: ZipWriter<Cursor<Vec<u8>>>,
    narrow: bool,
}

impl Writer {
    /// Numbers that are the model's are written as `f32` if `narrow`.
    pub(super) fn new(narrow: bool) -> Self {
        Self { archive: ZipWriter::new(Cursor::new(Vec::new())), narrow }
    }

    /// An array of the type of the model.
    pub(super) fn numbers<D: Dimension>(
        &mut self,
        name: &str,
        numbers: ArrayView<'_, f64, D>,
    ) -> Result<(), ExchangeError> {
        if self.narrow {
            return self.array(name, &numbers.mapv(|x| x as f32));
        }
        self.array(name, &numbers)
    }

    /// A single value of another type.
    pub(super) fn value<T: ndarray_npy::WritableElement>(&mut self, name: &str, value: T) -> Result<(), ExchangeError> {
        self.array(name, &ndarray::arr0(value))
    }

    /// Texts: one, or a list.
    pub(super) fn texts(&mut self, name: &str, texts: &[impl AsRef<str>], single: bool) -> Result<(), ExchangeError> {
        self.start(name)?;
        write_npy_text(texts, single, &mut self.archive).map_err(unwritten)
    }

    fn array(&mut self, name: &str, array: &impl WriteNpyExt) -> Result<(), ExchangeError> {
        self.start(name)?;
        array.write_npy(&mut self.archive).map_err(unwritten)
    }

    fn start(&mut self, name: &str) -> Result<(), ExchangeError> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
        self.archive.start_file(format!("{name}.npy"), options).map_err(unwritten)
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, ExchangeError> {
        Ok(self.archive.finish().map_err(unwritten)?.into_inner())
    }
}

fn unwritten(error: impl std::fmt::Display) -> ExchangeError {
    ExchangeError::Parameters(format!("the arrays cannot be written: {error}"))
}
