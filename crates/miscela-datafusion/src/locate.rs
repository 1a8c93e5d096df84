//! Where in a table the row is that a pass could not use.
//!
//! An aggregate sees rows, not the files that they are from. So when one cannot be used, the files of the table are read one by
//! one, on this machine, until it is met again. That costs up to a scan, once, after the fit has failed.

use crate::error::TableError;
use crate::rows::{Columns, Rows};
use datafusion::catalog::memory::DataSourceExec;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetAccessPlan;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, ident};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use futures::StreamExt;
use std::sync::Arc;

/// What is wrong with these rows, with the file it is in; `None` if nothing is, or they are from no files, or from several
/// tables.
pub(crate) async fn locate(
    rows: &LogicalPlan,
    columns: &Columns,
    session: &SessionState,
) -> Result<Option<TableError>> {
    // Not on a cluster, and each file as a whole.
    let session = SessionStateBuilder::new()
        .with_config(SessionConfig::new().with_target_partitions(1))
        .with_runtime_env(session.runtime_env().clone())
        .with_default_features()
        .build();
    let chosen = LogicalPlanBuilder::from(rows.clone()).project(columns.all().map(ident))?.build()?;
    let plan = session.create_physical_plan(&chosen).await?;
    for (store, file) in files(&plan)?.unwrap_or_default() {
        for (name, part) in parts(&store, file, &session).await? {
            let problem = problem(&only(&plan, &part)?, columns, name, session.task_ctx()).await?;
            if problem.is_some() {
                return Ok(problem);
            }
        }
    }
    Ok(None)
}

/// The row groups of a file, and what they are called; the file as a whole, if it has none.
async fn parts(
    store: &ObjectStoreUrl,
    file: PartitionedFile,
    session: &SessionState,
) -> Result<Vec<(String, PartitionedFile)>> {
    let name = file.object_meta.location.to_string();
    let store = session.runtime_env().object_store(store)?;
    let Ok(metadata) = DFParquetMetadata::new(store.as_ref(), &file.object_meta).fetch_metadata().await else {
        return Ok(vec![(name, file)]);
    };
    let groups = metadata.num_row_groups();
    let part = |group| {
        let mut access = ParquetAccessPlan::new_none(groups);
        access.scan(group);
        (format!("{name}, row group {group}"), file.clone().with_extension(access))
    };
    Ok((0..groups).map(part).collect())
}

fn scan(plan: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    plan.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref()
}

/// The files of a plan that reads one table, and where they are.
fn files(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Vec<(ObjectStoreUrl, PartitionedFile)>>> {
    let mut scans = Vec::new();
    plan.apply(|node| {
        if let Some(config) = scan(node) {
            let all = config.file_groups.iter().flat_map(|group| group.files());
            scans.push(all.map(|file| (config.object_store_url.clone(), file.clone())).collect());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(scans.pop().filter(|_| scans.is_empty()))
}

/// The plan over one of its files.
fn only(plan: &Arc<dyn ExecutionPlan>, file: &PartitionedFile) -> Result<Arc<dyn ExecutionPlan>> {
    let narrowed = plan.clone().transform_up(|node| {
        Ok(match scan(&node) {
            Some(config) => {
                let mut config = config.clone();
                config.file_groups = vec![FileGroup::new(vec![file.clone()])];
                Transformed::yes(DataSourceExec::from_data_source(config) as _)
            }
            None => Transformed::no(node),
        })
    })?;
    Ok(narrowed.data)
}

async fn problem(
    plan: &Arc<dyn ExecutionPlan>,
    columns: &Columns,
    file: String,
    context: Arc<TaskContext>,
) -> Result<Option<TableError>> {
    let mut batches = plan.execute(0, context)?;
    let mut rows = Rows::<f64>::new(file);
    while let Some(batch) = batches.next().await {
        if let Err(error) = rows.fill(columns, batch?.columns()).and_then(|()| rows.check(columns)) {
            return Ok(Some(error));
        }
    }
    Ok(None)
}
