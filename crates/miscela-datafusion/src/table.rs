//! Rows of a table or a query, and passes over them: one aggregate query each.

use crate::cluster::Cluster;
use crate::collect::collect;
use crate::error::TableError;
use crate::gather::Gather;
use crate::locate::locate;
use crate::pass::{Parcel, Pass, Scalar, decode};
use crate::rows::Columns;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::DataType;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::{Expr, ident};
use datafusion::prelude::{DataFrame, SessionContext};
use miscela_em::{AllRows, Missing, Partial, Task, WorkError, Workers};
use miscela_kernel::SourceError;
use std::sync::Arc;
use tokio::runtime::Handle;

/// How often a pass is tried while workers go away.
const TRIES: usize = 5;

/// Bytes of rows that are held in memory, if nothing else is said.
const MEMORY: usize = 1 << 30;

/// The rows that a model is fitted to: a table or a query, and which of its columns are what. A string will do where all
/// columns are features and all rows count the same.
///
/// ```
/// use miscela_datafusion::Table;
///
/// let table = Table::of("SELECT x, y, n FROM measured WHERE x > 0").columns(["x", "y"]).weights("n");
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    source: String,
    columns: Option<Vec<String>>,
    weights: Option<String>,
    memory: usize,
}

impl Table {
    /// The rows of a table or view of this name, or of this query.
    pub fn of(source: impl Into<String>) -> Self {
        Self { source: source.into(), columns: None, weights: None, memory: MEMORY }
    }

    /// These columns are features. Default: all but the weights.
    pub fn columns<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        Self { columns: Some(names.into_iter().map(Into::into).collect()), ..self }
    }

    /// This column says how often each row counts.
    pub fn weights(self, name: impl Into<String>) -> Self {
        Self { weights: Some(name.into()), ..self }
    }

    /// Rows of so many bytes may be held in memory for the time of a fit, if it gains by it: k-means by
    /// [`Algorithm::Auto`](miscela::Algorithm) does, which then remembers what it knows of each row. Fits on a cluster hold none.
    ///
    /// The session's memory pool is asked for the room: for the rows, and once more for them while they are read. What a fit
    /// in memory takes beside its rows is not counted. Default: 1 GiB; 0 leaves all rows where they are.
    pub fn memory(self, bytes: usize) -> Self {
        Self { memory: bytes, ..self }
    }
}

impl<S: Into<String>> From<S> for Table {
    fn from(source: S) -> Self {
        Self::of(source)
    }
}

/// Passes over a table, each a query that an async runtime runs: not to be [run](Workers::run) on one of that runtime's own
/// threads, but for such as may block.
pub struct Passes {
    runtime: Handle,
    rows: DataFrame,
    columns: Columns,
    cluster: Option<Arc<Cluster>>,
    /// Bytes of rows that may be held here, and the room that the session's memory pool has given for those that are.
    memory: usize,
    room: Option<MemoryReservation>,
    passes: usize,
}

impl Passes {
    /// Gets ready for passes over a table that this session knows, on the runtime that this is called on. No row is read.
    ///
    /// # Errors
    /// If there is no such table or column, or one holds no numbers.
    pub async fn new(context: &SessionContext, table: impl Into<Table>) -> Result<Self, TableError> {
        let table = table.into();
        let is_table = context.table_exist(table.source.as_str()).unwrap_or(false);
        let rows = match is_table {
            true => context.table(table.source.as_str()).await?,
            false => context.sql(&table.source).await?,
        };
        let schema = rows.schema().clone();
        let weight = table.weights.clone();
        let names = table.columns.clone().unwrap_or_else(|| {
            let all = schema.fields().iter().map(|field| field.name().clone());
            all.filter(|name| Some(name) != weight.as_ref()).collect()
        });
        for name in names.iter().chain(&weight) {
            let field = schema.fields().iter().find(|field| field.name() == name).ok_or_else(|| {
                let present: Vec<_> = schema.fields().iter().map(|field| format!("\"{}\"", field.name())).collect();
                TableError::NoColumn { column: name.clone(), present: present.join(", ") }
            })?;
            if !field.data_type().is_numeric() && field.data_type() != &DataType::Null {
                let data_type = field.data_type().to_string();
                return Err(TableError::NotNumeric { column: name.clone(), data_type });
            }
        }
        let cluster = Cluster::of(context);
        if let Some(cluster) = &cluster {
            cluster.refresh().await?;
        }
        let columns = Columns { names, weight, missing: false };
        let memory = if cluster.is_some() { 0 } else { table.memory };
        Ok(Self { runtime: Handle::current(), rows, columns, cluster, memory, room: None, passes: 0 })
    }

