//! The HTTP edge: tower services over a [`Host`], without a socket.
//!
//! | path | methods | answer |
//! |---|---|---|
//! | `/`, `/plugins/NAME` | GET, HEAD | the status pages |
//! | `/api/v1/plugins`, `/api/v1/plugins/NAME` | GET, HEAD | the same as JSON |
//! | the telemetry path (`/metrics`) | GET, HEAD | one page of metrics in the format, the compression and the part that were asked for |
//! | `/-/healthy` | GET, HEAD | 200 as long as the process answers |
//! | `/-/ready` | GET, HEAD | 200, or 503 while shutting down |
//! | `/-/reload` | POST, PUT | 200 once the config is reloaded, 500 if it was refused; 403 unless enabled |
//! | `/probe` | GET, HEAD | what a plugin measures of a target, where the config lets a plugin probe |
//! | a plugin's route | any | what the plugin's handler answers |
//! | anything else | any | 404 |
//!
//! [`Service`] serves all of it, [`MetricsService`] the metrics page only, at whatever path it is mounted. Both can be
//! given to [`crate::serve`], to hyper, or to another router (axum: `route_service`, `nest_service`).
//!
//! Behind a prefix (`web.route-prefix`) all of them move, and `/` leads there. No header names a product or a version.

mod admission;
mod deadline;
#[cfg(test)]
mod fuzz;
mod health;
mod instrument;
mod lifecycle;
mod metrics;
mod negotiate;
mod plugin_route;
mod prefix;
mod probe;
mod query;
pub(crate) mod reply;
#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use ::http::{Method, Request, Response, StatusCode, request};
use bytes::Bytes;

pub(crate) use self::instrument::HttpMetrics;
use self::metrics::Metrics;
use crate::{
    config::{HEALTHY_PATH, LANDING_PATH, PROBE_PATH, READY_PATH, RELOAD_PATH},
    host::{Body, Host},
    pages::{self, Target},
};

/// What both services return. Dropping it abandons the answer, not the scrape that others may be waiting for.
pub type ResponseFuture =
    Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send + 'static>>;

impl Host {
    /// Everything in the route table of [`crate::http`].
    pub fn service(&self) -> Service {
        Service {
            pages: Arc::new(Pages::new(self)),
        }
    }

    /// The metrics page alone, for mounting in another router.
    pub fn metrics_service(&self) -> MetricsService {
        MetricsService {
            pages: Arc::new(Pages::new(self)),
        }
    }
}

/// The whole exporter as a tower service; see [`Host::service`]. Clones share one state.
#[derive(Clone, Debug)]
pub struct Service {
    pages: Arc<Pages>,
}

/// The metrics page as a tower service that answers at every path; see [`Host::metrics_service`]. Clones share one
/// state.
#[derive(Clone, Debug)]
pub struct MetricsService {
    pages: Arc<Pages>,
}

impl<B> tower_service::Service<Request<B>> for Service
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let pages = Arc::clone(&self.pages);
        Box::pin(async move { Ok(pages.route(request).await) })
    }
}

impl<B> tower_service::Service<Request<B>> for MetricsService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let pages = Arc::clone(&self.pages);
        let (head, _) = request.into_parts();
        Box::pin(async move { Ok(pages.own(Page::Metrics, &head).await) })
    }
}

/// What the clones of a service share.
#[derive(Debug)]
struct Pages {
    host: Host,
    metrics: Metrics,
    /// See [`crate::config::WebConfig::prefix`].
    prefix: String,
}

/// A page of the exporter itself.
#[derive(Clone, Debug)]
enum Page {
    Status(Target),
    Metrics,
    Probe,
    Healthy,
    Ready,
}

impl Pages {
    fn new(host: &Host) -> Self {
        Self {
            host: host.clone(),
            metrics: Metrics::new(host),
            prefix: host.web().prefix(),
        }
    }

    async fn route<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let path = request.uri().path();
        let Some(path) = path.strip_prefix(self.prefix.as_str()) else {
            return match path {
                LANDING_PATH => prefix::elsewhere(&self.host),
                _ => reply::text(StatusCode::NOT_FOUND, "Not found\n"),
            };
        };
        let page = match path {
            // The prefix alone, without the slash that relative links need.
            "" if !self.prefix.is_empty() => return prefix::elsewhere(&self.host),
            HEALTHY_PATH => Page::Healthy,
            READY_PATH => Page::Ready,
            PROBE_PATH if self.host.has_probes() => Page::Probe,
            RELOAD_PATH => return lifecycle::reload(&self.host, request.method()).await,
            path if path == self.host.telemetry_path() => Page::Metrics,
            path => match self.status(path) {
                Some(target) => Page::Status(target),
                None => {
                    return match self.host.route(path) {
                        Some(route) => plugin_route::handle(&route, request).await,
                        None => reply::text(StatusCode::NOT_FOUND, "Not found\n"),
                    };
                }
            },
        };
        let (head, _) = request.into_parts();
        self.own(page, &head).await
    }

    /// The status page at this path, if they are served.
    fn status(&self, path: &str) -> Option<Target> {
        Target::at(path).filter(|_| self.host.web().status)
    }

    async fn own(&self, page: Page, head: &request::Parts) -> Response<Body> {
        let method = &head.method;
        if method != Method::GET && method != Method::HEAD {
            return reply::method_not_allowed();
        }
        let response = match page {
            Page::Status(target) => pages::page(&self.host, &target, head.uri.query()),
            Page::Metrics => {
                let query = head.uri.query();
                self.metrics.page(&self.host, query, &head.headers).await
            }
            Page::Probe => probe::answer(&self.host, &self.metrics, head).await,
            Page::Healthy => health::healthy(),
            Page::Ready => health::ready(self.host.is_ready()),
        };
        if method == Method::HEAD {
            reply::without_body(response)
        } else {
            response
        }
    }
}
