//! Rows as they are read: numbers, weights and text, checked as they come.

use crate::field::{Check, Missed, Problem};
use crate::layout::Layout;
use crate::read::Wanted;
use crate::{Place, TableError, TextColumns};
use miscela_kernel::Float;
use rayon::prelude::*;

/// Rows that are filled and checked together, so that they stay in the fast memory of one core.
const TILE: usize = 256;

/// Rows that were read and not yet taken.
pub(crate) struct Rows<F> {
    pub(crate) numbers: Numbers<F>,
    pub(crate) weights: Option<Numbers<f64>>,
    pub(crate) carried: TextColumns,
}

impl<F: Float> Rows<F> {
    /// None yet, of the columns of `layout`.
    pub(crate) fn new(layout: &Layout, wanted: &Wanted, missed: impl Fn(bool) -> Missed) -> Self {
        Self {
            numbers: Numbers::new(layout.chosen.len(), wanted.check, missed(wanted.missing)),
            weights: layout.weights.map(|_| Numbers::new(1, wanted.check, missed(false))),
            carried: TextColumns::new(layout.carried()),
        }
    }

    /// Makes room for so many rows; says whether there is any.
    pub(crate) fn reserve(&mut self, rows: usize) -> bool {
        self.numbers.reserve(rows) && self.weights.iter_mut().all(|weights| weights.reserve(rows))
    }

    /// That some values are missing, if it is an error and not yet said.
    pub(crate) fn finish(&mut self) -> Result<(), TableError> {
        self.numbers.missed.finish()?;
        self.weights.iter_mut().try_for_each(|weights| weights.missed.finish())
    }
}

/// Numbers, row-major.
pub(crate) struct Numbers<F> {
    pub(crate) values: Vec<F>,
    width: usize,
    check: Check,
    missed: Missed,
}

impl<F: Float> Numbers<F> {
    fn new(width: usize, check: Check, missed: Missed) -> Self {
        Self { values: Vec::new(), width, check, missed }
    }

    fn reserve(&mut self, rows: usize) -> bool {
        self.values.try_reserve_exact(rows.saturating_mul(self.width)).is_ok()
    }

    /// Appends one number, or what stands for it; `error` says what is wrong with it.
    pub(crate) fn push(
        &mut self,
        number: Result<f64, Problem>,
        error: impl FnOnce(Problem) -> TableError,
    ) -> Result<(), TableError> {
        let number = self.missed.value(number.and_then(self.check).and_then(fits::<F>), error)?;
        self.values.push(F::narrow(number));
        Ok(())
    }

    /// Appends rows that `fill` writes, from a row on, as many as the slice has room for. Several threads take part.
    /// `error` says what is wrong with a value, given its row and column.
    pub(crate) fn extend(
        &mut self,
        rows: usize,
        fill: impl Fn(usize, &mut [f64]) + Sync,
        error: impl Fn(usize, usize, f64, Problem) -> TableError,
    ) -> Result<(), TableError> {
        let (start, width, check) = (self.values.len(), self.width, self.check);
        self.values.resize(start + rows * width, F::zero());
        let tiles = self.values[start..].par_chunks_mut(TILE * width).enumerate();
        let in_order = tiles.map_init(Vec::new, |wide, (t, tile)| {
            wide.clear();
            wide.resize(tile.len(), 0.0);
            fill(t * TILE, wide);
            tile.iter_mut().zip(&*wide).for_each(|(to, from)| *to = F::narrow(*from));
            wide.iter().all(|number| check(*number).and_then(fits::<F>).is_ok())
        });
        let in_order: Vec<bool> = in_order.collect();
        let mut row = vec![0.0; width];
        for t in (0..in_order.len()).filter(|t| !in_order[*t]) {
            for i in t * TILE..((t + 1) * TILE).min(rows) {
                fill(i, &mut row);
                for (j, &number) in row.iter().enumerate() {
                    let checked = check(number).and_then(fits::<F>);
                    self.missed.value(checked, |problem| error(i, j, number, problem))?;
                }
            }
        }
        Ok(())
    }
}

/// A number that does not turn infinite in `F`.
fn fits<F: Float>(number: f64) -> Result<f64, Problem> {
    if F::narrow(number).widen().is_infinite() { Err(Problem::TooLarge) } else { Ok(number) }
}

/// What is wrong with a number of an array: its text is the number.
pub(crate) fn wrong(file: &str, place: Place, column: &str, number: f64, problem: Problem) -> TableError {
    problem.at(file, place, column, &number.to_string())
}
