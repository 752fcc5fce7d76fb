//! Whole responses from bytes that are at hand.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use ::http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE},
};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full};

use crate::host::{Body, BoxError};

/// A response with its length, which a router that embeds us could otherwise only guess for HEAD.
pub(crate) fn bytes(
    status: StatusCode,
    content_type: HeaderValue,
    content: impl Into<Bytes>,
) -> Response<Body> {
    let content = content.into();
    let length = HeaderValue::from(content.len());
    let body = Full::new(content)
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut response = of_type(content_type, body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

/// A 200 whose length is not known yet.
pub(super) fn of_type(content_type: HeaderValue, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

pub(crate) fn text(status: StatusCode, content: impl Into<Bytes>) -> Response<Body> {
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    bytes(status, content_type, content)
}

pub(super) fn method_not_allowed() -> Response<Body> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed\n");
    let allow = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(ALLOW, allow);
    response
}

/// The answer to HEAD: what GET would say, with the same headers.
pub(super) fn without_body(response: Response<Body>) -> Response<Body> {
    let has_length = response.headers().contains_key(CONTENT_LENGTH);
    response.map(|_| {
        if has_length {
            Empty::new().map_err(|never| match never {}).boxed_unsync()
        } else {
            UnknownLength.boxed_unsync()
        }
    })
}

/// No data, and no promise about it: a router or server that sees an empty body would say `content-length: 0`.
struct UnknownLength;

impl http_body::Body for UnknownLength {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(None)
    }
}
