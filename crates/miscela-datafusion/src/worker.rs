//! A worker process: a port on which datafusion-distributed's tasks arrive, with the functions of this crate.

use crate::codec::FunctionCodec;
use crate::error::TableError;
use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion_distributed::{DistributedExt, Worker, WorkerQueryContext};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// A worker that knows the functions of this crate, to be [served](serve) or to be put beside other services.
pub fn worker() -> Worker {
    Worker::from_session_builder(session).with_version(env!("CARGO_PKG_VERSION"))
}

async fn session(query: WorkerQueryContext) -> Result<SessionState> {
    Ok(query.builder.with_distributed_user_codec(FunctionCodec).build())
}

/// Serves a worker until the process ends.
///
/// # Errors
/// If the port cannot be served any more.
pub async fn serve(listener: TcpListener) -> Result<(), TableError> {
    let served = Server::builder()
        .add_service(worker().into_worker_server())
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)));
    served.await.map_err(|error| TableError::Message(format!("the worker cannot go on: {error}")))
}
