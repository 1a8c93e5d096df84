//! Rows to learn from, checked once at the door.

use crate::{Float, Isa, Threads};
use ndarray::{ArrayBase, ArrayView1, ArrayView2, Data, Ix2};
use std::borrow::Cow;
use std::ops::Range;

/// What is wrong with a table of rows or its weights.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplesError {
    /// There are no rows.
    #[error("there are no rows; give at least one")]
    NoRows,
    /// There are no columns.
    #[error("there are no columns; give at least one")]
    NoColumns,
    /// A value is infinite.
    #[error("row {row}, column {column} is {value}, not a finite number; remove or fill such values first")]
    NotFinite {
        /// 0-based row.
        row: usize,
        /// 0-based column.
        column: usize,
        /// The value.
        value: f64,
    },
    /// Values are missing: NaN.
    #[error(
        "{count} of the values are missing (NaN), the first in row {row}, column {column}; fill them, or fit to the values that are there (missing: marginal)"
    )]
    Missing {
        /// How many.
        count: usize,
        /// 0-based row of the first.
        row: usize,
        /// 0-based column of the first.
        column: usize,
    },
    /// A column has no value at all.
    #[error("column {column} (counted from 0) has no value in any row that counts; leave the column out")]
    EmptyColumn {
        /// 0-based column.
        column: usize,
    },
    /// The number of weights is not the number of rows.
    #[error("{got} weights for {expected} rows; give one weight a row")]
    WeightCount {
        /// Number of rows.
        expected: usize,
        /// Number of weights.
        got: usize,
    },
    /// A weight is negative, NaN, or too small or large to be summed.
    #[error(
        "the weight of row {row} is {value}; weights must be zero or between 1e-30 and 1e30: rescale them, which changes nothing else"
    )]
    BadWeight {
        /// 0-based row.
        row: usize,
        /// The weight.
        value: f64,
    },
    /// All weights are zero.
    #[error("all weights are zero; at least one row must count")]
    NoWeight,
    /// There are more rows than labels can number.
    #[error("{0} rows are more than the 4294967295 that one fit can number; cluster a sample of them")]
    TooManyRows(usize),
}

/// A table of n rows and d columns, all finite unless [said otherwise](Samples::with_missing), and one weight a row.
///
/// Any memory layout is accepted and gives the same answers: rows that are not contiguous are copied, a block at a time.
/// Checking costs one pass; everything that takes `Samples` relies on it.
///
/// ```
/// use miscela_kernel::{Samples, SamplesError};
/// use ndarray::array;
///
/// let rows = array![[1.0, 2.0], [3.0, 4.0]];
/// let samples = Samples::weighted(&rows, vec![2.0, 0.5])?;
/// assert_eq!((samples.n_rows(), samples.n_columns(), samples.total_weight()), (2, 2, 2.5));
///
/// let holes = array![[1.0, f64::NAN]];
/// assert_eq!(Samples::new(&holes).unwrap_err(), SamplesError::Missing { count: 1, row: 0, column: 1 });
/// # Ok::<(), SamplesError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Samples<'a, F: Float> {
    rows: ArrayView2<'a, F>,
    weights: Option<Cow<'a, [f64]>>,
    total_weight: f64,
    n_missing: usize,
    /// Which row of the table is the i-th here; `None`: its i-th.
    order: Option<&'a [u32]>,
    /// The label of each row, [`UNKNOWN`] where it has none.
    known: Option<Cow<'a, [u32]>>,
}

/// The label of a row of unknown label.
pub const UNKNOWN: u32 = u32::MAX;

impl<'a, F: Float> Samples<'a, F> {
    /// Rows of weight one.
    pub fn new<S: Data<Elem = F>>(rows: &'a ArrayBase<S, Ix2>) -> Result<Self, SamplesError> {
        Self::checked(rows, None, false, Threads::One)
    }

    /// Rows with weights: an integer weight counts as that many copies of the row, zero as its absence.
    pub fn weighted<S: Data<Elem = F>>(
        rows: &'a ArrayBase<S, Ix2>,
        weights: impl Into<Cow<'a, [f64]>>,
    ) -> Result<Self, SamplesError> {
        Self::checked(rows, Some(weights.into()), false, Threads::One)
    }

