//! A child process with its output, killed when it is dropped.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
pub use rustix::process::Signal;
use rustix::process::{Pid, Resource, Rlimit, kill_process, prlimit};

use crate::{PATIENCE, until};

/// A running program.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
}

/// What the program has written to either stream, line by line.
#[derive(Debug, Default)]
struct Output {
    state: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<String>,
    closed: usize,
}

impl Process {
    /// Starts it with both output streams read and nothing to read itself.
    pub fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let output = Arc::new(Output::default());
        let stdout = child.stdout.take().map(|pipe| output.read(pipe));
        let stderr = child.stderr.take().map(|pipe| output.read(pipe));
        Ok(Self {
            name,
            child,
            output,
            readers: stdout.into_iter().chain(stderr).collect(),
        })
    }

    /// The address in the first line that tells of listening and names a port.
    pub fn listening(&mut self) -> Result<SocketAddr> {
        self.listening_within(PATIENCE)
    }

    /// The same, of a program that takes longer to start.
    pub fn listening_within(&mut self, patience: Duration) -> Result<SocketAddr> {
        let end = Instant::now() + patience;
        let mut state = self.output.lock();
        loop {
            if let Some(address) = state.lines.iter().find_map(|line| listening_address(line)) {
                return Ok(address);
            }
            let left = end.saturating_duration_since(Instant::now());
            if state.closed == 2 || left.is_zero() {
                bail!(
                    "{} does not listen; it wrote:\n{}",
                    self.name,
                    state.lines.join("\n")
                );
            }
            state = self
                .output
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Everything written so far.
    pub fn lines(&self) -> Vec<String> {
        self.output.lock().lines.clone()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(Pid::from_child(&self.child), signal).context("cannot send a signal")
    }

    /// One of the kernel's files about it, such as `status`.
    #[cfg(target_os = "linux")]
    pub fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.child.id()))
    }

    /// File descriptors that are open, by what they lead to.
    #[cfg(target_os = "linux")]
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(self.proc("fd"))?;
        // One may be closed meanwhile.
        Ok(entries
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .collect())
    }

    /// Lowers its limit of open files.
    #[cfg(target_os = "linux")]
    pub fn limit_files(&self, most: usize) -> Result<()> {
        let most = Some(most as u64);
        let limit = Rlimit {
            current: most,
            maximum: most,
        };
        let pid = Pid::from_child(&self.child);
        prlimit(Some(pid), Resource::Nofile, limit).context("cannot set a limit")?;
        Ok(())
    }

    /// What it has used of the processors, in hundredths of a second.
    #[cfg(target_os = "linux")]
    pub fn cpu_time(&self) -> Result<Duration> {
        let stat = fs::read_to_string(self.proc("stat"))?;
        // The name before it may hold anything.
        let (_, fields) = stat.rsplit_once(')').context("no name in it")?;
        let mut ticks = 0;
        for field in fields.split_whitespace().skip(11).take(2) {
            ticks += field.parse::<u64>()?;
        }
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Waits for its end, and for the last line of its output.
    pub fn wait(&mut self, within: Duration) -> Result<ExitStatus> {
        let status = until(within, || match self.child.try_wait()? {
            Some(status) => Ok(status),
            None => bail!("{} still runs", self.name),
        })?;
        for reader in self.readers.drain(..) {
            reader.join().ok().context("a reader of output panicked")?;
        }
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Output {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(self: &Arc<Self>, pipe: impl Read + Send + 'static) -> JoinHandle<()> {
        let output = Arc::clone(self);
        thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                output
                    .lock()
                    .lines
                    .push(String::from_utf8_lossy(&line).into_owned());
                output.changed.notify_all();
            }
            output.lock().closed += 1;
            output.changed.notify_all();
        })
    }
}

/// `level=info msg=listening address=127.0.0.1:9000`, in whatever quotes, as a URL or as JSON.
fn listening_address(line: &str) -> Option<SocketAddr> {
    if !line.to_lowercase().contains("listening") {
        return None;
    }
    line.split(|c: char| c.is_whitespace() || "=\"'/,{}".contains(c))
        .filter_map(|word| word.trim_matches(':').parse::<SocketAddr>().ok())
        .find(|address| address.port() != 0)
}

#[cfg(test)]
mod tests {
    use super::listening_address;

    #[test]
    fn addresses_are_found_in_every_dress() {
        for line in [
            "level=info msg=listening address=127.0.0.1:9000",
            "level=info msg=\"Listening on\" address=\"127.0.0.1:9000\"",
            r#"{"level":"info","msg":"listening","address":"127.0.0.1:9000"}"#,
            "listening on http://127.0.0.1:9000/metrics",
        ] {
            assert_eq!(
                listening_address(line),
                "127.0.0.1:9000".parse().ok(),
                "{line}"
            );
        }
        for line in [
            "listening address=127.0.0.1:0",
            "peer=127.0.0.1:9000",
            "listening",
        ] {
            assert_eq!(listening_address(line), None, "{line}");
        }
    }
}
