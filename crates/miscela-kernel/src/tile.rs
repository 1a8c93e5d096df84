//! A block of rows turned on its side: column by column, with the rows in the lanes of the registers.
//!
//! Almost every kernel here works on such tiles. One register then holds the same column of 4, 8 or 16 rows, so nothing needs a
//! horizontal step: a distance, an argmin, a triangular solve and an exponential are all element-wise.

use crate::float::lanes;
use crate::isa::fetch;
use crate::{Block, Float, Isa, Samples};
use pulp::{Simd, WithSimd};
use std::ops::Range;

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
        self.take(&Rows::of(block), offset);
    }

    /// Takes rows, less `offset`.
    pub(crate) fn take(&mut self, rows: &Rows<F>, offset: &[F]) {
        assert_eq!(rows.width, offset.len());
        self.rows = rows.count;
        self.columns.resize(offset.len(), Column::splat(F::zero()));
        if self.rows < TILE_ROWS {
            self.columns.fill(Column::splat(F::zero()));
        }
        let (all, starts) = (rows.all, &rows.starts[..rows.count]);
        Isa::best().run(Turn { all, starts, offset, columns: &mut self.columns });
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

/// Up to [`TILE_ROWS`] rows, wherever they lie in a slice.
pub(crate) struct Rows<'a, F> {
    all: &'a [F],
    starts: [usize; TILE_ROWS],
    count: usize,
    width: usize,
}

impl<'a, F: Float> Rows<'a, F> {
    /// The rows of a block.
    pub(crate) fn of(block: &Block<'a, F>) -> Self {
        Self::part(block, 0..block.len())
    }

    /// Some of them, one after the other.
    pub(crate) fn part(block: &Block<'a, F>, range: Range<usize>) -> Self {
        Self::consecutive(block.all(), range, block.width())
    }

    /// Rows of `samples`, which are copied to `copied` if the table is not contiguous.
    pub(crate) fn gather(
        samples: &'a Samples<F>,
        rows: impl ExactSizeIterator<Item = usize>,
        copied: &'a mut Vec<F>,
    ) -> Self {
        let (count, width) = (rows.len(), samples.n_columns());
        let Some(all) = samples.contiguous() else {
            copied.resize(count * width, F::zero());
            rows.zip(copied.chunks_exact_mut(width)).for_each(|(i, row)| samples.copy_row(i, row));
            return Self::consecutive(copied, 0..count, width);
        };
        assert!(count <= TILE_ROWS);
        let mut starts = [0; TILE_ROWS];
        starts.iter_mut().zip(rows).for_each(|(start, i)| *start = samples.place(i) * width);
        Self { all, starts, count, width }
    }

    /// The rows `range` of `samples`, likewise.
    pub(crate) fn run(samples: &'a Samples<F>, range: Range<usize>, copied: &'a mut Vec<F>) -> Self {
        let width = samples.n_columns();
        match samples.contiguous().filter(|_| samples.is_in_place()) {
            Some(all) => Self::consecutive(all, range, width),
            None => Self::gather(samples, range, copied),
        }
    }

    fn consecutive(all: &'a [F], range: Range<usize>, width: usize) -> Self {
        assert!(range.len() <= TILE_ROWS);
        Self { all, starts: std::array::from_fn(|i| (range.start + i) * width), count: range.len(), width }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Row `i`.
    #[inline(always)]
    pub(crate) fn row(&self, i: usize) -> &[F] {
        &self.all[self.starts[i]..self.starts[i] + self.width]
    }

    /// Row `i` of these and then of those [beyond](Self::beyond) them; nothing if there is none.
    #[inline(always)]
    pub(crate) fn ahead(&self, i: usize) -> &[F] {
        if i < self.count {
            return self.row(i);
        }
        let first = (i - self.count) * self.width;
        self.beyond().get(first..first + self.width).unwrap_or_default()
    }

    /// As many numbers as these rows have, after the last of them: what is likely to be wanted next. Nothing if the rows are picked
    /// out here and there.
    #[inline(always)]
    pub(crate) fn beyond(&self) -> &[F] {
        let length = self.count * self.width;
        let end = self.starts[0] + length;
        if self.count == 0 || self.starts[self.count - 1] + self.width != end {
            return &[];
        }
        &self.all[end..self.all.len().min(end + length)]
    }

    /// Row `i` less an offset.
    #[inline(always)]
    pub(crate) fn copy_shifted(&self, i: usize, offset: &[F], row: &mut [F]) {
        row.iter_mut().zip(self.row(i).iter().zip(offset)).for_each(|(to, (x, o))| *to = *x - *o);
    }
}

/// Turns rows into columns: a square of as many rows and columns as a register has lanes at a time.
///
/// ```text
/// for h = half the lanes, a quarter, … 1:
///     for each pair of registers a, b that are h apart:  exchange the lanes of a whose number has h with those of b
///                                                        that have not, h lanes away
/// ```
///
/// After the last round lane i of register j is what lane j of register i was (Eklundh 1972).
struct Turn<'a, F> {
    all: &'a [F],
    starts: &'a [usize],
    offset: &'a [F],
    columns: &'a mut [Column<F>],
}

/// The most lanes a register has.
const LANES: usize = 16;

