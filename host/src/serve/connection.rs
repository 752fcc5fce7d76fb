//! One connection: HTTP over a stream that does not wait for ever.

use std::{convert::Infallible, error::Error, pin::pin, time::Duration};

use ::http::{Request, Response};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;

use super::{
    activity::{Activity, Watched},
    socket::Stream,
    tls::{self, Handshake},
};
use crate::front::Front;

/// What hyper buffers at most of what it reads, and what it gathers before it writes, in bytes. A head that does not fit is
/// answered with 431; a target of more than 64 KiB in one that does, with 414.
const BUFFER: usize = 128 << 10;

/// Requests at one time on a connection of HTTP/2, each of which may hold a piece of a page. A scraper has one.
const STREAMS: u32 = 8;

/// What is buffered for each of them before the peer takes it, in bytes.
const STREAM_BUFFER: usize = 64 << 10;

pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// What is the same for all connections.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    read_timeout: Duration,
    write_timeout: Duration,
}

impl Connections {
    pub(super) fn new(limits: &super::Limits) -> Self {
        let mut http1 = http1::Builder::new();
        // hyper starts this timer when it begins to wait for a head, so it closes idle connections as well.
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(limits.read_timeout)
            .max_buf_size(BUFFER)
            // A peer that has said all it had to say (`nc -N`) still wants its answer. One that is gone altogether looks
            // the same until something is sent to it; a scrape is finished for it, as promhttp does.
            .half_close(true);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_send_buf_size(STREAM_BUFFER);
        Self {
            http1,
            http2,
            read_timeout: limits.read_timeout,
            write_timeout: limits.write_timeout,
        }
    }

    /// Serves one stream until it ends; once `stop` says so, until its last request is finished.
    pub(super) async fn run<S, B>(
        self,
        stream: Stream,
        front: Option<Front>,
        service: S,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), BoxError>
    where
        S: tower_service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send + 'static,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let mut stream = TimeoutStream::new(stream);
        // Writes only: while an answer is being made nothing is read, and a long scrape would look like a stall.
        stream.set_write_timeout(Some(self.write_timeout));
        let stream = Box::pin(stream);
        let Some(front) = front else {
            return self.http1(stream, service, stop).await;
        };
        let handshake = tokio::time::timeout(self.read_timeout, tls::accept(stream, &front));
        let stream = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            stream = handshake => stream.map_err(|_| "no TLS handshake in time")??,
        };
        match stream {
            Handshake::Http1(stream) => self.http1(stream, service, stop).await,
            Handshake::Http2(stream) => self.http2(stream, service, stop).await,
            Handshake::NotTls => Err("HTTP without TLS".into()),
        }
    }

    async fn http1<I, S, B>(
        &self,
        stream: I,
        service: S,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), BoxError>
    where
        I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
        S: tower_service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send + 'static,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let service = TowerToHyperService::new(service);
        let mut connection = pin!(self.http1.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            ended = connection.as_mut() => return Ok(ended?),
            _ = stop.wait_for(|stop| *stop) => {}
        }
        connection.as_mut().graceful_shutdown();
        Ok(connection.await?)
    }

    /// hyper has no limits of time for HTTP/2; [`Activity`] keeps those of HTTP/1.
    async fn http2<I, S, B>(
        &self,
        stream: I,
        service: S,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), BoxError>
    where
        I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
        S: tower_service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send + 'static,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let activity = Activity::new();
        let service = TowerToHyperService::new(Watched::new(service, &activity));
        let mut connection = pin!(self.http2.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            ended = connection.as_mut() => return Ok(ended?),
            _ = stop.wait_for(|stop| *stop) => {}
            () = activity.ceases(self.read_timeout, self.write_timeout) => {}
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            ended = connection.as_mut() => Ok(ended?),
            // A second time: what goes on now is what was under way, or a peer that does not leave.
            () = activity.ceases(self.read_timeout, self.write_timeout) => {
                Err("it asked for nothing, or did not take its response, in time".into())
            }
        }
    }
}
