//! One connection: HTTP/1 over a stream that does not wait for ever.

use std::{convert::Infallible, error::Error, time::Duration};

use ::http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

/// What hyper buffers at most of what it reads, and what it gathers before it writes, in bytes. A head that does not fit is
/// answered with 431; a target of more than 64 KiB in one that does, with 414.
const BUFFER: usize = 128 << 10;

/// What is the same for all connections.
#[derive(Debug)]
pub(super) struct Connections<S> {
    http: http1::Builder,
    service: S,
    write_timeout: Duration,
}

impl<S> Connections<S> {
    pub(super) fn new(service: S, limits: &super::Limits) -> Self {
        let mut http = http1::Builder::new();
        // hyper starts this timer when it begins to wait for a head, so it closes idle connections as well.
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.read_timeout)
            .max_buf_size(BUFFER)
            // A peer that has said all it had to say (`nc -N`) still wants its answer. One that is gone altogether looks
            // the same until something is sent to it; a scrape is finished for it, as promhttp does.
            .half_close(true);
        Self {
            http,
            service,
            write_timeout: limits.write_timeout,
        }
    }

    /// Serves one stream until it ends, or until `graceful` finishes its last request.
    pub(super) fn open<B>(
        &self,
        stream: TcpStream,
        graceful: &GracefulShutdown,
    ) -> impl Future<Output = hyper::Result<()>> + Send + use<S, B>
    where
        S: tower_service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send + 'static,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let mut stream = TimeoutStream::new(stream);
        // Writes only: while an answer is being made nothing is read, and a long scrape would look like a stall.
        stream.set_write_timeout(Some(self.write_timeout));
        let io = TokioIo::new(Box::pin(stream));
        let service = TowerToHyperService::new(self.service.clone());
        graceful.watch(self.http.serve_connection(io, service))
    }
}
