//! The exporter under test.

use std::{net::SocketAddr, path::PathBuf, process::ExitStatus, time::Duration};

use anyhow::{Result, ensure};
use tempfile::TempDir;

use crate::{Client, PATIENCE, Page, Process, Response, Signal, until};

/// A running `meterbox serve`.
#[derive(Debug)]
pub struct TestHost {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    /// Holds the config file.
    pub(crate) _dir: TempDir,
}

impl TestHost {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// GET.
    pub fn get(&self, path: &str) -> Result<Response> {
        self.client.get(path)
    }

    /// Any request.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Response> {
        self.client.request(method, path, headers)
    }

    /// GET /metrics.
    pub fn scrape(&self) -> Result<Page> {
        let response = self.get("/metrics")?;
        ensure!(
            response.status == 200,
            "status {}: {}",
            response.status,
            response.text()?
        );
        Page::parse(&response.text()?)
    }

    /// Scrapes until the check passes; returns what it found.
    pub fn scrape_until<T>(&self, mut check: impl FnMut(&Page) -> Result<T>) -> Result<T> {
        until(PATIENCE, || check(&self.scrape()?))
    }

    /// What it has printed so far.
    pub fn log(&self) -> Vec<String> {
        self.process.lines()
    }

    /// How many lines of what it has printed have all of these words, once there is one.
    pub fn logged(&self, words: &[&str]) -> Result<usize> {
        until(PATIENCE, || {
            let lines = self.log();
            let found = lines
                .iter()
                .filter(|line| words.iter().all(|word| line.contains(word)))
                .count();
            ensure!(found > 0, "no line has all of {words:?}: {lines:#?}");
            Ok(found)
        })
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    /// One of the kernel's files about it, such as `status`.
    #[cfg(target_os = "linux")]
    pub fn proc(&self, file: &str) -> PathBuf {
        self.process.proc(file)
    }

    /// How many file descriptors it has open.
    #[cfg(target_os = "linux")]
    pub fn files(&self) -> Result<usize> {
        Ok(self.process.files()?.len())
    }

    /// How many sockets it has open, those for its own use included.
    #[cfg(target_os = "linux")]
    pub fn sockets(&self) -> Result<usize> {
        let files = self.process.files()?;
        let sockets = files
            .iter()
            .filter(|file| file.to_string_lossy().starts_with("socket:"));
        Ok(sockets.count())
    }

    /// Lowers its limit of open files.
    #[cfg(target_os = "linux")]
    pub fn limit_files(&self, most: usize) -> Result<()> {
        self.process.limit_files(most)
    }

    /// What it has used of the processors.
    #[cfg(target_os = "linux")]
    pub fn cpu_time(&self) -> Result<Duration> {
        self.process.cpu_time()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        self.process.wait(PATIENCE)
    }
}