    /// Rows in which values may be missing: NaN stands for one, and weights are as in [`weighted`](Self::weighted).
    ///
    /// A row without any value says nothing, and so has no weight. Without a missing value these are the samples that
    /// [`new`](Self::new) and [`weighted`](Self::weighted) make; with one, they are only for what says that it takes them.
    ///
    /// ```
    /// use miscela_kernel::Samples;
    /// use ndarray::array;
    ///
    /// let rows = array![[1.0, f64::NAN], [f64::NAN, f64::NAN], [2.0, 5.0]];
    /// let samples = Samples::with_missing(&rows, None)?;
    /// assert_eq!((samples.n_missing(), samples.total_weight()), (3, 2.0));
    /// # Ok::<(), miscela_kernel::SamplesError>(())
    /// ```
    pub fn with_missing<S: Data<Elem = F>>(
        rows: &'a ArrayBase<S, Ix2>,
        weights: Option<Cow<'a, [f64]>>,
    ) -> Result<Self, SamplesError> {
        Self::checked(rows, weights, true, Threads::One)
    }

    /// What [`new`](Self::new), [`weighted`](Self::weighted) and, where values `may_miss`, [`with_missing`](Self::with_missing) make,
    /// checked by several threads.
    pub fn checked<S: Data<Elem = F>>(
        rows: &'a ArrayBase<S, Ix2>,
        weights: Option<Cow<'a, [f64]>>,
        may_miss: bool,
        threads: Threads,
    ) -> Result<Self, SamplesError> {
        let rows = rows.view();
        let n_missing = match check_rows(&rows, threads) {
            Err(SamplesError::Missing { count, .. }) if may_miss => count,
            checked => checked.map(|()| 0)?,
        };
        let mut samples = match weights {
            Some(weights) => Self::with_weights(rows, weights)?,
            None => Self::unweighted(rows),
        };
        if n_missing > 0 {
            samples.n_missing = n_missing;
            samples.leave_empty_rows_out();
        }
        Ok(samples)
    }

    /// Whether each column has a value in a row that counts: what a fit needs.
    pub fn check_columns(&self) -> Result<(), SamplesError> {
        if self.n_missing == 0 {
            return Ok(());
        }
        let counts = |i: usize, x: &F| !x.is_nan() && self.weight(i) > 0.0;
        let has_value = |column: ArrayView1<F>| column.iter().enumerate().any(|(i, x)| counts(i, x));
        match self.rows.columns().into_iter().position(|column| !has_value(column)) {
            Some(column) => Err(SamplesError::EmptyColumn { column }),
            None => Ok(()),
        }
    }

    /// Rows that say nothing weigh nothing.
    fn leave_empty_rows_out(&mut self) {
        let empty = |i: &usize| self.rows.row(*i).iter().all(|x| x.is_nan());
        let empty: Vec<usize> = (0..self.n_rows()).filter(empty).collect();
        if !empty.is_empty() {
            let mut weights = self.weights.take().map_or_else(|| vec![1.0; self.n_rows()], Cow::into_owned);
            empty.into_iter().for_each(|i| weights[i] = 0.0);
            self.total_weight = weights.iter().sum();
            self.weights = Some(Cow::Owned(weights));
        }
    }

    fn unweighted(rows: ArrayView2<'a, F>) -> Self {
        Self { rows, weights: None, total_weight: rows.nrows() as f64, n_missing: 0, order: None, known: None }
    }

    fn with_weights(rows: ArrayView2<'a, F>, weights: Cow<'a, [f64]>) -> Result<Self, SamplesError> {
        if weights.len() != rows.nrows() {
            return Err(SamplesError::WeightCount { expected: rows.nrows(), got: weights.len() });
        }
        if let Some(row) = weights.iter().position(|w| *w != 0.0 && !(1e-30..=1e30).contains(w)) {
            return Err(SamplesError::BadWeight { row, value: weights[row] });
        }
        let total_weight = weights.iter().sum();
        if total_weight <= 0.0 {
            return Err(SamplesError::NoWeight);
        }
        Ok(Self { rows, weights: Some(weights), total_weight, n_missing: 0, order: None, known: None })
    }

    /// Rows of weight one that are not checked, for prediction where checking would cost as much as the work. A row with a
    /// NaN gets label 0 and a density of NaN or nothing; nothing panics.
    pub fn unchecked<S: Data<Elem = F>>(rows: &'a ArrayBase<S, Ix2>) -> Self {
        Self::unweighted(rows.view())
    }

