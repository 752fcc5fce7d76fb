//! A hundred healthy plugins under constant scrapes: by themselves, and beside twenty hostile ones. Nothing may be lost, nothing
//! may grow, and nobody may wait for the hostile. Prints the table of docs/reliability.md, and fails where that does not hold.
//!
//! `make soak`, with `SOAK=` for the seconds of each half. Server and scrapers share one machine.

#[path = "../hostile/assemble.rs"]
mod assemble;

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, Page, TestHost, files, until};

const SECONDS: u64 = 180;

/// Who scrapes, and how often.
const CLIENTS: usize = 4;
const PERIOD: Duration = Duration::from_millis(100);
/// Later than this is missed.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Plugins that count and say how often, and so many of each of the demo plugins.
const COUNTS: usize = 40;
const DEMOS: [&str; 6] = [
    "counter",
    "counter_vec",
    "gauge",
    "histogram",
    "summary",
    "pond_histogram",
];
const OF_EACH: usize = 10;
const HEALTHY: usize = COUNTS + DEMOS.len() * OF_EACH;

/// From `tests/hostile`, those that need no words.
const HOSTILE: [&str; 20] = [
    "allocates_outside",
    "calls_from_realloc",
    "describes_by_the_clock",
    "floods_the_host",
    "floods_the_log",
    "grows_memory",
    "grows_table",
    "hoards_resources",
    "opens_a_million",
    "opens_and_removes",
    "recurses",
    "returns_a_gigabyte",
    "spins",
    "spins_each_third_time",
    "spins_in_drop",
    "spins_in_realloc",
    "spins_in_tick",
    "traps_again",
    "traps_in_tick",
    "waits",
];

/// What an operator lets a stranger's plugin add to the page, so that all pages are about as long.
const SERIES: usize = 100;

/// What may be: the 99th percentile beside the hostile, and memory at the end, as multiples of what was before.
const MOST_SLOWER: f64 = 1.5;
const MOST_GROWN: f64 = 1.1;

struct Figures {
    scrapes: usize,
    missed: usize,
    median: Duration,
    p99: Duration,
    /// Bytes after a sixth, a half, and all of the time.
    memory: [f64; 3],
    cpu: Duration,
}

fn exporter(guests: &Path, hostile: Option<&str>) -> Result<Meterbox> {
    let plugin = |text: &str, name: &str| -> Result<String> {
        let file = guests.join(name).with_extension("wasm");
        fs::write(&file, assemble::assemble(text).context(name.to_owned())?)?;
        Ok(file.display().to_string())
    };
    let mut exporter = Meterbox::new();
    let counts = plugin(include_str!("counts.wat"), "counts")?;
    for number in 0..COUNTS {
        let keys = format!("prefix = \"counts_{number}_\"");
        exporter = exporter.and(&format!("healthy_counts_{number}"), &counts, &keys);
    }
    for demo in DEMOS {
        for number in 0..OF_EACH {
            let keys = format!("prefix = \"{demo}_{number}_\"");
            exporter = exporter.and(&format!("healthy_{demo}_{number}"), demo, &keys);
        }
    }
    if let Some(keys) = hostile {
        for name in HOSTILE {
            let file = files::root().join("tests/hostile").join(name);
            let text = fs::read_to_string(file.with_extension("wat")).context(name)?;
            let file = plugin(&text, name)?;
            let keys = format!("config = {{ k = \"value\" }}\nlimits.series = {SERIES}\n{keys}");
            exporter = exporter.and(&format!("hostile_{name}"), &file, &keys);
        }
    }
    Ok(exporter)
}

/// Scrapes until the end: how long each took, or nothing if it was missed.
fn scrape(host: &TestHost, end: Instant) -> Vec<Option<Duration>> {
    let seconds = TIMEOUT.as_secs().to_string();
    let headers = [("x-prometheus-scrape-timeout-seconds", &*seconds)];
    let mut times = Vec::new();
    let mut next = Instant::now();
    while next < end {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        next = Instant::now() + PERIOD;
        let answer = host.request("GET", "/metrics", &headers);
        let answer = answer.ok().filter(|answer| {
            answer.status == 200 && answer.took < TIMEOUT && healthy(&answer.body) == HEALTHY
        });
        times.push(answer.map(|answer| answer.took));
    }
    times
}

/// How many healthy plugins a page has the samples of.
fn healthy(page: &[u8]) -> usize {
    let page = String::from_utf8_lossy(page);
    let start = "meterbox_plugin_collect_success{plugin=\"healthy_";
    let succeeds = |line: &&str| line.starts_with(start) && line.ends_with(" 1");
    page.lines().filter(succeeds).count()
}

