//! The status pages: all plugins, one plugin, and a search in metrics, as HTML that needs no script, and as JSON.
//!
//! Both are made of the same [`PluginStatus`](crate::PluginStatus), which is read where it is kept: a page costs whoever asks
//! for it, and no collect. What plugins have said of themselves is hostile: `maud` escapes it, [`show::plain`] takes the teeth
//! out of control characters, everything has a bound, and the policy of the pages lets nothing run and nothing be loaded.

mod api;
mod layout;
mod overview;
mod parts;
mod plugin;
mod search;
mod show;
#[cfg(test)]
mod tests;

use ::http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
};
use maud::Markup;
use serde_json::Value;

use self::{layout::Site, overview::Overview};
use crate::{
    config::{API_PATH, LANDING_PATH, PLUGINS_PATH},
    host::{Body, Host},
    http::reply,
};

/// Families that a page or a document lists; of more it tells the number.
const MOST_FAMILIES: usize = 100;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// All plugins, or a search in metrics.
    Overview,
    /// The plugin of this name.
    Plugin(String),
    /// All plugins as JSON.
    ApiPlugins,
    /// The plugin of this name as JSON.
    ApiPlugin(String),
}

impl Target {
    /// What is at this path, without the prefix of all paths; it may be a plugin that there is not.
    pub(crate) fn at(path: &str) -> Option<Self> {
        // Names of plugins need no decoding.
        let name = |rest: &str| rest.to_owned();
        if path == LANDING_PATH {
            Some(Self::Overview)
        } else if let Some(rest) = path.strip_prefix(PLUGINS_PATH) {
            Some(Self::Plugin(name(rest)))
        } else {
            match path.strip_prefix(API_PATH)? {
                "" => Some(Self::ApiPlugins),
                rest => rest.strip_prefix('/').map(name).map(Self::ApiPlugin),
            }
        }
    }
}

/// The answer to GET.
pub(crate) fn page(host: &Host, target: &Target, query: Option<&str>) -> Response<Body> {
    match target {
        Target::Overview => {
            let site = Site::new(host, ".");
            match search::words(query) {
                Some(words) => {
                    let found = search::Found::new(host, &words);
                    html(StatusCode::OK, search::page(&site, &found))
                }
                None => html(StatusCode::OK, overview::page(&site, &Overview::new(host))),
            }
        }
        Target::Plugin(name) => {
            let site = Site::new(host, "..");
            match host.plugin(name) {
                Some(status) => {
                    let families = search::Found::of_plugin(host, name);
                    html(StatusCode::OK, plugin::page(&site, &status, &families))
                }
                None => html(StatusCode::NOT_FOUND, layout::not_found(&site)),
            }
        }
        Target::ApiPlugins => json(StatusCode::OK, &api::plugins(&host.plugins())),
        Target::ApiPlugin(name) => match host.plugin(name) {
            Some(status) => {
                let families = search::Found::of_plugin(host, name);
                json(StatusCode::OK, &api::plugin(&status, &families))
            }
            None => json(StatusCode::NOT_FOUND, &api::not_found()),
        },
    }
}

fn html(status: StatusCode, page: Markup) -> Response<Body> {
    let content_type = HeaderValue::from_static("text/html; charset=utf-8");
    let mut response = reply::bytes(status, content_type, page.into_string());
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, layout::POLICY.clone());
    let same_origin = HeaderValue::from_static("same-origin");
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        same_origin,
    );
    guarded(response)
}

fn json(status: StatusCode, document: &Value) -> Response<Body> {
    let content_type = HeaderValue::from_static("application/json");
    guarded(reply::bytes(status, content_type, document.to_string()))
}

/// What holds for both: it is what it says, it is old at once, and it tells no other site of itself.
fn guarded(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
