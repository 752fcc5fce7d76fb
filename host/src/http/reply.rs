//! Whole responses from bytes that are at hand.

use ::http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};

use crate::host::Body;

/// A response with its length, which a router that embeds us could otherwise only guess for HEAD.
pub(super) fn bytes(
    status: StatusCode,
    content_type: &'static str,
    content: impl Into<Bytes>,
) -> Response<Body> {
    let content = content.into();
    let length = HeaderValue::from(content.len());
    let body = Full::new(content)
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_LENGTH, length);
    response
}

pub(crate) fn text(status: StatusCode, content: &'static str) -> Response<Body> {
    bytes(status, "text/plain; charset=utf-8", content)
}

pub(super) fn method_not_allowed() -> Response<Body> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed\n");
    let allow = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(ALLOW, allow);
    response
}

/// The answer to HEAD: what GET would say, with the same headers.
pub(super) fn without_body(response: Response<Body>) -> Response<Body> {
    response.map(|_| Empty::new().map_err(|never| match never {}).boxed_unsync())
}