impl<F: Float> WithSimd for Turn<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        match self.offset.len() {
            1 => return self.narrow::<1>(),
            2 => return self.narrow::<2>(),
            3 => return self.narrow::<3>(),
            4 => return self.narrow::<4>(),
            _ => self.fetch(simd),
        }
        let done = match lanes::<S, F>() {
            2 => self.squares::<S, 2>(simd),
            4 => self.squares::<S, 4>(simd),
            8 => self.squares::<S, 8>(simd),
            16 => self.squares::<S, 16>(simd),
            _ => 0,
        };
        let Self { all, starts, offset, columns } = self;
        for (j, (column, o)) in columns.iter_mut().zip(offset).enumerate().skip(done) {
            column.0.iter_mut().zip(starts).for_each(|(x, start)| *x = all[start + j] - *o);
        }
    }
}

impl<F: Float> Turn<'_, F> {
    /// Asks for long rows, one after the other. They are turned several rows at a time, and memory is sooner read along one line
    /// than along many.
    #[inline(always)]
    fn fetch<S: Simd>(&self, simd: S) {
        const LONG: usize = 256;
        let width = self.offset.len();
        if size_of_val(self.offset) >= LONG {
            let lines = |start: &usize| self.all[*start..*start + width].as_chunks::<LANES>().0;
            self.starts.iter().for_each(|start| lines(start).iter().for_each(|line| fetch(simd, line)));
        }
    }

    /// Turns rows of D columns.
    #[inline(always)]
    fn narrow<const D: usize>(self) {
        let Self { all, starts, offset, columns } = self;
        let (rows, offset) = (all.as_chunks::<D>().0, &offset.as_chunks::<D>().0[0]);
        let columns = &mut columns.as_chunks_mut::<D>().0[0];
        let first = starts.first().copied().unwrap_or_default();
        let mut side_by_side = true;
        for (i, start) in starts.iter().enumerate() {
            side_by_side &= *start == first + i * D;
        }
        if side_by_side {
            // Loaded together.
            for (i, row) in rows[first / D..][..starts.len()].iter().enumerate().take(TILE_ROWS) {
                for j in 0..D {
                    columns[j].0[i] = row[j] - offset[j];
                }
            }
            return;
        }
        for (i, start) in starts.iter().enumerate().take(TILE_ROWS) {
            let row = &rows[start / D];
            for j in 0..D {
                columns[j].0[i] = row[j] - offset[j];
            }
        }
    }

    /// Turns all columns that fill squares of L rows and columns, L the lanes of a register, and returns how many.
    #[inline(always)]
    fn squares<S: Simd, const L: usize>(&mut self, simd: S) -> usize {
        let Self { all, starts, offset, columns } = self;
        let zero = F::splat(simd, F::zero());
        let mut has = [F::vless(simd, zero, zero); 4];
        for (round, has) in has.iter_mut().enumerate() {
            let mut numbers = [F::zero(); LANES];
            (0..LANES).filter(|lane| lane >> round & 1 == 1).for_each(|lane| numbers[lane] = F::one());
            *has = F::vless(simd, zero, F::vectors::<S>(&numbers)[0]);
        }
        let squares = columns.len() / L;
        for (strip, starts) in starts.chunks(L).enumerate() {
            for first in (0..squares).map(|square| square * L) {
                let o = F::vectors::<S>(&offset[first..first + L])[0];
                let mut square = [zero; L];
                for (i, start) in starts.iter().enumerate() {
                    square[i] = F::vsub(simd, F::vectors::<S>(&all[start + first..][..L])[0], o);
                }
                if L > 8 {
                    exchange::<S, F, L>(simd, &mut square, 8, has[3]);
                }
                if L > 4 {
                    exchange::<S, F, L>(simd, &mut square, 4, has[2]);
                }
                if L > 2 {
                    exchange::<S, F, L>(simd, &mut square, 2, has[1]);
                }
                exchange::<S, F, L>(simd, &mut square, 1, has[0]);
                for (column, register) in columns[first..first + L].iter_mut().zip(square) {
                    F::vectors_mut::<S>(&mut column.0)[strip] = register;
                }
            }
        }
        squares * L
    }
}

/// One round; `has` are the lanes whose number has `h`.
#[inline(always)]
fn exchange<S: Simd, F: Float, const L: usize>(simd: S, square: &mut [F::Vector<S>; L], h: usize, has: F::Mask<S>) {
    for i in 0..L {
        if i & h == 0 {
            let (a, b) = (square[i], square[i + h]);
            square[i] = F::vselect(simd, has, F::vrotate(simd, b, h), a);
            square[i + h] = F::vselect(simd, has, b, F::vrotate(simd, a, L - h));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns<F: Float>() {
        for width in 1..40 {
            for rows in [1, 7, 15, 16, 17, 63, 64] {
                let number = |i: usize, j: usize| F::narrow((i * 100 + j) as f64);
                let all: Vec<F> = (0..rows).flat_map(|i| (0..width).map(move |j| number(i, j))).collect();
                let offset: Vec<F> = (0..width).map(|j| F::narrow(j as f64 / 2.0)).collect();
                let starts: Vec<usize> = (0..rows).rev().map(|i| i * width).collect();
                for isa in Isa::available() {
                    let mut columns = vec![Column::splat(F::zero()); width];
                    isa.run(Turn { all: &all, starts: &starts, offset: &offset, columns: &mut columns });
                    for (j, column) in columns.iter().enumerate() {
                        for i in 0..rows {
                            assert_eq!(column.0[i], number(rows - 1 - i, j) - offset[j], "{} {i} {j}", isa.name());
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn rows_become_columns() {
        turns::<f32>();
        turns::<f64>();
    }
}
