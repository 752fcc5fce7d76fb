//! One peer with one workload: its process is started, checked, and asked in every way.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::{
    args::Plan,
    check::{Content, Difference},
    client::{Connection, load},
    coding::Coding,
    compress::decode,
    golang::Golang,
    peers::Name,
    process::Server,
    report::quantile,
    workload::Workload,
};

/// What one round showed.
pub struct Figures {
    /// Seconds of a page rendered in memory, median and best; not known of a program in another language.
    pub render: Option<(f64, f64)>,
    /// Bytes resident before the first scrape.
    pub rest: u64,
    pub cells: Vec<Cell>,
}

impl Figures {
    /// Whether one round tells enough: its pages take so long that a mood of the machine is over before one is there.
    pub fn is_slow(&self) -> bool {
        self.cells.first().is_some_and(|cell| cell.one.p50 > 1.0)
    }
}

/// One coding.
pub struct Cell {
    pub coding: Coding,
    /// Bytes of the body on the wire.
    pub bytes: usize,
    pub one: Loop,
    /// Eight connections; not at a glance.
    pub eight: Option<Loop>,
}

/// A closed loop, in seconds and bytes.
#[derive(Clone, Copy)]
pub struct Loop {
    pub p50: f64,
    pub p99: f64,
    /// Requests a second.
    pub rate: f64,
    /// Of the server's process, for each request.
    pub cpu: f64,
    /// Resident at most.
    pub peak: u64,
}

/// A page that takes longer is not asked for to warm up.
const SLOW: Duration = Duration::from_millis(100);

/// Starts the peer as a process of its own.
pub fn start(name: Name, workload: Workload, golang: Option<&Golang>) -> Result<Server> {
    if name == Name::ClientGolang {
        return golang.context("Go is not there")?.start(workload);
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", name.name(), workload.name()]);
    Server::start(&mut command, &[])
}

/// Reads the page in every coding and compares it.
pub fn check(server: &Server, expected: &Content) -> Result<Vec<Difference>> {
    let fetch = |coding: Coding| -> Result<(bool, Vec<u8>)> {
        let mut body = Vec::new();
        let mut connection = Connection::open(server.address)?;
        let reply = connection.get(coding, |part| body.extend_from_slice(part))?;
        Ok((reply.coding == coding.token(), body))
    };
    let (_, plain) = fetch(Coding::Identity)?;
    for coding in Coding::ALL {
        let (is_coded, body) = fetch(coding)?;
        if is_coded && coding != Coding::Identity {
            let page = decode(coding, &body)?;
            // Reading takes longer than comparing, and what differs is as a rule nothing.
            if page != plain {
                expected.compare(&Content::parse(&page)?)?;
            }
        }
    }
    expected.compare(&Content::parse(&plain)?)
}

/// Everything about a server that was started and asked nothing yet.
pub fn figures(name: Name, server: &mut Server, plan: &Plan) -> Result<Figures> {
    let (rest, _) = server.memory()?;
    let mut cells = Vec::new();
    for coding in plan.codings().iter().filter(|coding| coding.is_for(name)) {
        cells.extend(cell(server, *coding, plan)?);
    }
    // Last, since what it keeps is no server's.
    let render = if name == Name::ClientGolang {
        None
    } else {
        let nanos = server.ask(&format!("render {}", plan.cell.as_millis()))?;
        Some((nanos[0] / 1e9, nanos[1] / 1e9))
    };
    Ok(Figures {
        render,
        rest,
        cells,
    })
}

/// `None` where the peer does not have the coding.
fn cell(server: &Server, coding: Coding, plan: &Plan) -> Result<Option<Cell>> {
    let start = Instant::now();
    let reply = Connection::open(server.address)?.get(coding, |_| ())?;
    if reply.coding != coding.token() {
        return Ok(None);
    }
    // Each connection asks once before time is taken, unless that takes long and changes little.
    let warm = start.elapsed() < SLOW;
    let one = closed_loop(server, coding, 1, warm, plan.cell)?;
    let eight = if plan.glance {
        None
    } else {
        Some(closed_loop(server, coding, 8, warm, plan.cell)?)
    };
    Ok(Some(Cell {
        coding,
        bytes: reply.bytes,
        one,
        eight,
    }))
}

fn closed_loop(
    server: &Server,
    coding: Coding,
    clients: usize,
    warm: bool,
    time: Duration,
) -> Result<Loop> {
    server.forget_peak()?;
    let before = server.cpu()?;
    let least = if clients == 1 { 3 } else { 1 };
    let load = load(server.address, coding, clients, warm, time, least)?;
    let cpu = server.cpu()? - before;
    let count = load.latencies.len() as f64;
    let warmed = if warm { clients as f64 } else { 0.0 };
    Ok(Loop {
        p50: quantile(&load.latencies, 0.5),
        p99: quantile(&load.latencies, 0.99),
        rate: count / load.elapsed.as_secs_f64(),
        cpu: cpu.as_secs_f64() / (count + warmed),
        peak: server.memory()?.1,
    })
}
