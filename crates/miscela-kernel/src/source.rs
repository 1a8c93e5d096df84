//! Rows that come in chunks, as often as they are asked for: what need not be in memory at once.

use crate::{Float, Samples, SamplesError};
use ndarray::{ArrayBase, ArrayView2, Axis, CowArray, Data, Ix2};
use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// Rows of d columns that can be read from the start again and again, and are the same each time.
///
/// How rows are cut into chunks is the source's to say, and part of what decides the last bits of a fit: two sources with the
/// same rows in the same chunks give the same bits, wherever the rows are kept.
///
/// ```
/// use miscela_kernel::{Chunked, Source};
/// use ndarray::array;
///
/// let rows = array![[1.0], [2.0], [3.0]];
/// let source = Chunked::new(&rows, None, 2);
/// let sizes: Result<Vec<_>, _> = source.chunks()?.map(|chunk| Ok(chunk?.rows.nrows())).collect();
/// assert_eq!(sizes.map_err(|error: miscela_kernel::SourceError| error.to_string()), Ok(vec![2, 1]));
/// # Ok::<(), miscela_kernel::SourceError>(())
/// ```
pub trait Source<F: Float>: Sync {
    /// d
    fn n_columns(&self) -> usize;

    /// All rows from the first on. Nothing is checked in them: [`Chunk::samples`] does that.
    ///
    /// # Errors
    /// If the rows cannot be read; so may each chunk end.
    fn chunks(&self) -> Result<Chunks<'_, F>, SourceError>;
}

/// The chunks of a [`Source`], in order. Each may be read on another thread than it is used on.
pub type Chunks<'a, F> = Box<dyn Iterator<Item = Result<Chunk<'a, F>, SourceError>> + Send + 'a>;

/// Some rows of a source.
#[derive(Clone, Debug)]
pub struct Chunk<'a, F: Float> {
    /// m × d
    pub rows: CowArray<'a, F, Ix2>,
    /// One weight a row, if rows have weights.
    pub weights: Option<Cow<'a, [f64]>>,
    /// Where they come from.
    pub origin: Origin,
}

/// Where rows come from, for messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Such as `measured/part-7.parquet, row group 3`; empty for an array in memory.
    pub name: String,
    /// The number there of the first row.
    pub first_row: u64,
    /// The names of the columns; empty if they have none.
    pub columns: Vec<String>,
}

impl<F: Float> Chunk<'_, F> {
    /// The rows and weights, checked: NaN is an error unless values may be [missing](Samples::with_missing). All weights may
    /// be zero: then there is nothing to learn from the chunk, and `None` of it.
    ///
    /// # Errors
    /// [`SourceError::Rows`], which says where.
    pub fn samples(&self, missing: bool) -> Result<Option<Samples<'_, F>>, SourceError> {
        let weights = self.weights.as_deref().map(Cow::Borrowed);
        let samples = match (missing, weights) {
            (true, weights) => Samples::with_missing(&self.rows, weights),
            (false, Some(weights)) => Samples::weighted(&self.rows, weights),
            (false, None) => Samples::new(&self.rows),
        };
        match samples {
            Ok(samples) => Ok((samples.total_weight() > 0.0).then_some(samples)),
            Err(SamplesError::NoWeight | SamplesError::NoRows) => Ok(None),
            Err(source) => Err(SourceError::Rows { origin: self.origin.clone(), source }),
        }
    }

    /// The [`samples`](Self::samples) of a chunk whose values are all there, once they were checked; what they are of one that was not is
    /// undefined, but no panic.
    pub fn checked_samples(&self) -> Samples<'_, F> {
        match self.weights.as_deref() {
            Some(weights) if weights.len() == self.rows.nrows() => Samples::unchecked(&self.rows).with_checked(weights),
            _ => Samples::unchecked(&self.rows),
        }
    }
}

/// Why rows cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// They cannot be read.
    #[error(transparent)]
    Read(Box<dyn Error + Send + Sync>),
    /// Something is wrong with some of them.
    #[error("{}", Located { origin, source })]
    Rows {
        /// Where they come from.
        origin: Origin,
        /// What is wrong; its rows are counted from the first of these.
        source: SamplesError,
    },
    /// There are none, or none that counts.
    #[error("there are no rows of positive weight; give at least one")]
    NoRows,
    /// The rows are not the same as they were in an earlier pass.
    #[error("there were {before} rows in the first pass and {now} in a later one; do not change the data during a fit")]
    Changed {
        /// How many there were.
        before: u64,
        /// How many there are.
        now: u64,
    },
}

impl SourceError {
    /// An error of the reader's.
    pub fn read(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Read(error.into())
    }
}

/// A problem with some rows, said in the numbers and names of where they come from.
struct Located<'a> {
    origin: &'a Origin,
    source: &'a SamplesError,
}

