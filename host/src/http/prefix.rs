//! What stands before all paths.

use ::http::{HeaderValue, Response, StatusCode, header::LOCATION};

use super::reply;
use crate::host::{Body, Host};

/// To the status page, for whoever came to the root, or forgot the last slash.
pub(super) fn elsewhere(host: &Host) -> Response<Body> {
    let web = host.web();
    let path = format!("{}/", web.external_path().unwrap_or_else(|| web.prefix()));
    let Ok(location) = HeaderValue::from_str(&path) else {
        return reply::text(StatusCode::NOT_FOUND, "Not found\n");
    };
    let mut response = reply::text(StatusCode::FOUND, "Found\n");
    response.headers_mut().insert(LOCATION, location);
    response
}
