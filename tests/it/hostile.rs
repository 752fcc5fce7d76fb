//! Plugins that somebody hostile wrote, from `tests/hostile`, one behaviour in each file. Nothing happens to the others, and
//! the fault has a name.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, Page, TestHost, files, until};
use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A folder with the guest in it as a component.
struct Guest {
    dir: TempDir,
    name: &'static str,
}

/// Assembles a file of `tests/hostile`.
fn guest(name: &'static str) -> Result<Guest> {
    let file = files::root().join("tests/hostile").join(name);
    let text = fs::read_to_string(file.with_extension("wat")).context(name)?;
    let mut world = "include meterbox:plugin/plugin@0.1.0;\n".to_owned();
    for hook in ["lifecycle", "schedule"] {
        if text.contains(&format!("meterbox:plugin/{hook}@0.1.0#")) {
            world.push_str(&format!("export meterbox:plugin/{hook}@0.1.0;\n"));
        }
    }
    for import in ["wasi:clocks/monotonic-clock@0.2.12", "wasi:io/poll@0.2.12"] {
        if text.contains(import) {
            world.push_str(&format!("import {import};\n"));
        }
    }
    let mut resolve = Resolve::default();
    resolve.push_dir(files::root().join("wit"))?;
    let wit = format!("package test:hostile;\nworld guest {{ {world} }}");
    let package = resolve.push_str("hostile.wit", &wit)?;
    let world = resolve.select_world(&[package], None)?;
    let mut module = wat::parse_str(&text).context(name)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .encode()
        .context(name)?;
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("guest.wasm"), component)?;
    Ok(Guest { dir, name })
}

impl Guest {
    fn path(&self) -> PathBuf {
        self.dir.path().join("guest.wasm")
    }

    /// Beside two plugins that have nothing to do with it.
    fn beside_others(&self, keys: &str) -> Meterbox {
        Meterbox::with("counter_vec", "counter_vec", "")
            .and("pond", "pond_histogram", "")
            .and("hostile", path(&self.path()), keys)
    }

