//! Files that are written whole or not at all.
//!
//! Linux can write a file that has no name yet (`O_TMPFILE`): it is gone with its process, however that ends, and nothing has to be
//! tidied up. Elsewhere, and on file systems that cannot do this, a file of a passing name is removed where writing fails.
//!
//! No system gives a file without a name that of another: for a moment it has a passing one everywhere. A process that is told to
//! end removes it by [`abandon`]; only one that is killed in just this moment leaves it behind.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    name.become_name(&target)
}

/// Removes what this process is writing, and lets no file get a name while the answer lives: for the moment before the process ends by
/// a signal, say. Files that have their names already keep them.
///
/// Not for signal handlers, since it waits for locks: for a thread that signals wake. Other threads that write wait meanwhile; the same
/// thread must not.
///
/// ```no_run
/// let _abandoned = miscela_persist::abandon();
/// std::process::exit(130);
/// ```
pub fn abandon() -> Abandoned {
    let mut names = passing();
    for name in names.drain(..) {
        // It may be gone; and whoever ends has nobody to tell.
        let _ = fs::remove_file(name);
    }
    Abandoned { _names: names }
}

/// While this lives, this process names no file: see [`abandon`].
#[must_use = "once this is dropped, files can be written again"]
#[derive(Debug)]
pub struct Abandoned {
    _names: MutexGuard<'static, Vec<PathBuf>>,
}

/// The passing names that there are: each is entered here in the same moment as in its folder.
static PASSING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn passing() -> MutexGuard<'static, Vec<PathBuf>> {
    // A list of names is never half changed.
    PASSING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name until a file gets its own; the file is removed when this is dropped before.
struct PassingName(Option<TempPath>);

impl PassingName {
    fn new<F>(make: impl FnOnce() -> io::Result<(F, TempPath)>) -> io::Result<(F, Self)> {
        let mut names = passing();
        let (file, name) = make()?;
        names.push(name.to_path_buf());
        Ok((file, Self(Some(name))))
    }

    fn become_name(mut self, target: &Path) -> io::Result<()> {
        self.leave(|name| name.persist(target).map_err(|error| error.error)).unwrap_or(Ok(()))
    }

    /// Does what ends the name, and strikes it off the list in the same moment.
    fn leave<T>(&mut self, end: impl FnOnce(TempPath) -> T) -> Option<T> {
        let name = self.0.take()?;
        let mut names = passing();
        names.retain(|other| *other != *name);
        Some(end(name))
    }
}

impl Drop for PassingName {
    fn drop(&mut self) {
        self.leave(drop);
    }
}

/// A file with a passing name.
fn named(folder: &Path) -> io::Result<(File, Option<PassingName>)> {
    let mut builder = builder();
    #[cfg(unix)]
    {
        // As for any new file: what the user's mask leaves.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(MODE));
    }
    let (file, name) = PassingName::new(|| Ok(builder.tempfile_in(folder)?.into_parts()))?;
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
fn link(file: &File, folder: &Path) -> io::Result<PassingName> {
    use rustix::fs::{AtFlags, CWD, linkat};
    let link = |name: &Path| linkat(CWD, descriptor(file), CWD, name, AtFlags::SYMLINK_FOLLOW).map_err(io::Error::from);
    Ok(PassingName::new(|| Ok(builder().make_in(folder, link)?.into_parts()))?.1)
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, folder: &Path) -> io::Result<PassingName> {
    // Every file has a name here.
    Ok(PassingName::new(|| Ok(builder().tempfile_in(folder)?.into_parts()))?.1)
}

#[cfg(target_os = "linux")]
fn descriptor(file: &File) -> std::path::PathBuf {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::thread;
    use std::time::Duration;

    // One test, since what is given up is all that this process writes.
    #[test]
    fn what_is_given_up_leaves_nothing_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let files = || fs::read_dir(&folder).unwrap().count();
        write_atomically(&path, |mut file| file.write_all(b"old")).unwrap();

        // A name that came to nothing is forgotten.
        drop(named(folder.path()).unwrap());
        assert_eq!((files(), passing().len()), (1, 0));

        // A file that has a passing name is removed, and can have no other.
        let (_file, name) = named(folder.path()).unwrap();
        assert_eq!(files(), 2);
        drop(abandon());
        assert_eq!(files(), 1);
        assert_eq!(name.unwrap().become_name(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(passing().len(), 0);

        // One that has none yet waits for its name.
        let abandoned = abandon();
        let target = path.clone();
        let writer = thread::spawn(move || write_atomically(&target, |mut file| file.write_all(b"new")));
        thread::sleep(Duration::from_millis(100));
        assert_eq!((files(), fs::read(&path).unwrap()), (1, b"old".to_vec()));
        drop(abandoned);
        writer.join().unwrap().unwrap();
        assert_eq!((files(), fs::read(&path).unwrap()), (1, b"new".to_vec()));
    }
}
