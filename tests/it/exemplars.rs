//! Exemplars: from a plugin, through every format, to those who read them.

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, Prometheus, TestHost, files, judges, until};
use serde_json::Value;

const OPENMETRICS: &str = "application/openmetrics-text;version=1.0.0";

fn host(keys: &str) -> Result<TestHost> {
    Meterbox::with("traced", "test/exemplars", keys).start()
}

fn page(host: &TestHost, accept: &str) -> Result<String> {
    let response = host.request("GET", "/metrics", &[("accept", accept)])?;
    ensure!(response.status == 200, "status {}", response.status);
    response.text()
}

/// What stands behind ` # ` in the line of a sample, without the time if the plugin gave none.
fn behind<'a>(page: &'a str, sample: &str) -> Result<Option<&'a str>> {
    let line = page.lines().find(|line| line.starts_with(sample));
    let line = line.with_context(|| format!("no {sample} in\n{page}"))?;
    Ok(line.split_once(" # ").map(|(_, exemplar)| exemplar))
}

fn seconds_now() -> Result<f64> {
    Ok(std::time::UNIX_EPOCH.elapsed()?.as_secs_f64())
}

#[test]
fn each_format_shows_what_it_can() -> Result<()> {
    let host = host("")?;
    let started = seconds_now()?;
    let text = page(&host, OPENMETRICS)?;
    let old = r#"{span_id="7",trace_id="old \"é\"\n"}"#;
    for (sample, wanted) in [
        (
            "latency_seconds_bucket{le=\"0.1\"}",
            Some(format!("{old} 0.05 1500000000.25")),
        ),
        ("latency_seconds_bucket{le=\"1.0\"}", None),
        (
            "sparse_seconds_bucket{le=\"+Inf\"}",
            Some(format!("{old} 8.0 1500000000.25")),
        ),
        ("requests_total{code=\"404\"}", None),
    ] {
        assert_eq!(behind(&text, sample)?, wanted.as_deref(), "{sample}");
    }
    // The host's time where the plugin has said none; of two the last.
    for (sample, wanted) in [
        ("requests_total{code=\"200\"}", r#"{trace_id="1"} 2.0 "#),
        (
            "latency_seconds_bucket{le=\"+Inf\"}",
            r#"{trace_id="1"} 30.0 "#,
        ),
    ] {
        let shown = behind(&text, sample)?.context("no exemplar")?;
        let time: f64 = shown.strip_prefix(wanted).context(sample)?.parse()?;
        ensure!(
            (started - 1.0..seconds_now()? + 1.0).contains(&time),
            "{shown}"
        );
    }
    ensure!(!page(&host, "text/plain;version=0.0.4")?.contains("trace_id"));

    let protobuf = page(
        &host,
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=compact-text",
    )?;
    let family = |name: &str| {
        let wanted = format!("name:\"{name}\"");
        protobuf
            .lines()
            .find(|line| line.starts_with(&wanted))
            .context(wanted)
    };
    let value = r#"value:2 timestamp:{seconds:"#;
    ensure!(family("requests_total")?.contains(value));
    // Three scrapes made 48 observations of four values; ten are kept, and the last one of +Inf.
    let sparse = family("sparse_seconds")?;
    assert_eq!(sparse.matches("exemplars:{").count(), 10);
    assert_eq!(sparse.matches(" exemplar:{").count(), 1);
    Ok(())
}

#[test]
fn they_outlive_a_trap_that_discards_its_own() -> Result<()> {
    let host = host("config = { trap = \"1\" }")?;
    let first = page(&host, OPENMETRICS)?;
    let second = page(&host, OPENMETRICS)?;
    let sample = "requests_total{code=\"200\"}";
    let shown = behind(&first, sample)?;
    ensure!(shown.is_some_and(|shown| shown.starts_with(r#"{trace_id="1"} 2.0 "#)));
    assert_eq!(behind(&second, sample)?, shown);
    let faults = host.scrape()?.number(
        "meterbox_plugin_faults_total",
        &[("plugin", "traced"), ("kind", "trap")],
    )?;
    ensure!(faults >= 1.0, "it has not trapped");
    Ok(())
}

#[test]
fn one_that_breaks_the_rules_costs_itself() -> Result<()> {
    let host = host("config = { bad = \"1\" }")?;
    let text = page(&host, OPENMETRICS)?;
    ensure!(behind(&text, "requests_total{code=\"200\"}")?.is_some());
    assert_eq!(behind(&text, "latency_seconds_bucket{le=\"1.0\"}")?, None);
    until(PATIENCE, || {
        let log = host.log().join("\n");
        ensure!(log.contains("129 characters"), "{log}");
        Ok(())
    })
}

#[test]
fn python_reads_them() -> Result<()> {
    let Some(python) = judges::python()? else {
        return Ok(());
    };
    let text = page(&host("")?, OPENMETRICS)?;
    let script = files::root().join("tests/fixtures/exemplars.py");
    let output = judges::ask(&python, &[&script.to_string_lossy()], &text)?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let read: Value = serde_json::from_slice(&output.stdout)?;
    let read = read.as_array().context("no list")?;
    assert_eq!(read.len(), 4, "{read:?}");
    let old = read.iter().find(|one| one["value"] == 0.05);
    let old = old.context("no exemplar of the first bucket")?;
    assert_eq!(old["labels"]["trace_id"], "old \"é\"\n");
    assert_eq!(old["timestamp"], 1_500_000_000.25);
    Ok(())
}

#[test]
fn prometheus_stores_them() -> Result<()> {
    let Some(program) = judges::find("prometheus")? else {
        return Ok(());
    };
    let host = host("")?;
    let args = ["--enable-feature=exemplar-storage"];
    let prometheus = Prometheus::start_with(&program, host.address(), &args)?;
    for (series, value) in [
        ("requests_total", "2"),
        ("latency_seconds_bucket{le=\"+Inf\"}", "30"),
    ] {
        until(PATIENCE, || {
            let found = prometheus.exemplars(series)?;
            let exemplar = found.first().context("nothing found yet")?["exemplars"][0].clone();
            ensure!(exemplar["value"] == value, "{found:?}");
            ensure!(exemplar["labels"]["trace_id"].is_string(), "{found:?}");
            Ok(())
        })?;
    }
    Ok(())
}
