//! What every request for metrics passes: the limit of requests in flight, the handler's time limit, and the count.

#[cfg(test)]
mod tests;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ::http::{HeaderName, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    instrument::{HttpMetrics, InFlight},
    reply,
};
use crate::{
    config::WebConfig,
    host::{Body, BoxError},
    own,
};

/// When this process started, in whole seconds since 1970: promhttp's header, by which a scraper may tell a restart.
const PROCESS_START: HeaderName = HeaderName::from_static("process-start-time-unix");

/// The door of the metrics page; one for each service.
#[derive(Debug)]
pub(super) struct Admission {
    metrics: HttpMetrics,
    limit: Option<Limit>,
    timeout: Option<Duration>,
    process_start: HeaderValue,
}

#[derive(Debug)]
struct Limit {
    free: Arc<Semaphore>,
    most: usize,
}

impl Admission {
    pub(super) fn new(metrics: HttpMetrics, config: &WebConfig) -> Self {
        let most = config.max_requests.min(Semaphore::MAX_PERMITS);
        Self {
            metrics,
            limit: (most > 0).then(|| Limit {
                free: Arc::new(Semaphore::new(most)),
                most,
            }),
            timeout: config.request_timeout,
            process_start: HeaderValue::from(process_start()),
        }
    }

    /// Answers with `answer`, or 503 if too many do already, or if it takes too long, and then drops it.
    ///
    /// The place is held until the body has gone out. The time limit ends with the head of the response: once the page
    /// flows, it is the peer that takes its time.
    pub(super) async fn answer(
        &self,
        answer: impl Future<Output = Response<Body>>,
    ) -> Response<Body> {
        let mut in_flight = self.metrics.enter();
        let mut permit = None;
        let full = self.limit.as_ref().and_then(|limit| {
            permit = Arc::clone(&limit.free).try_acquire_owned().ok();
            permit.is_none().then(|| too_many(limit.most))
        });
        let mut response = match (full, self.timeout) {
            (Some(full), _) => full,
            (None, None) => answer.await,
            (None, Some(timeout)) => tokio::time::timeout(timeout, answer)
                .await
                .unwrap_or_else(|_| too_slow(timeout)),
        };
        response
            .headers_mut()
            .insert(PROCESS_START, self.process_start.clone());
        in_flight.answered(response.status());
        response.map(|body| {
            Admitted {
                body,
                _in_flight: in_flight,
                _permit: permit,
            }
            .boxed_unsync()
        })
    }
}

fn too_many(most: usize) -> Response<Body> {
    let text = format!("Limit of concurrent requests reached ({most}), try again later.\n");
    reply::text(StatusCode::SERVICE_UNAVAILABLE, text)
}

fn too_slow(timeout: Duration) -> Response<Body> {
    let text = format!("Exceeded configured timeout of {timeout:?}.\n");
    reply::text(StatusCode::SERVICE_UNAVAILABLE, text)
}

/// The value that the page has as `process_start_time_seconds`, without its fraction; where the system does not tell, the
/// time of this call.
fn process_start() -> u64 {
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    };
    own::start_time()
        .map_or_else(now, Duration::from_secs_f64)
        .as_secs()
}

/// A body that keeps its request in flight.
struct Admitted {
    body: Body,
    _in_flight: InFlight,
    _permit: Option<OwnedSemaphorePermit>,
}

impl http_body::Body for Admitted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
