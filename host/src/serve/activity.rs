//! Whether something goes on in a connection of HTTP/2.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use ::http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower_service::Service;

/// What the requests of one connection are doing. Clones share one state.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// Requests whose answer has not begun. They may take what they need.
    computing: usize,
    /// Responses that are being taken.
    sending: usize,
    /// When a request came in, or the peer took a part of a response.
    last: Instant,
}

impl Activity {
    pub(super) fn new() -> Self {
        let state = State {
            computing: 0,
            sending: 0,
            last: Instant::now(),
        };
        let state = Arc::new(Mutex::new(state));
        Self { state }
    }

    /// Completes when the peer has asked for nothing for the one duration, or has taken nothing of its responses for the
    /// other.
    pub(super) async fn ceases(&self, idle: Duration, stalled: Duration) {
        let mut since = Instant::now();
        loop {
            let end = {
                let state = self.state();
                let patience = if state.sending > 0 { stalled } else { idle };
                since = since.max(state.last);
                if state.computing > 0 {
                    // Looked at again when it may have ended.
                    Instant::now() + patience
                } else {
                    since + patience
                }
            };
            if end <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(end.into()).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, what: impl FnOnce(&mut State)) {
        let mut state = self.state();
        what(&mut state);
        state.last = Instant::now();
    }
}

/// A service and the responses of it, watched.
#[derive(Clone, Debug)]
pub(super) struct Watched<T> {
    inner: T,
    activity: Activity,
}

impl<T> Watched<T> {
    pub(super) fn new(inner: T, activity: &Activity) -> Self {
        Self {
            inner,
            activity: activity.clone(),
        }
    }
}

impl<S, R, B> Service<Request<R>> for Watched<S>
where
    S: Service<Request<R>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Taken<B>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        let computing = Computing::new(&self.activity);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?;
            Ok(response.map(|body| computing.sends(body)))
        })
    }
}

/// A request whose answer has not begun, until it is dropped.
struct Computing(Activity);

impl Computing {
    fn new(activity: &Activity) -> Self {
        activity.count(|state| state.computing += 1);
        Self(activity.clone())
    }

    fn sends<B>(self, body: B) -> Taken<B> {
        let activity = self.0.clone();
        activity.count(|state| state.sending += 1);
        Taken {
            body: Box::pin(body),
            activity,
        }
    }
}

impl Drop for Computing {
    fn drop(&mut self) {
        self.0.count(|state| state.computing -= 1);
    }
}

/// A body that is being taken, until it is dropped.
#[derive(Debug)]
pub(super) struct Taken<B> {
    body: Pin<Box<B>>,
    activity: Activity,
}

impl<B> Drop for Taken<B> {
    fn drop(&mut self) {
        self.activity.count(|state| state.sending -= 1);
    }
}

impl<B: Body> Body for Taken<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = self.body.as_mut().poll_frame(cx);
        if polled.is_ready() {
            self.activity.count(|_| {});
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(60);

    async fn is_over(activity: &Activity, idle: Duration, stalled: Duration) -> bool {
        let patience = Duration::from_secs(5)
            .min(idle.max(stalled) / 4)
            .max(SHORT * 4);
        tokio::time::timeout(patience, activity.ceases(idle, stalled))
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn each_state_has_its_own_patience() {
        let activity = Activity::new();
        assert!(is_over(&activity, SHORT, LONG).await, "nothing was asked");
        let computing = Computing::new(&activity);
        assert!(!is_over(&activity, SHORT, SHORT).await, "an answer is made");
        let taken = computing.sends(());
        assert!(
            !is_over(&activity, SHORT, LONG).await,
            "it may be taken yet"
        );
        assert!(is_over(&activity, LONG, SHORT).await, "nothing was taken");
        drop(taken);
        assert!(!is_over(&activity, LONG, SHORT).await, "all was taken");
    }
}
