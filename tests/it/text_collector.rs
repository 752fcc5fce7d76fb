//! Plugins that report as exposition text.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use meterbox_tests::{Meterbox, Page, files, judges};

fn saying(what: &str) -> Meterbox {
    Meterbox::with(
        "text",
        "test/text",
        &format!("config = {{ say = {what:?} }}"),
    )
}

fn of_plugin<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("plugin", "text")], more].concat()
}

#[test]
fn text_stands_beside_what_was_described() -> Result<()> {
    let keys = "prefix = \"my_\"\nlabels = { zone = \"a\" }";
    let host = Meterbox::with("text", "test/text", keys).start()?;
    let zone = ("zone", "a");
    for scrapes in 1..=3 {
        let page = host.scrape()?;
        let names: Vec<_> = page.plugin_families().map(|family| &*family.name).collect();
        let wanted = [
            "my_described_total",
            "my_text_calls_total",
            "my_text_latency_seconds",
            "my_text_requests_created",
            "my_text_requests_total",
        ];
        assert_eq!(names, wanted);
        for name in ["my_described_total", "my_text_calls_total"] {
            assert_eq!(page.number(name, &[zone])?, f64::from(scrapes), "{name}");
        }
        page.expect("my_text_requests_total", "counter", "Requests.")?;
        page.expect("my_text_latency_seconds", "histogram", "Latency.")?;
        let bucket = page.number("my_text_latency_seconds_bucket", &[("le", "0.5"), zone])?;
        assert_eq!(bucket, 1.0);
    }
    let series = host
        .scrape()?
        .number("meterbox_plugin_series", &of_plugin(&[]))?;
    assert_eq!(series, 6.0);
    let filtered = host.get("/metrics?name[]=my_text_calls_total")?.text()?;
    assert_eq!(Page::parse(&filtered)?.families.len(), 1);
    Ok(())
}

#[test]
fn openmetrics_is_told_by_its_end() -> Result<()> {
    let host = saying("openmetrics").start()?;
    let page = host.scrape()?;
    assert_eq!(page.number("text_requests_total", &[("code", "200")])?, 3.0);
    page.expect("text_build_info", "gauge", "")?;
    let accept = [("Accept", "application/openmetrics-text;version=1.0.0")];
    let body = host.request("GET", "/metrics", &accept)?.text()?;
    for lines in [
        "# TYPE text_requests counter\n# HELP text_requests Requests.\ntext_requests_total{code=\"200\"} 3.0\n",
        "# TYPE text_size_bytes gauge\n# UNIT text_size_bytes bytes\n",
        "# TYPE text_build info\ntext_build_info{version=\"1\"} 1.0\n",
    ] {
        ensure!(body.contains(lines), "{lines} is not in {body}");
    }
    Ok(())
}

#[test]
fn a_family_that_clashes_costs_itself() -> Result<()> {
    let host = saying("clash").start()?;
    for scrapes in 1..=2 {
        let page = host.scrape()?;
        assert_eq!(page.number("described_total", &[])?, f64::from(scrapes));
        assert_eq!(page.number("text_calls_total", &[])?, f64::from(scrapes));
        let success = page.number("meterbox_plugin_collect_success", &of_plugin(&[]))?;
        assert_eq!(success, 1.0);
    }
    host.scrape_until(|page| {
        let labels = of_plugin(&[("reason", "clash")]);
        let count = page.number("meterbox_rejected_families_total", &labels)?;
        ensure!(count >= 2.0, "{count}");
        Ok(())
    })?;
    assert_eq!(host.logged(&["described_total", "clash"])?, 1);
    Ok(())
}

#[test]
fn broken_text_costs_the_scrape_and_nothing_else() -> Result<()> {
    let host = saying("broken once").start()?;
    for (scrape, good, success) in [
        (1.0, Some(1.0), 1.0),
        (2.0, None, 0.0),
        (3.0, Some(3.0), 1.0),
    ] {
        let page = host.scrape()?;
        assert_eq!(page.value("good", &[]), good);
        assert_eq!(page.number("described_total", &[])?, scrape);
        let shown = page.number("meterbox_plugin_collect_success", &of_plugin(&[]))?;
        assert_eq!(shown, success);
        assert_eq!(page.number("meterbox_plugin_up", &of_plugin(&[]))?, 1.0);
    }
    let said = ["collect-text", "line 2, column 12: "];
    assert_eq!(host.logged(&said)?, 1);

    let host = saying("error").start()?;
    let page = host.scrape()?;
    assert_eq!(
        page.number("meterbox_plugin_collect_success", &of_plugin(&[]))?,
        0.0
    );
    assert_eq!(page.number("described_total", &[])?, 1.0);
    assert_eq!(host.logged(&["collect-text", "no text today"])?, 1);
    Ok(())
}

