//! What the contract promises to plugins, word by word.

use std::{env, fs};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, Page, files};

/// Every kind through instruments and through samples, with awkward text and numbers. The golden file was written by
/// hand from the format's rules; `BLESS=1` takes what comes instead.
#[test]
fn every_kind_is_printed_as_it_should() -> Result<()> {
    let host = Meterbox::with("everything", "test/everything", "").start()?;
    let shown = host.scrape()?.plugin_text();
    let file = files::root().join("tests/golden/everything.txt");
    if env::var_os("BLESS").is_some_and(|value| value == "1") {
        fs::write(&file, &shown)?;
    }
    let golden = fs::read_to_string(&file).with_context(|| format!("no {}", file.display()))?;
    let differing = golden
        .lines()
        .zip(shown.lines())
        .find(|(golden, shown)| golden != shown);
    ensure!(
        differing.is_none(),
        "golden and shown differ first in {differing:#?}"
    );
    assert_eq!(shown, golden);
    // Const values and durable ones alike stay as they are.
    assert_eq!(host.scrape()?.plugin_text(), golden);
    Ok(())
}

fn succeeds(page: &Page, plugin: &str) -> Result<()> {
    let succeeds = page.number("meterbox_plugin_collect_success", &[("plugin", plugin)])?;
    ensure!(succeeds == 1.0, "{plugin} fails");
    Ok(())
}

/// Deleting by values, by names, by some names, and all: what each returns, and what is left.
#[test]
fn series_are_deleted_in_every_way() -> Result<()> {
    let host = Meterbox::with("labels", "test/labels", "").start()?;
    for scrapes in 1..=3 {
        let page = host.scrape()?;
        succeeds(&page, "labels")?;
        let left = &page.family("labels_total")?.samples;
        assert_eq!(left.len(), 1, "{left:?}");
        let put = page.number("labels_total", &[("code", "500"), ("method", "PUT")])?;
        assert_eq!(put, f64::from(scrapes));
        ensure!(
            page.family("labels_reset_total").is_err(),
            "what was reset is still there"
        );
        let results = page.family("labels_result")?.samples.iter();
        assert_eq!(
            results
                .map(|sample| (sample.label("step"), sample.value))
                .collect::<Vec<_>>(),
            [
                ("names", 1.0),
                ("names_again", 0.0),
                ("names_unknown", 0.0),
                ("partial", 2.0),
                ("partial_again", 0.0),
                ("partial_both", 1.0),
                ("partial_unknown", 0.0),
                ("values", 1.0),
                ("values_again", 0.0),
                ("values_last", 1.0),
                ("values_too_few", 0.0),
            ]
        );
    }
    Ok(())
}

/// Numbers of deleted series go unseen also past the SDK, which would not send them.
#[test]
fn a_dead_number_is_dead_for_good() -> Result<()> {
    let host = Meterbox::with("raw", "test/raw_dead_handle", "").start()?;
    for _ in 0..3 {
        let page = host.scrape()?;
        succeeds(&page, "raw")?;
        assert_eq!(page.family("raw_total")?.samples.len(), 1);
        assert_eq!(page.printed("raw_total", &[("code", "200")]), "10");
    }
    Ok(())
}

/// Increments are counted in the guest and arrive as one change: none is lost on the way.
#[test]
fn a_million_increments_arrive() -> Result<()> {
    let host = Meterbox::with(
        "increments",
        "test/increments",
        "config = { n = \"1000000\" }",
    )
    .start()?;
    for scrapes in 1..=3 {
        let page = host.scrape()?;
        succeeds(&page, "increments")?;
        assert_eq!(
            page.value("increments_total", &[]),
            Some(f64::from(scrapes) * 1e6)
        );
    }
    Ok(())
}
