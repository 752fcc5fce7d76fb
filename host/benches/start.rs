//! What a thousand plugins cost beside one: start, memory, scrape.
//!
//! `cargo bench --workspace --bench start`, after `make guests`. Every figure is the best of several processes.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for people"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use meterbox::{
    Host,
    compile::{Compiler, worker},
    config::{Config, PluginConfig},
};

const COUNTER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../target/plugins/counter.wasm"
);
const MANY: usize = 1_000;
const DIGESTS: usize = 100;
const SCRAPES: usize = 21;
const ROUNDS: usize = 5;

fn main() {
    let args: Vec<_> = env::args().skip(1).collect();
    match &args[..] {
        [mode, count, digests, own, state] if mode == "child" => {
            let (count, digests) = (count.parse().unwrap(), digests.parse().unwrap());
            child(count, digests, own == "true", state.as_ref());
        }
        [mode, rest @ ..] if mode == "compile" => {
            worker(rest.iter().map(Into::into));
        }
        _ => parent(),
    }
}

/// What one process found. Times in milliseconds, memory in KiB.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    start: f64,
    /// Of a second host in the same process.
    again: f64,
    scrape: f64,
    resident: f64,
    anonymous: f64,
}

fn child(count: usize, digests: usize, own_process: bool, state: &Path) {
    let sources: Vec<PathBuf> = (0..digests).map(|n| variant(state, n)).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let before = memory();
    let start = async || {
        let start = Instant::now();
        let mut config = Config::default();
        config.state.directory = Some(state.to_owned());
        let mut builder = Host::builder().config(config);
        if own_process {
            builder = builder.compiler(Compiler::this_program(["compile"]));
        }
        for n in 0..count {
            let plugin = PluginConfig::file(&sources[n % digests]).label("instance", n.to_string());
            builder = builder.plugin(format!("counter{n}"), plugin);
        }
        (builder.start().await.unwrap(), start.elapsed())
    };
    let (host, first) = runtime.block_on(start());
    let mut scrapes = Vec::new();
    for _ in 0..SCRAPES {
        let start = Instant::now();
        let text = runtime.block_on(host.scrape(Instant::now() + Duration::from_secs(60)));
        scrapes.push(start.elapsed());
        let up = "meterbox_plugin_collect_success{plugin=\"counter";
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert_eq!(
            text.lines()
                .filter(|line| line.starts_with(up) && line.ends_with(" 1"))
                .count(),
            count
        );
    }
    scrapes.sort();
    let after = memory();
    // By now the program's own pages are in memory, and its libraries know the processor.
    let (_, again) = runtime.block_on(start());
    println!(
        "{} {} {} {} {}",
        first.as_secs_f64() * 1e3,
        again.as_secs_f64() * 1e3,
        scrapes[SCRAPES / 2].as_secs_f64() * 1e3,
        after.0 - before.0,
        after.1 - before.1,
    );
}

/// The counter with a custom section that makes its digest another one.
fn variant(folder: &Path, n: usize) -> PathBuf {
    let path = folder.join(format!("counter-{n}.wasm"));
    if !path.exists() {
        let mut bytes = fs::read(COUNTER).unwrap();
        let section = format!("\u{4}note{n:06}");
        bytes.extend([0, section.len() as u8]);
        bytes.extend(section.as_bytes());
        fs::write(&path, bytes).unwrap();
    }
    path
}

/// Resident memory in KiB: all of it, and what belongs to no file.
fn memory() -> (f64, f64) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = |key: &str| -> f64 {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    (line("VmRSS:"), line("RssAnon:"))
}

fn run(count: usize, digests: usize, own_process: bool, state: &Path) -> Figures {
    let output = Command::new(env::current_exe().unwrap())
        .args(["child", &count.to_string(), &digests.to_string()])
        .arg(own_process.to_string())
        .arg(state)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    let values = text.split_whitespace().map(|word| word.parse().unwrap());
    let [start, again, scrape, resident, anonymous] = values.collect::<Vec<f64>>()[..] else {
        panic!("{text:?}");
    };
    Figures {
        start,
        again,
        scrape,
        resident,
        anonymous,
    }
}

/// The best of several runs: what the machine does besides only adds.
fn best(count: usize, digests: usize, own_process: bool, folder: &Path, is_cold: bool) -> Figures {
    let runs = (0..ROUNDS).map(|_| {
        if is_cold {
            let _ = fs::remove_dir_all(folder.join("code"));
        }
        run(count, digests, own_process, folder)
    });
    let least = |a: Figures, b: Figures| Figures {
        start: a.start.min(b.start),
        again: a.again.min(b.again),
        scrape: a.scrape.min(b.scrape),
        resident: a.resident.min(b.resident),
        anonymous: a.anonymous.min(b.anonymous),
    };
    runs.reduce(least).unwrap()
}

fn parent() {
    let folder = env::temp_dir().join(format!("meterbox-start-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    println!(
        "{:<36} {:>10} {:>10} {:>10} {:>14} {:>14}",
        "", "start ms", "again ms", "scrape ms", "KiB/plugin", "anonymous KiB"
    );
    let show = |what: &str, count: usize, f: Figures| {
        let plugins = count.max(1) as f64;
        let (resident, anonymous) = (f.resident / plugins, f.anonymous / plugins);
        let Figures {
            start,
            again,
            scrape,
            ..
        } = f;
        println!(
            "{what:<36} {start:>10.2} {again:>10.2} {scrape:>10.3} {resident:>14.1} {anonymous:>14.1}"
        );
    };
    let none = best(0, 1, true, &folder, false);
    show("no plugin", 0, none);
    let cold = best(1, 1, false, &folder, true);
    show("1 plugin, compiled here", 1, cold);
    let own = best(1, 1, true, &folder, true);
    show("1 plugin, compiled in a process", 1, own);
    let one = best(1, 1, true, &folder, false);
    show("1 plugin, from the cache", 1, one);
    let many = best(MANY, 1, true, &folder, false);
    show("1,000 plugins, from the cache", MANY, many);
    run(MANY, DIGESTS, true, &folder);
    let unlike = best(MANY, DIGESTS, true, &folder, false);
    show("1,000 plugins of 100 digests", MANY, unlike);
    let ratio = |many: f64, one: f64| many / one;
    println!(
        "a process to compile in / none: start {:.2}, anonymous memory {:.2}",
        ratio(own.start, cold.start),
        ratio(own.anonymous, cold.anonymous)
    );
    println!(
        "the cache / compiling: start {:.4}; one plugin in a warm process: {:.2} ms",
        ratio(one.start, cold.start),
        one.again - none.again
    );
    println!(
        "1,000 plugins / 1: start {:.0}, scrape {:.0}, memory {:.1}",
        ratio(many.start, one.start),
        ratio(many.scrape, one.scrape),
        ratio(many.resident, one.resident)
    );
    fs::remove_dir_all(&folder).unwrap();
}
