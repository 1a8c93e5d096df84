//! A table in one file, in a folder of files that are alike, or in memory: what is known of it before its rows are read.

use crate::layout::Layout;
use crate::meter::Meter;
use crate::opened::{Memory, Opened, Reading, source_name, unreadable};
use crate::read::Wanted;
use crate::{Format, TableError};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What compression is taken to divide the size of a table by.
const PACKED: u64 = 4;

/// The parts of a table, in order.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The path, as it was given.
    pub(crate) name: String,
    parts: Vec<Part>,
    pub(crate) layout: Layout,
    /// All numbers are 32-bit floats.
    pub(crate) is_f32: bool,
    /// If all parts say how many they have.
    pub(crate) n_rows: Option<u64>,
    /// Bytes of all files; of record batches, those in memory.
    pub(crate) n_bytes: u64,
    /// About the bytes that they unpack to.
    pub(crate) unpacked: u64,
    meter: Meter,
}

#[derive(Clone, Debug)]
enum Part {
    File { path: PathBuf, seen: Seen, n_rows: Option<u64>, groups: Vec<u64> },
    Memory(Memory),
}

/// What changes where a file does.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Seen {
    fn at(path: &Path) -> Result<Self, TableError> {
        let there = path.metadata().map_err(unreadable(path))?;
        Ok(Self { bytes: there.len(), modified: there.modified().ok() })
    }
}

impl Files {
    /// Opens each file once. That of a folder are taken in the order of their names; those that start with `.` or `_` are
    /// passed over.
    pub(crate) fn of(path: &Path, wanted: &Wanted) -> Result<Self, TableError> {
        let paths = if path.is_dir() { tables_in(path)? } else { vec![path.to_path_buf()] };
        let first = Opened::open(&paths[0])?;
        let layout = Layout::of(&source_name(&paths[0]), &first.names(), wanted)?;
        let (name, parts) = (source_name(path), Vec::with_capacity(paths.len()));
        let mut files = Self {
            name,
            parts,
            layout,
            is_f32: true,
            n_rows: Some(0),
            n_bytes: 0,
            unpacked: 0,
            meter: wanted.meter.clone(),
        };
        let mut opened = Some(first);
        for path in paths {
            let (file, seen) = (source_name(&path), Seen::at(&path)?);
            let part = opened.take().map_or_else(|| Opened::open(&path), Ok)?;
            files.alike(&file, &part)?;
            files.n_bytes += seen.bytes;
            files.unpacked += seen.bytes.saturating_mul(if Format::of(&path)?.is_packed() { PACKED } else { 1 });
            files.take_in(&part);
            files.parts.push(Part::File { groups: part.groups(), n_rows: part.n_rows(), path, seen });
        }
        Ok(files)
    }

    pub(crate) fn of_memory(memory: Memory, wanted: &Wanted) -> Result<Self, TableError> {
        let (name, n_bytes) = ("record batches".to_string(), memory.batches.iter());
        let n_bytes = n_bytes.map(|batch| batch.get_array_memory_size() as u64).sum();
        let opened = Opened::Memory(memory.clone());
        crate::columns::refuse_duplicates(&name, &opened.names())?;
        let layout = Layout::of(&name, &opened.names(), wanted)?;
        opened.check(&name, &layout)?;
        if opened.n_rows() == Some(0) {
            return Err(TableError::NoRows { file: name });
        }
        let (parts, n_rows) = (vec![Part::Memory(memory)], Some(0));
        let mut files =
            Self { name, parts, layout, is_f32: true, n_rows, n_bytes, unpacked: n_bytes, meter: Meter::default() };
        files.take_in(&opened);
        Ok(files)
    }

    fn take_in(&mut self, part: &Opened) {
        self.is_f32 &= part.is_f32(&self.layout);
        self.n_rows = self.n_rows.zip(part.n_rows()).map(|(before, more)| before + more);
    }

    /// The part has the columns of the first, and they can be read.
    fn alike(&self, file: &str, part: &Opened) -> Result<(), TableError> {
        let names = part.names();
        if names == self.layout.there {
            return part.check(file, &self.layout);
        }
        let (expected, got) = (self.layout.there.join(", "), names.join(", "));
        Err(TableError::Differs { file: file.to_string(), first: self.part_name(0), expected, got })
    }

    pub(crate) fn n_parts(&self) -> usize {
        self.parts.len()
    }

    /// A part as messages call it.
    pub(crate) fn part_name(&self, part: usize) -> String {
        match &self.parts[part] {
            Part::File { path, .. } => source_name(path),
            Part::Memory(_) => self.name.clone(),
        }
    }

    /// The first row of each row group of a part.
    pub(crate) fn groups(&self, part: usize) -> &[u64] {
        match &self.parts[part] {
            Part::File { groups, .. } => groups,
            Part::Memory(_) => &[],
        }
    }

    /// A part from its first row on, if it is still what it was.
    pub(crate) fn start(&self, part: usize) -> Result<Reading, TableError> {
        let (path, n_rows) = match &self.parts[part] {
            Part::File { path, n_rows, .. } => (path, n_rows),
            Part::Memory(memory) => return Opened::Memory(memory.clone()).start(&self.name, &self.layout),
        };
        self.unchanged(part)?;
        let (file, opened) = (source_name(path), Opened::open_metered(path, &self.meter)?);
        if opened.names() != self.layout.there || opened.n_rows() != *n_rows {
            return Err(TableError::Changed { file });
        }
        opened.start(&file, &self.layout)
    }

    /// An error if a file is not what it was when it was seen first.
    pub(crate) fn unchanged(&self, part: usize) -> Result<(), TableError> {
        match &self.parts[part] {
            Part::File { path, seen, .. } if Seen::at(path)? != *seen => {
                Err(TableError::Changed { file: source_name(path) })
            }
            _ => Ok(()),
        }
    }
}

/// The files of a folder, by name.
fn tables_in(folder: &Path) -> Result<Vec<PathBuf>, TableError> {
    let mut paths = Vec::new();
    for entry in folder.read_dir().map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']));
        if !hidden {
            Format::of(&path)?;
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(TableError::NoTables { folder: source_name(folder) });
    }
    Ok(paths)
}
