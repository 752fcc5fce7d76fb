//! The metrics page: query → scrape → filter → render → compress → headers.

use std::time::Instant;

use ::http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONTENT_ENCODING};
use http_body_util::BodyExt;
use meterbox_body::{CompressError, Compressors, Frames, PageBody};
use meterbox_metrics::encode::{Escaping, Format};

use super::{
    admission::Admission,
    deadline,
    negotiate::{self, Coding},
    query::Filter,
    reply,
};
use crate::host::{Body, Host};

/// What metrics pages share.
#[derive(Debug)]
pub(super) struct Metrics {
    admission: Admission,
    compressors: Compressors,
}

impl Metrics {
    pub(super) fn new(host: &Host) -> Self {
        Self {
            admission: Admission::new(host.http_metrics().clone(), host.web()),
            compressors: Compressors::default(),
        }
    }

    pub(super) async fn page(
        &self,
        host: &Host,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Response<Body> {
        self.admission
            .answer(self.scrape(host, query, headers))
            .await
    }

    async fn scrape(
        &self,
        host: &Host,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Response<Body> {
        let deadline = Instant::now() + deadline::time_to_answer(headers);
        let filter = match Filter::parse(query, |name| host.has_collector(name)) {
            Ok(filter) => filter,
            Err(refusal) => return refusal.response(),
        };
        let mut page = host.gather(deadline, |plugin| filter.plugin(plugin)).await;
        if !filter.has_all_families() {
            page.retain(|family| filter.family(family));
        }
        let page = page.with_created_lines(host.web().created_lines);
        let (format, escaping) = negotiate::format(headers);
        let mut frames = page.frames(format, escaping);
        host.http_metrics().dropped(frames.dropped());
        // The frames hold what they need of it.
        drop(page);
        let wire = Wire {
            format,
            escaping,
            coding: negotiate::coding(headers),
        };
        wire.response(Box::new(move |out| frames.append(out)), &self.compressors)
            .unwrap_or_else(|error| failed(&error))
    }
}

/// promhttp's answer where a page cannot be made.
fn failed(error: &CompressError) -> Response<Body> {
    tracing::error!(%error, "no metrics page");
    let text = format!("An error has occurred while serving metrics:\n\n{error}\n");
    reply::text(StatusCode::INTERNAL_SERVER_ERROR, text)
}

/// How a page goes out.
#[derive(Clone, Copy, Debug)]
struct Wire {
    format: Format,
    escaping: Escaping,
    coding: Coding,
}

impl Wire {
    fn response(
        self,
        frames: Frames,
        compressors: &Compressors,
    ) -> Result<Response<Body>, CompressError> {
        let content_type = HeaderValue::try_from(self.format.content_type(self.escaping))
            .unwrap_or(HeaderValue::from_static(
                "text/plain; version=0.0.4; charset=utf-8",
            ));
        let of_lines = self.format.is_lines();
        let mut response = match PageBody::begin(frames, self.coding, of_lines, compressors)? {
            PageBody::Whole(page) => reply::bytes(StatusCode::OK, content_type, page),
            PageBody::Streamed(body) => reply::of_type(content_type, body.boxed_unsync()),
        };
        if self.coding != Coding::Identity {
            let coding = HeaderValue::from_static(self.coding.name());
            response.headers_mut().insert(CONTENT_ENCODING, coding);
        }
        Ok(response)
    }
}
