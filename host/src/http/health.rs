//! What orchestrators ask. Neither answer depends on a plugin: a broken one must not restart the exporter.

use ::http::{Response, StatusCode};

use super::reply;
use crate::host::Body;

pub(super) fn healthy() -> Response<Body> {
    reply::text(StatusCode::OK, "Healthy\n")
}

pub(super) fn ready(is_ready: bool) -> Response<Body> {
    if is_ready {
        reply::text(StatusCode::OK, "Ready\n")
    } else {
        reply::text(StatusCode::SERVICE_UNAVAILABLE, "Not ready\n")
    }
}
