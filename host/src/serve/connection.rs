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
            .header_read_timeout(limits.read_timeout);
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
        // Writes only: hyper reads all along, to learn that a peer has left, and a long scrape would look like a stall.
        stream.set_write_timeout(Some(self.write_timeout));
        let io = TokioIo::new(Box::pin(stream));
        let service = TowerToHyperService::new(self.service.clone());
        graceful.watch(self.http.serve_connection(io, service))
    }
}
