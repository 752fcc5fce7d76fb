//! Plugins that somebody hostile wrote, from `tests/hostile`, one behaviour in each file. Nothing happens to the others, and
//! the fault has a name.

mod abi;
#[path = "../../hostile/assemble.rs"]
pub(crate) mod assemble;
mod bounds;
mod compile;
mod damaged;
mod exports;
mod metrics;
mod probes;
mod quotas;
mod starts;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, Page, TestHost, files, until};
use tempfile::TempDir;

/// A folder with the guest in it as a component.
struct Guest {
    dir: TempDir,
    name: &'static str,
}

/// Assembles a file of `tests/hostile`.
fn guest(name: &'static str) -> Result<Guest> {
    guest_with(name, &[])
}

/// Assembles a file of `tests/hostile` that leaves some words to the test.
fn guest_with(name: &'static str, words: &[(&str, &str)]) -> Result<Guest> {
    let file = files::root().join("tests/hostile").join(name);
    let mut text = fs::read_to_string(file.with_extension("wat")).context(name)?;
    for (word, by) in words {
        ensure!(text.contains(word), "there is no {word} in {name}");
        text = text.replace(word, by);
    }
    let component = assemble::assemble(&text).context(name)?;
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

/// Whether the last collect of the hostile plugin succeeded.
fn succeeds(page: &Page) -> Result<bool> {
    let plugin = [("plugin", "hostile")];
    Ok(page.number("meterbox_plugin_collect_success", &plugin)? == 1.0)
}

/// Waits for a line of log that has all of these words.
fn logs(host: &TestHost, words: &[&str]) -> Result<()> {
    until(PATIENCE, || {
        let log = host.log();
        let told = |line: &String| words.iter().all(|word| line.contains(word));
        let lines = log.join("\n");
        ensure!(
            log.iter().any(told),
            "no line has all of {words:?}:\n{lines}"
        );
        Ok(())
    })
}
