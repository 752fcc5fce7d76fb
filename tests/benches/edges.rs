//! What careless and hostile peers cost: memory, and the time of somebody else's scrape. Prints the table of
//! docs/reliability.md.
//!
//! `make edges`. Attackers, the server and the scraper share one machine, so whatever keeps the attackers busy slows the
//! scraper as well; the ratio is an upper bound.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, TestHost};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Scrapes that one figure is the median of, and the pause between them.
const SCRAPES: usize = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// All series carry a label of this many bytes, which makes a page of some megabytes.
const PADDING: usize = 200_000;

const PAGE: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &[u8] = b"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
const TLS: &[u8] = b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

struct Attack {
    name: &'static str,
    connections: usize,
    /// What each sends at first.
    opening: Vec<u8>,
    /// What it goes on with, all connections in turn, until it is to stop.
    then: fn(SocketAddr, &mut [TcpStream], &AtomicBool) -> Result<()>,
}

fn attacks() -> Vec<Attack> {
    let attack = |name, connections, opening: &[u8], then| Attack {
        name,
        connections,
        opening: opening.to_vec(),
        then,
    };
    let head = [b"GET / HTTP/1.1\r\nX: ", &[b'a'; 100_000][..]].concat();
    vec![
        attack("idle connections", 5_000, b"", rest),
        attack(
            "heads in single bytes",
            1_000,
            b"GET / HTTP/1.1\r\nX: ",
            drip,
        ),
        attack("unfinished heads of 100 kB", 500, &head, rest),
        attack("bodies in single bytes", 500, POST, drip),
        attack("readers of a large page that take nothing", 30, PAGE, rest),
        attack("readers of a large page at 400 kB/s", 30, PAGE, sip),
        attack(
            "readers that leave in the middle, again and again",
            0,
            b"",
            leave,
        ),
        attack("TLS hellos, again and again", 0, b"", hello),
        attack("floods of requests, answers not taken", 8, b"", flood),
    ]
}

fn rest(_: SocketAddr, _: &mut [TcpStream], stop: &AtomicBool) -> Result<()> {
    until_told(stop, || {})
}

fn drip(_: SocketAddr, streams: &mut [TcpStream], stop: &AtomicBool) -> Result<()> {
    until_told(stop, || {
        for stream in &mut *streams {
            let _ = stream.write(b"a");
        }
        thread::sleep(Duration::from_millis(200));
    })
}

fn sip(_: SocketAddr, streams: &mut [TcpStream], stop: &AtomicBool) -> Result<()> {
    let mut part = vec![0; 20_000];
    until_told(stop, || {
        for stream in &mut *streams {
            let _ = stream.read(&mut part);
        }
        thread::sleep(Duration::from_millis(50));
    })
}

fn leave(address: SocketAddr, _: &mut [TcpStream], stop: &AtomicBool) -> Result<()> {
    until_told(stop, || {
        if let Ok(mut stream) = TcpStream::connect(address) {
            let _ = stream.write_all(PAGE);
            let _ = stream.read(&mut [0; 1_000]);
        }
    })
}

fn hello(address: SocketAddr, _: &mut [TcpStream], stop: &AtomicBool) -> Result<()> {
    until_told(stop, || {
        if let Ok(mut stream) = TcpStream::connect(address) {
            let _ = stream.write_all(TLS);
            let _ = stream.read(&mut [0; 1_000]);
        }
    })
}

fn flood(_: SocketAddr, streams: &mut [TcpStream], stop: &AtomicBool) -> Result<()> {
    let requests = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n".repeat(500);
    for stream in &mut *streams {
        stream.set_nonblocking(true)?;
    }
    until_told(stop, || {
        for stream in &mut *streams {
            let _ = stream.write(&requests);
        }
        thread::sleep(Duration::from_millis(1));
    })
}

fn until_told(stop: &AtomicBool, mut work: impl FnMut()) -> Result<()> {
    while !stop.load(Ordering::Relaxed) {
        work();
        thread::yield_now();
    }
    Ok(())
}