    /// Takes values that are missing, NULL or NaN, or does not: then they are errors.
    #[must_use]
    pub fn with_missing(mut self, missing: Missing) -> Self {
        self.columns.missing = missing == Missing::Marginal;
        self
    }

    /// The features' names.
    pub fn names(&self) -> &[String] {
        &self.columns.names
    }

    /// What a task sums up of all rows; `None` of none.
    async fn sums<F: Scalar>(&self, task: &Task<F>) -> Result<Option<Partial<F>>, TableError> {
        let pass = Arc::new(Parcel::pack(Pass { task: F::wrap(task.clone()), columns: self.columns.clone() })?);
        let mut tries = 1;
        loop {
            match self.query(&pass).await {
                Ok(sums) => return sums.map(|sums| decode(&sums)).transpose(),
                Err(error) => match &self.cluster {
                    Some(cluster) if tries < TRIES && (cluster.refresh().await? || is_lost(&error)) => tries += 1,
                    _ => return Err(self.located(error).await),
                },
            }
        }
    }

    /// The same error with the file that the row is in, if it is about a row and that can be found out.
    async fn located(&self, error: TableError) -> TableError {
        // From a worker comes what was said, and no more.
        let text = error.to_string();
        if !["has no value", "not a finite number", "the weight of row"].iter().any(|sign| text.contains(sign)) {
            return error;
        }
        let (state, plan) = self.rows.clone().into_parts();
        locate(&plan, &self.columns, &state).await.ok().flatten().unwrap_or(error)
    }

    async fn query(&self, pass: &Arc<Parcel<Pass>>) -> Result<Option<Vec<u8>>, TableError> {
        let columns: Vec<Expr> = self.columns.all().map(ident).collect();
        let sums = Gather::function("miscela_pass", pass.clone()).call(columns);
        let batches = self.rows.clone().aggregate(vec![], vec![sums])?.collect().await?;
        let sums = batches.iter().flat_map(|batch| batch.column(0).as_binary::<i32>().iter().flatten()).next();
        Ok(sums.map(<[u8]>::to_vec))
    }
}

impl<F: Scalar> Workers<F> for Passes {
    fn all_rows(&mut self, n_rows: u64) -> Result<Option<AllRows<F>>, WorkError> {
        self.room = None;
        let width = self.columns.width() * size_of::<F>() + self.columns.weight.iter().count() * size_of::<f64>();
        let bytes = usize::try_from(n_rows).unwrap_or(usize::MAX).saturating_mul(width);
        let room = MemoryConsumer::new("rows of a fit").register(self.rows.task_ctx().memory_pool());
        if bytes > self.memory || room.try_grow(bytes.saturating_mul(2)).is_err() {
            return Ok(None);
        }
        self.passes += 1;
        let rows = self.runtime.block_on(collect(self.rows.clone(), &self.columns, n_rows)).map_err(work_error)?;
        room.shrink(bytes);
        self.room = Some(room);
        Ok(Some(rows))
    }

    fn run(&mut self, task: &Task<F>) -> Result<Partial<F>, WorkError> {
        self.passes += 1;
        match self.runtime.block_on(self.sums(task)) {
            Ok(Some(sums)) => Ok(sums),
            Ok(None) => Err(SourceError::NoRows.into()),
            Err(error) => Err(work_error(error)),
        }
    }

    fn passes(&self) -> usize {
        self.passes
    }
}

/// The error as the fit hands it through.
fn work_error(error: TableError) -> WorkError {
    match error {
        TableError::Work(error) => error,
        error => WorkError::Other(Box::new(error)),
    }
}

/// Whether an error is that of a connection, and not of the query.
fn is_lost(error: &TableError) -> bool {
    let TableError::Query(error) = error else { return false };
    let text = error.to_string();
    ["transport error", "tcp connect error", "connection", "h2 protocol error", "broken pipe"]
        .iter()
        .any(|sign| text.to_lowercase().contains(sign))
}
