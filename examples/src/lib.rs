//! What the example programs share, and the README's code as a test.

use std::path::{Path, PathBuf};

/// A file of the repository's `data` folder.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name)
}

/// Where a program writes: the first argument, or this file in the folder `target`, which is made if need be.
///
/// # Errors
/// If the folder cannot be made.
pub fn output(name: &str) -> std::io::Result<PathBuf> {
    if let Some(path) = std::env::args_os().nth(1) {
        return Ok(path.into());
    }
    let folder = Path::new("target");
    std::fs::create_dir_all(folder)?;
    Ok(folder.join(name))
}

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
