//! Tags, and what they stood for.

use std::fs;

use anyhow::{Context, Result, ensure};
use meterbox_tests::Client;

use super::*;

#[test]
fn a_tag_needs_leave_and_a_lock() -> Result<()> {
    let Some(setup) = Setup::new()? else {
        return Ok(());
    };
    setup.push("counter", "plugin:1", &[])?;
    let source = setup.source("plugin:1");
    setup.config("", &format!("source = {source:?}"))?;
    let words = ["plugins.counter.source", "tags = true", "meterbox lock"];
    setup.exporter()?.refused()?.expect(78, &words)?;
    setup.config("tags = true", &format!("source = {source:?}"))?;
    setup
        .exporter()?
        .refused()?
        .expect(78, &[&source, "run meterbox lock"])?;
    let checked = setup.run(&["config", "check"])?;
    expect(&checked, 78, &["plugins.counter.source", "is not locked"])?;
    expect(
        &setup.run(&["lock", "--check"])?,
        1,
        &["is new", "not up to date"],
    )?;
    ensure!(!setup.path("meterbox.lock").exists());
    expect(
        &setup.run(&["lock"])?,
        0,
        &["plugin counter: sha256:", "is new"],
    )?;
    expect(&setup.run(&["lock", "--check"])?, 0, &["as before"])?;
    expect(&setup.run(&["config", "check"])?, 0, &[&source, "(sha256:"])?;
    serves(&setup.exporter()?.start()?, COUNTER)?;
    // Another source is not what was locked.
    setup.config(
        "tags = true",
        &format!("source = {:?}", setup.source("plugin:2")),
    )?;
    setup
        .exporter()?
        .refused()?
        .expect(78, &["run meterbox lock"])?;
    expect(&setup.run(&["lock"])?, 1, &["plugin:2", "no such tag"])
}

#[test]
fn a_tag_that_moves_moves_nothing() -> Result<()> {
    let Some(setup) = Setup::new()? else {
        return Ok(());
    };
    let locked = setup.push("counter", "plugin:1", &[])?;
    let source = setup.source("plugin:1");
    setup.config("tags = true", &format!("source = {source:?}"))?;
    expect(&setup.run(&["lock"])?, 0, &["is new"])?;
    let lock = fs::read(setup.path("meterbox.lock"))?;

    setup.push("gauge", "plugin:1", &[])?;
    let alone = || Ok::<_, anyhow::Error>(setup.forgetful()?.arg("--state.directory="));
    serves(&alone()?.start()?, COUNTER)?;
    expect(&setup.run(&["lock", "--check"])?, 1, &["becomes sha256:"])?;
    ensure!(fs::read(setup.path("meterbox.lock"))? == lock);

    // The registry forgets what nothing stands for.
    let (_, digest) = locked.split_once('@').context("a digest")?;
    let path = format!("/v2/test/plugin/manifests/{digest}");
    let deleted = Client::new(setup.address).request("DELETE", &path, &[])?;
    ensure!(deleted.status == 202, "{}", deleted.status);
    let words = ["does not have it", "run meterbox lock"];
    alone()?.refused()?.expect(1, &words)?;
    expect(&setup.run(&["lock"])?, 0, &["becomes sha256:"])?;
    serves(&alone()?.start()?, GAUGE)
}

#[test]
fn a_lock_that_changes_is_a_reload() -> Result<()> {
    let Some(setup) = Setup::new()? else {
        return Ok(());
    };
    setup.push("counter", "plugin:1", &[])?;
    setup.config(
        "tags = true",
        &format!("source = {:?}", setup.source("plugin:1")),
    )?;
    expect(&setup.run(&["lock"])?, 0, &["is new"])?;
    let exporter = setup.exporter()?;
    let exporter = exporter
        .arg("--config.auto-reload")
        .arg("--config.auto-reload-interval=100ms");
    let exporter = exporter.start()?;
    setup.push("gauge", "plugin:1", &[])?;
    expect(&setup.run(&["lock"])?, 0, &["becomes"])?;
    until(PATIENCE, || serves(&exporter, GAUGE))?;
    fs::write(setup.path("meterbox.lock"), "nonsense")?;
    until(PATIENCE, || {
        exporter.logged(&["the reload is refused", "meterbox.lock:1"])?;
        Ok(())
    })?;
    serves(&exporter, GAUGE)
}
