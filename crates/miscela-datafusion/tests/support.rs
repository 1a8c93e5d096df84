//! Rows, and the same rows as tables.

use datafusion::arrow::array::{ArrayRef, Float32Array, Float64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::MemTable;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::prelude::SessionContext;
use miscela::prelude::*;
use ndarray::{Array1, Array2, Axis};
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256Plus;
use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

pub(crate) type Tested = Result<(), Box<dyn Error>>;

/// Rows about k points.
pub(crate) fn rows(n: usize, d: usize, k: usize) -> Array2<f64> {
    let mut rng = Xoshiro256Plus::seed_from_u64(7);
    let points = Array2::from_shape_fn((k, d), |_| rng.gen_range(-6.0..6.0));
    Array2::from_shape_fn((n, d), |(i, j)| points[[i * 7 % k, j]] + rng.sample::<f64, _>(StandardNormal))
}

/// Positive weights.
pub(crate) fn weights(n: usize) -> Array1<f64> {
    Array1::from_shape_fn(n, |i| 0.5 + (i % 5) as f64)
}

fn schema(d: usize, has_weights: bool) -> SchemaRef {
    let features = (0..d).map(|j| Field::new(format!("x{j}"), DataType::Float64, true));
    let weights = has_weights.then(|| Field::new("w", DataType::Float64, true));
    Arc::new(Schema::new(features.chain(weights).collect::<Vec<_>>()))
}

/// The rows in batches of some size.
pub(crate) fn batches(
    rows: &Array2<f64>,
    weights: Option<&Array1<f64>>,
    size: usize,
) -> Result<Vec<RecordBatch>, Box<dyn Error>> {
    let schema = schema(rows.ncols(), weights.is_some());
    let batch = |(part, rows): (usize, ndarray::ArrayView2<f64>)| {
        let features = rows.columns().into_iter().map(|column| column.to_vec());
        let first = part * size;
        let weights = weights.map(|weights| weights.to_vec()[first..first + rows.nrows()].to_vec());
        let arrays = features.chain(weights).map(|values| Arc::new(Float64Array::from(values)) as ArrayRef).collect();
        Ok(RecordBatch::try_new(schema.clone(), arrays)?)
    };
    rows.axis_chunks_iter(Axis(0), size).enumerate().map(batch).collect()
}

/// Makes the rows known as a table of several partitions.
pub(crate) fn table(context: &SessionContext, name: &str, rows: &Array2<f64>, weights: Option<&Array1<f64>>) -> Tested {
    let batches = batches(rows, weights, 300)?;
    let parts = batches.chunks(batches.len().div_ceil(3)).map(<[RecordBatch]>::to_vec).collect();
    let table = MemTable::try_new(schema(rows.ncols(), weights.is_some()), parts)?;
    context.register_table(name, Arc::new(table))?;
    Ok(())
}

/// Writes the rows to so many files in a folder.
pub(crate) fn parquet(folder: &Path, rows: &Array2<f64>, weights: Option<&Array1<f64>>, files: usize) -> Tested {
    let per_file = rows.nrows().div_ceil(files);
    for (number, batch) in batches(rows, weights, per_file)?.iter().enumerate() {
        let settings = WriterProperties::builder().set_max_row_group_row_count(Some(20_000)).build();
        let file = File::create(folder.join(format!("part-{number}.parquet")))?;
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(settings))?;
        writer.write(batch)?;
        writer.close()?;
    }
    Ok(())
}

/// Rows in single precision as a table.
pub(crate) fn table_f32(context: &SessionContext, name: &str, rows: &Array2<f32>) -> Tested {
    let fields = (0..rows.ncols()).map(|j| Field::new(format!("x{j}"), DataType::Float32, true)).collect::<Vec<_>>();
    let arrays = rows.columns().into_iter().map(|column| Arc::new(Float32Array::from(column.to_vec())) as ArrayRef);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays.collect())?;
    context.register_batch(name, batch)?;
    Ok(())
}

/// The first k rows.
pub(crate) fn first<F: Clone>(rows: &Array2<F>, k: usize) -> Array2<F> {
    rows.select(Axis(0), &(0..k).collect::<Vec<_>>())
}

/// The first rows as start.
pub(crate) fn start(rows: &Array2<f64>, k: usize) -> KMeansInit<f64> {
    KMeansInit::Precomputed(first(rows, k))
}

/// K-means from the first rows.
pub(crate) fn kmeans(rows: &Array2<f64>, k: usize) -> KMeansParams<f64, Xoshiro256Plus, miscela::L2> {
    KMeans::params(k).init_method(start(rows, k))
}

/// Fails unless all numbers are the same to `tolerance`, relative to the greatest.
pub(crate) fn assert_close<'a>(
    a: impl IntoIterator<Item = &'a f64>,
    b: impl IntoIterator<Item = &'a f64>,
    tolerance: f64,
) {
    let (a, b): (Vec<f64>, Vec<f64>) = (a.into_iter().copied().collect(), b.into_iter().copied().collect());
    assert_eq!(a.len(), b.len());
    let scale = b.iter().fold(1e-300_f64, |most, x| most.max(x.abs()));
    for (i, (a, b)) in a.iter().zip(&b).enumerate() {
        assert!((a - b).abs() <= tolerance * scale, "number {i}: {a} and {b}");
    }
}
