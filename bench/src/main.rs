//! Meterbox beside other ways to serve `/metrics`: the same content, in one run, on one machine.
//!
//! Every peer is a process of its own. [`workload`] says what is served, [`peers`] by whom, [`measure`] what is asked of
//! one, [`turns`] how they are compared.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people"
)]

mod args;
mod changes;
mod check;
mod client;
mod coding;
mod compress;
mod demo;
mod golang;
mod limits;
mod machine;
mod measure;
mod meminfo;
mod meterbox;
mod peers;
mod plugins;
mod process;
mod report;
mod rows;
mod serve;
mod turns;
mod updates;
mod workload;

use std::time::Instant;

use anyhow::{Context, Result};

use crate::{
    args::{Action, Options, USAGE},
    golang::Golang,
    machine::{Awake, Usage},
    peers::Name,
    report::Found,
    workload::Workload,
};

/// Bytes of the largest page, whose way the physical limits are measured on.
const LARGEST: usize = 101_900_000;

const DOCUMENT: &str = include_str!("../performance.md.in");

fn main() -> Result<()> {
    match Action::parse(std::env::args().skip(1))? {
        Action::Serve(name, workload) => serve::run(name, workload),
        Action::Measure(options) => measure_all(&options),
        Action::Help => {
            print!("{USAGE}");
            Ok(())
        }
    }
}

fn measure_all(options: &Options) -> Result<()> {
    let (start, usage) = (Instant::now(), Usage::now());
    let awake = Awake::new();
    let wants_go = options.peers.is_empty() || options.peers.contains(&Name::ClientGolang);
    let golang = wants_go.then(Golang::build).and_then(|golang| {
        let golang = golang.inspect_err(|error| eprintln!("client_golang is skipped: {error:#}"));
        golang.ok()
    });
    let mut found = Found::new();
    let mut tables = Vec::new();
    for workload in Workload::ALL {
        if workload != Workload::Plugins && options.includes(workload.name()) {
            let plan = options.plan(workload);
            let title = || workload.title();
            let table = turns::compare(workload, &plan, golang.as_ref(), &mut found);
            tables.push(table.with_context(title)?);
        }
    }
    if options.includes(Workload::Plugins.name()) {
        eprintln!("{}", Workload::Plugins.title());
        let plan = options.plan(Workload::Plugins);
        tables.push(plugins::measure(&plan, golang.as_ref())?);
    }
    if options.includes("updates") {
        eprintln!("Updates");
        tables.push(report::updates(&updates::measure(golang.as_ref())?));
    }
    if options.includes("changes") {
        eprintln!("Changes");
        tables.push(changes::measure()?);
    }
    if options.includes("limits") {
        eprintln!("Physical limits");
        tables.push(report::limits(LARGEST, &limits::measure(LARGEST)?));
    }
    let machine = format!(
        "{}. Meterbox {}; rustc {}; {}; {}. {}; {}. The run took {} s.",
        machine::describe(),
        machine::commit(),
        machine::rustc(),
        machine::versions(),
        golang.map_or_else(|| "no client_golang".to_owned(), |golang| golang.versions),
        awake.describe(),
        usage.describe(),
        start.elapsed().as_secs(),
    );
    let (tables, differences) = (tables.join("\n"), report::differences(&found));
    if options.markdown {
        let document = DOCUMENT.replace("{{machine}}", &machine);
        let document = document.replace("{{differences}}\n", &differences);
        print!("{}", document.replace("{{tables}}\n", &tables));
    } else {
        println!("{tables}\n{differences}\n{machine}");
    }
    Ok(())
}
