//! Rows that a worker has read, kept for the next pass.
//!
//! A fit is a hundred queries of the same rows, and to decode them takes longer than to assign them. So what a scan of files
//! gives is kept when it has been read to its end, under what was read: the scan's plan, with the size and the time of change of every file.
//!
//! ```text
//! plan arrives:   each scan of files → its key is known?  yes: its rows, from memory
//!                                                         no:  the scan, with an ear to it
//! scan ends:      all its partitions to their end, within the budget → keep, under its key
//! no room:        what was not used for the longest time goes
//! ```
//!
//! Partitions of a scan may take files from each other, so that only all of them together are the same rows every time.

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::memory::DataSourceExec;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr_common::physical_expr::{is_volatile, snapshot_generation};
use datafusion::physical_plan::memory::MemoryStream;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use datafusion_proto::bytes::physical_plan_to_bytes;
use futures::{StreamExt, stream};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Batches of each partition.
type Partitions = Vec<Vec<RecordBatch>>;

/// What is kept, and how much that may be.
#[derive(Debug)]
pub(crate) struct Kept {
    budget: usize,
    store: Mutex<Store>,
}

#[derive(Debug, Default)]
struct Store {
    scans: HashMap<Vec<u8>, Scan>,
    /// Bytes of all scans, those being read among them.
    bytes: usize,
    /// How often something was asked for.
    clock: u64,
}

#[derive(Debug)]
struct Scan {
    rows: Arc<Partitions>,
    bytes: usize,
    used: u64,
}

impl Kept {
    /// Nothing yet, and never more than so many bytes.
    pub(crate) fn new(budget: usize) -> Arc<Self> {
        Arc::new(Self { budget, store: Mutex::default() })
    }

    /// The plan, with scans of files that are read from memory or listened to.
    pub(crate) fn rewrite(self: &Arc<Self>, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        if self.budget == 0 {
            return Ok(plan);
        }
        let rewritten = plan.transform_up(|node| {
            Ok(match key(&node) {
                Some(key) => Transformed::yes(Arc::new(KeptExec::new(self, key, node)) as _),
                None => Transformed::no(node),
            })
        });
        Ok(rewritten?.data)
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &[u8]) -> Option<Arc<Partitions>> {
        let mut store = self.store();
        store.clock += 1;
        let now = store.clock;
        let scan = store.scans.get_mut(key)?;
        scan.used = now;
        Some(scan.rows.clone())
    }

    /// Takes room for so many bytes more, for which what was used least recently goes; `false` if there is none.
    fn reserve(&self, bytes: usize) -> bool {
        let mut store = self.store();
        while store.bytes.saturating_add(bytes) > self.budget {
            let oldest = store.scans.iter().min_by_key(|(_, scan)| scan.used).map(|(key, _)| key.clone());
            let Some(scan) = oldest.and_then(|key| store.scans.remove(&key)) else { return false };
            store.bytes -= scan.bytes;
        }
        store.bytes += bytes;
        true
    }

    fn release(&self, bytes: usize) {
        self.store().bytes -= bytes;
    }

    /// Keeps rows for which room was taken.
    fn insert(&self, key: Vec<u8>, rows: Partitions, bytes: usize) {
        let mut store = self.store();
        store.clock += 1;
        let scan = Scan { rows: Arc::new(rows), bytes, used: store.clock };
        // Two queries may have read the same at the same time.
        if let Some(twin) = store.scans.insert(key, scan) {
            store.bytes -= twin.bytes;
        }
    }
}

/// What is read by this plan, if that is files, and the same rows every time as long as they are not changed.
fn key(plan: &Arc<dyn ExecutionPlan>) -> Option<Vec<u8>> {
    let source = plan.downcast_ref::<DataSourceExec>()?.data_source();
    source.downcast_ref::<FileScanConfig>()?;
    let mut is_fixed = true;
    let look = &mut |expression: &Arc<dyn PhysicalExpr>| {
        // Filters that come about while a query runs, and numbers that are drawn.
        is_fixed &= snapshot_generation(expression) == 0 && !is_volatile(expression);
        Ok(TreeNodeRecursion::Continue)
    };
    plan.apply_expressions(look).ok()?;
    if !is_fixed {
        return None;
    }
    Some(physical_plan_to_bytes(plan.clone()).ok()?.to_vec())
}

