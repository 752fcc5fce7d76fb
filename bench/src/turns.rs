//! All peers of a workload side by side, asked in turns.
//!
//! A machine has moods that last for seconds or minutes, and a process has luck with its memory. So all servers of a
//! round run at once, short loops go round among them, and ratios are taken within a turn; each round starts them anew.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{
    args::Plan,
    check::Content,
    client::Connection,
    coding::Coding,
    golang::Golang,
    measure,
    peers::Name,
    process::Server,
    report::{self, Found},
    rows::Row,
    workload::Workload,
};

/// A page that takes longer is not asked for to warm up.
const SLOW: Duration = Duration::from_millis(100);

/// A peer sits out the turns that are left in a round once it had so much time for one way of asking.
const ENOUGH: Duration = Duration::from_secs(4);

/// A peer that runs.
struct Runner<'a> {
    row: &'a mut Row,
    server: Server,
}

/// The tables of one workload. In the first round the pages of all peers are compared.
pub fn compare(
    workload: Workload,
    plan: &Plan,
    golang: Option<&Golang>,
    found: &mut Found,
) -> Result<String> {
    let peers = plan.peers.iter().copied();
    let peers = peers.filter(|name| *name != Name::ClientGolang || golang.is_some());
    let mut rows: Vec<Row> = peers.map(Row::new).collect();
    for round in 0..plan.rounds {
        eprintln!("{}, round {}", workload.title(), round + 1);
        let rows = rows.iter_mut().filter(|row| round == 0 || !row.is_slow());
        let runners = rows.map(|row| {
            let server = measure::start(row.name, workload, golang);
            let server = server.with_context(|| row.name.name())?;
            row.rest = row.rest.max(server.memory()?.0);
            Ok(Runner { row, server })
        });
        let mut runners = runners.collect::<Result<Vec<_>>>()?;
        for coding in plan.codings() {
            over_http(&mut runners, *coding, round, plan)?;
        }
        // Last, since what it keeps is no server's.
        in_memory(&mut runners, round, plan)?;
        // At a glance the pages are taken on trust: reading them would take longer than serving them.
        if round == 0 && !plan.glance {
            check(&runners, workload, found)?;
        }
    }
    Ok(report::workload(workload, workload.lines()?, &rows))
}

fn over_http(runners: &mut [Runner<'_>], coding: Coding, round: usize, plan: &Plan) -> Result<()> {
    let mut asked = Vec::new();
    for runner in runners
        .iter_mut()
        .filter(|runner| coding.is_for(runner.row.name))
    {
        let start = Instant::now();
        let reply = Connection::open(runner.server.address)
            .and_then(|mut connection| connection.get(coding, |_| ()))
            .with_context(|| runner.row.name.name())?;
        if reply.coding == coding.token() {
            asked.push((runner, reply.bytes, start.elapsed() < SLOW));
        }
    }
    for clients in plan.clients() {
        let asked = asked.iter_mut().map(|(runner, bytes, warm)| {
            let lanes = &mut runner.row.lanes;
            let lane = lanes.entry((coding, *clients)).or_default();
            lane.bytes = *bytes;
            (runner.row.name, lane, &runner.server, *warm)
        });
        let mut asked: Vec<_> = asked.collect();
        take_turns(
            plan,
            round,
            &mut asked,
            |turn, (name, lane, server, warm)| {
                let seen = measure::closed_loop(server, coding, *clients, *warm, plan.turn)
                    .with_context(|| name.name())?;
                lane.turns.insert(turn, seen);
                Ok(())
            },
        )?;
    }
    Ok(())
}

fn in_memory(runners: &mut [Runner<'_>], round: usize, plan: &Plan) -> Result<()> {
    // Of a program in another language it is not known.
    let runners = runners.iter_mut();
    let mut asked: Vec<_> = runners
        .filter(|runner| runner.row.name != Name::ClientGolang)
        .collect();
    take_turns(plan, round, &mut asked, |turn, runner| {
        let seen = measure::render(&mut runner.server, plan.turn)
            .with_context(|| runner.row.name.name())?;
        runner.row.in_memory.insert(turn, seen);
        Ok(())
    })
}

/// Each has as many turns as the plan says, or until it had enough time; no one always stands behind the same other one.
fn take_turns<T>(
    plan: &Plan,
    round: usize,
    asked: &mut [T],
    mut ask: impl FnMut(usize, &mut T) -> Result<()>,
) -> Result<()> {
    let mut asked: Vec<_> = asked.iter_mut().map(|one| (one, Duration::ZERO)).collect();
    for turn in 0..plan.turns {
        for (one, spent) in asked.iter_mut().filter(|(_, spent)| *spent < ENOUGH) {
            let start = Instant::now();
            ask(round * plan.turns + turn, one)?;
            *spent += start.elapsed();
        }
        asked.reverse();
    }
    Ok(())
}

fn check(runners: &[Runner<'_>], workload: Workload, found: &mut Found) -> Result<()> {
    let expected = Content::expected(workload)?;
    for Runner { row, server } in runners {
        let differences = measure::check(server, &expected).with_context(|| row.name.name())?;
        let all = found.entry(row.name).or_default();
        for difference in differences {
            all.entry(difference).or_default().push(workload);
        }
    }
    Ok(())
}
