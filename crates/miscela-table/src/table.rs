//! A table: named columns of numbers, and text carried beside them.

use crate::columns::place;
use crate::{Columns, Place, TableError};
use ndarray::{Array1, Array2};
use num_traits::Float;
use std::any::Any;

/// The numbers of a table, n × d, row-major, all finite; NaN where missing values were [asked for](crate::ReadOptions::missing). Tables of `f32` alone keep that type (NPY, Parquet, Arrow); all else is `f64`.
#[derive(Clone, Debug, PartialEq)]
pub enum TableValues {
    /// 64-bit numbers.
    F64(Array2<f64>),
    /// 32-bit numbers.
    F32(Array2<f32>),
}

/// Named columns of numbers, and the text that was carried along.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    file: String,
    names: Vec<String>,
    values: TableValues,
    weights: Option<Vec<f64>>,
    carried: TextColumns,
}

impl Table {
    pub(crate) fn new(
        file: String,
        names: Vec<String>,
        values: TableValues,
        weights: Option<Vec<f64>>,
        carried: TextColumns,
    ) -> Self {
        Self { file, names, values, weights, carried }
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The numbers.
    pub fn values(&self) -> &TableValues {
        &self.values
    }

    /// The column that [`weights`](crate::ReadOptions::weights) asked for, n; none if it did not.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// The columns that [`carry`](crate::ReadOptions::carry) asked for, as text, row by row; none if it did not.
    pub fn carried(&self) -> &TextColumns {
        &self.carried
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        match &self.values {
            TableValues::F64(values) => values.nrows(),
            TableValues::F32(values) => values.nrows(),
        }
    }

    /// The number of columns.
    pub fn n_columns(&self) -> usize {
        self.names.len()
    }

    /// One column.
    ///
    /// # Errors
    ///
    /// [`TableError::NoSuchColumn`], which lists those there are.
    pub fn column(&self, name: &str) -> Result<Array1<f64>, TableError> {
        let j = place(&self.file, &self.names, name)?;
        Ok(match &self.values {
            TableValues::F64(values) => values.column(j).to_owned(),
            TableValues::F32(values) => values.column(j).mapv(f64::from),
        })
    }

    /// The columns named, in the order of the names.
    ///
    /// # Errors
    ///
    /// A name that is not there or is given twice; no name at all.
    pub fn select(&self, names: &[impl AsRef<str>]) -> Result<Self, TableError> {
        self.choose(&Columns::only(names.iter().map(AsRef::as_ref)))
    }

    /// All columns but those named.
    ///
    /// # Errors
    ///
    /// A name that is not there or is given twice; no column left.
    pub fn without(&self, names: &[impl AsRef<str>]) -> Result<Self, TableError> {
        self.choose(&Columns::except(names.iter().map(AsRef::as_ref)))
    }

    fn choose(&self, columns: &Columns) -> Result<Self, TableError> {
        let chosen = columns.resolve(&self.file, &self.names)?;
        let values = match &self.values {
            TableValues::F64(values) => TableValues::F64(pick(values, &chosen)),
            TableValues::F32(values) => TableValues::F32(pick(values, &chosen)),
        };
        let names = chosen.iter().map(|&j| self.names[j].clone()).collect();
        Ok(Self {
            file: self.file.clone(),
            names,
            values,
            weights: self.weights.clone(),
            carried: self.carried.clone(),
        })
    }

    /// The numbers as `f64`, n × d; costs a copy only if they are not.
    pub fn into_f64(self) -> Array2<f64> {
        match self.values {
            TableValues::F64(values) => values,
            TableValues::F32(values) => values.mapv(f64::from),
        }
    }

    /// The numbers as `F` (`f32` or `f64`), n × d; costs a copy only if they are of the other type.
    ///
    /// # Errors
    ///
    /// [`TableError::Overflow`] if a number is beyond the largest `F`.
    ///
    /// ```
    /// use miscela_table::{ReadOptions, read_csv_from};
    /// let table = read_csv_from("1,2\n3,4".as_bytes(), "two rows", &ReadOptions::default())?;
    /// let rows = table.into_array::<f32>()?;
    /// assert_eq!(rows, ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
    /// # Ok::<(), miscela_table::TableError>(())
    /// ```
    pub fn into_array<F: Float + 'static>(self) -> Result<Array2<F>, TableError> {
        let Self { file, names, values, .. } = self;
        let converted = match values {
            TableValues::F64(values) => convert(values),
            TableValues::F32(values) => convert(values),
        };
        converted.map_err(|((row, j), value)| TableError::Overflow {
            file,
            place: Place::Row(row),
            column: names[j].clone(),
            text: format!("{value:e}"),
        })
    }
}

/// Some columns, row-major. (`ndarray`'s `select` would lay them down column by column.)
pub(crate) fn pick<F: Copy>(values: &Array2<F>, columns: &[usize]) -> Array2<F> {
    Array2::from_shape_fn((values.nrows(), columns.len()), |(i, j)| values[(i, columns[j])])
}

/// `values` as numbers of another type, or themselves if the type is the same; else the place and value that did not fit.
fn convert<A: Float + 'static, B: Float + 'static>(mut values: Array2<A>) -> Result<Array2<B>, ((usize, usize), f64)> {
    if let Some(same) = (&mut values as &mut dyn Any).downcast_mut::<Array2<B>>() {
        return Ok(std::mem::replace(same, Array2::from_elem((0, 0), B::zero())));
    }
    let converted = values.mapv(|x| B::from(x).unwrap_or(B::infinity()));
    match converted.indexed_iter().find(|(_, x)| x.is_infinite()) {
        Some((place, _)) => Err((place, values[place].to_f64().unwrap_or(f64::NAN))),
        None => Ok(converted),
    }
}

/// Columns of text, row by row, in one buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextColumns {
    names: Vec<String>,
    text: String,
    ends: Vec<usize>,
}

impl TextColumns {
    pub(crate) fn new(names: Vec<String>) -> Self {
        Self { names, ..Self::default() }
    }

    pub(crate) fn push(&mut self, field: &str) {
        self.text.push_str(field);
        self.ends.push(self.text.len());
    }

    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The fields of row `i`; none if there are no columns or no such row.
    pub fn row(&self, i: usize) -> impl Iterator<Item = &str> {
        let width = self.names.len();
        let fields = (i * width).min(self.ends.len())..((i + 1) * width).min(self.ends.len());
        fields.map(|f| &self.text[if f == 0 { 0 } else { self.ends[f - 1] }..self.ends[f]])
    }
}
