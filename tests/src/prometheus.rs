//! A real Prometheus server.

use std::{
    collections::BTreeMap, fs, net::SocketAddr, path::Path, process::Command, time::UNIX_EPOCH,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Client, Process, files};

/// A server that scrapes one target every second, by the config file that is shipped.
#[derive(Debug)]
pub struct Prometheus {
    /// The server itself; killed before its data goes.
    _process: Process,
    client: Client,
    _data: TempDir,
}

impl Prometheus {
    /// Starts it.
    pub fn start(program: &Path, target: SocketAddr) -> Result<Self> {
        Self::start_with(program, target, &[])
    }

    /// Starts it with these arguments, too.
    pub fn start_with(program: &Path, target: SocketAddr, args: &[&str]) -> Result<Self> {
        Self::start_as(program, target, "", args)
    }

    /// Starts it with further keys of the scrape config, as lines with their indent.
    pub fn start_scraping(program: &Path, target: SocketAddr, keys: &str) -> Result<Self> {
        Self::start_as(program, target, keys, &[])
    }

    fn start_as(program: &Path, target: SocketAddr, keys: &str, args: &[&str]) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let shipped = fs::read_to_string(files::root().join("deploy/prometheus/prometheus.yml"))?;
        let config = shipped
            .replace("127.0.0.1:8080", &target.to_string())
            .replace("15s", "1s");
        ensure!(
            config.contains(&target.to_string()),
            "the shipped config names another target"
        );
        // It ends in the one scrape config.
        let config = format!("{config}{keys}");
        let file = data.path().join("prometheus.yml");
        fs::write(&file, config)?;
        let rules = files::root().join("deploy/prometheus/alerts.yml");
        fs::copy(rules, data.path().join("alerts.yml"))?;
        let mut process = Process::start(
            Command::new(program)
                .arg("--config.file")
                .arg(&file)
                .arg("--storage.tsdb.path")
                .arg(data.path().join("tsdb"))
                .arg("--web.listen-address=127.0.0.1:0")
                .args(args),
        )?;
        let client = Client::new(process.listening()?);
        Ok(Self {
            _process: process,
            client,
            _data: data,
        })
    }

    /// One that takes remote write at this address, and scrapes nobody. What it stores is in the folder: the next one that
    /// gets it goes on from there.
    pub fn start_receiving(program: &Path, folder: &Path, address: SocketAddr) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let file = data.path().join("prometheus.yml");
        fs::write(&file, "global: {}\n")?;
        let mut process = Process::start(
            Command::new(program)
                .arg("--web.enable-remote-write-receiver")
                .arg("--config.file")
                .arg(&file)
                .arg("--storage.tsdb.path")
                .arg(folder)
                .arg(format!("--web.listen-address={address}")),
        )?;
        let client = Client::new(process.listening()?);
        Ok(Self {
            _process: process,
            client,
            _data: data,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.client.address()
    }

    /// All that is stored of the only series that a range selector finds: seconds since 1970, and values.
    pub fn stored(&self, selector: &str) -> Result<Vec<(f64, f64)>> {
        let data = self.api(&format!("/api/v1/query?query={}", encode(selector)))?;
        let series = data["result"].as_array().context("no result")?;
        ensure!(
            series.len() == 1,
            "{selector} finds {} series",
            series.len()
        );
        let values = series[0]["values"].as_array().context("no values")?;
        let pair = |pair: &Value| {
            let value = pair[1].as_str().context("no value")?.parse()?;
            Ok((pair[0].as_f64().context("no time")?, value))
        };
        values.iter().map(pair).collect()
    }

    /// The one active target, as `/api/v1/targets` describes it.
    pub fn target(&self) -> Result<Value> {
        let targets = self.api("/api/v1/targets?state=active")?["activeTargets"].take();
        targets.get(0).cloned().context("no active target")
    }

    /// An instant query: the labels and the value of each series.
    pub fn query(&self, expression: &str) -> Result<Vec<(BTreeMap<String, String>, f64)>> {
        let data = self.api(&format!("/api/v1/query?query={}", encode(expression)))?;
        let series = data["result"].as_array().context("no result")?;
        series
            .iter()
            .map(|one| {
                let labels = serde_json::from_value(one["metric"].clone())?;
                let value = one["value"][1].as_str().context("no value")?.parse()?;
                Ok((labels, value))
            })
            .collect()
    }

    /// The value of the only series that a query finds.
    pub fn scalar(&self, expression: &str) -> Result<f64> {
        let found = self.query(expression)?;
        ensure!(
            found.len() == 1,
            "{expression} finds {} series",
            found.len()
        );
        Ok(found[0].1)
    }

    /// The expressions of all alerts, as Prometheus writes them.
    pub fn alerts(&self) -> Result<Vec<String>> {
        let found = self.api("/api/v1/rules?type=alert")?;
        let groups = found["groups"].as_array().context("no groups")?;
        let rules = groups.iter().filter_map(|group| group["rules"].as_array());
        rules
            .flatten()
            .map(|rule| Ok(rule["query"].as_str().context("no query")?.to_owned()))
            .collect()
    }

    /// The exemplars that a query finds, as `/api/v1/query_exemplars` lists them.
    pub fn exemplars(&self, expression: &str) -> Result<Vec<Value>> {
        let now = UNIX_EPOCH.elapsed()?.as_secs();
        let path = format!(
            "/api/v1/query_exemplars?start=0&end={}&query={}",
            now + 60,
            encode(expression)
        );
        let found = self.api(&path)?;
        Ok(found.as_array().context("no list")?.clone())
    }

    fn api(&self, path: &str) -> Result<Value> {
        let response = self.client.get(path)?;
        let mut answer: Value = serde_json::from_slice(&response.body)
            .with_context(|| format!("status {} without JSON", response.status))?;
        ensure!(answer["status"] == "success", "{answer}");
        Ok(answer["data"].take())
    }
}

/// Percent-encodes a query.
fn encode(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}
