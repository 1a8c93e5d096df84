//! What the names of files alone show, and whether there is a folder to write to.

use crate::error::{Failure, name_of};
use miscela::Codec;
use miscela_table::{Format, Kind, STANDARD_STREAM};
use std::path::{Path, PathBuf};

/// The ending is that of a table.
pub(crate) fn table(path: &Path) -> Result<(), Failure> {
    Format::of(path)?;
    Ok(())
}

/// The ending is that of a table, or it is a folder, which may hold some.
pub(crate) fn tables(path: &Path) -> Result<(), Failure> {
    if path.is_dir() { Ok(()) } else { table(path) }
}

/// The ending is that of a table with room for text.
pub(crate) fn text_table(path: &Path) -> Result<(), Failure> {
    match Format::of(path)?.kind {
        Kind::Npy => Err(Failure::call(format!(
            "{}: an array has no room for text; use .csv, .tsv, .parquet or .arrow",
            name_of(path)
        ))),
        _ => Ok(()),
    }
}

/// The ending is that of an array of any number of dimensions.
pub(crate) fn array(path: &Path) -> Result<(), Failure> {
    match Format::of(path)?.kind {
        Kind::Npy => Ok(()),
        _ => Err(Failure::call(format!("{}: k × d × d numbers are read from .npy alone", name_of(path)))),
    }
}

/// The ending is that of a model.
pub(crate) fn model(path: &Path) -> Result<(), Failure> {
    Codec::from_path(path).map(drop).map_err(Failure::call)
}

/// The ending is that of a page.
pub(crate) fn page(path: &Path) -> Result<(), Failure> {
    let is_page =
        path.extension().is_some_and(|ending| ["html", "htm"].iter().any(|page| ending.eq_ignore_ascii_case(page)));
    match is_page || is_stream(path) {
        true => Ok(()),
        false => Err(Failure::call(format!("{}: pages are written as .html; use that ending", name_of(path)))),
    }
}

/// No file is read or written twice, and none that is read is written.
pub(crate) fn apart(read: &[Option<&Path>], written: &[Option<&Path>]) -> Result<(), Failure> {
    // Of one file there are many names.
    let places = |paths: &[Option<&Path>]| paths.iter().flatten().map(|path| place(path)).collect::<Vec<PathBuf>>();
    let (read, written) = (places(read), places(written));
    if read.iter().filter(|path| is_stream(path)).count() > 1 {
        return Err(Failure::call("standard input (-) can be read once only; put one of the tables into a file"));
    }
    for (i, path) in written.iter().enumerate() {
        if written[..i].contains(path) {
            let place = if is_stream(path) { "standard output".to_string() } else { name_of(path) };
            return Err(Failure::call(format!("two answers would go to {place}; write one of them to another file")));
        }
        if !is_stream(path) && read.contains(path) {
            return Err(Failure::call(format!("{} would be overwritten; write to another file", name_of(path))));
        }
    }
    Ok(())
}

/// The one name of a file, which need not be there yet; a stream keeps its own.
fn place(path: &Path) -> PathBuf {
    if is_stream(path) {
        return path.to_path_buf();
    }
    let in_folder = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    };
    path.canonicalize().ok().or_else(in_folder).unwrap_or_else(|| path.to_path_buf())
}

/// There are folders for all files to be written, seen before any work is done.
pub(crate) fn folders(written: &[Option<&Path>]) -> Result<(), Failure> {
    for path in written.iter().flatten().filter(|path| !is_stream(path)) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let why = match (folder.is_dir(), path.is_dir()) {
            (true, false) => continue,
            (true, true) => "it is a folder".to_string(),
            _ => format!("there is no folder {}", folder.display()),
        };
        return Err(Failure::fault(format!("cannot write {}: {why}", path.display())));
    }
    Ok(())
}

/// Standard input where a file is read, standard output where one is written.
pub(crate) fn is_stream(path: &Path) -> bool {
    path.as_os_str() == STANDARD_STREAM
}
