//! When plugins are collected, and what happens to those that do not start.

use std::{fs, thread, time::Duration};

use anyhow::{Result, ensure};
use meterbox_tests::{Meterbox, files};

const STAMP: &str = "meterbox_plugin_last_collect_timestamp_seconds";

#[test]
fn one_with_an_interval_is_collected_in_the_background() -> Result<()> {
    let keys = "config = { n = '1' }\ninterval = ";
    let host = Meterbox::with(
        "often",
        "test/increments",
        &format!("prefix = 'o_'\n{keys}'50ms'"),
    )
    .and(
        "seldom",
        "test/increments",
        &format!("prefix = 's_'\n{keys}'1h'"),
    )
    .and("scraped", "test/increments", "config = { n = '1' }")
    .start()?;
    let first = host.scrape()?;
    // The first scrape waits for the first collect. With an interval the second may come at any time within it.
    ensure!(first.number("s_increments_total", &[])? >= 1.0);
    let before = first.number(STAMP, &[("plugin", "often")])?;
    ensure!(first.value(STAMP, &[("plugin", "scraped")]).is_none());
    let (mut scrapes, mut counted) = (1.0, 0.0);
    host.scrape_until(|page| {
        scrapes += 1.0;
        ensure!(page.number("increments_total", &[])? == scrapes);
        counted = page.number("o_increments_total", &[])?;
        ensure!(counted >= 5.0 && page.number(STAMP, &[("plugin", "often")])? > before);
        ensure!(page.number("s_increments_total", &[])? <= 2.0);
        Ok(())
    })
}

#[test]
fn a_slow_one_with_an_interval_delays_no_scrape() -> Result<()> {
    let host = Meterbox::with("late", "test/spins_in_collect", "interval = '1h'")
        .and("counter", "counter", "")
        .start()?;
    let labels = [("plugin", "late")];
    host.scrape_until(|page| {
        page.number(STAMP, &labels)?;
        ensure!(page.number(STAMP, &labels)? > 0.0);
        Ok(())
    })?;
    let response = host.get("/metrics")?;
    ensure!(
        response.took < Duration::from_millis(500),
        "{:?}",
        response.took
    );
    Ok(())
}

#[test]
fn one_that_does_not_start_is_tried_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("late.wasm");
    let late = format!(
        "[plugins.late]\nsource = {file:?}\nstartup = 'retry'\n[plugins.late.limits]\nrestart-pause-max = '200ms'\n"
    );
    let host = Meterbox::with("gauge", "gauge", "").config(&late).start()?;
    let labels = [("plugin", "late")];
    ensure!(host.scrape()?.number("meterbox_plugin_up", &labels)? == 0.0);
    ensure!(host.get("/metrics?collect[]=late")?.status == 200);
    thread::sleep(Duration::from_millis(300));
    let lines = host.logged(&["level=warn", "does not start"])?;
    ensure!(lines == 1, "{lines} lines about one reason");
    let draft = folder.path().join("draft");
    fs::copy(files::plugin("counter")?, &draft)?;
    fs::rename(draft, &file)?;
    host.scrape_until(|page| {
        ensure!(page.number("meterbox_plugin_up", &labels)? == 1.0);
        page.number("ep1_counter", &[])
    })?;
    host.logged(&["has started at last", "late"])?;
    Ok(())
}

#[test]
fn one_that_may_be_ignored_costs_a_line() -> Result<()> {
    let host = Meterbox::with("gauge", "gauge", "")
        .and("bad", "test/unknown_import", "startup = 'ignore'")
        .start()?;
    let page = host.scrape()?;
    ensure!(page.number("meterbox_plugin_up", &[("plugin", "bad")])? == 0.0);
    ensure!(page.number("meterbox_plugin_up", &[("plugin", "gauge")])? == 1.0);
    ensure!(host.logged(&["level=warn", "plugin=bad", "does not start"])? == 1);
    Meterbox::with("bad", "test/unknown_import", "")
        .refused()?
        .expect(78, &["plugin \"bad\""])
}