/// A server of its own for each attack, so that memory is counted from the same point.
fn start() -> Result<TestHost> {
    let label = format!("labels = {{ padding = \"{}\" }}", "x".repeat(PADDING));
    let keys = format!("grants = {{ meminfo = true }}\n{label}");
    Meterbox::with("counter", "counter", "routes = [\"/hello\"]")
        .and("meminfo", "meminfo", &keys)
        .config(
            "[web]\nmax-connections = 8000\n\
             read-timeout = \"1m\"\nwrite-timeout = \"1m\"\n",
        )
        .start()
}

/// The median of small scrapes by a peer that does nothing wrong.
fn scrapes(host: &TestHost) -> Result<Duration> {
    let mut times = Vec::with_capacity(SCRAPES);
    for _ in 0..SCRAPES {
        let answer = host.get("/metrics?name[]=ep1_counter")?;
        ensure!(answer.status == 200, "status {}", answer.status);
        times.push(answer.took);
        thread::sleep(PAUSE);
    }
    times.sort();
    Ok(times[SCRAPES / 2])
}

/// Bytes of the process, and of the kernel for TCP on this machine.
fn memory(host: &TestHost) -> Result<(f64, f64)> {
    let status = fs::read_to_string(host.proc("status"))?;
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let rss = rss.and_then(|rest| rest.split_whitespace().next());
    let rss: f64 = rss.context("no VmRSS")?.parse()?;
    let stat = fs::read_to_string("/proc/net/sockstat")?;
    let pages = stat.lines().find(|line| line.starts_with("TCP:"));
    let pages = pages.and_then(|line| line.split_whitespace().last());
    let pages: f64 = pages.context("no TCP memory")?.parse()?;
    Ok((rss * 1024.0, pages * 4096.0))
}

fn measure(attack: &Attack) -> Result<()> {
    let host = start()?;
    // Whatever is made once.
    host.get("/metrics")?;
    scrapes(&host)?;
    let alone = scrapes(&host)?;
    let (rss, kernel) = memory(&host)?;

    let mut streams = Vec::with_capacity(attack.connections);
    for _ in 0..attack.connections {
        let mut stream = TcpStream::connect(host.address())?;
        stream.write_all(&attack.opening)?;
        stream.set_read_timeout(Some(PAUSE))?;
        streams.push(stream);
    }
    let stop = AtomicBool::new(false);
    let (beside, rss_after, kernel_after) = thread::scope(|scope| -> Result<_> {
        let attacker = scope.spawn(|| (attack.then)(host.address(), &mut streams, &stop));
        let beside = scrapes(&host);
        let memory = memory(&host);
        stop.store(true, Ordering::Relaxed);
        attacker.join().ok().context("the attacker panicked")??;
        let (rss, kernel) = memory?;
        Ok((beside?, rss, kernel))
    })?;

    let (rss, kernel) = (rss_after - rss, kernel_after - kernel);
    let each = match attack.connections {
        0 => String::new(),
        count => format!("{:.1}", rss / 1e3 / count as f64),
    };
    say(&format!(
        "| {} | {} | {:.1} | {each} | {:.1} | {:.2} | {:.2} | {:.2} |",
        attack.name,
        attack.connections.max(1),
        rss / 1e6,
        kernel / 1e6,
        alone.as_secs_f64() * 1e3,
        beside.as_secs_f64() * 1e3,
        beside.as_secs_f64() / alone.as_secs_f64(),
    ));
    Ok(())
}

#[allow(clippy::print_stdout, reason = "what the program is for")]
fn say(line: &str) {
    println!("{line}");
}

fn main() -> Result<()> {
    // Both ends of every connection are on this machine; the server inherits the limit.
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).context("cannot raise the limit of open files")?;
    let large = start()?.get("/metrics")?.body.len();
    say(&format!("A large page has {:.1} MB.\n", large as f64 / 1e6));
    say(
        "| peers | connections | memory, MB | per connection, kB | kernel, both ends, MB | scrape alone, ms | beside, ms | ratio |",
    );
    say("|---|---|---|---|---|---|---|---|");
    attacks().iter().try_for_each(measure)
}
