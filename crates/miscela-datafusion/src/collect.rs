//! All rows of a table, taken into memory.

use crate::error::TableError;
use crate::pass::Scalar;
use crate::rows::{Columns, Numbers};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr, ident};
use datafusion::prelude::DataFrame;
use futures::StreamExt;
use miscela_em::AllRows;
use ndarray::Array2;
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

/// A batch, and what it is sorted by.
type Keyed<F> = (u64, Numbers<F>);

/// All rows, `n_rows` at most. Batches are in an order that follows from what they hold, not from who was read first, so
/// that the same batches make the same array.
///
/// Memory: the rows twice while it lasts, as columns and as rows.
pub(crate) async fn collect<F: Scalar>(
    table: DataFrame,
    columns: &Columns,
    n_rows: u64,
) -> Result<AllRows<F>, TableError> {
    let chosen: Vec<Expr> = columns.all().map(ident).collect();
    let (mut reading, read_so_far) = (JoinSet::new(), Arc::new(AtomicU64::new(0)));
    for partition in table.select(chosen)?.execute_stream_partitioned().await? {
        reading.spawn(read(partition, columns.clone(), read_so_far.clone(), n_rows));
    }
    let mut batches: Vec<Keyed<F>> = Vec::new();
    while let Some(partition) = reading.join_next().await {
        batches.extend(partition.map_err(|stopped| TableError::Message(stopped.to_string()))??);
    }
    batches.sort_by_key(|(key, _)| *key);
    let weights = batches.iter().flat_map(|(_, batch)| batch.weights()).copied().collect();
    let rows = turned(&batches, columns.width()).map_err(|error| TableError::Message(error.to_string()))?;
    Ok((rows, columns.weight.is_some().then_some(weights)))
}

async fn read<F: Scalar>(
    mut partition: SendableRecordBatchStream,
    columns: Columns,
    read_so_far: Arc<AtomicU64>,
    n_rows: u64,
) -> Result<Vec<Keyed<F>>, TableError> {
    let mut batches = Vec::new();
    while let Some(batch) = partition.next().await {
        let numbers = Numbers::<F>::of(&columns, batch?.columns())?;
        let len = numbers.len() as u64;
        if read_so_far.fetch_add(len, Ordering::Relaxed) + len > n_rows {
            return Err(TableError::Message("the table has other rows than a moment ago; fit it again".into()));
        }
        batches.push((numbers.key(), numbers));
    }
    Ok(batches)
}

/// Batches, one below the other.
fn turned<F: Scalar>(batches: &[Keyed<F>], width: usize) -> Result<Array2<F>, ndarray::ShapeError> {
    let n_rows = batches.iter().map(|(_, batch)| batch.len()).sum();
    let mut rows = vec![F::zero(); n_rows * width];
    let mut left = rows.as_mut_slice();
    let mut places = Vec::with_capacity(batches.len());
    for (_, batch) in batches {
        let (place, rest) = left.split_at_mut(batch.len() * width);
        places.push(place);
        left = rest;
    }
    places.into_par_iter().zip(batches).for_each(|(place, (_, batch))| batch.turn(place));
    Array2::from_shape_vec((n_rows, width), rows)
}
