//! Around a service: rate limit, headers, users, in this order.

use std::{
    convert::Infallible,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use ::http::{
    HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS},
};
use tower_service::Service;

use super::Front;
use crate::{
    host::Body,
    http::{ResponseFuture, reply},
};

/// A tower service behind a [`Front`], or in the open where there is none.
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    service: S,
    front: Option<Front>,
    open_paths: Arc<[String]>,
}

impl<S> Guarded<S> {
    /// Puts the service behind it. Requests for `open_paths` (exact) are served without a question, even while the file is
    /// broken: whoever watches over the process would only restart it.
    pub fn new(
        service: S,
        front: Option<Front>,
        open_paths: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            service,
            front,
            open_paths: open_paths.into_iter().collect(),
        }
    }
}

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let service = self.service.clone();
        let is_open = |path| self.open_paths.iter().any(|open| open == path);
        let front = self
            .front
            .clone()
            .filter(|_| !is_open(request.uri().path()));
        let serve = async move |request| {
            let mut service = service;
            poll_fn(|cx| service.poll_ready(cx)).await?;
            service.call(request).await
        };
        let Some(front) = front else {
            return Box::pin(async move { serve(request).await });
        };
        Box::pin(async move { Ok(front.admit(request, serve).await) })
    }
}

type Answer = Result<Response<Body>, Infallible>;

impl Front {
    async fn admit<B, F>(
        &self,
        request: Request<B>,
        serve: impl FnOnce(Request<B>) -> F,
    ) -> Response<Body>
    where
        F: Future<Output = Answer>,
    {
        let Ok(settings) = self.settings().await else {
            return refusal(StatusCode::INTERNAL_SERVER_ERROR);
        };
        if !self.has_room() {
            return refusal(StatusCode::TOO_MANY_REQUESTS);
        }
        let authorization = request.headers().get(AUTHORIZATION);
        let is_allowed = settings.users.is_empty()
            || self.inner.users.allow(&settings.users, authorization).await;
        let mut response = if is_allowed {
            let Ok(response) = serve(request).await;
            response
        } else {
            let mut response = refusal(StatusCode::UNAUTHORIZED);
            let basic = HeaderValue::from_static("Basic");
            response.headers_mut().insert(WWW_AUTHENTICATE, basic);
            response
        };
        for (name, value) in &settings.headers {
            // What the service says itself stands.
            response
                .headers_mut()
                .entry(name)
                .or_insert_with(|| value.clone());
        }
        response
    }
}

/// In the words of Go's `http.Error`.
fn refusal(status: StatusCode) -> Response<Body> {
    let text = status.canonical_reason().unwrap_or_default();
    let mut response = reply::text(status, format!("{text}\n"));
    let nosniff = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}
