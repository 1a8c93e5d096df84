//! Columns of record batches, turned into the rows that the kernels read.

use crate::error::TableError;
use crate::pass::Scalar;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, PrimitiveArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{ArrowPrimitiveType, DataType};
use miscela_kernel::{Chunk, Origin};
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Rows are turned this many at a time, so that they stay in the nearest cache.
const TURNED: usize = 128;

/// Which columns rows have, and what it means if there is no number in one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Columns {
    /// The features' names.
    pub(crate) names: Vec<String>,
    /// The name of the column after them, if that holds weights.
    pub(crate) weight: Option<String>,
    /// Whether NULL and NaN are missing values. Otherwise they are errors.
    pub(crate) missing: bool,
}

impl Columns {
    pub(crate) fn width(&self) -> usize {
        self.names.len()
    }

    /// The names of all of them, in their order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &String> {
        self.names.iter().chain(&self.weight)
    }
}

/// The rows of a batch, in memory that serves the next as well.
#[derive(Debug)]
pub(crate) struct Rows<F> {
    values: Vec<F>,
    weights: Vec<f64>,
    len: usize,
    /// How many rows there were before these.
    before: u64,
    /// What they are rows of, as far as that is known.
    origin: String,
}

impl<F: Scalar> Rows<F> {
    pub(crate) fn new(origin: impl Into<String>) -> Self {
        Self { values: Vec::new(), weights: Vec::new(), len: 0, before: 0, origin: origin.into() }
    }

    /// The memory they take.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<F>() * self.values.capacity() + 8 * self.weights.capacity()
    }

    /// A number for the first of them, from which the others count on: a function of what they are, so that the rows of a file
    /// have the same in every pass, whoever reads them and in whatever order.
    pub(crate) fn number(&self) -> u64 {
        let hash = hash(self.values.iter().map(|x| x.widen()));
        hash ^ (hash >> 32)
    }

    /// Takes the rows of a batch in the place of those before: an array for each of the columns, of any numeric type. A NULL becomes a NaN.
    ///
    /// # Errors
    /// On what is no number, or arrays that are not one a column.
    pub(crate) fn fill(&mut self, columns: &Columns, arrays: &[ArrayRef]) -> Result<(), TableError> {
        let numbers = Numbers::<F>::of(columns, arrays)?;
        self.before += self.len as u64;
        self.len = numbers.len();
        self.values.resize(self.len * columns.width(), F::zero());
        numbers.turn(&mut self.values);
        self.weights.clear();
        self.weights.extend_from_slice(numbers.weights());
        Ok(())
    }

    /// Whether they can be used.
    pub(crate) fn check(&self, columns: &Columns) -> Result<(), TableError> {
        self.chunk(columns)?.samples(columns.missing)?;
        Ok(())
    }

    /// The rows as the engine takes them.
    pub(crate) fn chunk(&self, columns: &Columns) -> Result<Chunk<'_, F>, TableError> {
        let width = columns.width();
        let rows = ArrayView2::from_shape((self.len, width), &self.values)
            .map_err(|_| TableError::ColumnCount { expected: width, got: self.values.len() / self.len.max(1) })?;
        Ok(Chunk {
            rows: rows.into(),
            weights: columns.weight.as_ref().map(|_| Cow::Borrowed(self.weights.as_slice())),
            origin: Origin { name: self.origin.clone(), first_row: self.before, columns: columns.names.clone() },
        })
    }
}

/// The columns of a batch as numbers.
pub(crate) struct Numbers<F: Scalar> {
    features: Vec<PrimitiveArray<F::Arrow>>,
    weights: Option<Float64Array>,
}

impl<F: Scalar> Numbers<F> {
    /// An array for each of the columns, of any numeric type. A NULL becomes a NaN.
    ///
    /// # Errors
    /// On what is no number, or arrays that are not one a column.
    pub(crate) fn of(columns: &Columns, arrays: &[ArrayRef]) -> Result<Self, TableError> {
        let (width, expected) = (columns.width(), columns.all().count());
        if arrays.len() != expected {
            return Err(TableError::ColumnCount { expected, got: arrays.len() });
        }
        let (features, weights) = arrays.split_at(width);
        let features = features.iter().zip(&columns.names).map(|(array, name)| numbers::<F>(array, name));
        let weights = weights.first().zip(columns.weight.as_ref()).map(|(array, name)| numbers::<f64>(array, name));
        Ok(Self { features: features.collect::<Result<_, _>>()?, weights: weights.transpose()? })
    }

    pub(crate) fn len(&self) -> usize {
        self.features.first().map_or(0, |feature| feature.len())
    }

    /// One a row, if there are any.
    pub(crate) fn weights(&self) -> &[f64] {
        self.weights.as_ref().map_or(&[], |weights| weights.values())
    }

    /// Writes them row by row.
    pub(crate) fn turn(&self, rows: &mut [F]) {
        let width = self.features.len();
        for (part, rows) in rows.chunks_mut(TURNED * width.max(1)).enumerate() {
            let range = part * TURNED..((part + 1) * TURNED).min(self.len());
            for (j, feature) in self.features.iter().enumerate() {
                let column = &feature.values()[range.clone()];
                rows[j..].iter_mut().step_by(width).zip(column).for_each(|(to, from)| *to = *from);
            }
        }
    }

    /// A function of all of them, to sort batches by.
    pub(crate) fn key(&self) -> u64 {
        let features = self.features.iter().map(|feature| hash(feature.values().iter().map(|x| x.widen())));
        let weights = hash(self.weights().iter().copied());
        features.fold(weights, |all, own| all.rotate_left(23).wrapping_add(own))
    }
}

fn hash(numbers: impl Iterator<Item = f64>) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    numbers.fold(ODD, |hash, x| (hash.rotate_left(23) ^ x.to_bits()).wrapping_mul(ODD))
}

/// An array as numbers of this type, with NaN for NULL.
fn numbers<F: Scalar>(array: &ArrayRef, name: &str) -> Result<PrimitiveArray<F::Arrow>, TableError> {
    if !array.data_type().is_numeric() && !matches!(array.data_type(), DataType::Null) {
        return Err(TableError::NotNumeric { column: name.to_string(), data_type: array.data_type().to_string() });
    }
    let numbers = cast(array, &F::Arrow::DATA_TYPE)?;
    let numbers = numbers.as_primitive::<F::Arrow>();
    match numbers.null_count() {
        0 => Ok(numbers.clone()),
        _ => Ok(PrimitiveArray::from_iter_values(numbers.iter().map(|x| x.unwrap_or_else(|| F::narrow(f64::NAN))))),
    }
}
