//! `process_*`: what every client library says about its process, read as cheaply as the kernel has it.

use std::{
    fs::{self, File},
    os::unix::fs::{FileExt, MetadataExt},
};

use meterbox_metrics::{Counter, Gauge, RegisterError, Registry};
use rustix::{
    param::{clock_ticks_per_second, page_size},
    process::{Resource, getrlimit},
    time::{ClockId, clock_gettime},
};

/// The families about this process. What the system does not tell is not on the page.
#[derive(Debug)]
pub(crate) struct ProcessMetrics {
    cpu: Counter,
    max_fds: Option<Gauge>,
    fds: Option<(File, Gauge)>,
    memory: Option<Memory>,
    threads: Option<(File, Gauge)>,
}

#[derive(Debug)]
struct Memory {
    /// `/proc/self/statm`: pages in all, resident pages, and more.
    file: File,
    virtual_bytes: Gauge,
    resident_bytes: Gauge,
}

impl ProcessMetrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, RegisterError> {
        let gauge =
            |name, help| Ok::<_, RegisterError>(registry.own_gauge(name, help, [])?.with([]));
        let cpu = registry.own_counter(
            "process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds.",
            [],
        )?;
        let started = start_time();
        if let Some(started) = started {
            gauge(
                "process_start_time_seconds",
                "Start time of the process since unix epoch in seconds.",
            )?
            .set(started);
        }
        let fds = File::open("/proc/self/fd").ok();
        let threads = File::open("/proc/self/task").ok();
        let memory = File::open("/proc/self/statm").ok();
        let metrics = Self {
            cpu: match started {
                Some(started) => cpu.with_created([], (started * 1e3) as i64),
                None => cpu.with([]),
            },
            max_fds: match getrlimit(Resource::Nofile).current {
                Some(_) => Some(gauge(
                    "process_max_fds",
                    "Maximum number of open file descriptors.",
                )?),
                None => None,
            },
            fds: match fds {
                Some(folder) => Some((
                    folder,
                    gauge("process_open_fds", "Number of open file descriptors.")?,
                )),
                None => None,
            },
            threads: match threads {
                Some(folder) => Some((
                    folder,
                    gauge("process_threads", "Number of OS threads in the process.")?,
                )),
                None => None,
            },
            memory: match memory {
                Some(file) => Some(Memory {
                    file,
                    virtual_bytes: gauge(
                        "process_virtual_memory_bytes",
                        "Virtual memory size in bytes.",
                    )?,
                    resident_bytes: gauge(
                        "process_resident_memory_bytes",
                        "Resident memory size in bytes.",
                    )?,
                }),
                None => None,
            },
        };
        metrics.read();
        Ok(metrics)
    }

    /// Reads everything anew; belongs before a page. A handful of system calls, no allocation.
    pub(crate) fn read(&self) {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        self.cpu
            .advance(cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9);
        if let (Some(gauge), Some(most)) = (&self.max_fds, getrlimit(Resource::Nofile).current) {
            gauge.set(most as f64);
        }
        if let Some((folder, gauge)) = &self.fds {
            gauge.set(open_fds(folder) as f64);
        }
        if let Some((folder, gauge)) = &self.threads
            && let Ok(folder) = folder.metadata()
        {
            // A folder has a link for each folder in it, and two more.
            gauge.set(folder.nlink().saturating_sub(2) as f64);
        }
        if let Some(memory) = &self.memory
            && let Some([all, resident]) = pages(&memory.file)
        {
            let bytes = page_size() as f64;
            memory.virtual_bytes.set(all as f64 * bytes);
            memory.resident_bytes.set(resident as f64 * bytes);
        }
    }
}

/// Linux since 6.2 says it as the folder's size; before, its entries have to be counted, of which one is the reading itself.
fn open_fds(folder: &File) -> u64 {
    match folder.metadata() {
        Ok(folder) if folder.size() > 0 => folder.size(),
        _ => fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64 - 1),
    }
}

fn pages(statm: &File) -> Option<[u64; 2]> {
    let mut text = [0; 128];
    let length = statm.read_at(&mut text, 0).ok()?;
    let mut words = str::from_utf8(&text[..length]).ok()?.split(' ');
    let mut pages = || words.next()?.parse().ok();
    Some([pages()?, pages()?])
}

/// When this process started, in seconds since 1970 to the hundredth; `None` where the system does not tell.
pub(crate) fn start_time() -> Option<f64> {
    // The name in parentheses may contain anything; the 22nd field of all is the 20th behind it.
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let ticks: f64 = stat.rsplit_once(") ")?.1.split(' ').nth(19)?.parse().ok()?;
    let machine = fs::read_to_string("/proc/stat").ok()?;
    let boot = machine
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?;
    Some(boot.parse::<f64>().ok()? + ticks / clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    use super::*;

    fn status(key: &str) -> f64 {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap()
            .split_whitespace()
            .next()
            .unwrap()
            .parse()
            .unwrap()
    }

    #[test]
    fn the_kernel_says_the_same_elsewhere() {
        let process = ProcessMetrics::new(&Registry::default()).unwrap();
        // Other tests come and go on threads of their own, so it takes a quiet moment.
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            process.read();
            let threads = process.threads.as_ref().unwrap().1.get();
            let memory = process.memory.as_ref().unwrap();
            let near = |bytes: &Gauge, kib: f64| (bytes.get() / (kib * 1024.0) - 1.0).abs() < 0.05;
            let alike = threads == status("Threads:")
                && near(&memory.virtual_bytes, status("VmSize:"))
                && near(&memory.resident_bytes, status("VmRSS:"));
            if alike {
                break;
            }
            assert!(Instant::now() < deadline, "{process:?}");
        }
        assert!(process.max_fds.unwrap().get() >= process.fds.unwrap().1.get());
    }

    #[test]
    fn open_files_are_counted() {
        let process = ProcessMetrics::new(&Registry::default()).unwrap();
        let files: Vec<_> = (0..500)
            .map(|_| File::open("/proc/self/stat").unwrap())
            .collect();
        process.read();
        let open = process.fds.as_ref().unwrap().1.get();
        assert!(open >= files.len() as f64, "{open}");
    }

    #[test]
    fn processor_time_has_a_fraction_and_grows() {
        let process = ProcessMetrics::new(&Registry::default()).unwrap();
        let before = process.cpu.get();
        let deadline = Instant::now() + Duration::from_secs(20);
        while process.cpu.get() < before + 0.001 {
            assert!(Instant::now() < deadline);
            process.read();
        }
    }

    #[test]
    fn it_started_after_the_machine_and_before_now() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let start = start_time().unwrap();
        assert!((1.0..now.as_secs_f64()).contains(&start), "{start}");
    }
}
