//! A connection of its own for each request: one of the addresses that were checked, TLS if it is https, HTTP/1.1.

use std::{future::Future, net::SocketAddr, pin::Pin};

use http::{Request, Uri};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use wasmtime_wasi_http::{Error, Result, WasiBody};

use super::{Wanted, tls};

/// Bytes of the head of an answer.
const MOST_HEAD: usize = 128 << 10;

/// A connection that waits for its request.
pub(super) struct Peer {
    pub(super) sender: SendRequest<WasiBody>,
    /// To be polled as long as anything is to happen.
    pub(super) connection: Connection,
}

pub(super) type Connection = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// Connects to the first address that answers.
pub(super) async fn open(wanted: &Wanted, addresses: &[SocketAddr]) -> Result<Peer> {
    let mut failed = None;
    for address in addresses {
        let stream = match TcpStream::connect(address).await {
            Ok(stream) => stream,
            Err(error) => {
                failed = Some(error);
                continue;
            }
        };
        // A request is sent at once or not at all.
        let _ = stream.set_nodelay(true);
        return match wanted.is_https {
            true => shake_hands(tls::connect(&wanted.host, stream).await?).await,
            false => shake_hands(stream).await,
        };
    }
    Err(failed.map_or(Error::DestinationNotFound, Error::Connect))
}

async fn shake_hands(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Peer> {
    let builder = Builder::new().max_buf_size(MOST_HEAD).clone();
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    Ok(Peer {
        sender,
        connection: Box::pin(connection),
    })
}

/// A request as a server has it: the path alone. The host is in its header, which a guest cannot set.
pub(super) fn origin_form(request: Request<WasiBody>) -> Request<WasiBody> {
    let (mut head, body) = request.into_parts();
    let path = head.uri.path_and_query().cloned();
    let path = path.unwrap_or_else(|| http::uri::PathAndQuery::from_static("/"));
    head.uri = Uri::from(path);
    Request::from_parts(head, body)
}