#[test]
fn of_two_plugins_one_has_the_family() -> Result<()> {
    let host = Meterbox::with(
        "a",
        "test/text",
        "prefix = \"\"\nconfig = { say = \"x 1\\n\" }\nlabels = { p = \"a\" }",
    )
    .and(
        "b",
        "test/text",
        "config = { say = \"x 2\\n\" }\nlabels = { p = \"b\" }",
    )
    .and(
        "c",
        "test/text",
        "config = { say = \"x 3\\n\" }\nprefix = \"c_\"",
    )
    .start()?;
    let page = host.scrape()?;
    assert_eq!(page.number("x", &[("p", "a")])?, 1.0);
    assert_eq!(page.number("x", &[("p", "b")])?, 2.0);
    assert_eq!(page.number("c_x", &[])?, 3.0);

    let host = Meterbox::with(
        "a",
        "test/text",
        "config = { say = \"x 1\\n\" }\nlabels = { p = \"a\" }",
    )
    .and(
        "b",
        "test/text",
        "config = { say = \"x 2\\n\" }\nlabels = { q = \"b\" }\nprefix = \"\"",
    )
    .refused()?;
    // What was described clashes already, and a start is where that is told.
    host.expect(78, &["described_total", "with other label names"])
}

/// Name, labels, value and type.
type Read = (String, BTreeMap<String, String>, String, String);

/// What Python's client library writes reaches the page as Python's parser reads it.
#[test]
fn the_text_of_pythons_client_is_served() -> Result<()> {
    let Some(python) = judges::python()? else {
        return Ok(());
    };
    let read = |page: &str| -> Result<BTreeSet<Read>> {
        let script = files::root().join("tests/fixtures/parse.py");
        let output = judges::ask(&python, &[&script.to_string_lossy()], page)?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mut samples = BTreeSet::new();
        for line in String::from_utf8(output.stdout)?.lines() {
            let (name, mut labels, value, kind): Read = serde_json::from_str(line)?;
            // There is more than one way to write a bound.
            if let Some(le) = labels.get_mut("le") {
                *le = le.parse::<f64>()?.to_string();
            }
            samples.insert((name, labels, value, kind));
        }
        Ok(samples)
    };
    let write = |exposition: &str| -> Result<String> {
        let output = judges::ask(&python, &["-c", LIBRARY, exposition], "")?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    };
    let text = write("prometheus_client.exposition")?;
    let mut wanted = read(&text)?;
    ensure!(wanted.len() > 15, "{wanted:#?}");
    let own = ["meterbox_", "process_", "described_"];
    for what in [&text, &write("prometheus_client.openmetrics.exposition")?] {
        let host = saying(what).start()?;
        let mut shown = read(&host.get("/metrics")?.text()?)?;
        shown.retain(|(name, ..)| !own.iter().any(|prefix| name.starts_with(prefix)));
        if what.ends_with("# EOF\n") {
            // There they are no families of their own, and this page does not show them.
            wanted.retain(|(name, ..)| !name.ends_with("_created"));
        }
        assert_eq!(shown, wanted, "{what}");
    }
    Ok(())
}

const LIBRARY: &str = r#"
import importlib, sys
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, Summary
registry = CollectorRegistry()
Counter("requests", "Requests \\ with\nawkward \"help\".", ["code"], registry=registry).labels("4\"0\\4\n").inc(3)
Gauge("temperature_celsius", "Temperature.", registry=registry).set(float("nan"))
Histogram("latency_seconds", "Latency.", ["path"], registry=registry).labels("/").observe(0.3)
Summary("size_bytes", "Size.", registry=registry).observe(7)
Info("build", "Build.", registry=registry).info({"version": "1"})
sys.stdout.write(importlib.import_module(sys.argv[1]).generate_latest(registry).decode())
"#;