    /// One scrape, which costs the hostile plugin a fault of this kind and this limit, and the others nothing.
    fn fails(&self, keys: &str, kind: &str, limit: &str) -> Result<TestHost> {
        let host = self.beside_others(keys).start()?;
        let page = scrape(&host)?;
        let success = [("plugin", "hostile")];
        let success = page.number("meterbox_plugin_collect_success", &success)?;
        ensure!(success == 0.0, "{} succeeds", self.name);
        let labels = [("kind", kind), ("plugin", "hostile")];
        let faults = page.number("meterbox_plugin_faults_total", &labels)?;
        ensure!(faults == 1.0, "{faults} faults of kind {kind}");
        let told = |line: &&String| line.contains(&format!("kind={kind}")) && line.contains(limit);
        until(PATIENCE, || {
            let log = host.log();
            let lines = log.iter().filter(told).count();
            ensure!(lines == 1, "{lines} lines of log:\n{}", log.join("\n"));
            Ok(())
        })?;
        // Once more, so that what the fault left behind would be seen.
        scrape(&host)?;
        Ok(host)
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

/// A scrape with a second of patience, and the others unharmed.
fn scrape(host: &TestHost) -> Result<Page> {
    let patience = [("x-prometheus-scrape-timeout-seconds", "1")];
    let response = host.request("GET", "/metrics", &patience)?;
    ensure!(response.status == 200 && response.took < Duration::from_secs(1));
    let page = Page::parse(&response.text()?)?;
    for plugin in ["counter_vec", "pond"] {
        let success = page.number("meterbox_plugin_collect_success", &[("plugin", plugin)])?;
        ensure!(success == 1.0, "{plugin} has failed as well");
    }
    assert_eq!(page.printed("pond_temperature_celsius_count", &[]), "1000");
    Ok(page)
}

#[test]
fn one_that_spins_is_stopped_by_the_clock_on_the_wall() -> Result<()> {
    let keys = "timeout = \"200ms\"";
    guest("spins")?.fails(keys, "deadline", "plugins.hostile.limits.timeout")?;
    Ok(())
}

#[test]
fn one_that_spins_is_stopped_by_its_processor_time() -> Result<()> {
    let keys = "limits.cpu = \"100ms\"";
    guest("spins")?.fails(keys, "cpu", "plugins.hostile.limits.cpu")?;
    Ok(())
}

#[test]
fn one_that_waits_in_the_host_is_given_up() -> Result<()> {
    let keys = "timeout = \"200ms\"";
    guest("waits")?.fails(keys, "deadline", "plugins.hostile.limits.timeout")?;
    Ok(())
}

#[test]
fn memory_ends() -> Result<()> {
    guest("grows_memory")?.fails("", "memory", "plugins.hostile.limits.memory")?;
    Ok(())
}

#[test]
fn tables_end() -> Result<()> {
    guest("grows_table")?.fails("", "memory", "plugins.hostile.limits.table-elements")?;
    Ok(())
}

#[test]
fn resources_end() -> Result<()> {
    guest("hoards_resources")?.fails("", "memory", "plugins.hostile.limits.resources")?;
    Ok(())
}

#[test]
fn recursion_ends() -> Result<()> {
    let host = guest("recurses")?.fails("", "trap", "raise limits.stack")?;
    let names = |line: &String| line.contains("deeper < ") && line.contains("export=collect");
    ensure!(host.log().iter().any(names), "no backtrace with names");
    Ok(())
}

#[test]
fn results_are_bounded() -> Result<()> {
    let hostile = guest("returns_a_gigabyte")?;
    hostile.fails("", "output", "plugins.hostile.limits.call-bytes")?;
    Ok(())
}

#[test]
fn host_calls_are_bounded() -> Result<()> {
    let hostile = guest("floods_the_host")?;
    let keys = "limits.host-calls = 1000";
    hostile.fails(keys, "calls", "plugins.hostile.limits.host-calls")?;
    Ok(())
}

/// The plugin goes on; its noise does not.
#[test]
fn log_lines_are_bounded() -> Result<()> {
    let hostile = guest("floods_the_log")?;
    let host = hostile.beside_others("").start()?;
    scrape(&host)?;
    let page = scrape(&host)?;
    let success = [("plugin", "hostile")];
    assert_eq!(
        page.printed("meterbox_plugin_collect_success", &success),
        "1"
    );
    let noise = until(PATIENCE, || {
        let log = host.log();
        let told = log
            .iter()
            .any(|line| line.contains("the plugin logs too much"));
        let noise = log.iter().filter(|line| line.contains("noise")).count();
        let dropped = [("plugin", "hostile")];
        let dropped = scrape(&host)?.number("meterbox_plugin_log_lines_dropped_total", &dropped)?;
        ensure!(told && dropped > 90_000.0, "{dropped} lines dropped");
        Ok(noise)
    })?;
    // Ten seconds' worth at once, and 20 for each second since.
    ensure!((1..=400).contains(&noise), "{noise} lines");
    Ok(())
}

/// The guest is told, and goes on with what it has.
#[test]
fn series_are_bounded() -> Result<()> {
    let hostile = guest("opens_a_million")?;
    let host = hostile.beside_others("limits.series = 1000").start()?;
    for _ in 0..2 {
        let page = scrape(&host)?;
        let opened = page.family("opened")?.samples.len();
        ensure!(opened == 1000, "{opened} series");
        let success = [("plugin", "hostile")];
        assert_eq!(
            page.printed("meterbox_plugin_collect_success", &success),
            "1"
        );
    }
    Ok(())
}

/// What cannot start at all is refused, with the limit if it was one.
#[test]
fn some_never_start() -> Result<()> {
    let cases: [(&str, &str, &[&str]); 4] = [
        ("traps_in_describe", "", &["hostile", "describe trapped"]),
        ("traps_in_init", "", &["hostile", "init trapped"]),
        ("grows_two_memories", "", &["plugins.hostile.limits.memory"]),
        (
            "starts_slowly",
            "limits.start-timeout = \"100ms\"",
            &[
                "instantiate was stopped",
                "plugins.hostile.limits.start-timeout",
            ],
        ),
    ];
    for (name, keys, words) in cases {
        let hostile = guest(name)?;
        hostile.beside_others(keys).refused()?.expect(78, words)?;
    }
    Ok(())
}

/// Faults that come one after the other get pauses between them, and in the end a long one.
#[test]
fn one_that_cannot_be_helped_is_quarantined() -> Result<()> {
    let keys = "limits = { restart-pause = \"1ms\", quarantine-after = 5 }";
    for (name, export) in [("traps_in_tick", "tick"), ("traps_again", "init")] {
        let hostile = guest(name)?;
        let host = hostile.beside_others(keys).start()?;
        let labels = [("kind", "trap"), ("plugin", "hostile")];
        until(PATIENCE, || {
            scrape(&host)?;
            let log = host.log();
            let quarantined = log.iter().any(|line| line.contains("is quarantined"));
            ensure!(quarantined, "{}", log.join("\n"));
            Ok(())
        })?;
        let before = scrape(&host)?.number("meterbox_plugin_faults_total", &labels)?;
        ensure!(before == 5.0, "{before} faults");
        // No instance, no fault.
        let after = scrape(&host)?.number("meterbox_plugin_faults_total", &labels)?;
        ensure!(after == before, "{after} faults");
        let told = format!("export={export}");
        ensure!(
            host.log().iter().any(|line| line.contains(&told)),
            "{export} is not named"
        );
    }
    Ok(())
}
