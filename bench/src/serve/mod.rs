//! A server as a process of its own: `bench serve PEER WORKLOAD`.
//!
//! It says `ready ADDRESS` on its standard output, serves until its standard input ends, and answers there:
//!
//! | line | answer |
//! |---|---|
//! | `render MILLISECONDS` | `MEDIAN BEST`: nanoseconds of a page rendered in memory, for about so long |

pub mod http;
mod threads;

use std::{
    io::{BufRead, Write, stdin, stdout},
    net::TcpListener,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use socket2::SockRef;

use crate::{
    meterbox::Meterbox,
    peers::{Bound, Name, Peer},
    report::median,
    workload::Workload,
};

/// A listener on loopback whose connections do as Linux's default says, whatever this machine chooses: bbr paces what it
/// sends, on loopback too, and so a page of a hundred megabytes takes longer, whoever serves it.
pub fn listen() -> Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let congestion = SockRef::from(&listener).set_tcp_congestion(b"cubic");
    congestion.context("the kernel has no cubic")?;
    Ok(listener)
}

pub fn run(name: Name, workload: Workload) -> Result<()> {
    let listener = listen()?;
    let address = listener.local_addr()?;
    let peer: Arc<dyn Peer> = match name {
        Name::Bound => {
            let bound = Arc::new(Bound::new(workload)?);
            let served = Arc::clone(&bound);
            thread::spawn(move || threads::serve(&listener, &served));
            bound
        }
        Name::Meterbox => {
            let meterbox = Arc::new(Meterbox::new(workload)?);
            let served = Arc::clone(&meterbox);
            thread::spawn(move || served.serve(listener));
            meterbox
        }
        _ => {
            let peer = name.build(workload)?;
            let served = Arc::clone(&peer);
            thread::spawn(move || http::serve(listener, name, served));
            peer
        }
    };
    println!("ready {address}");
    for line in stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("render", millis)) => {
                let time = Duration::from_millis(millis.parse().context("milliseconds")?);
                let (median, best) = render(peer.as_ref(), time);
                println!("{median} {best}");
            }
            _ => bail!("what is {line:?}?"),
        }
        stdout().flush()?;
    }
    Ok(())
}

/// Nanoseconds of one page in memory: median and best.
fn render(peer: &dyn Peer, time: Duration) -> (f64, f64) {
    let mut kept = Vec::new();
    // The first time faults the memory in.
    peer.render(&mut kept);
    let mut nanos = Vec::new();
    let start = Instant::now();
    while start.elapsed() < time || nanos.len() < 3 {
        let start = Instant::now();
        std::hint::black_box(peer.render(&mut kept));
        nanos.push(start.elapsed().as_nanos() as f64);
    }
    let best = nanos.iter().copied().fold(f64::INFINITY, f64::min);
    (median(&mut nanos), best)
}
