//! Columns of Arrow arrays as rows of numbers: what Parquet, Arrow files and record batches in memory have in common.
//!
//! Integers, floating-point numbers, decimals and truth values (0 and 1) are numbers; null is a missing value. Integers beyond
//! 2⁵³ and decimals are rounded to the nearest `f64`.

use crate::field::push_number;
use crate::guarded::guarded;
use crate::layout::Layout;
use crate::rows::{Rows, wrong};
use crate::{Place, TableError};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, FieldRef, Fields};
use miscela_kernel::Float;
use std::fmt::Write;

/// Rows that are turned into numbers at once, so that little is held twice.
const PIECE: usize = 1 << 15;

/// Some rows of all columns that are read: the columns, in the order of their places in the file.
pub(crate) type Batch = Vec<ArrayRef>;

/// Where batches come from.
pub(crate) type Batches = Box<dyn Iterator<Item = Result<Batch, TableError>> + Send>;

/// The columns that a layout needs, each once, in the order of the file.
pub(crate) fn needed(layout: &Layout) -> Vec<usize> {
    let mut needed: Vec<usize> = layout.chosen.iter().chain(&layout.weights).chain(&layout.carry).copied().collect();
    needed.sort_unstable();
    needed.dedup();
    needed
}

/// Refuses columns that cannot be used as `layout` says.
pub(crate) fn check(file: &str, fields: &Fields, layout: &Layout) -> Result<(), TableError> {
    let what = |field: &FieldRef| (file.to_string(), field.name().clone(), field.data_type().to_string());
    for &j in layout.chosen.iter().chain(&layout.weights) {
        if !is_number(fields[j].data_type()) {
            let (file, column, kind) = what(&fields[j]);
            return Err(TableError::NotNumeric { file, column, kind });
        }
    }
    for &j in &layout.carry {
        if !is_text(fields[j].data_type()) {
            let (file, column, kind) = what(&fields[j]);
            return Err(TableError::NotText { file, column, kind });
        }
    }
    Ok(())
}

/// The names of all columns.
pub(crate) fn names(fields: &Fields) -> Vec<String> {
    fields.iter().map(|field| field.name().clone()).collect()
}

fn is_number(kind: &DataType) -> bool {
    kind.is_integer() || kind.is_floating() || matches!(kind, DataType::Boolean | DataType::Decimal128(..))
}

/// Numbers that `f32` holds exactly.
pub(crate) fn is_f32(kind: &DataType) -> bool {
    matches!(kind, DataType::Float32 | DataType::Float16)
}

fn is_text(kind: &DataType) -> bool {
    use DataType::{Date32, Date64, Dictionary, LargeUtf8, Null, Utf8, Utf8View};
    match kind {
        Utf8 | LargeUtf8 | Utf8View | Date32 | Date64 | Null => true,
        Dictionary(_, values) => matches!(**values, Utf8 | LargeUtf8 | Utf8View),
        kind => is_number(kind),
    }
}

/// Batches that are being read.
pub(crate) struct Columnar {
    file: String,
    batches: Batches,
    /// The places in the file of the columns of a batch.
    needed: Vec<usize>,
    batch: Batch,
    /// Rows of the batch that are read.
    taken: usize,
    /// Rows of all batches that are read.
    done: u64,
    /// The first row of each row group.
    groups: Vec<u64>,
}

impl Columnar {
    pub(crate) fn new(file: &str, batches: Batches, layout: &Layout, groups: Vec<u64>) -> Self {
        let (file, needed) = (file.to_string(), needed(layout));
        Self { file, batches, needed, batch: Vec::new(), taken: 0, done: 0, groups }
    }

    /// Appends at most `most` rows, fewer only at the end; says how many.
    pub(crate) fn read<F: Float>(
        &mut self,
        layout: &Layout,
        most: usize,
        rows: &mut Rows<F>,
    ) -> Result<usize, TableError> {
        let mut n = 0;
        while n < most {
            let left = self.batch.first().map_or(0, Array::len) - self.taken;
            if left == 0 {
                self.taken = 0;
                let batches = &mut self.batches;
                self.batch = match guarded(&self.file, || batches.next().transpose())? {
                    Some(batch) => batch,
                    None => break,
                };
                continue;
            }
            let m = left.min(most - n).min(PIECE);
            self.append(layout, m, rows)?;
            self.taken += m;
            self.done += m as u64;
            n += m;
        }
        Ok(n)
    }

    fn append<F: Float>(&self, layout: &Layout, m: usize, rows: &mut Rows<F>) -> Result<(), TableError> {
        let piece = |j: &usize| {
            // `needed` has every column of the layout, in order.
            let place = self.needed.binary_search(j).unwrap_or_default();
            self.batch[place].slice(self.taken, m)
        };
        let error = |i: usize, column: &str, number: f64, problem| {
            wrong(&self.file, place(&self.groups, self.done + i as u64), column, number, problem)
        };
        let columns: Vec<ArrayRef> = layout.chosen.iter().map(piece).collect();
        let width = columns.len();
        let fill = |first: usize, tile: &mut [f64]| {
            columns.iter().enumerate().for_each(|(j, column)| widen(column, first, &mut tile[j..], width));
        };
        rows.numbers.extend(m, fill, |i, j, number, problem| error(i, layout.name(j), number, problem))?;
        if let (Some(j), Some(weights)) = (layout.weights, &mut rows.weights) {
            let column = piece(&j);
            let fill = |first: usize, tile: &mut [f64]| widen(&column, first, tile, 1);
            weights.extend(m, fill, |i, _, number, problem| error(i, &layout.there[j], number, problem))?;
        }
        let carried: Vec<ArrayRef> = layout.carry.iter().map(piece).collect();
        let mut text = String::new();
        for i in 0..if carried.is_empty() { 0 } else { m } {
            for column in &carried {
                text.clear();
                push_text(&mut text, column, i);
                rows.carried.push(&text);
            }
        }
        Ok(())
    }
}

