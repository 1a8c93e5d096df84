//! A worker process: a port on which datafusion-distributed's tasks arrive, with the functions of this crate.

use crate::codec::FunctionCodec;
use crate::error::TableError;
use crate::kept::Kept;
use datafusion_distributed::{
    DistributedExt, Worker, WorkerPlanRewriteEvent, WorkerPlanRewriteEventResponse, WorkerQueryContext,
};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// A worker that knows the functions of this crate, to be [served](serve) or to be put beside other services. Rows of files
/// that it has read it keeps for the next pass, up to so many bytes, and reads them again if a file's size or time of change
/// is another; with `memory` 0 it reads them in every pass.
pub fn worker(memory: usize) -> Worker {
    let kept = Kept::new(memory);
    let session = move |query: WorkerQueryContext| {
        let kept = kept.clone();
        let rewrite =
            move |event: WorkerPlanRewriteEvent<'_>| kept.rewrite(event.plan).map(WorkerPlanRewriteEventResponse::new);
        let builder = query.builder.with_distributed_user_codec(FunctionCodec);
        let session = builder.with_distributed_worker_plan_rewrite_handler(rewrite).build();
        async move { Ok(session) }
    };
    Worker::from_session_builder(session).with_version(env!("CARGO_PKG_VERSION"))
}

/// Serves a [worker] until the process ends.
///
/// # Errors
/// If the port cannot be served any more.
pub async fn serve(listener: TcpListener, memory: usize) -> Result<(), TableError> {
    let served = Server::builder()
        .add_service(worker(memory).into_worker_server())
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)));
    served.await.map_err(|error| TableError::Message(format!("the worker cannot go on: {error}")))
}
