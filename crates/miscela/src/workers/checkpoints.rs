//! A file that says how far a fit has come.

use crate::Float;
use crate::report::Best;
use miscela_em::{Checkpoint, Keeper, Repair, RowCount, Summary};
use miscela_persist::{Codec, PersistError, load_bytes, save_as};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

/// Checkpoints of a fit, in a file: each is written whole or not at all, in the place of the one before.
///
/// A fit that is given checkpoints looks whether the file is there, and if it is, goes on from what it says: with the same
/// data and the same parameters it ends with the same bits as a fit that was never interrupted. The file stays when the fit
/// has ended, so that nothing is lost before the model is safe: then [`remove`](Self::remove) it.
///
/// ```
/// use miscela::prelude::*;
/// use miscela::{Checkpoints, Chunked, Elsewhere, Observer, Progress, Streamed, Termination};
/// use std::ops::ControlFlow;
/// use std::time::Duration;
///
/// let iris = linfa_datasets::iris();
/// let source = Chunked::new(iris.records(), None, 50);
/// let folder = tempfile::tempdir()?;
/// let mut checkpoints = Checkpoints::new(folder.path().join("iris.checkpoint"), Duration::ZERO);
///
/// let params = GaussianMixture::params(3).tolerance(0.0).check()?;
/// let mut fit = |observer: &mut dyn Observer| {
///     let mut workers = Streamed::new(&source, Threads::One);
///     let checkpoints = Some(&mut checkpoints);
///     params.fit_over(Elsewhere { workers: &mut workers, checkpoints, observer, threads: Threads::One })
/// };
/// // Somebody interrupts the first attempt.
/// let stop = |progress: &Progress| if progress.iteration < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
/// let first = fit(&mut { stop })?;
/// assert_eq!(first.report().termination, Termination::Cancelled);
/// let second = fit(&mut ())?;
/// assert_eq!(second.means(), params.fit_source(&source, &mut ())?.means());
/// checkpoints.remove()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoints {
    path: PathBuf,
    every: Duration,
    latest: Instant,
}

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// It cannot be read or written, or is damaged.
    #[error("the checkpoint {} cannot be used: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PersistError,
    },
    /// It is one of another fit.
    #[error(
        "the checkpoint {} is of another fit: the {what} differ; remove the file, or go on with what it was made with",
        path.display()
    )]
    OtherFit {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
}

const FORMAT: &str = "miscela-checkpoint";
const VERSION: u32 = 1;

/// What the file holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved<F, T> {
    format: String,
    version: u32,
    /// The parameters of the fit, in words.
    params: String,
    rows: RowCount,
    summary: Summary,
    /// How many runs have ended.
    pub(super) ended: usize,
    /// The best of them.
    pub(super) best: Best<T>,
    /// What the start of the run after them needed.
    #[serde(default)]
    pub(super) repairs: Vec<Repair>,
    /// Where that run stands.
    pub(super) checkpoint: Option<Checkpoint<F>>,
}

impl<F, T> Saved<F, T> {
    /// A fit of which nothing is done yet.
    pub(super) fn new(params: String, rows: RowCount, summary: Summary) -> Self {
        let (format, best) = (FORMAT.into(), Best::new());
        Self { format, version: VERSION, params, rows, summary, ended: 0, best, repairs: Vec::new(), checkpoint: None }
    }
}

impl Checkpoints {
    /// Checkpoints in this file, one every so often; every iteration if `every` is zero.
    pub fn new(path: impl Into<PathBuf>, every: Duration) -> Self {
        Self { path: path.into(), every, latest: Instant::now() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is something to go on from.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Removes the file, if it is there: the fit is done, and its model is safe.
    ///
    /// # Errors
    /// If it is there and cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// What the file says of this fit, of which nothing else is done yet; that if there is no file.
    pub(super) fn load<F: Float + Serialize + DeserializeOwned, T: Serialize + DeserializeOwned>(
        &self,
        fresh: Saved<F, T>,
    ) -> Result<Saved<F, T>, CheckpointError> {
        if !self.exists() {
            return Ok(fresh);
        }
        let file = |source| CheckpointError::File { path: self.path.clone(), source };
        let bytes = load_bytes(&self.path).map_err(file)?;
        let saved: Saved<F, T> = Codec::Cbor.decode(&bytes).map_err(file)?;
        let differing = [
            ("formats", saved.format != fresh.format || saved.version != fresh.version),
            ("parameters", saved.params != fresh.params),
            ("data", saved.rows != fresh.rows || saved.summary != fresh.summary),
        ];
        match differing.into_iter().find(|(_, differ)| *differ) {
            Some((what, _)) => Err(CheckpointError::OtherFit { path: self.path.clone(), what }),
            None => Ok(saved),
        }
    }

    fn save<F: Serialize, T: Serialize>(&mut self, saved: &Saved<F, T>) -> Result<(), CheckpointError> {
        let file = |source| CheckpointError::File { path: self.path.clone(), source };
        save_as(&self.path, Codec::Cbor, saved).map_err(file)?;
        self.latest = Instant::now();
        Ok(())
    }
}

/// Writes checkpoints of one run after the other.
pub(super) struct Writer<'a, F, T> {
    pub(super) checkpoints: Option<&'a mut Checkpoints>,
    pub(super) saved: Saved<F, T>,
}

impl<F: Float + Serialize, T: Serialize> Keeper<F> for Writer<'_, F, T> {
    fn is_due(&mut self) -> bool {
        self.checkpoints.as_ref().is_some_and(|checkpoints| checkpoints.latest.elapsed() >= checkpoints.every)
    }

    fn keep(&mut self, checkpoint: Checkpoint<F>) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.saved.checkpoint = Some(checkpoint);
        match &mut self.checkpoints {
            Some(checkpoints) => Ok(checkpoints.save(&self.saved)?),
            None => Ok(()),
        }
    }
}
