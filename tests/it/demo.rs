//! The demo plugins, as `make run` serves them: name, type, help, values.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, Page};

/// Every plugin of the demo.
const PLUGINS: [&str; 9] = [
    "counter",
    "counter_vec",
    "gauge",
    "histogram",
    "meminfo",
    "memory",
    "pond_histogram",
    "pond_summary",
    "summary",
];

#[test]
fn every_demo_plugin_is_up_and_succeeds() -> Result<()> {
    let host = Meterbox::demo().start()?;
    let page = host.scrape()?;
    for family in ["meterbox_plugin_up", "meterbox_plugin_collect_success"] {
        let family = page.family(family)?;
        ensure!(
            family.kind == "gauge",
            "{} is a {}",
            family.name,
            family.kind
        );
        let mut named: Vec<_> = family
            .samples
            .iter()
            .map(|sample| (sample.label("plugin"), sample.value))
            .collect();
        named.sort_by_key(|(plugin, _)| *plugin);
        assert_eq!(
            named,
            PLUGINS.map(|plugin| (plugin, 1.0)),
            "{}",
            family.name
        );
    }
    Ok(())
}

/// Each plugin's own count of series is what the page shows of it.
#[test]
fn series_are_counted_per_plugin() -> Result<()> {
    let host = Meterbox::demo().start()?;
    host.scrape_until(|page| {
        for (plugin, series) in [
            ("counter", 1.0),
            ("counter_vec", 2.0),
            ("memory", 3.0),
            ("pond_histogram", 1.0),
        ] {
            let counted = page.number("meterbox_plugin_series", &[("plugin", plugin)])?;
            ensure!(
                counted == series,
                "{plugin} has {counted} series, not {series}"
            );
        }
        Ok(())
    })
}

#[test]
fn the_build_is_named() -> Result<()> {
    let host = Meterbox::demo().start()?;
    let page = host.scrape()?;
    let info = &page.family("meterbox_build_info")?.samples[..];
    assert_eq!(info.len(), 1);
    assert_eq!(
        (info[0].label("version"), info[0].value),
        (env!("CARGO_PKG_VERSION"), 1.0)
    );
    Ok(())
}

fn ep1(page: &Page) -> Result<f64> {
    page.expect("ep1_counter", "counter", "ep1 hello counter metric.")?;
    page.number("ep1_counter", &[])
}

/// Three hellos between ticks of five: only counting each exactly once leaves 3 modulo 5.
#[test]
fn each_hello_counts_one() -> Result<()> {
    let host = Meterbox::demo().start()?;
    let before = ep1(&host.scrape()?)?;
    for _ in 0..3 {
        let hello = host.get("/hello")?;
        assert_eq!(
            (hello.status, &*hello.text()?),
            (200, "Hello from Prometheus Exporter!")
        );
    }
    host.scrape_until(|page| {
        let grown = ep1(page)? - before;
        ensure!(grown >= 3.0 && grown % 5.0 == 3.0, "grown by {grown}");
        Ok(())
    })
}

#[test]
fn five_are_counted_each_second() -> Result<()> {
    let host = Meterbox::demo().start()?;
    let mut last = ep1(&host.scrape()?)?;
    let mut grow_by = |least: f64| {
        let first = last;
        host.scrape_until(|page| {
            let count = ep1(page)?;
            assert!(count >= last, "the counter fell from {last} to {count}");
            last = count;
            ensure!(count - first >= least, "grown by {}", count - first);
            Ok(count - first)
        })
    };
    // From one tick to another.
    grow_by(5.0)?;
    let started = Instant::now();
    let grown = grow_by(25.0)?;
    let seconds = started.elapsed().as_secs_f64();
    ensure!(grown % 5.0 == 0.0, "{grown} is no number of ticks");
    ensure!(
        (grown / 5.0 - seconds).abs() <= 1.0,
        "grown by {grown} in {seconds} s"
    );
    Ok(())
}

const REQUESTS: &str =
    "How many HTTP requests processed, partitioned by status code and HTTP method.";
const POST_404: &[(&str, &str)] = &[("code", "404"), ("method", "POST")];
const GET_200: &[(&str, &str)] = &[("code", "200"), ("method", "GET")];

