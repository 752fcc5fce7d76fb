//! From addresses to streams.

use std::{
    future::poll_fn,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    task::Poll,
    time::Duration,
};

use tokio::net::TcpListener;

use super::socket::{Listener, Stream, bind_unix};
use crate::config::unix_path;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// The address as it was configured.
    pub address: String,
    pub(super) source: io::Error,
}

/// Listens on every address, in this order; on none if one fails.
///
/// An address is `HOST:PORT`; a name is resolved, and its first address that can be bound is taken. `:PORT` means every
/// interface. `unix:///PATH` is a socket of Unix, with mode 0660; one that nobody listens on any more is replaced, and it is
/// removed in the end.
pub async fn bind(addresses: &[String]) -> Result<Vec<Listener>, BindError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        let listener = bind_one(address).await.map_err(|source| BindError {
            address: address.clone(),
            source,
        })?;
        listeners.push(listener);
    }
    Ok(listeners)
}

async fn bind_one(address: &str) -> io::Result<Listener> {
    match unix_path(address) {
        Some(path) => bind_unix(path),
        None => Ok(bind_tcp(address).await?.into()),
    }
}

async fn bind_tcp(address: &str) -> io::Result<TcpListener> {
    let port = address.strip_prefix(':').map(str::parse::<u16>);
    if let Some(Ok(port)) = port {
        // The first takes IPv4 as well; the second is for machines without IPv6.
        let every_interface: [SocketAddr; 2] = [
            (Ipv6Addr::UNSPECIFIED, port).into(),
            (Ipv4Addr::UNSPECIFIED, port).into(),
        ];
        return TcpListener::bind(&every_interface[..]).await;
    }
    TcpListener::bind(address).await
}

/// Takes streams from all listeners in turn.
#[derive(Debug)]
pub(super) struct Acceptor {
    listeners: Vec<Listener>,
    /// Where to look first, so that a busy listener does not starve the next.
    next: usize,
    /// The wait after the next error of the machine.
    backoff: Duration,
}

const SHORTEST_BACKOFF: Duration = Duration::from_millis(5);
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);

impl Acceptor {
    pub(super) fn new(listeners: Vec<Listener>) -> Self {
        Self {
            listeners,
            next: 0,
            backoff: SHORTEST_BACKOFF,
        }
    }

    /// The next stream, its peer, and where it came in. Errors are waited out, since no error of `accept` ends a listener.
    pub(super) async fn accept(&mut self) -> (Stream, IpAddr, &Listener) {
        loop {
            match self.try_accept().await {
                Ok((stream, peer, index)) => {
                    self.backoff = SHORTEST_BACKOFF;
                    return (stream, peer, &self.listeners[index]);
                }
                Err(error) if concerns_one_peer(&error) => {
                    tracing::debug!(%error, "a peer left before it was accepted");
                }
                // Out of file descriptors or memory: trying again at once would only spin.
                Err(error) => {
                    tracing::warn!(%error, retry_after = ?self.backoff, "cannot accept connections");
                    tokio::time::sleep(self.backoff).await;
                    self.backoff = (self.backoff * 2).min(LONGEST_BACKOFF);
                }
            }
        }
    }

    async fn try_accept(&mut self) -> io::Result<(Stream, IpAddr, usize)> {
        let count = self.listeners.len();
        let (index, accepted) = poll_fn(|cx| {
            for index in (self.next..count).chain(0..self.next) {
                if let Poll::Ready(accepted) = self.listeners[index].poll_accept(cx) {
                    return Poll::Ready((index, accepted));
                }
            }
            Poll::Pending
        })
        .await;
        self.next = (index + 1) % count;
        accepted.map(|(stream, peer)| (stream, peer, index))
    }
}

fn concerns_one_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