    /// The same rows with weights that were checked, one a row.
    pub(crate) fn with_checked(self, weights: &'a [f64]) -> Self {
        Self { total_weight: weights.iter().sum(), weights: Some(Cow::Borrowed(weights)), ..self }
    }

    /// The same rows, or the same in another order: row `i` of them is then row `order[i]` of the table, and blocks are
    /// copies.
    ///
    /// # Panics
    /// If `order` is not as long as there are rows, or names one that there is not.
    pub fn in_order<'o>(&'o self, order: Option<&'o [u32]>) -> Samples<'o, F> {
        assert!(order.is_none_or(|order| order.len() == self.n_rows()));
        let (weights, known) = (in_order(self.weights.as_deref(), order), in_order(self.known.as_deref(), order));
        Samples { rows: self.rows.reborrow(), weights, order, known, ..*self }
    }

    /// The same rows with other weights, which are taken to be sound.
    ///
    /// # Panics
    /// If there is not one weight a row, or the rows are in another order.
    pub fn reweighted<'o>(&'o self, weights: &'o [f64]) -> Samples<'o, F> {
        assert!(weights.len() == self.n_rows() && self.order.is_none());
        let total_weight = weights.iter().sum();
        Samples { weights: Some(Cow::Borrowed(weights)), total_weight, ..self.in_order(None) }
    }

    /// The same rows, of which some have a label that stays: one a row, in the order of the table, [`UNKNOWN`] for those
    /// that have none.
    ///
    /// # Panics
    /// If there is not one label a row, or the rows are in another order.
    pub fn with_known(self, labels: &'a [u32]) -> Self {
        assert!(labels.len() == self.n_rows() && self.order.is_none());
        Self { known: Some(Cow::Borrowed(labels)), ..self }
    }

    /// The labels that stay, if there are any.
    pub fn known(&self) -> Option<&[u32]> {
        self.known.as_deref()
    }

    /// n
    pub fn n_rows(&self) -> usize {
        self.rows.nrows()
    }

    /// d
    pub fn n_columns(&self) -> usize {
        self.rows.ncols()
    }

    /// The table, n × d, in its own order.
    pub fn rows(&self) -> ArrayView2<'a, F> {
        self.rows
    }

    /// The weights, if the rows have any.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// The weight of row `i`.
    #[inline]
    pub fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[i])
    }

    /// Σ wᵢ; the number of rows where there are no weights.
    pub fn total_weight(&self) -> f64 {
        self.total_weight
    }

    /// How many values are missing; where none is, no row holds a NaN.
    pub fn n_missing(&self) -> usize {
        self.n_missing
    }

    /// The number of rows that count.
    pub fn n_positive(&self) -> usize {
        self.weights.as_ref().map_or(self.n_rows(), |w| w.iter().filter(|w| **w > 0.0).count())
    }

    /// Rows `range`, contiguous. `scratch` holds them where the table itself does not.
    #[inline]
    pub fn block<'s>(&'s self, range: Range<usize>, scratch: &'s mut Vec<F>) -> Block<'s, F> {
        let d = self.n_columns();
        let rows = match self.rows.as_slice() {
            Some(all) if self.order.is_none() => &all[range.start * d..range.end * d],
            _ => {
                scratch.resize(range.len() * d, F::zero());
                self.gather(range.clone(), scratch);
                &scratch[..]
            }
        };
        let weights = self.weights.as_ref().map(|w| &w[range.clone()]);
        let known = self.known.as_ref().map(|known| &known[range.clone()]);
        Block { first: range.start, rows, weights, known, width: d }
    }

    /// Copies rows side by side to where there is room for as many.
    fn gather(&self, rows: Range<usize>, to: &mut [F]) {
        match (self.rows.as_slice(), self.order, self.n_columns()) {
            // Without a call for each row.
            (Some(all), Some(order), 1) => pick::<F, 1>(all, &order[rows], to),
            (Some(all), Some(order), 2) => pick::<F, 2>(all, &order[rows], to),
            (Some(all), Some(order), 3) => pick::<F, 3>(all, &order[rows], to),
            (Some(all), Some(order), 4) => pick::<F, 4>(all, &order[rows], to),
            (.., d) => rows.zip(to.chunks_exact_mut(d)).for_each(|(i, row)| self.copy_row(i, row)),
        }
    }

    /// The place in the table of row `i`.
    #[inline]
    pub fn place(&self, i: usize) -> usize {
        self.order.map_or(i, |order| order[i] as usize)
    }

    /// Copies row `i` into `row`.
    #[inline]
    pub fn copy_row(&self, i: usize, row: &mut [F]) {
        let start = self.place(i) * self.n_columns();
        match self.rows.as_slice() {
            Some(all) => row.copy_from_slice(&all[start..start + row.len()]),
            None => row.iter_mut().zip(self.rows.row(self.place(i))).for_each(|(to, from)| *to = *from),
        }
    }

    /// Row `i`, copied.
    pub(crate) fn copied_row(&self, i: usize) -> Vec<F> {
        self.rows.row(self.place(i)).to_vec()
    }

    /// Whether rows are in the table's own order.
    pub(crate) fn is_in_place(&self) -> bool {
        self.order.is_none()
    }

    /// The table as one slice, if it is row-major and without gaps.
    pub(crate) fn contiguous(&self) -> Option<&[F]> {
        self.rows.as_slice()
    }
}

