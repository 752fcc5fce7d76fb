//! What a scraper gets for its `Accept`, beside what prometheus/common would choose.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, judges};

const PROTOBUF: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily";

/// Of Prometheus 1 to 3, of browsers and tools, and broken ones.
fn known() -> Vec<String> {
    let mut known: Vec<String> = [
        "",
        "*/*",
        "*",
        "text/*",
        "application/*;q=0.9,text/plain;q=0.1",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
        "application/json",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        "text/plain;version=0.0.4;q=1,*/*;q=0.1",
        "application/openmetrics-text;version=2.0.0,text/plain;q=0.1",
        ",,,",
        ";",
        "/",
        "text",
        "text/",
        "/plain",
        "text/plain/x",
        "text/plain;",
        "text/plain;;version=0.0.4",
        "text/plain;version",
        "text/plain;version=",
        "text / plain ; version = 0.0.4",
        "TEXT/PLAIN",
        "text/plain;VERSION=9",
        "text/plain;version=0.0.4;version=0.0.5,application/openmetrics-text;q=0.1",
        "text/plain;q=x,application/openmetrics-text;q=0.1",
        "text/plain;q=,application/openmetrics-text;q=0.1",
        "text/plain;q=-1,application/openmetrics-text;q=0.1",
        "text/plain;q=2,application/openmetrics-text",
        "text/plain;q=0.5;q=0.1,application/openmetrics-text;q=0.3",
    ]
    .map(str::to_owned)
    .to_vec();
    for encoding in ["delimited", "text", "compact-text", "json", ""] {
        for rest in [
            "",
            ";q=0.7,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
            ",application/openmetrics-text;q=0.8",
        ] {
            known.push(format!("{PROTOBUF};encoding={encoding}{rest}"));
        }
    }
    known
}

/// Lists of up to four clauses, each of a type and a weight, drawn by a small generator of fixed seed.
fn generated() -> Vec<String> {
    let types = [
        "text/plain",
        "text/plain;version=0.0.4",
        "text/plain;version=1.0.0;escaping=allow-utf-8",
        "application/openmetrics-text",
        "application/openmetrics-text;version=0.0.1",
        "application/openmetrics-text;version=1.0.0;escaping=values",
        "application/openmetrics-text;version=7",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
        "application/vnd.google.protobuf;encoding=compact-text;proto=io.prometheus.client.MetricFamily",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
        "application/vnd.google.protobuf;proto=other;encoding=delimited",
        "application/json",
        "*/*",
        "text/*",
        "broken",
    ];
    let weights = [
        "", ";q=1", ";q=0.9", ";q=0.5", ";q=0.50", "; q=0.2", ";q=0", ";q=0.0", ";q=.3", ";q=none",
    ];
    let mut state = 1_u64;
    let mut below = |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % bound
    };
    (0..600)
        .map(|_| {
            let clauses = (0..=below(4)).map(|_| {
                format!(
                    "{}{}",
                    types[below(types.len())],
                    weights[below(weights.len())]
                )
            });
            let clauses: Vec<_> = clauses.collect();
            clauses.join([",", ", "][below(2)])
        })
        .collect()
}

/// The header as the judge has to read it. Where it and Meterbox differ, on purpose:
///
/// - Debian's prometheus/common is older than OpenMetrics 1.0.0 there, and knows 0.0.1 alone; newer ones know both.
/// - It gives who says `q=0` what was refused, if nothing else fits. To refuse is RFC 9110's meaning of it.
/// - It does not know `escaping=`, so only formats are compared.
fn as_the_judge_knows(accept: &str) -> String {
    let is_refused = |clause: &&str| {
        let weights = clause
            .split(';')
            .filter_map(|part| part.trim().strip_prefix("q="));
        weights
            .into_iter()
            .any(|weight| weight.parse() == Ok(0.0_f32))
    };
    let clauses: Vec<_> = accept
        .split(',')
        .filter(|clause| !is_refused(clause))
        .collect();
    openmetrics(&clauses.join(","))
}

fn openmetrics(text: &str) -> String {
    let newer = text.replace(
        "openmetrics-text;version=1.0.0",
        "openmetrics-text;version=0.0.1",
    );
    newer.replace(
        "openmetrics-text; version=1.0.0",
        "openmetrics-text; version=0.0.1",
    )
}

#[test]
fn formats_are_those_of_prometheus_common() -> Result<()> {
    let Some(judge) = judges::find_optional("negotiate")? else {
        return Ok(());
    };
    let mut accepts = known();
    accepts.extend(generated());
    let asked: String = accepts
        .iter()
        .map(|accept| as_the_judge_knows(accept) + "\n")
        .collect();
    let said = judges::ask(&judge, &[], &asked)?;
    ensure!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    let said = String::from_utf8(said.stdout)?;
    let theirs: Vec<_> = said.lines().collect();
    assert_eq!(theirs.len(), accepts.len());

    let host = Meterbox::new().start()?;
    let mut formats = BTreeSet::new();
    for (accept, theirs) in accepts.iter().zip(theirs) {
        let response = host.request("GET", "/metrics", &[("accept", accept)])?;
        let content_type = response.header("content-type");
        let (format, _) = content_type
            .split_once("; escaping=")
            .context("no escaping")?;
        assert_eq!(openmetrics(format), theirs, "{accept}");
        formats.insert(format.to_owned());
    }
    // All six were asked for.
    assert_eq!(formats.len(), 6, "{formats:#?}");
    Ok(())
}
