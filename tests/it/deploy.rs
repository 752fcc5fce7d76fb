//! The files under `deploy/` ask for what is there: Prometheus evaluates every expression about a running exporter.

use std::{collections::BTreeSet, fs, process::Command};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, Prometheus, files, judges, until};
use serde_json::Value;

/// The metrics and matchers that an expression selects: `a_total{b="c"}` of `rate(a_total{b="c"}[5m])`.
///
/// A name is whatever has an underscore and is not called, and `up`.
fn selectors(expression: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_:$".contains(c);
    let mut found = BTreeSet::new();
    let mut rest = expression;
    while let Some(start) = rest.find(is_word) {
        rest = &rest[start..];
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        let is_name = (word.contains('_') || word == "up") && !word.starts_with('$');
        let matchers = match after.strip_prefix('{').and_then(|more| more.find('}')) {
            Some(end) => &after[..end + 2],
            None => "",
        };
        rest = &rest[matchers.len()..];
        if is_name && !after.starts_with('(') {
            found.insert(format!("{word}{matchers}"));
        }
    }
    found
}

/// Every `expr` of the dashboard, with its variables as they are at first.
fn dashboard() -> Result<Vec<String>> {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(expression)) = fields.get("expr") {
                    found.push(expression.clone());
                }
                fields.values().for_each(|value| walk(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let text = fs::read_to_string(files::root().join("deploy/grafana/meterbox.json"))?;
    let mut found = Vec::new();
    walk(&serde_json::from_str(&text)?, &mut found);
    let set = |expression: String| {
        let variables = [
            ("$job", "meterbox"),
            ("$instance", ".*"),
            ("$plugin", ".*"),
            ("$__rate_interval", "1m"),
        ];
        variables
            .iter()
            .fold(expression, |text, (name, value)| text.replace(name, value))
    };
    Ok(found.into_iter().map(set).collect())
}

#[test]
fn selectors_are_found() {
    let found = selectors(r#"sum by (plugin) (rate(a_total{b="c_d"}[5m])) / a_limit > 0 or up"#);
    let found: Vec<_> = found.iter().map(String::as_str).collect();
    assert_eq!(found, [r#"a_limit"#, r#"a_total{b="c_d"}"#, "up"]);
}

#[test]
fn alerts_and_dashboard_ask_for_what_is_there() -> Result<()> {
    let Some(program) = judges::find("prometheus")? else {
        return Ok(());
    };
    // Some series begin when there is something to count: a limit that is met, and a family that is refused.
    let host = Meterbox::with("greedy", "test/labels", "limits = { series = 3 }")
        .and("text", "test/text", "config = { say = \"clash\" }")
        .start()?;
    let prometheus = Prometheus::start(&program, host.address())?;
    // It answers 503 until it is ready.
    until(PATIENCE, || prometheus.scalar("up{job=\"meterbox\"}"))?;
    let alerts = prometheus.alerts()?;
    let panels = dashboard()?;
    ensure!(alerts.len() > 10, "only {} alerts", alerts.len());
    ensure!(panels.len() > 20, "only {} expressions", panels.len());
    for expression in alerts.iter().chain(&panels) {
        prometheus
            .query(expression)
            .with_context(|| format!("Prometheus refuses {expression}"))?;
        let wanted = selectors(expression);
        ensure!(!wanted.is_empty(), "{expression} asks for nothing");
        for selector in wanted {
            until(PATIENCE, || {
                let found = prometheus.query(&selector)?;
                ensure!(!found.is_empty(), "nothing is {selector}, of {expression}");
                Ok(())
            })?;
        }
    }
    Ok(())
}

#[test]
fn alerts_say_what_they_should() -> Result<()> {
    let Some(program) = judges::find("promtool")? else {
        return Ok(());
    };
    for arguments in [
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
    ] {
        let output = Command::new(&program)
            .args(arguments)
            .current_dir(files::root().join("deploy/prometheus"))
            .output()?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        ensure!(output.status.success(), "{arguments:?}: {said}");
    }
    Ok(())
}
