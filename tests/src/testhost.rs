//! The exporter under test.

use std::{net::SocketAddr, process::ExitStatus};

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

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        self.process.wait(PATIENCE)
    }
}
