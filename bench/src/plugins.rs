//! The demo page through the sandbox: Meterbox with its demo plugins beside native servers with the same families.

use std::{fmt::Write, net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};

use crate::{
    args::Plan,
    check::Content,
    client::{Connection, load},
    coding::Coding,
    golang::Golang,
    measure::start,
    peers::Name,
    process::Server,
    report::{median, quantile, ratio, thousands, time},
    rows::Times,
    workload::Workload,
};

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Latencies in seconds, requests in a second.
#[derive(Clone, Copy)]
struct Shot {
    p50: f64,
    p99: f64,
    rate: f64,
}

/// Starts Meterbox as `make run` does, with one more argument at most.
fn meterbox(argument: Option<&str>) -> Result<Server> {
    let program = format!("{REPOSITORY}/target/release/meterbox");
    ensure!(
        Path::new(&program).exists(),
        "{program} is missing: `make build guests`"
    );
    Server::start_at(|address| {
        let mut command = Command::new(program);
        let config = format!("{REPOSITORY}/deploy/demo.toml");
        command.args(["serve", "--config.file", &config, "--web.listen-address"]);
        command
            .arg(address.to_string())
            .args(argument)
            .stderr(std::process::Stdio::null());
        command
    })
}

pub fn measure(plan: &Plan, golang: Option<&Golang>) -> Result<String> {
    let brief = meterbox(Some("--web.disable-exporter-metrics"))?;
    let mut servers = vec![
        ("**Meterbox**, nine plugins", brief),
        ("**Meterbox**, with metrics about itself", meterbox(None)?),
    ];
    let native = start(Name::Prometheus, Workload::Plugins, None)?;
    servers.push(("`prometheus` on hyper", native));
    if golang.is_some() && plan.peers.contains(&Name::ClientGolang) {
        servers.push((
            "client_golang",
            start(Name::ClientGolang, Workload::Plugins, golang)?,
        ));
    }
    // Until every plugin has ticked.
    std::thread::sleep(Duration::from_millis(1500));
    let note = apart(&servers[1].1, &servers[2].1)?;
    let has_wrk = Command::new("wrk").arg("-v").output().is_ok();
    let with = if has_wrk {
        "`wrk`, one thread"
    } else {
        "the benchmark's own client (`wrk` is not there)"
    };
    let mut text = format!(
        "### {}\n\nAsked by {with}. {note}\n",
        Workload::Plugins.title()
    );
    for coding in [Coding::Identity, Coding::Gzip] {
        let mut shots: Vec<[Vec<Shot>; 2]> = servers.iter().map(|_| Default::default()).collect();
        let shoot = if has_wrk { wrk } else { own };
        for _ in 0..plan.rounds * plan.turns {
            for (place, clients) in [1, 8].into_iter().enumerate() {
                for ((_, server), shots) in servers.iter().zip(&mut shots) {
                    shots[place].push(shoot(server.address, coding, clients, plan.turn)?);
                }
            }
        }
        let title = coding.token();
        let _ = writeln!(
            text,
            "\n| {title} | bytes | c1 p50 / p99 | c1 a second | × Meterbox | c8 p50 / p99 | c8 a second | × Meterbox |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        );
        for ((who, server), seen) in servers.iter().zip(&shots) {
            let [one, eight] = seen.each_ref().map(|shots| typical(shots));
            let bytes = Connection::open(server.address)?.get(coding, |_| ())?.bytes;
            let _ = writeln!(
                text,
                "| {who} | {} | {} / {} | {} | {} | {} / {} | {} | {} |",
                thousands(bytes as f64),
                time(one.p50),
                time(one.p99),
                thousands(one.rate),
                ratio(times(&seen[0], &shots[0][0])),
                time(eight.p50),
                time(eight.p99),
                thousands(eight.rate),
                ratio(times(&seen[1], &shots[0][1])),
            );
        }
    }
    Ok(text)
}

/// The medians.
fn typical(shots: &[Shot]) -> Shot {
    let of = |of: fn(&Shot) -> f64| median(&mut shots.iter().map(of).collect::<Vec<_>>());
    Shot {
        p50: of(|shot| shot.p50),
        p99: of(|shot| shot.p99),
        rate: of(|shot| shot.rate),
    }
}

/// How many times as long as in `base` a request took.
fn times(shots: &[Shot], base: &[Shot]) -> Option<Times> {
    let turns = shots.iter().zip(base);
    Times::of(turns.map(|(shot, base)| base.rate / shot.rate))
}

/// Fails unless every family of the native page is on Meterbox's; says what is there besides.
fn apart(meterbox: &Server, native: &Server) -> Result<String> {
    let read = |server: &Server| -> Result<Content> {
        let mut page = Vec::new();
        let mut connection = Connection::open(server.address)?;
        connection.get(Coding::Identity, |part| page.extend_from_slice(part))?;
        Content::parse(&page)
    };
    let (ours, theirs) = (read(meterbox)?, read(native)?);
    let (more, missing) = ours.names_apart(&theirs);
    ensure!(missing.is_empty(), "Meterbox's page lacks {missing:?}");
    let own = more
        .iter()
        .filter(|name| name.starts_with("meterbox_"))
        .count();
    ensure!(own == more.len(), "the native page lacks {more:?}");
    Ok(format!(
        "Every series of the native page is on Meterbox's, which has {own} more about itself and \
         its plugins in the second row; in the first one it has none of them, and neither it nor client_golang has \
         any about its process."
    ))
}

fn own(address: SocketAddr, coding: Coding, clients: usize, time: Duration) -> Result<Shot> {
    let load = load(address, coding, clients, true, time, 1)?;
    Ok(Shot {
        p50: quantile(&load.latencies, 0.5),
        p99: quantile(&load.latencies, 0.99),
        rate: load.latencies.len() as f64 / load.elapsed.as_secs_f64(),
    })
}

fn wrk(address: SocketAddr, coding: Coding, clients: usize, time: Duration) -> Result<Shot> {
    let seconds = time.as_secs().max(1);
    let output = Command::new("wrk")
        .args([
            "-t1",
            "--latency",
            "-c",
            &clients.to_string(),
            "-d",
            &format!("{seconds}s"),
        ])
        .args(["-H", &format!("Accept-Encoding: {}", coding.token())])
        .arg(format!("http://{address}/metrics"))
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() && !text.contains("Non-2xx"),
        "wrk says {text}"
    );
    let field = |name: &str| -> Result<&str> {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
        Ok(line.with_context(|| format!("wrk says no {name}"))?.trim())
    };
    Ok(Shot {
        p50: seconds_of(field("50%")?)?,
        p99: seconds_of(field("99%")?)?,
        rate: field("Requests/sec:")?.parse()?,
    })
}

/// `123.00us`, `1.23ms`, `1.2s`.
fn seconds_of(text: &str) -> Result<f64> {
    let unit = text
        .find(|c: char| c.is_ascii_alphabetic())
        .context("unit")?;
    let (number, unit) = text.split_at(unit);
    let factor = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        _ => 1.0,
    };
    Ok(number.parse::<f64>()? * factor)
}