/// A scan of files whose rows are kept, or will be.
#[derive(Debug)]
struct KeptExec {
    scan: Arc<dyn ExecutionPlan>,
    rows: Rows,
}

#[derive(Debug)]
enum Rows {
    InMemory(Arc<Partitions>),
    Read(Arc<Reading>),
}

impl KeptExec {
    fn new(kept: &Arc<Kept>, key: Vec<u8>, scan: Arc<dyn ExecutionPlan>) -> Self {
        let rows = match kept.get(&key) {
            Some(rows) => Rows::InMemory(rows),
            None => Rows::Read(Reading::new(kept.clone(), key, scan.properties().partitioning.partition_count())),
        };
        Self { scan, rows }
    }
}

impl DisplayAs for KeptExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = if matches!(self.rows, Rows::InMemory(_)) { "memory" } else { "files" };
        write!(f, "KeptExec: from {from}")
    }
}

impl ExecutionPlan for KeptExec {
    fn name(&self) -> &str {
        "KeptExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.scan.properties()
    }

    // A leaf, as the scan is: whoever asked expects a plan of the shape that was sent.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.scan.apply_expressions(f)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("rows that are kept come from no other plan") }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        match &self.rows {
            Rows::InMemory(rows) => {
                let batches = rows.get(partition).cloned().unwrap_or_default();
                Ok(Box::pin(MemoryStream::try_new(batches, self.schema(), None)?))
            }
            Rows::Read(reading) => Ok(reading.clone().listen(partition, self.scan.execute(partition, context)?)),
        }
    }

    fn metrics(&self) -> Option<MetricsSet> {
        self.scan.metrics()
    }
}

/// A scan that is being read, for as long as it seems worth keeping.
#[derive(Debug)]
struct Reading {
    kept: Arc<Kept>,
    key: Vec<u8>,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    /// The partitions that were read to their end.
    read: Vec<Option<Vec<RecordBatch>>>,
    bytes: usize,
    /// All is kept, or nothing will be.
    is_over: bool,
}

impl Reading {
    fn new(kept: Arc<Kept>, key: Vec<u8>, partitions: usize) -> Arc<Self> {
        let progress = Progress { read: vec![None; partitions], bytes: 0, is_over: false };
        Arc::new(Self { kept, key, progress: Mutex::new(progress) })
    }

    /// The same stream; what it gives is noted.
    fn listen(self: Arc<Self>, partition: usize, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let schema = input.schema();
        let heard = stream::unfold((self, input, Vec::new()), move |(reading, mut input, mut batches)| async move {
            let next = input.next().await;
            match &next {
                Some(Ok(batch)) if reading.has_room(batch) => batches.push(batch.clone()),
                Some(_) => {
                    reading.give_up();
                    batches = Vec::new();
                }
                None => reading.end(partition, std::mem::take(&mut batches)),
            }
            next.map(|batch| (batch, (reading, input, batches)))
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, heard.fuse()))
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self, batch: &RecordBatch) -> bool {
        let bytes = batch.get_array_memory_size();
        let mut progress = self.progress();
        let has_room = !progress.is_over && self.kept.reserve(bytes);
        if has_room {
            progress.bytes += bytes;
        }
        has_room
    }

    /// Not all rows can be kept, so that none are.
    fn give_up(&self) {
        let mut progress = self.progress();
        progress.is_over = true;
        progress.read.fill(None);
        self.kept.release(std::mem::take(&mut progress.bytes));
    }

    fn end(&self, partition: usize, batches: Vec<RecordBatch>) {
        let mut progress = self.progress();
        if progress.is_over {
            return;
        }
        progress.read[partition] = Some(batches);
        if progress.read.iter().all(Option::is_some) {
            let rows = progress.read.drain(..).flatten().collect();
            let bytes = std::mem::take(&mut progress.bytes);
            progress.is_over = true;
            self.kept.insert(self.key.clone(), rows, bytes);
        }
    }
}

impl Drop for Reading {
    // A query that ended early, as one with a limit does.
    fn drop(&mut self) {
        self.give_up();
    }
}
