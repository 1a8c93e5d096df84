//! Rows from whatever can be iterated again and again.

use crate::chunk_rows;
use miscela_kernel::{Chunk, Chunks, Float, Origin, Source, SourceError};
use ndarray::Array2;

/// A [`Source`] from a function that begins an iteration over arrays of rows: one over a data base, a simulation, another
/// program's files. Arrays may have any number of rows and are cut anew, as all sources are ([`chunk_rows`]), so that the same rows
/// give the same bits. They are made on the thread that asks. For rows with weights implement [`Source`].
///
/// ```
/// use miscela_kernel::Source;
/// use miscela_table::Arrays;
/// use ndarray::Array2;
///
/// let days = || (0..3).map(|day| Ok(Array2::from_elem((2, 1), f64::from(day))));
/// let source = Arrays::new(1, days).with_chunk_rows(4);
/// let rows: Vec<usize> = Source::<f64>::chunks(&source)?.map(|chunk| chunk.map_or(0, |chunk| chunk.rows.nrows())).collect();
/// assert_eq!(rows, [4, 2]);
/// # Ok::<(), miscela_kernel::SourceError>(())
/// ```
pub struct Arrays<G> {
    n_columns: usize,
    begin: G,
    chunk_rows: usize,
}

impl<G> Arrays<G> {
    /// The arrays of each iteration that `begin` begins, m × `n_columns` each.
    pub fn new(n_columns: usize, begin: G) -> Self {
        Self { n_columns, begin, chunk_rows: chunk_rows(n_columns) }
    }

    /// Cuts the rows into chunks of so many (at least 1; the last may have fewer).
    #[must_use]
    pub fn with_chunk_rows(mut self, rows: usize) -> Self {
        self.chunk_rows = rows.max(1);
        self
    }
}

impl<F, G, I> Source<F> for Arrays<G>
where
    F: Float,
    G: Fn() -> I + Sync,
    I: Iterator<Item = Result<Array2<F>, SourceError>> + Send + 'static,
{
    fn n_columns(&self) -> usize {
        self.n_columns
    }

    fn chunks(&self) -> Result<Chunks<'_, F>, SourceError> {
        let (d, most) = (self.n_columns, self.chunk_rows);
        let mut arrays = (self.begin)();
        let (mut kept, mut taken, mut row) = (Vec::new(), 0, 0);
        let mut ended = false;
        Ok(Box::new(std::iter::from_fn(move || {
            while !ended && kept.len() - taken < most * d {
                kept.drain(..std::mem::take(&mut taken));
                match arrays.next() {
                    Some(Ok(array)) if array.ncols() == d => kept.extend(array.iter().copied()),
                    Some(Ok(array)) => {
                        ended = true;
                        return Some(Err(SourceError::read(format!(
                            "an array of the iteration has {} columns where {d} are expected",
                            array.ncols()
                        ))));
                    }
                    Some(Err(error)) => {
                        ended = true;
                        kept.clear();
                        return Some(Err(error));
                    }
                    None => ended = true,
                }
            }
            let n = ((kept.len() - taken) / d.max(1)).min(most);
            let rows = Array2::from_shape_vec((n, d), kept[taken..taken + n * d].to_vec()).unwrap_or_default();
            let origin = Origin { first_row: row, ..Origin::default() };
            (taken, row) = (taken + n * d, row + n as u64);
            (n > 0).then(|| Ok(Chunk { rows: rows.into(), weights: None, origin }))
        })))
    }
}
