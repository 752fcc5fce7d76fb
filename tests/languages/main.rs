//! The plugins of `examples/`: one collector in several languages, and one table that checks all of them.
//!
//! `make examples` builds what this machine has toolchains for. A test whose plugin is missing is skipped and says so;
//! `METERBOX_REQUIRE_LANGUAGES=1` makes that a failure.

mod new;

use std::{
    env, fs,
    io::{self, Write as _},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use meterbox_tests::{Meterbox, Page, TestHost, files};

/// Name, type, help, and series: a label value (of the one label `room`, or none) with a number.
type Family = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, f64)],
);

/// Every family of the collector. What is not a number here depends on the machine or on the scrape.
const FAMILIES: [Family; 3] = [
    (
        "memory_total_bytes",
        "gauge",
        "Memory of the machine in bytes.",
        &[("", f64::NAN)],
    ),
    (
        "room_reads_total",
        "counter",
        "How often the rooms were read.",
        &[("", f64::NAN)],
    ),
    (
        "room_temperature_celsius",
        "gauge",
        "Temperature of a room.",
        // Half a degree less than the thermometers say: the offset of the config.
        &[("bath", 23.0), ("cellar", 12.0), ("kitchen", 21.0)],
    ),
];

#[test]
fn c() -> Result<()> {
    house("c")
}

#[test]
fn go() -> Result<()> {
    house("go")
}

#[test]
fn javascript() -> Result<()> {
    house("javascript")
}

#[test]
fn rust() -> Result<()> {
    house("rust")
}

#[test]
fn python() -> Result<()> {
    house("python")
}

fn house(language: &str) -> Result<()> {
    let Some(module) = built(language)? else {
        return Ok(());
    };
    reports(language)?;
    tells_what_is_wrong(&module, true)
}

#[test]
fn python_client() -> Result<()> {
    let Some(module) = built("python-client")? else {
        return Ok(());
    };
    reports("python-client")?;
    tells_what_is_wrong(&module, false)
}

/// With the example's own config: the table, the log line, and memory that stays as it is.
fn reports(language: &str) -> Result<()> {
    let host = patient(Meterbox::of_file(format!(
        "examples/{language}/meterbox.toml"
    )))?;
    let mut memory = 0.0;
    for scrapes in 1..=600 {
        let page = host.scrape()?;
        check(&page, scrapes).with_context(|| format!("scrape {scrapes}"))?;
        let now = page.number("meterbox_plugin_memory_bytes", &[("plugin", "house")])?;
        // Collectors of garbage find their size within the first half.
        ensure!(
            scrapes <= 300 || now <= memory,
            "scrape {scrapes}: {now} bytes of memory, {memory} before"
        );
        memory = now;
    }
    let page = host.scrape()?;
    for family in ["restarts_total", "log_lines_dropped_total"] {
        let name = format!("meterbox_plugin_{family}");
        assert_eq!(page.number(&name, &[("plugin", "house")])?, 0.0, "{name}");
    }
    let faults = page.family("meterbox_plugin_faults_total")?;
    assert_eq!(faults.samples.iter().map(|s| s.value).sum::<f64>(), 0.0);
    let said = [
        "level=info",
        "offset of the thermometers: -0.5",
        "plugin=house",
    ];
    assert_eq!(host.logged(&said)?, 1);
    Ok(())
}

fn check(page: &Page, scrapes: u32) -> Result<()> {
    let names: Vec<_> = page.plugin_families().map(|family| &*family.name).collect();
    ensure!(names == FAMILIES.map(|(name, ..)| name), "{names:?}");
    for (name, kind, help, series) in FAMILIES {
        let found = page.expect(name, kind, help)?.samples.len();
        ensure!(found == series.len(), "{name} has {found} samples");
        for &(room, wanted) in series {
            let labels: &[_] = if room.is_empty() {
                &[]
            } else {
                &[("room", room)]
            };
            let value = page.number(name, labels)?;
            let wanted = match name {
                "room_reads_total" => f64::from(scrapes),
                "memory_total_bytes" => memory_of_machine()?,
                _ => wanted,
            };
            ensure!(
                value == wanted,
                "{name} {labels:?} is {value}, not {wanted}"
            );
        }
    }
    Ok(())
}

/// An error of an import, and one of the plugin's own, come through as such: nothing traps.
///
/// What the host counts for a plugin counts also if the plugin then fails; what a plugin counts by itself is not told then.
fn tells_what_is_wrong(module: &str, counted_by_host: bool) -> Result<()> {
    let host = patient(Meterbox::with("house", module, ""))?;
    for scrapes in 1..=2 {
        let page = host.scrape()?;
        let up = page.number("meterbox_plugin_up", &[("plugin", "house")])?;
        assert_eq!(up, 1.0);
        let success = page.number("meterbox_plugin_collect_success", &[("plugin", "house")])?;
        assert_eq!(success, 0.0);
        let reads = counted_by_host.then_some(f64::from(scrapes));
        assert_eq!(page.value("room_reads_total", &[]), reads);
    }
    host.logged(&["kind=error", "not granted meminfo"])?;
    host.logged(&["offset of the thermometers: 0"])?;

    let refused = Meterbox::with("house", module, "config = { offset = \"warm\" }")
        .arg("--state.directory=target/examples/state")
        .refused()?;
    refused.expect(78, &["describe", "config offset is not a number: warm"])
}

/// The file, as `Meterbox::with` takes it, if `make examples` has built it.
fn built(example: &str) -> Result<Option<String>> {
    let path: PathBuf = files::root().join(format!("target/examples/{example}.wasm"));
    if path.is_file() {
        return Ok(Some(format!("../examples/{example}")));
    }
    if env::var_os("METERBOX_REQUIRE_LANGUAGES").is_some_and(|value| value == "1") {
        bail!("{} is missing; `make examples` builds it", path.display());
    }
    // Straight to the stream: a skipped test is to be seen although it passes.
    writeln!(
        io::stderr(),
        "skipped: {example}: {} is missing; `make examples` builds it",
        path.display()
    )?;
    Ok(None)
}

/// Language runtimes take their time to be compiled, once.
fn patient(host: Meterbox) -> Result<TestHost> {
    host.arg("--state.directory=target/examples/state")
        .start_within(Duration::from_secs(180))
}

fn memory_of_machine() -> Result<f64> {
    let meminfo = fs::read_to_string("/proc/meminfo")?;
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let kib: f64 = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .context("no MemTotal")?
        .parse()?;
    Ok(kib * 1024.0)
}
