//! What is asked of one server: a page to compare, a closed loop, a page in memory.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result};

use crate::{
    check::{Content, Difference},
    client::{Connection, load},
    coding::Coding,
    compress::decode,
    golang::Golang,
    peers::Name,
    process::Server,
    workload::Workload,
};

/// A closed loop, in seconds and bytes.
pub struct Loop {
    /// Ascending.
    pub latencies: Vec<f64>,
    pub elapsed: f64,
    /// Of the server's process, for all requests.
    pub cpu: f64,
    /// Requests, those before time was taken included.
    pub asked: usize,
    /// Resident at most.
    pub peak: u64,
}

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

/// Seconds of a page rendered in memory, for about so long: median and best.
pub fn render(server: &mut Server, time: Duration) -> Result<(f64, f64)> {
    let nanos = server.ask(&format!("render {}", time.as_millis()))?;
    Ok((nanos[0] / 1e9, nanos[1] / 1e9))
}

pub fn closed_loop(
    server: &Server,
    coding: Coding,
    clients: usize,
    warm: bool,
    time: Duration,
) -> Result<Loop> {
    server.forget_peak()?;
    let before = server.cpu()?;
    let load = load(server.address, coding, clients, warm, time, 1)?;
    let cpu = server.cpu()? - before;
    Ok(Loop {
        asked: load.latencies.len() + if warm { clients } else { 0 },
        latencies: load.latencies,
        elapsed: load.elapsed.as_secs_f64(),
        cpu: cpu.as_secs_f64(),
        peak: server.memory()?.1,
    })
}
