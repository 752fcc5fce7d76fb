//! What `meterbox inspect` says of grants and probes.

use std::{fs, process::Command};

use anyhow::{Result, ensure};
use meterbox_tests::files;
use serde_json::Value;

/// What is printed and the exit code.
fn inspect(args: &[&str]) -> Result<(String, Option<i32>)> {
    let mut command = Command::new(files::binary()?);
    let output = command.arg("inspect").args(args).output()?;
    Ok((String::from_utf8(output.stdout)?, output.status.code()))
}

fn has(shown: &str, lines: &[&str]) -> Result<()> {
    for line in lines {
        let found = shown.lines().any(|each| each.trim() == *line);
        ensure!(found, "no line {line:?} in:\n{shown}");
    }
    Ok(())
}

#[test]
fn what_is_wanted_stands_beside_what_is_granted() -> Result<()> {
    let wasm = files::plugin("test/wants")?;
    let path = wasm.to_string_lossy();
    // That nothing is granted here is no fault of the plugin's.
    let (shown, code) = inspect(&[&path])?;
    assert_eq!(code, Some(0), "{shown}");
    has(
        &shown,
        &[
            "meminfo (needed, not granted) reports free memory",
            "tcp db.example.com:5432 (needed, not granted) asks the database",
            "env TZ (optional, not granted) shows local times",
            "[plugins.wants.grants]",
            "wanting (gauge) Whether it was started.",
            "fits this host: yes",
        ],
    )?;

    let dir = tempfile::tempdir()?;
    let file = dir.path().join("meterbox.toml");
    let config = |grants: &str| {
        fs::write(
            &file,
            format!("[plugins.w]\nsource = {path:?}\n[plugins.w.grants]\n{grants}"),
        )
    };
    let file = file.to_string_lossy();
    let args = ["w", "--config.file", &file];
    config("meminfo = true\ntcp = [\"db.example.com:*\"]\nenv = { TZ = \"UTC\" }")?;
    let (shown, code) = inspect(&args)?;
    assert_eq!(code, Some(78), "{shown}");
    has(
        &shown,
        &[
            "meminfo (needed, granted) reports free memory",
            "tcp db.example.com:5432 (needed, granted) asks the database",
            "tcp cache.example.com:6379 (needed, not granted) asks the cache",
            "env TZ (optional, granted) shows local times",
            "# add to tcp: \"cache.example.com:6379\"   # asks the cache",
            "http = [{ url = \"https://api.example.com/v1\", methods = [\"GET\", \"POST\"] }]   # asks the service",
            "granted what it needs: no",
        ],
    )?;
    ensure!(
        !shown.contains("TZ = "),
        "what is granted is to be added:\n{shown}"
    );

    config(
        "meminfo = true\ntcp = [\"db.example.com:*\", \"cache.example.com:6379\"]\n\
         http = [{ url = \"https://api.example.com\", methods = [\"GET\", \"POST\"] }]",
    )?;
    let (shown, code) = inspect(&args)?;
    assert_eq!(code, Some(0), "{shown}");
    has(
        &shown,
        &[
            "env = { \"TZ\" = \"...\" }   # shows local times",
            "granted what it needs: yes",
        ],
    )?;
    let (json, _) = inspect(&["w", "--config.file", &file, "--format", "json"])?;
    let json: Value = serde_json::from_str(&json)?;
    assert_eq!(json["wants"][4]["what"], "TZ");
    assert_eq!(json["wants"][4]["granted"], false);
    assert_eq!(json["wants"][0]["granted"], true);
    Ok(())
}

#[test]
fn families_of_probes_are_shown() -> Result<()> {
    let wasm = files::plugin("probe_tcp")?;
    let (shown, code) = inspect(&[&wasm.to_string_lossy()])?;
    assert_eq!(code, Some(0), "{shown}");
    has(
        &shown,
        &[
            "meterbox:plugin/probe@0.1.0 (contract)",
            "families of probes",
            "probe_ip_protocol (gauge) Specifies whether probe ip protocol is IP4 or IP6",
        ],
    )
}
