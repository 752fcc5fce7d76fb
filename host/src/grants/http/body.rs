//! The body of an answer, as much of it and as long as it may take.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};
use wasmtime_wasi_http::Error;

use crate::{engine::Identity, limits::Limit};

pub(super) struct Received {
    body: Incoming,
    identity: Arc<Identity>,
    left: usize,
    deadline: Instant,
    /// How long a frame may take, by the guest's own wish.
    pause: Option<Duration>,
    /// When the next frame is late.
    late: Pin<Box<Sleep>>,
}

impl Received {
    pub(super) fn new(
        body: Incoming,
        identity: Arc<Identity>,
        deadline: Instant,
        pause: Option<Duration>,
    ) -> Self {
        let late = pause.map_or(deadline, |pause| deadline.min(Instant::now() + pause));
        Self {
            body,
            left: identity.limits.outgoing_bytes,
            identity,
            deadline,
            pause,
            late: Box::pin(sleep_until(late)),
        }
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let frame = match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(Error::Hyper(error)))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {
                std::task::ready!(this.late.as_mut().poll(context));
                if Instant::now() >= this.deadline {
                    this.identity.usage.deny(Limit::OutgoingTimeout);
                }
                return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
            }
        };
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(left) = this.left.checked_sub(length) else {
            this.identity.usage.deny(Limit::OutgoingBytes);
            let most = this.identity.limits.outgoing_bytes as u64;
            return Poll::Ready(Some(Err(Error::HttpResponseBodySize(Some(most)))));
        };
        this.left = left;
        if let Some(pause) = this.pause {
            let late = this.deadline.min(Instant::now() + pause);
            this.late.as_mut().reset(late);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
