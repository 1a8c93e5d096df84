//! The page on loopback, for whoever has its token.
//!
//! One thread. Clients that are slow, or half-open, or many hold nobody up: a request must be there within seconds, and of too many
//! connections the oldest gives way. Who may ask what is in `respond`.

mod respond;
mod token;

use crate::error::PlayError;
use crate::page;
use crate::points::Points;
use crate::steps::Start;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use respond::Site;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use token::Token;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

/// A request whose head is not there by then is given up.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// Connections at a time.
const MOST_CONNECTIONS: usize = 128;
/// What of a head is read at most, in bytes.
const MOST_HEAD: usize = 16 << 10;
/// How often it is asked whether to stop.
const TICK: Duration = Duration::from_millis(50);

/// The page on loopback.
///
/// Binds 127.0.0.1 and nothing else. The page is at a path that starts with a token of 128 random bits; requests without it, or
/// by another host name, are refused. Not for more than one person at a time: all steps are made on one thread.
///
/// ```
/// use miscela_play::{Init, Points, Server, Start};
///
/// let start = Start { k: 4, init: Init::KMeansPlusPlus, seed: 42 };
/// let server = Server::bind(0, &Points::built_in(), start)?;
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// server.run(|| true)?; // stops at once; without an end: || false
/// # Ok::<(), miscela_play::PlayError>(())
/// ```
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    site: Site,
}

impl Server {
    /// Listens on a port, or for 0 on one that is free, to serve a page of these sets, the first of which it shows.
    ///
    /// # Errors
    /// If the port is taken, or the system gives no random numbers.
    pub fn bind(port: u16, sets: &[Points], start: Start) -> Result<Self, PlayError> {
        let page = page::served(sets, start)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, site: Site::new(port, Token::draw()?, page) })
    }

    /// Where the page is.
    pub fn url(&self) -> String {
        self.site.url()
    }

    /// Serves until `stopped` says so, which is asked twenty times a second.
    pub fn run(self, stopped: impl Fn() -> bool) -> Result<(), PlayError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.accept(stopped))
        // Connections that are open end with the runtime.
    }

    async fn accept(self, stopped: impl Fn() -> bool) -> Result<(), PlayError> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let site = Arc::new(self.site);
        let mut open: VecDeque<AbortHandle> = VecDeque::new();
        while !stopped() {
            match timeout(TICK, listener.accept()).await {
                Ok(Ok((stream, _))) => {
                    open.retain(|connection| !connection.is_finished());
                    if open.len() >= MOST_CONNECTIONS
                        && let Some(oldest) = open.pop_front()
                    {
                        oldest.abort();
                    }
                    open.push_back(tokio::spawn(serve(stream, Arc::clone(&site))).abort_handle());
                }
                // Files may have run out for a moment.
                Ok(Err(_)) => sleep(TICK).await,
                Err(_) => {}
            }
        }
        Ok(())
    }
}

/// Answers the requests of one connection. What goes wrong with it concerns nobody else.
async fn serve(stream: TcpStream, site: Arc<Site>) {
    let answer = service_fn(|request| async { Ok::<_, Infallible>(site.answer(request).await) });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(MOST_HEAD);
    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
}
