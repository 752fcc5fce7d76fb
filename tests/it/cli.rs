//! The command line.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, files};

#[test]
fn the_version_is_printed() -> Result<()> {
    let output = Command::new(files::binary()?).arg("--version").output()?;
    ensure!(output.status.success(), "{}", output.status);
    let version = String::from_utf8(output.stdout)?;
    ensure!(
        version.contains("meterbox") && version.contains(env!("CARGO_PKG_VERSION")),
        "{version}"
    );
    Ok(())
}

#[test]
fn flags_that_are_not_understood_are_named() -> Result<()> {
    Meterbox::new()
        .arg("--no-such-flag")
        .refused()?
        .expect(2, &["--no-such-flag"])?;
    Meterbox::new()
        .arg("--log.format=xml")
        .refused()?
        .expect(2, &["xml", "--log.format"])
}

/// A flag is checked like a key of the file.
#[test]
fn a_telemetry_path_that_is_none_is_refused() -> Result<()> {
    let refusal = Meterbox::new()
        .arg("--web.telemetry-path=metrics")
        .refused()?;
    refusal.expect(78, &["web.telemetry-path", "/metrics"])
}

#[test]
fn a_plugin_can_be_given_by_its_file_alone() -> Result<()> {
    let file = files::plugin("counter_vec")?;
    let host = Meterbox::new()
        .arg("--plugin")
        .arg(file.to_string_lossy())
        .start()?;
    let page = host.scrape()?;
    assert_eq!(
        page.value("meterbox_plugin_up", &[("plugin", "counter_vec")]),
        Some(1.0)
    );
    page.number(
        "http_requests_total",
        &[("code", "404"), ("method", "POST")],
    )
    .map(drop)
}

#[test]
fn without_plugins_it_measures_itself() -> Result<()> {
    let page = Meterbox::new().start()?.scrape()?;
    assert_eq!(page.plugin_text(), "");
    page.family("meterbox_build_info").map(drop)
}

#[test]
fn every_line_of_a_json_log_is_json() -> Result<()> {
    let host = Meterbox::new().arg("--log.format=json").start()?;
    let log = host.log();
    ensure!(!log.is_empty(), "no line");
    for line in log {
        serde_json::from_str::<serde_json::Value>(&line).with_context(|| line)?;
    }
    Ok(())
}

#[test]
fn the_level_decides_what_is_logged() -> Result<()> {
    let loud = Meterbox::with("counter_vec", "counter_vec", "")
        .start()?
        .log();
    ensure!(
        loud.iter().any(|line| line.contains("level=info")),
        "{loud:?}"
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let quiet = Meterbox::new()
        .arg("--log.level=error")
        .listen(taken.local_addr()?)
        .refused()?;
    ensure!(!quiet.output.contains("level=info"), "{}", quiet.output);
    Ok(())
}
