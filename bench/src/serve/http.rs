//! hyper on tokio with two workers: the server of every crate that has none, rendering on the worker.

use std::{
    convert::Infallible,
    net::TcpListener,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::{
    Request, Response,
    body::{Body, Frame, Incoming},
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;

use meterbox_body::{Compressors, PageBody, StreamBody};

use crate::{
    coding::{Coding, Method},
    compress::Pool,
    peers::{Name, Page, Peer},
};

/// The query with which careful gzip is asked for; on the wire it is gzip like any other.
pub const CAREFUL: &str = "careful";

/// Serves until the process ends.
pub fn serve(listener: TcpListener, name: Name, peer: Arc<dyn Peer>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_io()
        .build()?;
    runtime.block_on(async {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let pools = Arc::<Pools>::default();
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            let (peer, pools) = (Arc::clone(&peer), Arc::clone(&pools));
            let service = service_fn(move |request| {
                let response = respond(&request, name, Arc::clone(&peer), &pools);
                async { Ok::<_, Infallible>(response) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    })
}

/// What is used again from page to page.
#[derive(Default)]
struct Pools {
    peers: [Arc<Pool>; Coding::ALL.len()],
    meterbox: Compressors,
}

type Reply = Either<Full<Bytes>, Either<Pieces, StreamBody>>;

fn respond(
    request: &Request<Incoming>,
    name: Name,
    peer: Arc<dyn Peer>,
    pools: &Pools,
) -> Response<Reply> {
    let coding = wanted(request);
    let method = Method::of(name, coding);
    let mut page = peer.page();
    if let Some(method) = method {
        let pool = &pools.peers[coding as usize];
        // In memory, with a state that is sound: nothing can fail.
        page = pool.encode(method, page).expect("compressed");
    }
    let mut response = Response::new(match page {
        Page::Whole(page) => Either::Left(Full::from(page)),
        Page::Pieces(pieces) => Either::Right(Either::Left(Pieces(pieces))),
        Page::Frames(frames) => {
            let body = PageBody::begin(frames, coding.of_meterbox(), true, &pools.meterbox);
            match body.expect("compressed") {
                PageBody::Whole(page) => Either::Left(Full::from(page)),
                PageBody::Streamed(body) => Either::Right(Either::Right(body)),
            }
        }
    });
    let headers = response.headers_mut();
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    headers.insert(CONTENT_TYPE, text);
    if method.is_some() || name == Name::Meterbox && coding != Coding::Identity {
        let coding = HeaderValue::from_static(coding.token());
        headers.insert(CONTENT_ENCODING, coding);
    }
    response
}

fn wanted(request: &Request<Incoming>) -> Coding {
    let accept = request.headers().get(ACCEPT_ENCODING);
    match accept.map(HeaderValue::as_bytes) {
        Some(b"gzip") if request.uri().query() == Some(CAREFUL) => Coding::CarefulGzip,
        Some(b"gzip") => Coding::Gzip,
        Some(b"zstd") => Coding::Zstd,
        _ => Coding::Identity,
    }
}

/// A body that is rendered as fast as the socket takes it.
struct Pieces(Box<dyn Iterator<Item = Vec<u8>> + Send>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece.into()))))
    }
}
