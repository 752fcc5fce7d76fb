//! `POST /-/reload`, in the words of Prometheus.

use ::http::{HeaderValue, Method, Response, StatusCode, header::ALLOW};

use super::reply;
use crate::host::{Body, Host};

pub(super) async fn reload(host: &Host, method: &Method) -> Response<Body> {
    if method != Method::POST && method != Method::PUT {
        let text = "Only POST or PUT requests allowed";
        let mut response = reply::text(StatusCode::METHOD_NOT_ALLOWED, text);
        let allow = HeaderValue::from_static("POST, PUT");
        response.headers_mut().insert(ALLOW, allow);
        return response;
    }
    if !host.web().enable_lifecycle {
        return reply::text(StatusCode::FORBIDDEN, "Lifecycle API is not enabled.");
    }
    match host.reload().await {
        Ok(_) => reply::text(StatusCode::OK, ""),
        Err(error) => {
            let text = format!("failed to reload config: {error}\n");
            reply::text(StatusCode::INTERNAL_SERVER_ERROR, text)
        }
    }
}
