//! A block of rows turned on its side: column by column, with the rows in the lanes of the registers.
//!
//! Every kernel here works on such tiles. One register then holds the same column of 4, 8 or 16 rows, so nothing needs a
//! horizontal step: a distance, an argmin, a triangular solve and an exponential are all element-wise.

use crate::{Block, Float};

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
}

impl<F: Float> Tile<F> {
    /// An empty tile.
    pub fn new() -> Self {
        Self { columns: Vec::new(), rows: 0 }
    }

    /// Takes the rows of `block`, less `offset`, which has one number a column.
    ///
    /// # Panics
    /// If there are more than [`TILE_ROWS`] rows, or `offset` is of another width.
    pub fn fill(&mut self, block: &Block<F>, offset: &[F]) {
        assert!(block.len() <= TILE_ROWS && offset.len() == block.width());
        self.rows = block.len();
        self.columns.resize(block.width(), Column::splat(F::zero()));
        if self.rows < TILE_ROWS {
            self.columns.fill(Column::splat(F::zero()));
        }
        // A cache line of each row at a time, so that no line is fetched twice.
        const STRIP: usize = 16;
        for (strip, (columns, offset)) in self.columns.chunks_mut(STRIP).zip(offset.chunks(STRIP)).enumerate() {
            for (i, row) in block.rows().enumerate() {
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
