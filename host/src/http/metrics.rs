//! The metrics page: query → scrape → filter → render → compress → headers.

use std::{sync::Arc, time::Instant};

use ::http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONTENT_ENCODING};
use http_body_util::BodyExt;
use meterbox_body::{CompressError, Compressors, PageBody};
use meterbox_metrics::Page;

use super::{
    admission::Admission,
    deadline,
    negotiate::{self, Coding},
    query::Filter,
    reply,
};
use crate::{
    batch::{Wire, Written},
    host::{Body, Host},
};

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
        let shared = host
            .gather_shared(deadline, |plugin| filter.plugin(plugin))
            .await;
        let (format, escaping) = negotiate::format(headers);
        let wire = Wire {
            format,
            escaping,
            coding: negotiate::coding(headers),
        };
        let begin = || {
            let mut page = shared.page().clone();
            if !filter.has_all_families() {
                page.retain(|family| filter.family(family));
            }
            let page = page.with_created_lines(host.web().created_lines);
            self.begin(page, wire)
        };
        let begun = if filter.has_all_families() {
            let mut own = None;
            let write = || match begin() {
                (Ok(PageBody::Whole(bytes)), dropped) => Some(Written { bytes, dropped }),
                other => {
                    own = Some(other);
                    None
                }
            };
            match shared.written(wire, write).await {
                Some(Written { bytes, dropped }) => (Ok(PageBody::Whole(bytes)), dropped),
                None => own.unwrap_or_else(begin),
            }
        } else {
            begin()
        };
        // What is made of it holds what it needs.
        drop(shared);
        let (body, dropped) = begun;
        host.http_metrics().dropped(&dropped);
        match body {
            Ok(body) => response(wire, body),
            Err(error) => failed(&error),
        }
    }

    /// A page that nobody shares, as its scraper wants it.
    pub(super) fn render(&self, host: &Host, page: Page, headers: &HeaderMap) -> Response<Body> {
        let (format, escaping) = negotiate::format(headers);
        let wire = Wire {
            format,
            escaping,
            coding: negotiate::coding(headers),
        };
        let page = page.with_created_lines(host.web().created_lines);
        let (body, dropped) = self.begin(page, wire);
        host.http_metrics().dropped(&dropped);
        match body {
            Ok(body) => response(wire, body),
            Err(error) => failed(&error),
        }
    }

    /// Renders the page, or the beginning of a long one. Also says which families are not on it.
    fn begin(&self, page: Page, wire: Wire) -> (Result<PageBody, CompressError>, Arc<[String]>) {
        let mut frames = page.frames(wire.format, wire.escaping);
        let dropped = frames.dropped().into();
        // The frames hold what they need of it.
        drop(page);
        let frames = Box::new(move |out: &mut Vec<u8>| frames.append(out));
        let of_lines = wire.format.is_lines();
        let body = PageBody::begin(frames, wire.coding, of_lines, &self.compressors);
        (body, dropped)
    }
}

/// promhttp's answer where a page cannot be made.
fn failed(error: &CompressError) -> Response<Body> {
    tracing::error!(%error, "no metrics page");
    let text = format!("An error has occurred while serving metrics:\n\n{error}\n");
    reply::text(StatusCode::INTERNAL_SERVER_ERROR, text)
}

fn response(wire: Wire, body: PageBody) -> Response<Body> {
    let content_type = HeaderValue::try_from(wire.format.content_type(wire.escaping)).unwrap_or(
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    let mut response = match body {
        PageBody::Whole(page) => reply::bytes(StatusCode::OK, content_type, page),
        PageBody::Streamed(body) => reply::of_type(content_type, body.boxed_unsync()),
    };
    if wire.coding != Coding::Identity {
        let coding = HeaderValue::from_static(wire.coding.name());
        response.headers_mut().insert(CONTENT_ENCODING, coding);
    }
    response
}
