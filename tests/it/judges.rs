//! Programs that others wrote read our pages.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Client, Meterbox, PATIENCE, Page, Process, Prometheus, files, judges, until};

/// The demo's page, once everything that ticks has ticked.
fn demo_page() -> Result<String> {
    let host = Meterbox::demo().start()?;
    until(PATIENCE, || {
        let text = host.get("/metrics")?.text()?;
        let page = Page::parse(&text)?;
        for name in [
            "ep1_counter",
            "request_duration_seconds_count",
            "request_latency_seconds_count",
        ] {
            ensure!(page.number(name, &[])? > 0.0, "{name} has not begun");
        }
        page.number("temperature_celsius", &[])?;
        Ok(text)
    })
}

/// promtool's complaints; fails where it cannot parse the page.
fn promtool(program: &Path, page: &str) -> Result<BTreeSet<String>> {
    let output = judges::ask(program, &["check", "metrics"], page)?;
    let complaints = String::from_utf8(output.stderr)?;
    // 3: parsed, with complaints.
    ensure!(
        matches!(output.status.code(), Some(0 | 3)),
        "{}: {complaints}",
        output.status
    );
    Ok(complaints.lines().map(str::to_owned).collect())
}

#[test]
fn promtool_finds_nothing() -> Result<()> {
    let Some(program) = judges::find("promtool")? else {
        return Ok(());
    };
    let page = demo_page()?;
    // Two demos carry names that are given: a tutorial's counter, and node_exporter's, which the kernel's keys make.
    let mut given = BTreeSet::from([
        "ep1_counter counter metrics should have \"_total\" suffix".to_owned(),
        "ep1_counter metric name should not include type 'counter'".to_owned(),
    ]);
    let is_camel = |name: &str| {
        name.as_bytes()
            .windows(2)
            .any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase())
    };
    for family in Page::parse(&page)?.families {
        if family.name.starts_with("node_memory_") && is_camel(&family.name) {
            given.insert(format!(
                "{} metric names should be written in 'snake_case' not 'camelCase'",
                family.name
            ));
        }
    }
    assert_eq!(promtool(&program, &page)?, given);
    Ok(())
}

/// That promtool would find something.
#[test]
fn promtool_sees_faults() -> Result<()> {
    let Some(program) = judges::find("promtool")? else {
        return Ok(());
    };
    assert_eq!(promtool(&program, "# TYPE a gauge\na 1\n")?.len(), 1);
    ensure!(
        promtool(&program, "# TYPE a gauge\na one\n").is_err(),
        "it reads words as values"
    );
    Ok(())
}

#[test]
fn the_shipped_prometheus_config_is_valid() -> Result<()> {
    let Some(program) = judges::find("promtool")? else {
        return Ok(());
    };
    let config = files::root().join("deploy/prometheus/prometheus.yml");
    let output = judges::ask(
        &program,
        &["check", "config", &config.to_string_lossy()],
        "",
    )?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Name, labels, value (its bits, so that NaN equals itself) and type.
type Read = (String, BTreeMap<String, String>, u64, String);

#[test]
fn python_reads_the_same_samples() -> Result<()> {
    let Some(python) = judges::python()? else {
        return Ok(());
    };
    let page = demo_page()?;
    let script = files::root().join("tests/fixtures/parse.py");
    let output = judges::ask(&python, &[&script.to_string_lossy()], &page)?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut theirs: BTreeSet<Read> = BTreeSet::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let (name, labels, value, kind): (_, _, String, _) = serde_json::from_str(line)?;
        theirs.insert((name, labels, bits(value.parse()?), kind));
    }
    let mut ours: BTreeSet<Read> = BTreeSet::new();
    for family in Page::parse(&page)?.families {
        for sample in family.samples {
            // Its model is that of OpenMetrics, where a counter always has the suffix.
            let lacks = family.kind == "counter" && !sample.name.ends_with("_total");
            let name = sample.name + if lacks { "_total" } else { "" };
            ours.insert((name, sample.labels, bits(sample.value), family.kind.clone()));
        }
    }
    ensure!(ours.len() > 100, "only {} samples", ours.len());
    let differing: Vec<_> = ours.symmetric_difference(&theirs).collect();
    ensure!(differing.is_empty(), "{differing:#?}");
    Ok(())
}

/// One pattern for all NaN.
fn bits(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        value.to_bits()
    }
}

