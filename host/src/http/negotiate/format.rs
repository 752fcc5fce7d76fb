//! `Accept` → wire format and escaping.

use ::http::{HeaderMap, header::ACCEPT};
use meterbox_metrics::encode::{Escaping, Format};

use super::accept::{Clause, clauses};

/// The format that the peer likes best of those that are offered, as `NegotiateIncludingOpenMetrics` of
/// prometheus/common chooses.
///
/// A wildcard matches nothing, so that browsers and curl fall through to text 0.0.4: they must never be sent protobuf.
/// Names are escaped as the last clause says that was looked at, also when that clause asked for a format which we do
/// not have: Prometheus 3 says `escaping=` with the newest version of each format only.
pub(in crate::http) fn format(headers: &HeaderMap) -> (Format, Escaping) {
    // Several lines are one list (RFC 9110, 5.3). Bytes beyond ASCII can only be in what is skipped anyway.
    let lines: Vec<_> = headers
        .get_all(ACCEPT)
        .iter()
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    let mut escaping = Escaping::default();
    for clause in clauses(&lines.join(",")) {
        let said = clause.parameter("escaping");
        if let Some(known) = Escaping::ALL.into_iter().find(|known| known.name() == said) {
            escaping = known;
        }
        if let Some(format) = offered(&clause) {
            return (format, escaping);
        }
    }
    (Format::Text, escaping)
}

/// What a clause names, if we have it. A version that we do not know is another format.
fn offered(clause: &Clause<'_>) -> Option<Format> {
    let version = clause.parameter("version");
    if clause.is("text", "plain") {
        return matches!(version, "" | "0.0.4").then_some(Format::Text);
    }
    if clause.is("application", "openmetrics-text") {
        return match version {
            "1.0.0" => Some(Format::OpenMetrics100),
            "" | "0.0.1" => Some(Format::OpenMetrics001),
            _ => None,
        };
    }
    let is_family = clause.is("application", "vnd.google.protobuf")
        && clause.parameter("proto") == "io.prometheus.client.MetricFamily";
    match clause.parameter("encoding") {
        "delimited" if is_family => Some(Format::ProtobufDelimited),
        "text" if is_family => Some(Format::ProtobufText),
        "compact-text" if is_family => Some(Format::ProtobufCompactText),
        _ => None,
    }
}
