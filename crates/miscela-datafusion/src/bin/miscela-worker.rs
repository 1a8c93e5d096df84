//! A worker of a cluster: `miscela-worker --listen 0.0.0.0:7301 --threads 8`.

use clap::Parser;
use datafusion::prelude::SessionContext;
use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Works on parts of tables for a miscela fit on another machine.
///
/// Example: miscela-worker --listen 0.0.0.0:7301 --threads 8
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address and port to listen on; with port 0 a free one. Whoever can reach it can have any file read that this
    /// process can read: keep it within a network you trust.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7301")]
    listen: SocketAddr,
    /// How many threads work.
    #[arg(long, value_name = "T", default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    threads: usize,
    /// Memory for rows of files, so that a fit reads them once and not in each of its passes: 512M, 2G; 0 for none.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = bytes)]
    cache: usize,
}

fn bytes(size: &str) -> Result<usize, String> {
    SessionContext::parse_capacity_limit("--cache", size).map_err(|error| error.strip_backtrace())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(arguments.threads.max(1)).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(arguments.listen).await?;
        println!("listening on http://{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        miscela_datafusion::serve(listener, arguments.cache).await?;
        Ok(())
    })
}
