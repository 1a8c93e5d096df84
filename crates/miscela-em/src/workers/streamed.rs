//! Workers of one machine: a source is read chunk by chunk, and while one is worked on the next is read.

use crate::missing::Missing;
use crate::workers::{Partial, Task, WorkError, Workers};
use miscela_kernel::{Chunk, Float, Samples, Source, SourceError, Threads};
use std::sync::mpsc::sync_channel;
use std::thread;

/// Passes over a [`Source`].
///
/// Chunks are merged in the order of the source, so a fit has the same bits for any number of threads, and for any other source
/// of the same chunks. Memory: three chunks, and the sums.
///
/// While the next chunk is read, on a thread of its own (with the feature `rayon`, and unless only one may be used), the calling one waits; a source that works on the same pool of rayon's as the caller
/// runs in needs a thread of it to be free.
pub struct Streamed<'a, F: Float> {
    source: &'a dyn Source<F>,
    threads: Threads,
    missing: bool,
    passes: usize,
    /// How many rows the first pass met.
    rows: Option<u64>,
}

impl<'a, F: Float> Streamed<'a, F> {
    /// Nothing is read yet.
    pub fn new(source: &'a dyn Source<F>, threads: Threads) -> Self {
        Self { source, threads, missing: false, passes: 0, rows: None }
    }

    /// Takes values that are missing, NaN, or does not: then they are errors.
    #[must_use]
    pub fn with_missing(self, missing: Missing) -> Self {
        Self { missing: missing == Missing::Marginal, ..self }
    }

    /// How many rows there are, known after the first pass.
    pub fn n_rows(&self) -> Option<u64> {
        self.rows
    }

    /// One pass: `work` is called on the samples of each chunk that has any, in order, with the number of the first. Returns the
    /// number of rows.
    fn pass(&self, mut work: impl FnMut(&Samples<F>, u64) -> Result<(), WorkError>) -> Result<u64, WorkError> {
        let mut rows = 0;
        let mut next = |chunk: Result<(Chunk<F>, bool), SourceError>| {
            let (chunk, counts) = chunk?;
            if self.missing {
                // What the rows weigh follows from what they show.
                chunk.samples(true)?.map_or(Ok(()), |samples| work(&samples, rows))?;
            } else if counts {
                work(&chunk.checked_samples(), rows)?;
            }
            rows += chunk.rows.nrows() as u64;
            Ok::<(), WorkError>(())
        };
        let checked = |chunk: Result<Chunk<'a, F>, SourceError>| {
            let chunk = chunk?;
            let counts = !self.missing && chunk.samples(false)?.is_some();
            Ok((chunk, counts))
        };
        let mut chunks = self.source.chunks()?.map(checked);
        if self.threads == Threads::One || cfg!(not(feature = "rayon")) {
            chunks.try_for_each(&mut next)?
        } else {
            ahead(chunks, next)?
        }
        Ok(rows)
    }
}

/// Reads on a thread of its own, a chunk ahead.
fn ahead<T: Send>(
    chunks: impl Iterator<Item = T> + Send,
    next: impl FnMut(T) -> Result<(), WorkError>,
) -> Result<(), WorkError> {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(1);
        // Ends when there are no more, or when nobody listens because one could not be worked on.
        scope.spawn(move || chunks.map_while(|chunk| sender.send(chunk).ok()).for_each(drop));
        receiver.into_iter().try_for_each(next)
    })
}

impl<F: Float> Workers<F> for Streamed<'_, F> {
    fn run(&mut self, task: &Task<F>) -> Result<Partial<F>, WorkError> {
        let work = task.prepare()?;
        let mut total: Option<Partial<F>> = None;
        self.passes += 1;
        let now = self.pass(|samples, first| {
            let partial = work.run(samples, first, self.threads)?;
            match &mut total {
                Some(total) => total.merge(partial)?,
                None => total = Some(partial),
            }
            Ok(())
        })?;
        match self.rows {
            Some(before) if before != now => return Err(SourceError::Changed { before, now }.into()),
            _ => self.rows = Some(now),
        }
        total.ok_or_else(|| SourceError::NoRows.into())
    }

    fn passes(&self) -> usize {
        self.passes
    }
}