#[test]
fn prometheus_scrapes_and_answers() -> Result<()> {
    let Some(program) = judges::find("prometheus")? else {
        return Ok(());
    };
    let host = Meterbox::demo().start()?;
    let server = Prometheus::start(&program, host.address())?;
    until(PATIENCE, || {
        let target = server.target()?;
        ensure!(
            target["health"] == "up" && target["lastError"] == "",
            "{target}"
        );
        ensure!(server.scalar("up")? == 1.0, "not up");
        Ok(())
    })?;
    until(PATIENCE, || {
        for (query, answer) in [
            ("http_requests_total{code=\"404\",method=\"POST\"}", 42.0),
            ("http_requests_total{code=\"200\",method=\"GET\"}", 1e6),
            ("pond_temperature_celsius_bucket{le=\"30.0\"}", 501.0),
            ("summary_pond_temperature_celsius_count", 1000.0),
            ("count({__name__=~\"memory_.*_bytes\"})", 3.0),
            ("min(meterbox_plugin_collect_success)", 1.0),
            ("count(meterbox_plugin_up == 1)", 9.0),
        ] {
            let found = server.scalar(query)?;
            ensure!(found == answer, "{query} is {found}, not {answer}");
        }
        // What Prometheus makes of a few seconds: 5 ticks each, more or less one at either end.
        let rate = server.scalar("rate(ep1_counter[10s])")?;
        ensure!((3.0..=7.0).contains(&rate), "{rate} a second");
        let celsius = server.scalar("temperature_celsius")?;
        ensure!((20.0..30.0).contains(&celsius), "{celsius} degrees");
        Ok(())
    })?;
    // Every sample of the page was stored.
    let shown = host.scrape()?.samples().count() as f64;
    let stored = server.scalar("scrape_samples_scraped")?;
    ensure!(
        (stored - shown).abs() <= 8.0,
        "{stored} samples stored of {shown}"
    );
    Ok(())
}

/// Values of the kernel's file that stay as they are while a machine runs.
const FIXED: [&str; 9] = [
    "MemTotal_bytes",
    "SwapTotal_bytes",
    "CommitLimit_bytes",
    "VmallocTotal_bytes",
    "Hugepagesize_bytes",
    "HugePages_Total",
    "HugePages_Free",
    "HugePages_Rsvd",
    "HugePages_Surp",
];

#[cfg(target_os = "linux")]
#[test]
fn meminfo_is_node_exporters() -> Result<()> {
    let Some(program) = judges::find("node_exporter")? else {
        return Ok(());
    };
    let mut node_exporter = Process::start(Command::new(program).args([
        "--web.listen-address=127.0.0.1:0",
        "--collector.disable-defaults",
        "--collector.meminfo",
    ]))?;
    let peer = Client::new(node_exporter.listening()?);
    let theirs = Page::parse(&peer.get("/metrics")?.text()?)?;
    let ours = Meterbox::demo().start()?.scrape()?;
    let heads = |page: &Page| -> Vec<_> {
        let families = page
            .families
            .iter()
            .filter(|family| family.name.starts_with("node_memory_"));
        families
            .map(|family| {
                (
                    family.name.clone(),
                    family.kind.clone(),
                    family.help.clone(),
                )
            })
            .collect()
    };
    ensure!(
        heads(&theirs).len() > 20,
        "node_exporter shows only {}",
        heads(&theirs).len()
    );
    assert_eq!(heads(&ours), heads(&theirs));
    let mut compared = 0;
    for sample in theirs.samples() {
        let Some(key) = sample.name.strip_prefix("node_memory_") else {
            continue;
        };
        if FIXED.contains(&key) {
            assert_eq!(ours.printed(&sample.name, &[]), sample.printed, "{key}");
            compared += 1;
        }
    }
    ensure!(compared >= 4, "only {compared} values compared");
    Ok(())
}

/// That Python's parser would find something.
#[test]
fn python_refuses_nonsense() -> Result<()> {
    let Some(python) = judges::python()? else {
        return Ok(());
    };
    let script = files::root().join("tests/fixtures/parse.py");
    let output =
        judges::ask(&python, &[&script.to_string_lossy()], "a{b=\"c} 1\n").context("it runs")?;
    ensure!(!output.status.success(), "it reads an open quote");
    Ok(())
}
