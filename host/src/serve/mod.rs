//! Sockets: listen, accept, bound, time out, drain.
//!
//! What a peer cannot do: hold a connection without asking for anything ([`Limits::read_timeout`]), hold one without
//! taking its response ([`Limits::write_timeout`]), open more than [`Limits::max_connections_per_peer`], or make a
//! connection hold more than a few buffers of 128 KiB (with HTTP/2: eight of them). A TLS handshake has the time of a head. A
//! long scrape is none of these: between the head of a request and
//! the first byte of its response no timer runs here. docs/reliability.md has the whole list, with figures.
//!
//! The service is any tower service; with [`crate::Host::service`] it is the whole exporter.

mod activity;
mod connection;
mod listen;
mod peers;
mod socket;
mod systemd;
#[cfg(test)]
mod tests;
mod tls;

use std::{convert::Infallible, error::Error, sync::Arc, time::Duration};

use ::http::{Request, Response};
use hyper::body::Incoming;
use tokio::{
    sync::{Semaphore, watch},
    task::{JoinError, JoinSet},
};

use self::{connection::Connections, listen::Acceptor, peers::Peers};
pub use self::{
    listen::{BindError, bind},
    socket::Listener,
    systemd::systemd,
};
use crate::config::WebConfig;

/// What one server bears. The default is that of [`WebConfig`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time, over all listeners; more wait in the kernel's backlog. Zero serves none. Default: 512.
    pub max_connections: usize,
    /// Connections of one peer, which is an IPv4 address or an IPv6 /64; more are closed at once. Default: 384.
    pub max_connections_per_peer: usize,
    /// How long a peer may take for the head of a request, and a connection may stay idle before that. Default: 10 s.
    pub read_timeout: Duration,
    /// A peer that takes no byte of its response for this long is dropped. Default: 10 s.
    pub write_timeout: Duration,
    /// How long requests in flight may take to finish after the signal to stop; zero cuts them off. Default: 10 s.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self::from(&WebConfig::default())
    }
}

impl From<&WebConfig> for Limits {
    fn from(web: &WebConfig) -> Self {
        Self {
            max_connections: web.max_connections,
            max_connections_per_peer: web.connections_per_peer(),
            read_timeout: web.read_timeout,
            write_timeout: web.write_timeout,
            shutdown_grace: web.shutdown_grace,
        }
    }
}

/// Serves HTTP/1, and HTTP/2 to peers that choose it in a TLS handshake, on all listeners until `shutdown` completes; then
/// closes them, lets requests in flight finish within the grace, and returns.
///
/// Dropping the future closes everything at once.
pub async fn serve<S, B>(
    listeners: Vec<Listener>,
    service: S,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) where
    S: tower_service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (stop, stopped) = watch::channel(false);
    let connections = Connections::new(&limits);
    // Aborts what is left when it is dropped.
    let mut tasks = JoinSet::new();
    let accept = async {
        let mut acceptor = Acceptor::new(listeners);
        let permits = Arc::new(Semaphore::new(
            limits.max_connections.min(Semaphore::MAX_PERMITS),
        ));
        let peers = Peers::new(limits.max_connections_per_peer);
        // The semaphore is never closed: the loop has no other end than `shutdown`.
        while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
            let (stream, peer, listener) = acceptor.accept().await;
            while let Some(ended) = tasks.try_join_next() {
                report(ended);
            }
            let Some(place) = peers.enter(peer) else {
                continue;
            };
            let front = listener.front.clone();
            let connection =
                connections
                    .clone()
                    .run(stream, front, service.clone(), stopped.clone());
            tasks.spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%peer, error = chain(&*error), "connection dropped");
                }
                // In this order: whoever gets the permit finds the place free.
                drop(place);
                drop(permit);
            });
        }
    };
    // Leaving the block drops the acceptor, and with it the listeners: peers are refused from here on.
    tokio::select! {
        () = accept => {}
        () = shutdown => {}
    }
    tracing::info!(connections = tasks.len(), "draining");
    // Each connection holds a receiver.
    let _ = stop.send(true);
    let drained = async {
        while let Some(ended) = tasks.join_next().await {
            report(ended);
        }
    };
    if tokio::time::timeout(limits.shutdown_grace, drained)
        .await
        .is_err()
    {
        tracing::warn!("the grace is over; cutting off the requests that are left");
    }
}

/// A panic ends its own connection only.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
}

/// hyper's errors tell their cause only through `source`.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
