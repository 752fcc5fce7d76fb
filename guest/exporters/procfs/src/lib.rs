//! Processors, load, disks and network of a Linux machine from its /proc, with the names, types, units and help texts of
//! node_exporter.
//!
//! | config | |
//! |---|---|
//! | `procfs` | where /proc is granted; `/proc` |
//! | `net` | the folder with the file `dev`; `PROCFS/net` |
//! | `collectors` | some of `cpu,diskstats,loadavg,netdev,stat`; all |
//! | `diskstats-device-exclude` | a regular expression; node_exporter's |
//! | `netdev-device-exclude` | a regular expression; none |

mod cpu;
mod disks;
mod exclude;
mod load;
mod network;
mod point;
mod stat;

use std::collections::BTreeMap;

use exclude::Exclude;
use meterbox_plugin::files;
use meterbox_plugin::prelude::*;
use point::{About, Kind, Point};

/// Makes samples of the text of its file.
type Read = Box<dyn FnMut(&str) -> Result<Vec<Point>, String>>;

/// One of node_exporter's collectors.
struct Part {
    name: &'static str,
    path: String,
    read: Read,
    /// Why it failed the last time: each reason is logged once.
    failure: Option<String>,
}

struct Procfs {
    parts: Vec<Part>,
    families: BTreeMap<&'static str, (Kind, Family)>,
    success: Family,
}

impl Collector for Procfs {
    fn register(registry: &mut Registry) -> Result<Self> {
        let mut families = BTreeMap::new();
        let mut add = |abouts: &[About]| {
            for about in abouts {
                families.insert(about.name, (about.kind, registry.desc(about.desc())));
            }
        };
        let mut parts = Vec::new();
        for name in chosen()? {
            let (read, file): (Read, _) = match name {
                "cpu" => {
                    add(&cpu::FAMILIES);
                    let mut cpus = cpu::Cpus::default();
                    (Box::new(move |text| cpus.read(text)), "stat")
                }
                "diskstats" => {
                    add(&disks::FAMILIES);
                    let exclude = Exclude::of("diskstats-device-exclude", disks::EXCLUDE)?;
                    (
                        Box::new(move |text| disks::read(text, &exclude)),
                        "diskstats",
                    )
                }
                "loadavg" => {
                    add(&load::FAMILIES);
                    (Box::new(load::read), "loadavg")
                }
                "netdev" => {
                    add(&network::FAMILIES);
                    let exclude = Exclude::of("netdev-device-exclude", "")?;
                    (Box::new(move |text| network::read(text, &exclude)), "dev")
                }
                _ => {
                    add(&stat::FAMILIES);
                    (Box::new(stat::read), "stat")
                }
            };
            let folder = if name == "netdev" { net() } else { procfs() };
            parts.push(Part {
                name,
                path: format!("{folder}/{file}"),
                read,
                failure: None,
            });
        }
        let success = Desc::gauge(
            "node_scrape_collector_success",
            "node_exporter: Whether a collector succeeded.",
        );
        Ok(Self {
            parts,
            families,
            success: registry.desc(success.labels(&["collector"])),
        })
    }

    /// A part that fails costs its own samples, as with node_exporter.
    fn collect(&mut self, samples: &mut Samples) -> Result<()> {
        for part in &mut self.parts {
            let text = files::read_text(&part.path).map_err(|error| error.to_string());
            let points = text.and_then(|text| {
                let points = (part.read)(&text);
                points.map_err(|error| format!("{}: {error}", part.path))
            });
            let is_ok = points.is_ok();
            samples.gauge(&self.success, &[part.name], f64::from(is_ok));
            match points {
                Ok(points) => {
                    part.failure = None;
                    for Point {
                        family,
                        labels,
                        value,
                    } in &points
                    {
                        let (kind, family) = &self.families[family];
                        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                        match kind {
                            Kind::Counter => samples.counter(family, &labels, *value),
                            Kind::Gauge => samples.gauge(family, &labels, *value),
                        };
                    }
                }
                Err(reason) if part.failure.as_ref() != Some(&reason) => {
                    log::warn(format_args!("{} fails: {reason}", part.name));
                    part.failure = Some(reason);
                }
                Err(_) => {}
            }
        }
        Ok(())
    }
}

impl Wants for Procfs {
    fn wants() -> Vec<Want> {
        let has_net = config::get("net").is_some();
        let is_net = |part: &&str| *part == "netdev";
        let mut wants = Vec::new();
        if !has_net || chosen().is_ok_and(|parts| !parts.iter().all(is_net)) {
            wants.push(Want::needed("dirs", procfs(), "reads the kernel's figures"));
        }
        if has_net {
            wants.push(Want::needed(
                "dirs",
                net(),
                "reads the figures of network devices",
            ));
        }
        wants
    }
}

fn procfs() -> String {
    let folder = config::get("procfs").unwrap_or_else(|| "/proc".to_owned());
    folder.trim_end_matches('/').to_owned()
}

fn net() -> String {
    let folder = config::get("net").unwrap_or_else(|| format!("{}/net", procfs()));
    folder.trim_end_matches('/').to_owned()
}

/// The parts that the operator chose.
fn chosen() -> Result<Vec<&'static str>> {
    const ALL: [&str; 5] = ["cpu", "diskstats", "loadavg", "netdev", "stat"];
    let Some(list) = config::get("collectors") else {
        return Ok(ALL.to_vec());
    };
    let mut chosen = Vec::new();
    for word in list.split(',').map(str::trim) {
        let known = ALL.into_iter().find(|name| *name == word);
        let known = known.ok_or_else(|| {
            format!(
                "config collectors = {list:?}: {word:?} is none of {}",
                ALL.join(", ")
            )
        })?;
        if !chosen.contains(&known) {
            chosen.push(known);
        }
    }
    Ok(chosen)
}

meterbox_plugin::export!(Procfs: Collector, Wants);
