//! HTTP routes of a plugin: each request gets an instance of its own, so that a slow handler delays nobody.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use tokio::sync::oneshot;
use wasmtime_wasi_http::{
    Error as HttpError, WasiHttpView,
    p2::bindings::http::types::{ErrorCode, Scheme},
};

use super::{
    Plugin,
    instance::{Instance, bounded},
    worker::report,
};
use crate::{
    engine::{Fault, FaultKind},
    host::{self, BoxError},
    http::reply,
};

/// The export that serves routes, for messages.
const EXPORT: &str = "handle";

/// A response that is larger than this is a fault of the plugin.
const MOST_RESPONSE_BYTES: usize = 8 << 20;

impl Plugin {
    /// Hands a request to a fresh instance. What the instance counted is committed before its response is given out.
    pub(crate) async fn handle(
        self: Arc<Self>,
        request: Request<host::Body>,
    ) -> Response<host::Body> {
        // The permits are never closed.
        let _permit = self.route_permits.acquire().await;
        // A task of its own: if the peer goes away the guest still ends in order.
        let plugin = Arc::clone(&self);
        let task = tokio::spawn(async move { plugin.answer(request).await });
        let outcome = task.await.unwrap_or_else(|crash| {
            Err(Fault::new(
                FaultKind::Trap,
                EXPORT,
                format!("the host crashed in it: {crash}"),
            ))
        });
        outcome.unwrap_or_else(|fault| {
            self.metrics.fault(fault.kind);
            report(&self.name, &fault);
            // What exactly went wrong is the operator's business.
            let (status, text) = match fault.kind {
                FaultKind::Deadline => (StatusCode::GATEWAY_TIMEOUT, "The plugin took too long\n"),
                _ => (StatusCode::BAD_GATEWAY, "The plugin failed\n"),
            };
            reply::text(status, text)
        })
    }

    async fn answer(&self, request: Request<host::Body>) -> Result<Response<host::Body>, Fault> {
        let mut instance = self.template.again(&self.scope).await?;
        let response = call(&mut instance, self, request).await?;
        instance.commit();
        self.metrics.series.set(self.scope.series() as f64);
        Ok(response)
    }
}

async fn call(
    instance: &mut Instance,
    plugin: &Plugin,
    request: Request<host::Body>,
) -> Result<Response<host::Body>, Fault> {
    let crash =
        |error: wasmtime::Error| Fault::new(FaultKind::Contract, EXPORT, format!("{error:#}"));
    let limit = plugin.template.identity().timeout;
    let Some((store, handler)) = instance.handler() else {
        return Err(Fault::new(
            FaultKind::Contract,
            EXPORT,
            "there is no such export",
        ));
    };
    let (sender, receiver) = oneshot::channel();
    let request = request.map(|body| body.map_err(peer_error));
    let mut context = store.data_mut().http();
    let request = context
        .new_incoming_request(Scheme::Http, request)
        .map_err(crash)?;
    let out = context.new_response_outparam(sender).map_err(crash)?;
    let called = handler.call_handle(&mut *store, request, out);
    // The guest may wait for its body to be taken, so both go on side by side.
    let both = async {
        let (called, response) = tokio::join!(called, receive(receiver));
        called.map(|()| response)
    };
    bounded(EXPORT, limit, both).await?
}

/// Takes the whole response.
async fn receive(
    receiver: oneshot::Receiver<
        Result<Response<wasmtime_wasi_http::p2::body::HyperOutgoingBody>, ErrorCode>,
    >,
) -> Result<Response<host::Body>, Fault> {
    let fault = |kind, message: String| Fault::new(kind, EXPORT, message);
    let response = match receiver.await {
        Ok(Ok(response)) => response,
        Ok(Err(code)) => return Err(fault(FaultKind::Error, format!("{code:?}"))),
        Err(_) => return Err(fault(FaultKind::Contract, "it gave no response".to_owned())),
    };
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, MOST_RESPONSE_BYTES)
        .collect()
        .await
        .map_err(|error| {
            fault(
                FaultKind::Contract,
                format!("its response body broke off: {error}"),
            )
        })?;
    let body = http_body_util::Full::new(body.to_bytes()).map_err(|never| match never {});
    Ok(Response::from_parts(parts, body.boxed_unsync()))
}

/// What a guest is told when its peer's body breaks off.
fn peer_error(error: BoxError) -> HttpError {
    tracing::debug!(error, "a request body broke off");
    HttpError::ConnectionTerminated
}
