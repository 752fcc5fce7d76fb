//! The metrics page: deadline → scrape → compress → headers.

use std::{sync::Arc, time::Instant};

use ::http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONTENT_ENCODING};

use super::{
    compress::{Gzip, wants_gzip},
    deadline, reply,
};
use crate::host::{Body, Host};

/// Text format 0.0.4. Prometheus 3 refuses a page whose type it cannot parse.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn page(host: &Host, gzip: &Arc<Gzip>, headers: &HeaderMap) -> Response<Body> {
    let deadline = Instant::now() + deadline::time_to_answer(headers);
    let page = host.scrape(deadline).await;
    if wants_gzip(headers)
        && let Some(compressed) = gzip.compress(page.clone()).await
    {
        let mut response = reply::bytes(StatusCode::OK, CONTENT_TYPE, compressed);
        let encoding = HeaderValue::from_static("gzip");
        response.headers_mut().insert(CONTENT_ENCODING, encoding);
        return response;
    }
    reply::bytes(StatusCode::OK, CONTENT_TYPE, page)
}