/// Copies rows of D columns.
fn pick<F: Float, const D: usize>(all: &[F], rows: &[u32], to: &mut [F]) {
    let all = all.as_chunks::<D>().0;
    to.as_chunks_mut::<D>().0.iter_mut().zip(rows).for_each(|(to, row)| *to = all[*row as usize]);
}

/// What there is of each row, in another order of the rows.
fn in_order<'o, T: Copy>(all: Option<&'o [T]>, order: Option<&[u32]>) -> Option<Cow<'o, [T]>>
where
    [T]: ToOwned<Owned = Vec<T>>,
{
    all.map(|all| match order {
        Some(order) => order.iter().map(|i| all[*i as usize]).collect(),
        None => Cow::Borrowed(all),
    })
}

/// Whether all numbers are finite.
fn are_finite<F: Float>(numbers: &[F], threads: Threads) -> bool {
    const PART: usize = 1 << 17;
    let is_finite = |part: &[F]| Isa::best().vectorize(|| part_is_finite(part));
    match threads.for_work(numbers.len() as f64) {
        Threads::One => numbers.chunks(PART).all(is_finite),
        threads => {
            let part = |i: usize| &numbers[i * PART..numbers.len().min((i + 1) * PART)];
            threads.map(numbers.len().div_ceil(PART), |i| is_finite(part(i))).into_iter().all(|finite| finite)
        }
    }
}

/// Without a branch a number, so that it runs at the speed of memory.
#[inline(always)]
fn part_is_finite<F: Float>(numbers: &[F]) -> bool {
    let mut finite = true;
    for x in numbers {
        finite &= x.is_finite();
    }
    finite
}

fn check_rows<F: Float>(rows: &ArrayView2<F>, threads: Threads) -> Result<(), SamplesError> {
    if rows.nrows() == 0 {
        return Err(SamplesError::NoRows);
    }
    if rows.ncols() == 0 {
        return Err(SamplesError::NoColumns);
    }
    if rows.nrows() > u32::MAX as usize {
        return Err(SamplesError::TooManyRows(rows.nrows()));
    }
    let clean = rows.as_slice_memory_order().is_some_and(|all| are_finite(all, threads));
    if clean {
        return Ok(());
    }
    if let Some(((row, column), x)) = rows.indexed_iter().find(|(_, x)| x.is_infinite()) {
        return Err(SamplesError::NotFinite { row, column, value: x.widen() });
    }
    match rows.indexed_iter().find(|(_, x)| x.is_nan()) {
        Some(((row, column), _)) => {
            let count = rows.iter().filter(|x| x.is_nan()).count();
            Err(SamplesError::Missing { count, row, column })
        }
        None => Ok(()),
    }
}

/// Some consecutive rows of a table, contiguous and row-major.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a, F> {
    first: usize,
    rows: &'a [F],
    weights: Option<&'a [f64]>,
    known: Option<&'a [u32]>,
    width: usize,
}

impl<'a, F: Float> Block<'a, F> {
    /// Rows of weight one, `width` numbers each.
    ///
    /// # Panics
    /// If the slice is not a whole number of rows.
    pub fn new(rows: &'a [F], width: usize) -> Self {
        assert!(width > 0 && rows.len().is_multiple_of(width), "a block holds whole rows of at least one column");
        Self { first: 0, rows, weights: None, known: None, width }
    }

    /// The index, in its table, of the first row.
    pub fn first(&self) -> usize {
        self.first
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len() / self.width
    }

