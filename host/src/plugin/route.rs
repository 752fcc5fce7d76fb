//! HTTP routes of a plugin: each request gets an instance of its own, so that a slow handler delays nobody.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::oneshot;
use wasmtime_wasi_http::{
    Error as HttpError, WasiHttpView,
    p2::bindings::http::types::{ErrorCode, Scheme},
};

use super::{Plugin, instance::Instance, lane, recovery::PluginState};
use crate::{
    engine::{Fault, FaultKind, Identity, guard},
    host::{self, BoxError},
    http::reply,
    limits::Limit,
};

/// The export that serves routes, for messages.
pub(super) const EXPORT: &str = "handle";

impl Plugin {
    /// Hands a request to a fresh instance. What the instance counted is committed before its response is given out.
    pub(crate) async fn handle(
        self: Arc<Self>,
        request: Request<host::Body>,
    ) -> Response<host::Body> {
        if self.state() == PluginState::Quarantined {
            return reply::text(
                StatusCode::SERVICE_UNAVAILABLE,
                "The plugin is quarantined\n",
            );
        }
        let Identity { limits, usage, .. } = &**self.template.identity();
        let permit = Arc::clone(&self.route_permits).acquire_owned();
        // An error would be that the permits were closed, which they never are.
        let Ok(Ok(permit)) = tokio::time::timeout(limits.timeout, permit).await else {
            usage.deny(Limit::Requests);
            return reply::text(StatusCode::SERVICE_UNAVAILABLE, "The plugin is busy\n");
        };
        // A task of its own: if the peer goes away the guest still ends in order, and counts as long as it runs.
        let plugin = Arc::clone(&self);
        let task = tokio::spawn(lane::run(async move {
            let answer = guard(EXPORT, plugin.answer(request)).await;
            drop(permit);
            answer.unwrap_or_else(|fault| plugin.failed(fault))
        }));
        task.await.ok().flatten().unwrap_or_else(|| {
            // It was cancelled with its runtime.
            reply::text(StatusCode::SERVICE_UNAVAILABLE, "The exporter stops\n")
        })
    }

    fn failed(&self, fault: Fault) -> Response<host::Body> {
        // What exactly went wrong is the operator's business.
        let (status, text) = match fault.kind {
            FaultKind::Deadline | FaultKind::Cpu => {
                (StatusCode::GATEWAY_TIMEOUT, "The plugin took too long\n")
            }
            _ => (StatusCode::BAD_GATEWAY, "The plugin failed\n"),
        };
        self.journal.fault(fault);
        reply::text(status, text)
    }

    async fn answer(&self, request: Request<host::Body>) -> Result<Response<host::Body>, Fault> {
        let mut instance = self.template.again(&self.scope).await?;
        let response = call(&mut instance, self, request).await?;
        instance.commit();
        self.metrics
            .collector
            .series
            .set(self.scope.series() as f64);
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
    let identity = Arc::clone(plugin.template.identity());
    let Some((call, store, handler)) = instance.handler() else {
        let message = "there is no such export";
        return Err(Fault::new(FaultKind::Contract, EXPORT, message));
    };
    let (sender, receiver) = oneshot::channel();
    let request = request.map(|body| body.map_err(peer_error));
    let mut context = store.data_mut().http();
    let request = context
        .new_incoming_request(Scheme::Http, request)
        .map_err(crash)?;
    let out = context.new_response_outparam(sender).map_err(crash)?;
    let (calling, returned) = oneshot::channel::<()>();
    let called = async {
        handler.call_handle(&mut *store, request, out).await?;
        drop(calling);
        Ok::<_, wasmtime::Error>(())
    };
    let response = async { Ok::<_, wasmtime::Error>(receive(receiver, returned, &identity).await) };
    // The guest may wait for its body to be taken, so both go on side by side; if it traps, neither does.
    let both = async { tokio::try_join!(called, response).map(|((), response)| response) };
    let ended = call.run(both).await;
    instance.judge(EXPORT, ended)?
}

/// Takes the whole response. `returned` ends when the guest has returned.
async fn receive(
    receiver: oneshot::Receiver<
        Result<Response<wasmtime_wasi_http::p2::body::HyperOutgoingBody>, ErrorCode>,
    >,
    returned: oneshot::Receiver<()>,
    identity: &Identity,
) -> Result<Response<host::Body>, Fault> {
    let limits = &identity.limits;
    let fault = |kind, message: String| Fault::new(kind, EXPORT, message);
    // What the guest did not use of the request lives as long as its store: only its return says that there is no response.
    let response = tokio::select! {
        biased;
        response = receiver => response.ok(),
        _ = returned => None,
    };
    let response = match response {
        Some(Ok(response)) => response,
        Some(Err(code)) => {
            let said = format!("{code:?}");
            return Err(Fault::said(EXPORT, &identity.secrets.mask(&said, false)));
        }
        None => return Err(fault(FaultKind::Contract, "it gave no response".to_owned())),
    };
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, limits.response_bytes);
    let body = body.collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            return Fault::limit(Limit::ResponseBytes, EXPORT, limits);
        }
        let message = format!("its response body broke off: {error}");
        fault(FaultKind::Contract, message)
    })?;
    let body = http_body_util::Full::new(body.to_bytes()).map_err(|never| match never {});
    Ok(Response::from_parts(parts, body.boxed_unsync()))
}

/// What a guest is told when its peer's body breaks off.
fn peer_error(error: BoxError) -> HttpError {
    tracing::debug!(error, "a request body broke off");
    HttpError::ConnectionTerminated
}
