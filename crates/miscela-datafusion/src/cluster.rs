//! Workers on other machines, by datafusion-distributed: where they are, how a plan reaches them, and what happens when one
//! is lost.
//!
//! A pass over the rows changes nothing anywhere, so that what is to be done about a worker that went away is plain: leave it
//! out and run the pass again. No more than that pass is lost.

use crate::codec;
use crate::error::TableError;
use async_trait::async_trait;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::{SessionStateBuilder, TaskContext};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_distributed::grpc::{BoxCloneSyncChannel, create_worker_client};
use datafusion_distributed::{
    ChannelResolver, CoordinatorToWorkerMsg, DistributedExt, ExecuteTaskRequest, GetWorkerInfoRequest,
    GetWorkerInfoResponse, MaybeEncoded, RouteTasksEvent, RouteTasksEventResponse, SessionStateBuilderExt,
    SetPlanRequest, WorkerChannel, WorkerResolver, WorkerToCoordinatorMsg,
};
use datafusion_proto::bytes::physical_plan_to_bytes_with_extension_codec;
use futures::future::join_all;
use futures::stream::BoxStream;
use http::HeaderMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use url::Url;

/// How long a worker may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a connection on which a worker is at work is tried, so that a machine that vanished is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How long it may take to answer that: the threads that answer are those that compute. A process that ended is noticed at once.
const BUSY: Duration = Duration::from_secs(60);

/// The workers of a cluster, each a process that runs `miscela-worker`.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use miscela::prelude::*;
/// use miscela_datafusion::{Cluster, fit_kmeans};
///
/// let cluster = Cluster::new(["http://10.0.0.1:7301", "http://10.0.0.2:7301"])?;
/// let context = cluster.context(2);
/// context.register_parquet("rows", "/shared/rows/", Default::default()).await?;
/// let model = fit_kmeans(&context, "rows", KMeans::<f64>::params(64)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Cluster {
    named: Arc<Vec<Url>>,
    present: Arc<RwLock<Vec<Url>>>,
    channels: Channels,
}

impl Cluster {
    /// The workers at these addresses, such as `http://10.0.0.1:7301`. Nothing is asked of them yet.
    ///
    /// # Errors
    /// If one is no address, or there is none.
    pub fn new<A: AsRef<str>>(workers: impl IntoIterator<Item = A>) -> Result<Self, TableError> {
        let parse = |address: A| {
            let address = address.as_ref();
            Url::parse(address).map_err(|error| TableError::Message(format!("\"{address}\" is no address: {error}")))
        };
        let named = workers.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        if named.is_empty() {
            return Err(TableError::NoWorkers(0));
        }
        Ok(Self {
            present: Arc::new(RwLock::new(named.clone())),
            named: Arc::new(named),
            channels: Channels::default(),
        })
    }

    /// A session whose queries run on the workers, each of which reads its part of the files in `threads` parts at once. Files
    /// must be where all workers find them by the same path.
    pub fn context(&self, threads: usize) -> SessionContext {
        let config = SessionConfig::new().with_target_partitions(threads);
        SessionContext::new_with_state(self.plan_for(SessionStateBuilder::new().with_config(config)).build())
    }

    /// Gives a session that is being built what it needs to have its queries run on the workers. It keeps its own tables and
    /// settings, of which `target_partitions` is a number for each worker, and at least 2.
    pub fn plan_for(&self, builder: SessionStateBuilder) -> SessionStateBuilder {
        let mut builder = builder
            .with_default_features()
            .with_distributed_planner()
            .with_distributed_worker_resolver(Present(self.present.clone()))
            .with_distributed_channel_resolver(self.channels.clone())
            .with_distributed_user_codec(codec::FunctionCodec)
            .with_distributed_route_tasks_handler(in_order);
        let config = builder.config().get_or_insert_default();
        config.set_extension(Arc::new(self.clone()));
        // Of a single partition sums are made in one step, and only those of two are spread.
        let partitions = &mut config.options_mut().execution.target_partitions;
        *partitions = (*partitions).max(2);
        // A pass is worth being spread, however few bytes it reads.
        let _ = config.set_distributed_file_scan_config_bytes_per_partition(1);
        builder
    }

    /// The cluster that a session's queries run on.
    pub(crate) fn of(context: &SessionContext) -> Option<Arc<Self>> {
        context.state().config().get_extension()
    }

    /// The workers that answered when they were last asked.
    pub fn workers(&self) -> Vec<Url> {
        read(&self.present)
    }

