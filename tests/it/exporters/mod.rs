//! The plugins that do the work of known exporters: in front of real servers, and beside those exporters.

mod nginx;
#[cfg(target_os = "linux")]
mod procfs;
mod redis;

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use meterbox_tests::{Client, Meterbox, PATIENCE, Page, Process, until};
use tempfile::TempDir;

/// A server of this test's own.
struct Server {
    _process: Process,
    address: SocketAddr,
    /// Its files.
    _dir: TempDir,
}

impl Server {
    /// Starts it on a free port: what to run, given a folder and the port.
    fn start(prepare: impl Fn(&Path, u16) -> Result<Command>) -> Result<Self> {
        // A port that is free may be taken before the server has it.
        for _ in 0..3 {
            let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
            if let Ok(server) = Self::start_at(address, &prepare) {
                return Ok(server);
            }
        }
        bail!("it does not start on three ports")
    }

    fn start_at(
        address: SocketAddr,
        prepare: impl Fn(&Path, u16) -> Result<Command>,
    ) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut process = Process::start(&mut prepare(dir.path(), address.port())?)?;
        until(PATIENCE, || {
            let ended = process.wait(Duration::ZERO);
            Ok(match (TcpStream::connect(address), ended) {
                (_, Ok(status)) => Err(format!("{status}: {:?}", process.lines())),
                (Ok(_), Err(_)) => Ok(()),
                (Err(error), Err(_)) => bail!(error),
            })
        })?
        .map_err(anyhow::Error::msg)?;
        Ok(Self {
            _process: process,
            address,
            _dir: dir,
        })
    }

    /// What it shows as an exporter.
    fn page(&self) -> Result<Page> {
        Page::parse(&Client::new(self.address).get("/metrics")?.text()?)
    }
}

/// Type and help of each family whose name begins so.
fn heads(page: &Page, prefix: &str) -> BTreeMap<String, (String, String)> {
    let families = page.families.iter();
    let families = families.filter(|family| family.name.starts_with(prefix));
    let heads = families.map(|it| (it.name.clone(), (it.kind.clone(), it.help.clone())));
    heads.collect()
}

/// Both have the same families, with the same types and help texts, but for those that one of them alone has. Returns how many.
fn same_heads(
    ours: &Page,
    theirs: &Page,
    prefix: &str,
    only_ours: &[&str],
    only_theirs: &[&str],
) -> Result<usize> {
    let (mut ours, mut theirs) = (heads(ours, prefix), heads(theirs, prefix));
    ours.retain(|name, _| !only_ours.contains(&name.as_str()));
    theirs.retain(|name, _| !only_theirs.contains(&name.as_str()));
    let count = ours.len();
    ours.retain(|name, head| theirs.get(name) != Some(head) || theirs.remove(name).is_none());
    ensure!(
        ours.is_empty() && theirs.is_empty(),
        "ours: {ours:#?}\ntheirs: {theirs:#?}"
    );
    Ok(count)
}

/// Each of our counters lies between what they showed before and after, and is shown if they show it both times. Returns how
/// many were compared.
fn counters_lie_between(before: &Page, ours: &Page, after: &Page, prefix: &str) -> Result<usize> {
    let mut compared = 0;
    for family in &ours.families {
        if !family.name.starts_with(prefix) || family.kind != "counter" {
            continue;
        }
        let Ok(theirs) = before.family(&family.name) else {
            continue;
        };
        for sample in &theirs.samples {
            let labels = sample.labels.iter();
            let labels: Vec<_> = labels.map(|(name, value)| (&**name, &**value)).collect();
            let Some(most) = after.value(&family.name, &labels) else {
                continue;
            };
            let value = ours.number(&family.name, &labels)?;
            // Who multiplies by 0.001 where we divide by 1000 is off in the last digit.
            let off = 1e-12 * most;
            ensure!(
                (sample.value - off..=most + off).contains(&value),
                "{}{labels:?} is {value}, not within {} to {most}",
                family.name,
                sample.value
            );
            compared += 1;
        }
    }
    Ok(compared)
}

/// The series have the same value, as printed.
fn same_value(ours: &Page, theirs: &Page, name: &str, labels: &[(&str, &str)]) -> Result<()> {
    let wanted = theirs.sample(name, labels);
    let wanted = wanted.with_context(|| format!("they have no {name}{labels:?}"))?;
    assert_eq!(ours.printed(name, labels), wanted.printed, "{name}");
    Ok(())
}

/// What the shipped config asks may be there or not: its plugins start and answer.
#[cfg(target_os = "linux")]
#[test]
fn the_shipped_config_works() -> Result<()> {
    let page = Meterbox::of_file("deploy/exporters.toml")
        .start()?
        .scrape()?;
    for (plugin, family) in [
        ("nginx", "nginx_up"),
        ("redis", "redis_up"),
        ("procfs", "node_load1"),
    ] {
        let ok = page.number("meterbox_plugin_collect_success", &[("plugin", plugin)])?;
        assert_eq!(ok, 1.0, "{plugin}");
        page.family(family)?;
    }
    Ok(())
}
