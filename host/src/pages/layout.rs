//! What all pages have in common: the frame, the style, and the policy that lets nothing else in.

use std::{sync::LazyLock, time::SystemTime};

use ::http::HeaderValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::{search::LONGEST_SEARCH, show};
use crate::{
    config::{API_PATH, HEALTHY_PATH, READY_PATH},
    host::Host,
};

const STYLE: &str = include_str!("style.css");

/// Nothing is loaded, nothing runs, and of styles only the one of the page counts.
pub(super) static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// Where a page is, and when it was made.
pub(super) struct Site {
    /// What links begin with: the path of the external URL, or a relative one, which also holds where a router mounted us below
    /// a prefix, or a proxy hides one.
    base: String,
    telemetry_path: String,
    pub(super) now: SystemTime,
}

impl Site {
    /// Of a page from which the root is at `relative`.
    pub(super) fn new(host: &Host, relative: &str) -> Self {
        Self {
            base: host
                .web()
                .external_path()
                .unwrap_or_else(|| relative.to_owned()),
            telemetry_path: host.telemetry_path().to_owned(),
            now: SystemTime::now(),
        }
    }

    /// The link to one of the exporter's paths.
    pub(super) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The link to the metrics, of this query.
    pub(super) fn metrics(&self, query: &[(&str, &str)]) -> String {
        let link = self.link(&self.telemetry_path);
        if query.is_empty() {
            return link;
        }
        let mut text = form_urlencoded::Serializer::new(String::new());
        format!("{link}?{}", text.extend_pairs(query).finish())
    }
}

/// A page. `search` is what stands in the field.
pub(super) fn page(site: &Site, title: &str, search: &str, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    a.brand href=(site.link("/")) { "Meterbox" }
                    nav aria-label="Pages" {
                        a href=(site.link("/")) { "Plugins" }
                        a href=(site.metrics(&[])) { "Metrics" }
                        a href=(site.link(API_PATH)) { "JSON" }
                        a href=(site.link(HEALTHY_PATH)) { "Health" }
                        a href=(site.link(READY_PATH)) { "Readiness" }
                    }
                    form role="search" method="get" action=(site.link("/")) {
                        label.hidden for="search" { "Search metrics by name or help" }
                        input #search type="search" name="search" value=(show::typed(search)) maxlength=(LONGEST_SEARCH)
                            placeholder="Search metrics" autocomplete="off" spellcheck="false";
                        button { "Search" }
                    }
                }
                main { (content) }
                footer {
                    p {
                        "Meterbox " (env!("CARGO_PKG_VERSION")) ", as of "
                        time datetime=(show::time(site.now)) { (show::time(site.now)) }
                        ". Its documents tell more: docs/http.md and docs/api.md about these pages, docs/metrics.md, "
                        "docs/limits.md, docs/grants.md and docs/config.md about what is on them."
                    }
                }
            }
        }
    }
}

/// For a plugin that there is not.
pub(super) fn not_found(site: &Site) -> Markup {
    page(
        site,
        "No such plugin · Meterbox",
        "",
        html! {
            h1 { "No such plugin" }
            p { "The config that runs has no plugin of this name. " a href=(site.link("/")) { "All plugins" } }
        },
    )
}
