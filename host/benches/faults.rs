//! How soon a plugin that trapped serves again, and one that spins is stopped.
//!
//! `cargo bench --workspace --bench faults`, after `make guests`.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for people"
)]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use meterbox::{Host, config::Config};

const GUESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugins/test/");
const TRAPS: usize = 200;
const SPINS: usize = 40;
const TIMEOUT: Duration = Duration::from_millis(100);

#[tokio::main]
async fn main() {
    println!("{:<44} {:>10} {:>10}", "", "median ms", "worst ms");
    show(
        "from a trap to the end of the next collect",
        traps().await,
        TRAPS,
    );
    show(
        "a guest that spins, beyond its deadline",
        spins().await,
        SPINS,
    );
}

fn show(what: &str, mut times: Vec<Duration>, count: usize) {
    assert_eq!(times.len(), count);
    times.sort();
    let [median, worst] = [times[count / 2], times[count - 1]].map(|time| time.as_secs_f64() * 1e3);
    println!("{what:<44} {median:>10.3} {worst:>10.3}");
}

/// Every third collect traps. Each instance has lived long enough for its trap to be its first.
async fn traps() -> Vec<Duration> {
    let host = host(
        "traps_in_collect",
        "config = { trap = 'third' }\nlimits.forgive-after = '1ms'",
    )
    .await;
    let mut times = Vec::new();
    while times.len() < TRAPS {
        tokio::time::sleep(Duration::from_millis(2)).await;
        if collect(&host).await {
            continue;
        }
        let trapped = Instant::now();
        assert!(collect(&host).await, "it does not serve again");
        times.push(trapped.elapsed());
    }
    assert_eq!(host.plugins()[0].restarts, TRAPS as u64);
    times
}

async fn spins() -> Vec<Duration> {
    let keys = format!(
        "limits.timeout = '{}ms'\nlimits.restart-pause-max = '1ms'\nlimits.quarantine-after = 1000",
        TIMEOUT.as_millis()
    );
    let host = host("spins_in_collect", &keys).await;
    let mut times = Vec::new();
    while times.len() < SPINS {
        // Between instances there is none to call.
        collect(&host).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        let collects = host.plugins().remove(0).collects;
        for spun in &collects[times.len()..] {
            assert!(!spun.success);
            times.push(spun.duration.checked_sub(TIMEOUT).unwrap());
        }
    }
    times
}

/// One scrape; whether the plugin has succeeded.
async fn collect(host: &Host) -> bool {
    host.gather(Instant::now() + Duration::from_secs(10), |_| true)
        .await;
    host.plugins()[0].collect_success
}

async fn host(guest: &str, keys: &str) -> Host {
    let text = format!("[plugins.guest]\nsource = '{GUESTS}{guest}.wasm'\n{keys}\n");
    let config = Config::parse(&text, "bench", Path::new(".")).unwrap();
    Host::start(&config).await.unwrap()
}
