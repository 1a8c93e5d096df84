//! Files that are written whole or not at all.
//!
//! Linux can write a file that has no name yet (`O_TMPFILE`): it is gone with its process, however that ends, and nothing has to be
//! tidied up. Elsewhere, and on file systems that cannot do this, a file of a passing name is removed where writing fails.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use tempfile::{Builder, TempPath};

/// Writes a file by what `content` writes to it, in the folder of `path`, and gives it this name once all is written: whoever reads
/// it sees the old file or the new one, never a part.
///
/// After an error, of `content` too, the old file is as it was, and nothing is left beside it. A symbolic link is followed; the
/// permissions of a file that is replaced are kept. Whether the bytes have reached the disk is up to `content`
/// ([`File::sync_all`]).
///
/// ```
/// use std::io::Write;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("greeting.txt");
/// miscela_persist::write_atomically(&path, |mut file| file.write_all(b"hello"))?;
/// assert_eq!(std::fs::read(&path)?, b"hello");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// Those of the file system and of `content`.
pub fn write_atomically(path: &Path, content: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Asked first, so that a missing folder is not reported under a temporary name.
    fs::metadata(folder)?;
    let (file, name) = match nameless(folder) {
        Some(file) => (file, None),
        None => named(folder)?,
    };
    if let Ok(old) = fs::metadata(&target) {
        file.set_permissions(old.permissions())?;
    }
    content(&file)?;
    let name = match name {
        Some(name) => name,
        None => link(&file, folder)?,
    };
    name.persist(&target).map_err(|error| error.error)
}

/// A file with a passing name, which is removed when that is dropped.
fn named(folder: &Path) -> io::Result<(File, Option<TempPath>)> {
    let mut builder = builder();
    #[cfg(unix)]
    {
        // As for any new file: what the user's mask leaves.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(MODE));
    }
    let (file, name) = builder.tempfile_in(folder)?.into_parts();
    Ok((file, Some(name)))
}

fn builder() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(".miscela-");
    builder
}

#[cfg(unix)]
const MODE: u32 = 0o666;

/// A file without a name, if there is such a thing here, and a way to name it later.
#[cfg(target_os = "linux")]
fn nameless(folder: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = File::from(open(folder, flags, Mode::from_raw_mode(MODE)).ok()?);
    descriptor(&file).symlink_metadata().is_ok().then_some(file)
}

#[cfg(not(target_os = "linux"))]
fn nameless(_: &Path) -> Option<File> {
    None
}

/// A passing name for a file that has none, for the moment until it replaces another.
#[cfg(target_os = "linux")]
fn link(file: &File, folder: &Path) -> io::Result<TempPath> {
    use rustix::fs::{AtFlags, CWD, linkat};
    let link = |name: &Path| linkat(CWD, descriptor(file), CWD, name, AtFlags::SYMLINK_FOLLOW).map_err(io::Error::from);
    Ok(builder().make_in(folder, link)?.into_temp_path())
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, folder: &Path) -> io::Result<TempPath> {
    // Every file has a name here.
    Ok(builder().tempfile_in(folder)?.into_temp_path())
}

#[cfg(target_os = "linux")]
fn descriptor(file: &File) -> std::path::PathBuf {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}
