//! A block of rows turned on its side: column by column, with the rows in the lanes of the registers.
//!
//! Every kernel here works on such tiles. One register then holds the same column of 4, 8 or 16 rows, so nothing needs a
//! horizontal step: a distance, an argmin, a triangular solve and an exponential are all element-wise.

use crate::{Block, Float, Samples};

/// The rows of a tile.
pub const TILE_ROWS: usize = 64;

/// One number for each row of a tile, aligned to a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Column<F>(pub [F; TILE_ROWS]);

impl<F: Float> Column<F> {
    /// The same number for every row.
    pub fn splat(value: F) -> Self {
        Self([value; TILE_ROWS])
    }
}

/// Up to [`TILE_ROWS`] rows as columns; rows that are not there are zero.
#[derive(Clone, Debug, Default)]
pub struct Tile<F> {
    columns: Vec<Column<F>>,
    rows: usize,
    /// Rows that had to be made contiguous.
    copied: Vec<F>,
}

impl<F: Float> Tile<F> {
    /// An empty tile.
    pub fn new() -> Self {
        Self { columns: Vec::new(), rows: 0, copied: Vec::new() }
    }

    /// Takes the rows of `block`, less `offset`, which has one number a column.
    ///
    /// # Panics
    /// If there are more than [`TILE_ROWS`] rows, or `offset` is of another width.
    pub fn fill(&mut self, block: &Block<F>, offset: &[F]) {
        self.take(block.rows(), offset);
    }

    /// Takes rows of `samples` from wherever they are, less `offset`.
    ///
    /// # Panics
    /// As [`fill`](Self::fill) does.
    pub fn gather(&mut self, samples: &Samples<F>, rows: impl ExactSizeIterator<Item = usize> + Clone, offset: &[F]) {
        if samples.is_contiguous() {
            return self.take(rows.map(|i| samples.row(i)), offset);
        }
        let mut copied = std::mem::take(&mut self.copied);
        copied.resize(rows.len() * offset.len(), F::zero());
        rows.zip(copied.chunks_exact_mut(offset.len())).for_each(|(i, row)| samples.copy_row(i, row));
        self.take(copied.chunks_exact(offset.len()), offset);
        self.copied = copied;
    }

    fn take<'r>(&mut self, rows: impl ExactSizeIterator<Item = &'r [F]> + Clone, offset: &[F])
    where
        F: 'r,
    {
        assert!(rows.len() <= TILE_ROWS && rows.clone().next().is_none_or(|row| row.len() == offset.len()));
        self.rows = rows.len();
        self.columns.resize(offset.len(), Column::splat(F::zero()));
        if self.rows < TILE_ROWS {
            self.columns.fill(Column::splat(F::zero()));
        }
        // A cache line of each row at a time, so that no line is fetched twice.
        const STRIP: usize = 16;
        for (strip, (columns, offset)) in self.columns.chunks_mut(STRIP).zip(offset.chunks(STRIP)).enumerate() {
            for (i, row) in rows.clone().enumerate() {
                let row = &row[strip * STRIP..][..columns.len()];
                for ((column, x), o) in columns.iter_mut().zip(row).zip(offset) {
                    column.0[i] = *x - *o;
                }
            }
        }
    }

    /// Makes row `i` zero, for a row that does not count.
    pub fn clear_row(&mut self, i: usize) {
        self.columns.iter_mut().for_each(|column| column.0[i] = F::zero());
    }

    /// The number of rows in use.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns, d of them.
    pub fn columns(&self) -> &[Column<F>] {
        &self.columns
    }
}