impl fmt::Display for Located<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { name, first_row, columns } = self.origin;
        if !name.is_empty() {
            write!(f, "{name}: ")?;
        }
        let row = |row: &usize| first_row + *row as u64;
        let column = |column: &usize| match columns.get(*column) {
            Some(name) => format!("\"{name}\""),
            None => column.to_string(),
        };
        match self.source {
            SamplesError::NotFinite { row: i, column: j, value } => write!(
                f,
                "row {}, column {} is {value}, not a finite number; remove or fill such values first",
                row(i),
                column(j)
            ),
            SamplesError::Missing { row: i, column: j, .. } => write!(
                f,
                "row {}, column {} has no value (NaN); fill it, or fit to the values that are there (missing: marginal)",
                row(i),
                column(j)
            ),
            SamplesError::BadWeight { row: i, value } => write!(
                f,
                "the weight of row {} is {value}; weights must be zero or between 1e-30 and 1e30: rescale them, which changes nothing else",
                row(i)
            ),
            other => other.fmt(f),
        }
    }
}

/// Rows in memory, as a source of chunks of a fixed number of rows (the last may have fewer). Nothing is copied.
#[derive(Clone, Debug)]
pub struct Chunked<'a, F: Float> {
    rows: ArrayView2<'a, F>,
    weights: Option<&'a [f64]>,
    chunk_rows: usize,
}

impl<'a, F: Float> Chunked<'a, F> {
    /// Chunks of `chunk_rows` rows; with 0, one chunk of all.
    pub fn new<S: Data<Elem = F>>(rows: &'a ArrayBase<S, Ix2>, weights: Option<&'a [f64]>, chunk_rows: usize) -> Self {
        let chunk_rows = if chunk_rows == 0 { rows.nrows().max(1) } else { chunk_rows };
        Self { rows: rows.view(), weights, chunk_rows }
    }
}

impl<F: Float> Source<F> for Chunked<'_, F> {
    fn n_columns(&self) -> usize {
        self.rows.ncols()
    }

    fn chunks(&self) -> Result<Chunks<'_, F>, SourceError> {
        let n = self.rows.nrows();
        if let Some(weights) = self.weights.filter(|weights| weights.len() != n) {
            let source = SamplesError::WeightCount { expected: n, got: weights.len() };
            return Err(SourceError::Rows { origin: Origin::default(), source });
        }
        Ok(Box::new((0..n).step_by(self.chunk_rows).map(move |first| {
            let range = first..(first + self.chunk_rows).min(n);
            Ok(Chunk {
                rows: self.rows.slice_axis(Axis(0), range.clone().into()).into(),
                weights: self.weights.map(|weights| Cow::Borrowed(&weights[range])),
                origin: Origin { first_row: first as u64, ..Origin::default() },
            })
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn chunks_cover_every_row_once_in_order() -> Result<(), SourceError> {
        let rows = ndarray::Array2::from_shape_fn((10, 2), |(i, j)| (10 * i + j) as f64);
        let weights: Vec<f64> = (1..11).map(f64::from).collect();
        for size in [0, 1, 3, 5, 10, 11] {
            let source = Chunked::new(&rows, Some(&weights), size);
            let (mut seen, mut weighed) = (Vec::new(), Vec::new());
            for chunk in source.chunks()? {
                let chunk = chunk?;
                assert_eq!(chunk.origin.first_row as usize, weighed.len());
                seen.extend(chunk.rows.iter().copied());
                weighed.extend_from_slice(chunk.weights.as_deref().unwrap_or_default());
            }
            assert_eq!((seen, &weighed), (rows.iter().copied().collect::<Vec<_>>(), &weights));
        }
        Ok(())
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let origin =
            Origin { name: "a.parquet, row group 3".into(), first_row: 1000, columns: vec!["x".into(), "y".into()] };
        let rows = array![[1.0, 2.0], [3.0, f64::NAN]];
        let chunk = Chunk { rows: rows.view().into(), weights: None, origin: origin.clone() };
        let error = chunk.samples(false).expect_err("there is a NaN").to_string();
        assert!(error.starts_with("a.parquet, row group 3: row 1001, column \"y\" has no value"), "{error}");
        let rows = array![[1.0, f64::INFINITY]];
        let chunk = Chunk { rows: rows.view().into(), weights: Some(vec![1.0].into()), origin };
        let error = chunk.samples(true).expect_err("there is an infinity").to_string();
        assert!(error.starts_with("a.parquet, row group 3: row 1000, column \"y\" is inf"), "{error}");
    }

    #[test]
    fn a_chunk_of_no_weight_says_nothing() -> Result<(), SourceError> {
        let rows = array![[1.0], [2.0]];
        let chunk = Chunk { rows: rows.view().into(), weights: Some(vec![0.0, 0.0].into()), origin: Origin::default() };
        assert!(chunk.samples(false)?.is_none());
        Ok(())
    }
}
