//! Where it was measured, with what, and how quiet it was.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    process::Command,
    thread::available_parallelism,
};

/// Crates whose version is part of the result.
const CRATES: &[&str] = &[
    "prometheus",
    "prometheus-client",
    "metrics",
    "metrics-exporter-prometheus",
    "hyper",
    "tokio",
    "flate2",
    "zlib-rs",
    "miniz_oxide",
    "zstd",
];

const LOCK: &str = include_str!("../Cargo.lock");

/// The machine in one line.
pub fn describe() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or("");
        line.split(':')
            .nth(1)
            .unwrap_or("unknown")
            .trim()
            .to_owned()
    };
    let cpu = read("/proc/cpuinfo");
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let kilobytes: f64 = memory.trim_end_matches(" kB").parse().unwrap_or(0.0);
    let virtual_cpu = if field(&cpu, "flags").contains("hypervisor") {
        ", virtual"
    } else {
        ""
    };
    format!(
        "{} × {} (family {}, cache {}{virtual_cpu}), {:.0} GB, Linux {}",
        available_parallelism().map_or(0, usize::from),
        field(&cpu, "model name"),
        field(&cpu, "cpu family"),
        field(&cpu, "cache size"),
        kilobytes * 1024.0 / 1e9,
        read("/proc/sys/kernel/osrelease").trim(),
    )
}

/// The crates that were compared, with their versions.
pub fn versions() -> String {
    let mut found = Vec::new();
    let mut lines = LOCK.lines();
    while let Some(line) = lines.next() {
        let name = line
            .strip_prefix("name = ")
            .map(|name| name.trim_matches('"'));
        if let Some(name) = name.filter(|name| CRATES.contains(name)) {
            let version = lines
                .next()
                .and_then(|line| line.strip_prefix("version = "));
            found.push(format!(
                "{name} {}",
                version.unwrap_or("").trim_matches('"')
            ));
        }
    }
    found.join(", ")
}

/// The commit that Meterbox was built from, as far as git knows it.
pub fn commit() -> String {
    let mut git = Command::new("git");
    git.args([
        "-C",
        env!("CARGO_MANIFEST_DIR"),
        "describe",
        "--always",
        "--dirty",
    ]);
    output(&mut git).unwrap_or_else(|| "of no commit".to_owned())
}

/// The compiler's version.
pub fn rustc() -> String {
    let text = output(Command::new("rustc").arg("-V"));
    let version = text.as_deref().and_then(|text| text.split(' ').nth(1));
    version.unwrap_or("of unknown version").to_owned()
}

/// What a program that exists and succeeds says.
fn output(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Ticks of all cores so far, and who had them.
#[derive(Clone, Copy)]
pub struct Usage {
    all: u64,
    /// By programs, whosever they are.
    busy: u64,
    /// By this program and the servers that it ended.
    own: u64,
    /// By the hypervisor, for other machines.
    stolen: u64,
}

impl Usage {
    pub fn now() -> Self {
        let read = |path: &str, skip: usize| -> Vec<u64> {
            let text = fs::read_to_string(path).unwrap_or_default();
            // Of the line about all cores, or of what stands behind the name of a process.
            let line = text.lines().next().unwrap_or("");
            let line = line.rsplit_once(')').map_or(line, |(_, rest)| rest);
            let fields = line.split_whitespace().skip(skip);
            fields.map(|field| field.parse().unwrap_or(0)).collect()
        };
        let stat = read("/proc/stat", 1);
        // utime, stime, and those of children that were waited for.
        let own = read("/proc/self/stat", 11);
        Self {
            all: stat.iter().take(8).sum(),
            busy: stat.iter().take(3).sum(),
            own: own.iter().take(4).sum(),
            stolen: stat.get(7).copied().unwrap_or(0),
        }
    }

    /// How quiet it was since then.
    pub fn describe(self) -> String {
        let now = Self::now();
        let all = (now.all - self.all).max(1) as f64;
        let others = (now.busy - self.busy).saturating_sub(now.own - self.own);
        let share = |ticks: u64| ticks as f64 / all * 100.0;
        let (others, stolen) = (share(others), share(now.stolen - self.stolen));
        let verdict = if others + stolen < 5.0 {
            "it was quiet"
        } else {
            "so these figures are rough, above all where two processes or more have to run at once"
        };
        format!(
            "meanwhile other programs took {others:.0} % of the processor time and other virtual machines {stolen:.0} %: {verdict}"
        )
    }
}

/// Keeps idle cores awake as long as it lives, where that is allowed: on a virtual machine, waking one costs more than
/// serving a small page, whoever serves it.
pub struct Awake(Option<File>);

impl Awake {
    pub fn new() -> Self {
        let open = OpenOptions::new().write(true).open("/dev/cpu_dma_latency");
        // Microseconds, as the kernel wants them: four bytes of zero.
        Self(
            open.ok()
                .and_then(|mut file| file.write_all(&[0; 4]).ok().map(|()| file)),
        )
    }

    pub fn describe(&self) -> &'static str {
        if self.0.is_some() {
            "Idle cores were kept awake (`/dev/cpu_dma_latency` at 0)"
        } else {
            "Idle cores could sleep (`/dev/cpu_dma_latency` needs root): each request of a small page pays for waking them"
        }
    }
}