/// A row of a file, in its row group if there are any.
pub(crate) fn place(groups: &[u64], row: u64) -> Place {
    match group_of(groups, row) {
        Some(group) => Place::Group { group, row: (row - groups[group]) as usize },
        None => Place::Row(row as usize),
    }
}

/// The row group that a row is in.
pub(crate) fn group_of(groups: &[u64], row: u64) -> Option<usize> {
    groups.partition_point(|first| *first <= row).checked_sub(1)
}

/// Writes numbers of a column from a row on, each `step` after the one before, until there is no more room.
fn widen(column: &dyn Array, first: usize, to: &mut [f64], step: usize) {
    let to = to.iter_mut().step_by(step);
    match column.data_type() {
        DataType::Float64 => each::<Float64Type>(column, first, to, |x| x),
        DataType::Float32 => each::<Float32Type>(column, first, to, f64::from),
        DataType::Float16 => each::<Float16Type>(column, first, to, f64::from),
        DataType::Int64 => each::<Int64Type>(column, first, to, |x| x as f64),
        DataType::Int32 => each::<Int32Type>(column, first, to, f64::from),
        DataType::Int16 => each::<Int16Type>(column, first, to, f64::from),
        DataType::Int8 => each::<Int8Type>(column, first, to, f64::from),
        DataType::UInt64 => each::<UInt64Type>(column, first, to, |x| x as f64),
        DataType::UInt32 => each::<UInt32Type>(column, first, to, f64::from),
        DataType::UInt16 => each::<UInt16Type>(column, first, to, f64::from),
        DataType::UInt8 => each::<UInt8Type>(column, first, to, f64::from),
        DataType::Decimal128(_, scale) => {
            let (up, down) = (10f64.powi((-i32::from(*scale)).max(0)), 10f64.powi(i32::from(*scale).max(0)));
            each::<Decimal128Type>(column, first, to, |x| x as f64 * up / down)
        }
        DataType::Boolean => {
            let values = column.as_boolean();
            let numbers =
                (first..).map(|i| if values.is_null(i) { f64::NAN } else { f64::from(u8::from(values.value(i))) });
            to.zip(numbers).for_each(|(to, number)| *to = number);
        }
        // The schema was checked.
        _ => to.for_each(|to| *to = f64::NAN),
    }
}

fn each<'a, T: ArrowPrimitiveType>(
    column: &dyn Array,
    first: usize,
    to: impl Iterator<Item = &'a mut f64>,
    widen: impl Fn(T::Native) -> f64,
) {
    let column = column.as_primitive::<T>();
    let values = column.values()[first..].iter().map(|value| widen(*value));
    match column.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => to.zip(values).for_each(|(to, number)| *to = number),
        Some(nulls) => to.zip(values).enumerate().for_each(|(i, (to, number))| {
            *to = if nulls.is_null(first + i) { f64::NAN } else { number };
        }),
    }
}

/// Appends a value as text: numbers as they are in a text table, dates by ISO 8601, nothing for null.
fn push_text(text: &mut String, column: &dyn Array, i: usize) {
    if column.is_null(i) {
        return;
    }
    // Writing to a String cannot fail.
    let _ = match column.data_type() {
        // It has no mask that says so.
        DataType::Null => Ok(()),
        DataType::Utf8 => text.write_str(column.as_string::<i32>().value(i)),
        DataType::LargeUtf8 => text.write_str(column.as_string::<i64>().value(i)),
        DataType::Utf8View => text.write_str(column.as_string_view().value(i)),
        DataType::Date32 => match column.as_primitive::<Date32Type>().value_as_date(i) {
            Some(date) => write!(text, "{date}"),
            None => Ok(()),
        },
        DataType::Date64 => match column.as_primitive::<Date64Type>().value_as_date(i) {
            Some(date) => write!(text, "{date}"),
            None => Ok(()),
        },
        DataType::Int64 => write!(text, "{}", column.as_primitive::<Int64Type>().value(i)),
        DataType::UInt64 => write!(text, "{}", column.as_primitive::<UInt64Type>().value(i)),
        DataType::Decimal128(..) => text.write_str(&column.as_primitive::<Decimal128Type>().value_as_string(i)),
        DataType::Boolean => write!(text, "{}", column.as_boolean().value(i)),
        DataType::Dictionary(..) => {
            let (dictionary, mut key) = (column.as_any_dictionary(), [0.0]);
            widen(dictionary.keys(), i, &mut key, 1);
            push_text(text, dictionary.values(), key[0] as usize);
            Ok(())
        }
        kind => {
            let mut number = [0.0];
            widen(column, i, &mut number, 1);
            if is_f32(kind) {
                push_number(text, number[0] as f32)
            } else {
                push_number(text, number[0])
            }
            Ok(())
        }
    };
}