#[test]
fn a_million_increments_through_a_handle_are_a_million() -> Result<()> {
    let host = Meterbox::demo().start()?;
    let page = host.scrape()?;
    let family = page.expect("http_requests_total", "counter", REQUESTS)?;
    assert_eq!(family.samples.len(), 2);
    assert_eq!(page.printed("http_requests_total", POST_404), "42");
    assert_eq!(page.printed("http_requests_total", GET_200), "1e+06");
    Ok(())
}

/// The handle counts a million, one after the deletion, and one more at each scrape; the labels that were opened again
/// count one.
#[test]
fn a_deleted_child_is_counted_no_more() -> Result<()> {
    let host = Meterbox::with(
        "counter_vec",
        "counter_vec",
        "config = { delete = \"true\" }",
    )
    .start()?;
    for _ in 0..3 {
        let page = host.scrape()?;
        assert_eq!(page.family("http_requests_total")?.samples.len(), 2);
        assert_eq!(page.printed("http_requests_total", POST_404), "42");
        assert_eq!(page.printed("http_requests_total", GET_200), "1");
    }
    Ok(())
}

#[test]
fn a_temperature_is_taken_each_second() -> Result<()> {
    let host = Meterbox::demo().start()?;
    let temperature = |page: &Page| -> Result<f64> {
        page.expect(
            "temperature_celsius",
            "gauge",
            "Current temperature in Celsius",
        )?;
        let celsius = page.number("temperature_celsius", &[])?;
        ensure!((20.0..30.0).contains(&celsius), "{celsius} degrees");
        Ok(celsius)
    };
    let first = host.scrape_until(temperature)?;
    host.scrape_until(|page| {
        let next = temperature(page)?;
        ensure!(next != first, "it stays at {first}");
        Ok(())
    })
}

#[test]
fn durations_fall_into_default_buckets() -> Result<()> {
    const NAME: &str = "request_duration_seconds";
    let host = Meterbox::demo().start()?;
    host.scrape_until(|page| {
        let family = page.expect(NAME, "histogram", "Duration of requests in seconds")?;
        let bounds: Vec<_> = family
            .samples
            .iter()
            .map(|sample| sample.label("le"))
            .filter(|le| !le.is_empty())
            .collect();
        assert_eq!(
            bounds,
            [
                "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10",
                "+Inf"
            ]
        );
        let count = page.number("request_duration_seconds_count", &[])?;
        ensure!(count >= 2.0, "{count} observations yet");
        // 0 to 99 ms.
        assert_eq!(
            page.value("request_duration_seconds_bucket", &[("le", "0.1")]),
            Some(count)
        );
        let sum = page.number("request_duration_seconds_sum", &[])?;
        assert!((0.0..0.1 * count).contains(&sum), "sum {sum} of {count}");
        Ok(())
    })
}

#[test]
fn latencies_have_their_quantiles() -> Result<()> {
    const NAME: &str = "request_latency_seconds";
    let host = Meterbox::demo().start()?;
    host.scrape_until(|page| {
        let family = page.expect(NAME, "summary", "Latency of requests in seconds")?;
        let quantiles: Vec<_> = family
            .samples
            .iter()
            .filter(|sample| sample.name == NAME)
            .collect();
        assert_eq!(
            quantiles
                .iter()
                .map(|q| q.label("quantile"))
                .collect::<Vec<_>>(),
            ["0.5", "0.9", "0.99"]
        );
        let count = page.number("request_latency_seconds_count", &[])?;
        ensure!(count >= 2.0, "{count} observations yet");
        let (least, most) = (quantiles[0].value, quantiles[2].value);
        assert!(
            0.0 <= least && least <= quantiles[1].value && quantiles[1].value <= most,
            "{quantiles:?}"
        );
        let sum = page.number("request_latency_seconds_sum", &[])?;
        assert!(sum >= most && sum.is_finite(), "sum {sum}, largest {most}");
        Ok(())
    })
}

#[test]
fn a_prefix_and_labels_are_the_operators() -> Result<()> {
    let host = Meterbox::with(
        "counter_vec",
        "counter_vec",
        "prefix = \"shop_\"\nlabels = { zone = \"a\" }",
    )
    .start()?;
    let page = host.scrape()?;
    page.expect("shop_http_requests_total", "counter", REQUESTS)?;
    let labels = [("code", "404"), ("method", "POST"), ("zone", "a")];
    assert_eq!(page.value("shop_http_requests_total", &labels), Some(42.0));
    page.family("http_requests_total")
        .err()
        .context("it has kept its old name as well")
        .map(drop)
}
