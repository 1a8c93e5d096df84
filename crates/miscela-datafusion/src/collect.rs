//! All rows of a table, taken into memory.

use crate::error::TableError;
use crate::pass::Scalar;
use crate::rows::{Columns, Rows};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr, ident};
use datafusion::prelude::DataFrame;
use futures::StreamExt;
use futures::future::try_join_all;
use ndarray::Array2;

/// Rows, and their weights if they have any.
pub(crate) type AllRows<F> = (Array2<F>, Option<Vec<f64>>);

/// All rows, batch by batch, in an order that says nothing of who read them first: so the same rows make the same fit, to the bit, as
/// long as the engine reads them in the same batches.
///
/// Memory: twice the rows, for as long as it takes.
pub(crate) async fn collect<F: Scalar>(table: DataFrame, columns: &Columns) -> Result<AllRows<F>, TableError> {
    let chosen: Vec<Expr> = columns.all().map(ident).collect();
    let partitions = table.select(chosen)?.execute_stream_partitioned().await?;
    let reading = partitions.into_iter().map(|partition| tokio::spawn(read(partition, columns.clone())));
    let read = try_join_all(reading).await.map_err(|stopped| TableError::Message(stopped.to_string()))?;
    let mut batches: Vec<Rows<F>> = Vec::new();
    for partition in read {
        batches.extend(partition?);
    }
    batches.sort_by_cached_key(Rows::number);
    let n_rows = batches.iter().map(Rows::len).sum();
    let (mut values, mut weights) = (Vec::with_capacity(n_rows * columns.width()), Vec::with_capacity(n_rows));
    batches.into_iter().for_each(|batch| batch.append_to(&mut values, &mut weights));
    let rows = Array2::from_shape_vec((n_rows, columns.width()), values);
    let rows = rows.map_err(|error| TableError::Message(error.to_string()))?;
    Ok((rows, columns.weight.is_some().then_some(weights)))
}

async fn read<F: Scalar>(
    mut partition: SendableRecordBatchStream,
    columns: Columns,
) -> Result<Vec<Rows<F>>, TableError> {
    let mut batches = Vec::new();
    while let Some(batch) = partition.next().await {
        let mut rows = Rows::new("a part of the table");
        rows.fill(&columns, batch?.columns())?;
        batches.push(rows);
    }
    Ok(batches)
}
