//! Tables that are read chunk by chunk, as often as it takes, because they would not fit in memory.

use crate::args::{ColumnArgs, Dtype, MemoryArgs};
use crate::data::{Request, check_width, note_order, options, wanted};
use crate::error::{Failure, name_of};
use crate::memory;
use crate::model::{Likelihood, Model, Number, Score};
use crate::{output, paths};
use miscela::{Chunk, Missing, Source, SourceError, Threads};
use miscela_table::{Blocks, Columns, Format, Kind, RowWriter, TableError, write_rows};
use ndarray::Array2;
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use std::io;
use std::path::Path;

/// A table that is too large to be read at once.
pub(crate) struct Stream {
    pub(crate) blocks: Blocks,
    /// The columns go by other names than the model's and were taken in order.
    in_order: bool,
}

impl Stream {
    /// The table, if it is too large, which is said in one line unless it should be quiet.
    pub(crate) fn open(
        path: &Path,
        choice: &ColumnArgs,
        request: &Request,
        limits: (&MemoryArgs, Threads),
        quiet: bool,
    ) -> Result<Option<Self>, Failure> {
        let pipe = paths::is_stream(path) || path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir());
        let Some(budget) = memory::budget(limits.0).filter(|_| !pipe) else { return Ok(None) };
        if memory::surely_fits(path, budget) {
            return Ok(None);
        }
        let open = |columns| Blocks::open(path, &options(columns, request));
        let (blocks, in_order) = match (wanted(choice), request.model) {
            (Columns::All, Some(names)) => match open(Columns::only(names)) {
                Err(TableError::NoSuchColumn { .. }) => (open(Columns::All)?, true),
                blocks => (blocks?, false),
            },
            (columns, _) => (open(columns)?, false),
        };
        let needed = blocks.n_bytes_read();
        if needed <= budget {
            return Ok(None);
        }
        let refused = [
            ("--weights of a file", request.weights.is_some_and(|weights| weights.file().is_some())),
            ("--known-labels, --id or --append", request.carry.is_some()),
        ];
        let (file, needed, budget) = (name_of(path), memory::shown(needed), memory::shown(budget));
        if let Some((what, _)) = refused.iter().find(|(_, asked)| *asked) {
            return Err(Failure::fault(format!(
                "{what} needs all rows of {file} in memory, about {needed}, more than the {budget} it may take; raise --memory, or leave it out"
            )));
        }
        if !quiet {
            output::note(&format!(
                "{file} would take about {needed} of memory, more than the {budget} it may (--memory): it is read in chunks, once a pass"
            ));
        }
        let threads = match limits.1 {
            Threads::Count(count) => count,
            Threads::One => 1,
            _ => 0,
        };
        Ok(Some(Self { blocks: blocks.with_threads(threads), in_order }))
    }

    /// Refuses another width than the model's, and says where names were passed over.
    pub(crate) fn check_for(&self, path: &Path, model: &[String], quiet: bool) -> Result<(), Failure> {
        let names = self.blocks.names();
        check_width(path, names.len(), model)?;
        if self.in_order && !quiet {
            note_order(names, model);
        }
        Ok(())
    }

    pub(crate) fn dtype(&self) -> Dtype {
        if self.blocks.is_f32() { Dtype::F32 } else { Dtype::F64 }
    }

    /// The score of a model, in one pass.
    pub(crate) fn score<F: Number>(&self, model: &Model<F>, threads: Threads, path: &Path) -> Result<Score, Failure> {
        let missing = model.missing().unwrap_or_default();
        if let Some(score) = model.score_over(&self.blocks, threads, path) {
            let (score, n_samples) = score?;
            return Ok(model.scored(n_samples, None, score.into()));
        }
        let (mut inertia, mut n_samples) = (0.0, 0);
        threads.install(|_| {
            self.each(path, |chunk: Chunk<F>| {
                n_samples += chunk.rows.nrows();
                // Rows of no weight add nothing.
                let samples = chunk.samples(missing == Missing::Marginal);
                if samples.map_err(|error| Failure::in_file(path, error))?.is_some() {
                    let (rows, weights) = (chunk.rows.into_owned(), chunk.weights);
                    inertia += model.score(&rows, weights.as_deref(), path)?.inertia.unwrap_or(0.0);
                }
                Ok(())
            })
        })?;
        Ok(model.scored(n_samples, Some(inertia), Likelihood::default()))
    }

    /// Writes the label of each row, and says how many there are.
    pub(crate) fn labels<F: Number>(
        &self,
        model: &Model<F>,
        threads: Threads,
        (data, path): (&Path, &Path),
    ) -> Result<usize, Failure> {
        threads.install(|_| {
            self.write((data, path), &["label".to_string()], |rows, out| {
                let labels = model.labels(rows, data)?;
                Ok(labels.into_iter().try_for_each(|label| {
                    out.integer(label)?;
                    out.end()
                }))
            })
        })
    }

    /// Some rows of positive weight in the order of the table, each as likely as any other, and their weights: all of them where
    /// they are few. The same seed draws the same rows, however they are cut into chunks.
    pub(crate) fn sample<F: Number>(&self, seed: u64, path: &Path) -> Result<(Array2<F>, Option<Vec<f64>>), Failure> {
        const MOST_ROWS: usize = 50_000;
        const MOST_NUMBERS: usize = 4_000_000;
        let d = self.blocks.names().len();
        let most = MOST_ROWS.min(MOST_NUMBERS / d.max(1)).max(100);
        let mut rng = Xoshiro256Plus::seed_from_u64(seed);
        // Those with the least random numbers.
        let mut kept: Vec<(u64, usize, Vec<F>, f64)> = Vec::new();
        let (mut n, mut limit, mut weighted) = (0, u64::MAX, false);
        let cut = |kept: &mut Vec<(u64, usize, Vec<F>, f64)>| {
            if kept.len() > most {
                kept.select_nth_unstable_by_key(most, |(key, row, ..)| (*key, *row));
                kept.truncate(most);
            }
        };
        self.each(path, |chunk: Chunk<F>| {
            weighted |= chunk.weights.is_some();
            for (i, row) in chunk.rows.outer_iter().enumerate() {
                let (key, weight) = (rng.next_u64(), chunk.weights.as_ref().map_or(1.0, |weights| weights[i]));
                if weight > 0.0 && key <= limit {
                    kept.push((key, n, row.to_vec(), weight));
                }
                n += 1;
                if kept.len() >= 2 * most {
                    cut(&mut kept);
                    limit = kept.iter().map(|(key, ..)| *key).max().unwrap_or(limit);
                }
            }
            Ok(())
        })?;
        cut(&mut kept);
        kept.sort_unstable_by_key(|(_, row, ..)| *row);
        let weights = weighted.then(|| kept.iter().map(|(.., weight)| *weight).collect());
        let numbers: Vec<F> = kept.into_iter().flat_map(|(_, _, row, _)| row).collect();
        let rows = Array2::from_shape_vec((numbers.len() / d.max(1), d), numbers).map_err(Failure::fault)?;
        Ok((rows, weights))
    }

    /// Calls `work` on each chunk.
    fn each<F: Number>(
        &self,
        path: &Path,
        mut work: impl FnMut(Chunk<F>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let failed = |error: SourceError| Failure::in_file(path, error);
        for chunk in Source::<F>::chunks(&self.blocks).map_err(failed)? {
            work(chunk.map_err(failed)?)?;
        }
        Ok(())
    }

    /// Writes a table of `names`, some rows after the other as `rows` writes them; the file appears when all is written. Says how
    /// many there are.
    pub(crate) fn write<F: Number>(
        &self,
        (data, path): (&Path, &Path),
        names: &[String],
        mut rows: impl FnMut(&Array2<F>, &mut RowWriter<'_>) -> Result<io::Result<()>, Failure>,
    ) -> Result<usize, Failure> {
        text_table(path)?;
        let (mut failure, mut n) = (None, 0);
        let written = write_rows(path, names, |out| {
            let mut writing = Ok(());
            let read = self.each(data, |chunk: Chunk<F>| {
                n += chunk.rows.nrows();
                writing = rows(&chunk.rows.into_owned(), out)?;
                // Any failure ends the reading; that of writing is told apart below.
                if writing.is_ok() { Ok(()) } else { Err(Failure::ClosedPipe) }
            });
            writing?;
            read.map_err(|error| {
                failure = Some(error);
                io::Error::other("the rows cannot be read")
            })
        });
        match failure {
            Some(failure) => Err(failure),
            None => Ok(written.map(|()| n)?),
        }
    }
}

/// An array says how many rows it has before the first, and that is not known of rows that come one after the other.
pub(crate) fn text_table(path: &Path) -> Result<(), Failure> {
    match Format::of(path)?.kind {
        Kind::Npy => Err(Failure::fault(format!(
            "{}: rows that are read in chunks are not written to arrays; use .csv, .tsv, .parquet or .arrow",
            name_of(path)
        ))),
        _ => Ok(()),
    }
}

/// What cannot be had of a stream, beside what the library refuses by itself.
pub(crate) fn needs_memory(path: &Path, asked: &[(&str, bool)]) -> Result<(), Failure> {
    match asked.iter().find(|(_, asked)| *asked) {
        Some((what, _)) => Err(Failure::fault(format!(
            "{what} needs all rows of {} in memory, more than it may take; raise --memory, or leave it out",
            name_of(path)
        ))),
        None => Ok(()),
    }
}
