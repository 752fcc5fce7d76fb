//! Plugins that want more of what the host keeps and serves than there is for them.

use std::thread;

use anyhow::{Context, Result, ensure};
use meterbox_tests::Page;

use super::{guest, guest_with, logs, scrape, succeeds};

/// How often a limit was met.
fn denials(page: &Page, limit: &str) -> f64 {
    let labels = [("limit", limit), ("plugin", "hostile")];
    page.value("meterbox_plugin_denials_total", &labels)
        .unwrap_or_default()
}

/// Four bytes of a number, as a string of the text format has them.
fn bytes(number: u32) -> String {
    let bytes = number.to_le_bytes();
    bytes.map(|byte| format!("\\{byte:02x}")).concat()
}

#[test]
fn numbers_of_series_are_bounded() -> Result<()> {
    let keys = "limits.handles = 1000";
    let host = guest("opens_a_million")?.beside_others(keys).start()?;
    for scrapes in [1.0, 2.0] {
        let page = scrape(&host)?;
        ensure!(succeeds(&page)?, "{}", host.log().join("\n"));
        let opened = page.family("opened")?.samples.len();
        ensure!(opened == 1000, "{opened} series");
        assert_eq!(denials(&scrape(&host)?, "handles"), scrapes * 2.0);
    }
    Ok(())
}

/// No more than twenty at a time, and far more than fifty in all.
#[test]
fn series_may_come_and_go() -> Result<()> {
    let hostile = guest("opens_and_removes")?;
    let host = hostile.beside_others("limits.handles = 50").start()?;
    for scrapes in 1..=20 {
        let page = scrape(&host)?;
        ensure!(succeeds(&page)?, "{}", host.log().join("\n"));
        let lasting = page.number("jobs_total", &[("l", "lasting")])?;
        assert_eq!(lasting, f64::from(scrapes));
        assert_eq!(page.family("jobs_total")?.samples.len(), 1);
        assert_eq!(denials(&page, "handles"), 0.0);
    }
    Ok(())
}

#[test]
fn label_values_of_instruments_are_bounded() -> Result<()> {
    // One byte too many, and a hundred thousand; the guest traps if it is not told.
    for length in [2049, 100_000] {
        let hostile = guest_with("opens_a_long_label", &[("BYTES", &bytes(length))])?;
        let host = hostile.beside_others("limits.memory = \"1MiB\"").start()?;
        scrape(&host)?;
        let page = scrape(&host)?;
        ensure!(succeeds(&page)?, "{}", host.log().join("\n"));
        assert_eq!(denials(&page, "label-bytes"), 2.0);
        ensure!(page.family("opened").is_err(), "the series is there");
    }
    let just = guest_with("opens_a_long_label", &[("BYTES", &bytes(2048))])?;
    just.fails("", "trap", "unreachable").map(drop)
}

#[test]
fn families_are_bounded() -> Result<()> {
    let refusal = guest("describes_many")?.beside_others("").refused()?;
    refusal.expect(78, &["hostile", "plugins.hostile.limits.families"])
}

#[test]
fn buckets_are_bounded() -> Result<()> {
    let buckets = |kind, bounds, quantiles| {
        let (bounds, quantiles) = (bytes(bounds), bytes(quantiles));
        let words = [
            ("KIND", kind),
            ("BOUNDS", &*bounds),
            ("QUANTILES", &*quantiles),
        ];
        guest_with("has_many_buckets", &words)
    };
    let (histogram, summary) = (r"\02", r"\03");
    for kind in [histogram, summary] {
        let refusal = buckets(kind, 501, 0)?.beside_others("").refused()?;
        refusal.expect(78, &["hostile", "plugins.hostile.limits.buckets"])?;
    }
    for (quantiles, reason) in [(501, "limit"), (2, "value")] {
        let host = buckets(summary, 0, quantiles)?.beside_others("").start()?;
        let page = scrape(&host)?;
        ensure!(page.family("buckets").is_err(), "the summary is there");
        let labels = [("plugin", "hostile"), ("reason", reason)];
        let rejected = page.printed("meterbox_rejected_families_total", &labels);
        assert_eq!(rejected, "1", "{reason}: {}", host.log().join("\n"));
    }
    Ok(())
}

#[test]
fn text_is_bounded() -> Result<()> {
    let keys = "limits.text-bytes = \"1KiB\"";
    let text = |length| guest_with("returns_text", &[("BYTES", &bytes(length))]);
    let host = text(1024)?.beside_others(keys).start()?;
    ensure!(succeeds(&scrape(&host)?)?, "{}", host.log().join("\n"));
    let host = text(1025)?.fails(keys, "output", "plugins.hostile.limits.text-bytes")?;
    logs(&host, &["kind=output", "export=collect-text"])
}

/// Requests that find the plugin busy wait as long as a call may take, and are then sent away.
#[test]
fn requests_at_a_time_are_bounded() -> Result<()> {
    let places = [
        "START",
        "REALLOC",
        "DESCRIBE",
        "COLLECT",
        "POST_RETURN",
        "TEXT",
        "INIT",
        "INTERVAL",
        "TICK",
    ];
    let mut words: Vec<_> = places
        .map(|place| (format!("IN_{place}"), ""))
        .into_iter()
        .collect();
    words.push(("IN_HANDLE".to_owned(), "(loop (br 0))"));
    let words: Vec<_> = words.iter().map(|(word, by)| (&**word, *by)).collect();
    let keys = "routes = [\"/hostile\"]\nlimits = { requests = 1, timeout = \"500ms\" }";
    let host = guest_with("misbehaves", &words)?
        .beside_others(keys)
        .start()?;
    let statuses: Vec<u16> = thread::scope(|scope| {
        let asks = (0..10).map(|_| scope.spawn(|| host.get("/hostile")));
        let asks: Vec<_> = asks.collect();
        scrape(&host)?;
        let status = |ask: thread::ScopedJoinHandle<'_, Result<meterbox_tests::Response>>| {
            Ok::<_, anyhow::Error>(ask.join().ok().context("a panic")??.status)
        };
        asks.into_iter().map(status).collect::<Result<_>>()
    })?;
    let count = |status| statuses.iter().filter(|each| **each == status).count();
    ensure!(count(503) + count(504) == 10, "{statuses:?}");
    // Each holds the place for as long as the others wait.
    ensure!((1..=4).contains(&count(504)), "{statuses:?}");
    assert_eq!(denials(&scrape(&host)?, "requests"), count(503) as f64);
    Ok(())
}