    /// Asks every worker whether it is there, and from now on uses those that answer; returns whether that changes anything.
    ///
    /// # Errors
    /// If none answers.
    pub async fn refresh(&self) -> Result<bool, TableError> {
        let asked = self.named.iter().map(|url| async move { (url.clone(), self.channels.answers(url).await) });
        let answers = join_all(asked).await;
        let found: Vec<Url> = answers.into_iter().filter(|(_, answers)| *answers).map(|(url, _)| url).collect();
        if found.is_empty() {
            return Err(TableError::NoWorkers(self.named.len()));
        }
        let mut present = self.present.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        let changed = *present != found;
        *present = found;
        Ok(changed)
    }
}

fn read(urls: &RwLock<Vec<Url>>) -> Vec<Url> {
    urls.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
}

/// Tells datafusion-distributed who is there: of a single worker, twice, since a plan for one worker would be run by whoever
/// asks instead, who need not have the files.
struct Present(Arc<RwLock<Vec<Url>>>);

#[async_trait]
impl WorkerResolver for Present {
    fn get_urls(&self) -> Result<Vec<Url>> {
        let present = read(&self.0);
        Ok(present.iter().cycle().take(present.len().max(2)).cloned().collect())
    }
}

/// Each worker gets the same part in every pass, so that it can keep what it has read.
fn in_order(event: RouteTasksEvent) -> Option<Result<RouteTasksEventResponse>> {
    if event.task_count == 1 {
        return None;
    }
    let resolver = datafusion_distributed::get_distributed_worker_resolver(event.task_ctx.session_config());
    let urls = match resolver.and_then(|resolver| resolver.get_urls()) {
        Ok(urls) if urls.is_empty() => return None,
        Ok(urls) => urls,
        Err(error) => return Some(Err(error)),
    };
    Some(Ok(RouteTasksEventResponse::new(urls.iter().cycle().take(event.task_count).cloned().collect())))
}

/// The connections to workers, one each.
#[derive(Clone, Debug, Default)]
struct Channels(Arc<Mutex<HashMap<Url, Channel>>>);

impl Channels {
    /// A connection, which is made when it is first used and made anew when it broke.
    fn to(&self, url: &Url) -> Result<Channel, DataFusionError> {
        let mut channels = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(channel) = channels.get(url) {
            return Ok(channel.clone());
        }
        let endpoint = Endpoint::from_shared(url.to_string())
            .map_err(|error| DataFusionError::External(Box::new(error)))?
            .connect_timeout(PATIENCE)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(BUSY);
        let channel = endpoint.connect_lazy();
        channels.insert(url.clone(), channel.clone());
        Ok(channel)
    }

    async fn answers(&self, url: &Url) -> bool {
        let Ok(mut worker) = self.get_worker_client_for_url(url).await else { return false };
        matches!(timeout(PATIENCE, worker.get_worker_info(GetWorkerInfoRequest {})).await, Ok(Ok(_)))
    }
}

#[async_trait]
impl ChannelResolver for Channels {
    async fn get_worker_client_for_url(&self, url: &Url) -> Result<Box<dyn WorkerChannel>> {
        Ok(Box::new(Sender(create_worker_client(BoxCloneSyncChannel::new(self.to(url)?)))))
    }
}

/// A worker's channel that writes plans by the [codec](codec::for_workers) that knows this crate's functions.
struct Sender(Box<dyn WorkerChannel>);

#[async_trait]
impl WorkerChannel for Sender {
    async fn coordinator_channel(
        &mut self,
        headers: HeaderMap,
        mut request: SetPlanRequest,
        messages: BoxStream<'static, CoordinatorToWorkerMsg>,
        metrics: ExecutionPlanMetricsSet,
        context: &Arc<TaskContext>,
    ) -> Result<BoxStream<'static, Result<WorkerToCoordinatorMsg>>> {
        if let MaybeEncoded::Decoded(plan) = request.plan {
            let bytes = physical_plan_to_bytes_with_extension_codec(plan, &codec::for_workers())?;
            request.plan = MaybeEncoded::Encoded(bytes.to_vec());
        }
        self.0.coordinator_channel(headers, request, messages, metrics, context).await
    }

    async fn execute_task(
        &mut self,
        headers: HeaderMap,
        request: ExecuteTaskRequest,
        metrics: ExecutionPlanMetricsSet,
        context: &Arc<TaskContext>,
    ) -> Result<Vec<BoxStream<'static, Result<RecordBatch>>>> {
        self.0.execute_task(headers, request, metrics, context).await
    }

    async fn get_worker_info(&mut self, request: GetWorkerInfoRequest) -> Result<GetWorkerInfoResponse> {
        self.0.get_worker_info(request).await
    }
}