/// Every increment is there, once. Of one plugin at a time, so that its page waits for nobody: a tick that comes between a
/// collect and its page excuses a second look.
fn is_exact(host: &TestHost, number: usize) -> Result<()> {
    let path = format!("/metrics?collect[]=healthy_counts_{number}");
    let page = Page::parse(&host.get(&path)?.text()?)?;
    for (name, by) in [("collects", 3.0), ("ticks", 5.0)] {
        let name = format!("counts_{number}_{name}");
        let said = page.number(&name, &[])?;
        let counted = page.number(&format!("{name}_total"), &[])?;
        ensure!(
            said > 1.0 && counted == said * by,
            "{name}: {said}, but the total is {counted}"
        );
    }
    Ok(())
}

fn memory(host: &TestHost) -> Result<f64> {
    let status = fs::read_to_string(host.proc("status"))?;
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let rss = rss.and_then(|rest| rest.split_whitespace().next());
    Ok(rss.context("no VmRSS")?.parse::<f64>()? * 1024.0)
}

fn soak(exporter: Meterbox, time: Duration) -> Result<Figures> {
    let host = exporter.start()?;
    let start = Instant::now();
    let (times, memory) = thread::scope(|scope| -> Result<_> {
        let host = &host;
        let clients = (0..CLIENTS).map(|_| scope.spawn(move || scrape(host, start + time)));
        let clients: Vec<_> = clients.collect();
        let mut resident = [0.0; 3];
        for (place, part) in resident.iter_mut().zip([6, 2, 1]) {
            thread::sleep((start + time / part).saturating_duration_since(Instant::now()));
            *place = memory(host)?;
        }
        let times = clients.into_iter().map(|client| client.join().ok());
        let times: Vec<Vec<_>> = times.collect::<Option<_>>().context("a client panicked")?;
        Ok((times.concat(), resident))
    })?;
    for number in 0..COUNTS {
        until(PATIENCE, || is_exact(&host, number))?;
    }
    let mut took: Vec<Duration> = times.iter().copied().flatten().collect();
    took.sort();
    ensure!(!took.is_empty(), "not one scrape");
    Ok(Figures {
        scrapes: times.len(),
        missed: times.len() - took.len(),
        median: took[took.len() / 2],
        p99: took[took.len() * 99 / 100],
        memory,
        cpu: host.cpu_time()?,
    })
}

#[allow(clippy::print_stdout, reason = "what the program is for")]
fn say(line: &str) {
    println!("{line}");
}

fn report(name: &str, figures: &Figures) {
    let Figures {
        scrapes,
        missed,
        median,
        p99,
        memory,
        cpu,
    } = figures;
    let [begin, middle, end] = memory.map(|bytes| bytes / 1e6);
    let millis = |time: &Duration| time.as_secs_f64() * 1e3;
    say(&format!(
        "| {name} | {scrapes} | {missed} | {:.2} | {:.2} | {begin:.1} | {middle:.1} | {end:.1} | {:.1} |",
        millis(median),
        millis(p99),
        cpu.as_secs_f64(),
    ));
}

fn main() -> Result<()> {
    let seconds = match std::env::var("SOAK") {
        Ok(seconds) if !seconds.is_empty() => seconds.parse().context("SOAK is no number")?,
        _ => SECONDS,
    };
    let time = Duration::from_secs(seconds);
    let guests = tempfile::tempdir()?;
    say(
        "| plugins | scrapes | missed | median, ms | p99, ms | memory, MB: begin | middle | end | processor, s |",
    );
    say("|---|---|---|---|---|---|---|---|---|");
    let alone = soak(exporter(guests.path(), None)?, time)?;
    report(&format!("{HEALTHY} healthy"), &alone);
    let beside = soak(exporter(guests.path(), Some("interval = \"1s\""))?, time)?;
    report(
        &format!(
            "{HEALTHY} healthy, {} hostile in the background",
            HOSTILE.len()
        ),
        &beside,
    );
    let at_scrape = soak(exporter(guests.path(), Some(""))?, time)?;
    report(
        &format!(
            "{HEALTHY} healthy, {} hostile at each scrape",
            HOSTILE.len()
        ),
        &at_scrape,
    );
    let ratio = beside.p99.as_secs_f64() / alone.p99.as_secs_f64();
    say(&format!(
        "\nThe 99th percentile beside the hostile is {ratio:.2} times that without; every count is exact."
    ));
    for figures in [&alone, &beside, &at_scrape] {
        let [begin, _, end] = figures.memory;
        ensure!(figures.missed == 0, "{} scrapes missed", figures.missed);
        ensure!(
            end <= begin * MOST_GROWN,
            "memory grows from {begin} to {end} bytes"
        );
    }
    ensure!(
        ratio <= MOST_SLOWER,
        "{ratio:.2} is more than {MOST_SLOWER}"
    );
    Ok(())
}