    /// All numbers, row after row.
    pub(crate) fn all(&self) -> &'a [F] {
        self.rows
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// d
    pub fn width(&self) -> usize {
        self.width
    }

    /// Row `i` of the block.
    #[inline]
    pub fn row(&self, i: usize) -> &'a [F] {
        &self.rows[i * self.width..(i + 1) * self.width]
    }

    /// All rows, in order.
    #[inline]
    pub fn rows(&self) -> std::slice::ChunksExact<'a, F> {
        self.rows.chunks_exact(self.width)
    }

    /// The weight of row `i` of the block.
    #[inline]
    pub fn weight(&self, i: usize) -> f64 {
        self.weights.map_or(1.0, |w| w[i])
    }

    /// The weights, unless all are one.
    pub fn weights(&self) -> Option<&'a [f64]> {
        self.weights
    }

    /// The labels of rows that stay where they are, [`UNKNOWN`] for others; none if no row has one.
    pub fn known(&self) -> Option<&'a [u32]> {
        self.known
    }

    /// Overwrites the labels of rows that stay where they are, and calls `changed` with each such row and label.
    pub fn impose(&self, labels: &mut [u32], mut changed: impl FnMut(usize, u32)) {
        for (i, known) in self.known.iter().flat_map(|known| known.iter().enumerate()) {
            if *known != UNKNOWN && labels[i] != *known {
                labels[i] = *known;
                changed(i, *known);
            }
        }
    }

    /// Other rows in the place of these, with the same weights.
    ///
    /// # Panics
    /// If there are not as many numbers.
    pub fn with_rows<'b>(&self, rows: &'b [F]) -> Block<'b, F>
    where
        'a: 'b,
    {
        assert_eq!(rows.len(), self.rows.len());
        Block { first: self.first, rows, weights: self.weights, known: self.known, width: self.width }
    }

    /// Other rows and weights in the place of these, none of known label.
    ///
    /// # Panics
    /// If there are not as many numbers, or not as many weights.
    pub fn with_rows_and_weights<'b>(&self, rows: &'b [F], weights: &'b [f64]) -> Block<'b, F> {
        assert_eq!((rows.len(), weights.len()), (self.rows.len(), self.len()));
        Block { first: self.first, rows, weights: Some(weights), known: None, width: self.width }
    }

    /// The same rows with these weights.
    ///
    /// # Panics
    /// If there are not as many weights as rows.
    pub fn with_weights<'b>(&self, weights: &'b [f64]) -> Block<'b, F>
    where
        'a: 'b,
    {
        assert_eq!(weights.len(), self.len());
        Block { first: self.first, rows: self.rows, weights: Some(weights), known: None, width: self.width }
    }

    /// Rows `range` of this block.
    #[inline]
    pub fn slice(&self, range: Range<usize>) -> Self {
        Self {
            first: self.first + range.start,
            rows: &self.rows[range.start * self.width..range.end * self.width],
            weights: self.weights.map(|w| &w[range.clone()]),
            known: self.known.map(|known| &known[range]),
            width: self.width,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_column_needs_a_value_in_a_row_that_counts() {
        let rows = array![[1.0, f64::NAN], [2.0, 3.0], [f64::NAN, 4.0]];
        let check = |weights: [f64; 3]| {
            let samples = Samples::with_missing(&rows, Some(weights.to_vec().into())).unwrap();
            samples.check_columns()
        };
        assert_eq!(check([1.0, 1.0, 1.0]), Ok(()));
        assert_eq!(check([0.5, 0.0, 0.0]), Err(SamplesError::EmptyColumn { column: 1 }));
        assert_eq!(check([0.0, 0.0, 2.0]), Err(SamplesError::EmptyColumn { column: 0 }));
    }

    #[test]
    fn labels_that_stay_are_imposed_on_others_only() {
        let (rows, known) = (array![[1.0], [2.0], [3.0], [4.0]], [7, UNKNOWN, 2, 3]);
        let samples = Samples::new(&rows).unwrap();
        assert_eq!(samples.known(), None);
        let samples = samples.with_known(&known);
        assert_eq!(samples.known(), Some(&known[..]));
        let mut scratch = Vec::new();
        let block = samples.block(1..4, &mut scratch);
        let (mut labels, mut changed) = ([5, 0, 3], Vec::new());
        block.impose(&mut labels, |row, label| changed.push((row, label)));
        assert_eq!((labels, &changed[..]), ([5, 2, 3], &[(1, 2)][..]));
    }
}
