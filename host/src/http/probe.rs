//! `/probe`: what a plugin measures of a target that the scraper names, in the manner of blackbox_exporter.

use std::time::Instant;

use ::http::{Response, StatusCode, request};

use super::{deadline, metrics::Metrics, reply};
use crate::{
    host::{Body, Host},
    plugin::{ProbeRequest, Unasked},
};

/// A query that names no probe; its text is near blackbox_exporter's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("Target parameter is missing")]
    NoTarget,
    #[error("Plugin parameter is missing")]
    NoPlugin,
    #[error("{0} parameter must be specified once")]
    Twice(&'static str),
}

/// A query that names a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Query {
    plugin: String,
    target: String,
    /// All other parameters.
    parameters: Vec<(String, String)>,
}

pub(super) async fn answer(
    host: &Host,
    metrics: &Metrics,
    head: &request::Parts,
) -> Response<Body> {
    let response = respond(host, metrics, head).await;
    host.http_metrics().probed(response.status());
    response
}

async fn respond(host: &Host, metrics: &Metrics, head: &request::Parts) -> Response<Body> {
    let deadline = Instant::now() + deadline::time_to_answer(&head.headers);
    let bad = |text: String| reply::text(StatusCode::BAD_REQUEST, text + "\n");
    let Query {
        plugin,
        target,
        parameters,
    } = match Query::parse(head.uri.query().unwrap_or_default()) {
        Ok(query) => query,
        Err(refusal) => return bad(refusal.to_string()),
    };
    let request = ProbeRequest {
        target,
        parameters,
        deadline,
    };
    match host.probe(&plugin, request).await {
        None => bad(format!("Unknown plugin {plugin:?}")),
        Some(Ok(page)) => metrics.render(host, page, &head.headers),
        Some(Err(Unasked::NotEnabled)) => bad(format!(
            "Plugin {plugin:?} may not be asked for probes: its config does not say so"
        )),
        Some(Err(other)) => reply::text(StatusCode::SERVICE_UNAVAILABLE, format!("{other}\n")),
    }
}

impl Query {
    /// Reads a query, percent-encoded or not.
    fn parse(query: &str) -> Result<Self, Refusal> {
        let (mut plugin, mut target) = (None, None);
        let mut parameters = Vec::new();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            let (place, name) = match key.as_ref() {
                "target" => (&mut target, "Target"),
                "plugin" => (&mut plugin, "Plugin"),
                _ => {
                    parameters.push((key.into_owned(), value.into_owned()));
                    continue;
                }
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(Refusal::Twice(name));
            }
        }
        let is_given = |text: &String| !text.is_empty();
        Ok(Self {
            target: target.filter(is_given).ok_or(Refusal::NoTarget)?,
            plugin: plugin.filter(is_given).ok_or(Refusal::NoPlugin)?,
            parameters,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_the_plugins() {
        let query = Query::parse("a=1&target=https%3A%2F%2Fx%2F%3Fy%3D1&a=2+3&plugin=web&b");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            query,
            Ok(Query {
                plugin: "web".to_owned(),
                target: "https://x/?y=1".to_owned(),
                parameters: vec![pair("a", "1"), pair("a", "2 3"), pair("b", "")],
            })
        );
    }

    #[test]
    fn queries_that_name_no_probe() {
        for (query, refusal) in [
            ("", Refusal::NoTarget),
            ("plugin=a", Refusal::NoTarget),
            ("plugin=a&target=", Refusal::NoTarget),
            ("target=a", Refusal::NoPlugin),
            ("target=a&plugin=b&target=c", Refusal::Twice("Target")),
            ("plugin=a&plugin=a&target=c", Refusal::Twice("Plugin")),
        ] {
            assert_eq!(Query::parse(query), Err(refusal), "{query}");
        }
    }
}
