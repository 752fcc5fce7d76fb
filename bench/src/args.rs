//! The command line.

use std::{num::NonZeroUsize, time::Duration};

use anyhow::{Context, Result, bail};

use crate::{coding::Coding, peers::Name, workload::Workload};

pub const USAGE: &str = "\
usage: bench [--quick] [--markdown] [--workload NAME]... [--peer NAME]... [--rounds N]
       bench serve PEER WORKLOAD

Measures Meterbox beside other ways to serve /metrics, and prints tables in markdown.

  --quick          under two minutes: one round, short loops, a glance at the million series
  --markdown       the whole of docs/performance.md instead of the tables alone
  --workload NAME  only this one: demo, 10k, 1m, histograms, plugins, updates, changes, limits
  --peer NAME      only this one, and Meterbox: bound, bound-hyper, prometheus-client, prometheus,
                   metrics-exporter-prometheus, client_golang
  --rounds N       how often all servers are started, instead of 5 times for the demo set and 3 for others; one
                   that takes longer than a second for a page is started once; those of the plugins are always
                   started once, and have N times as many turns
";

/// What is to be done.
pub enum Action {
    Serve(Name, Workload),
    Measure(Options),
    Help,
}

/// How a whole run goes.
#[derive(Default)]
pub struct Options {
    pub quick: bool,
    pub markdown: bool,
    /// Empty means all.
    pub parts: Vec<String>,
    /// Empty means all.
    pub peers: Vec<Name>,
    pub rounds: Option<usize>,
}

/// How one workload is measured.
pub struct Plan {
    /// Each starts the servers anew.
    pub rounds: usize,
    /// Of each peer in each round, for each way of asking.
    pub turns: usize,
    /// How long one is.
    pub turn: Duration,
    pub peers: Vec<Name>,
    /// A glance: what takes long is left out.
    pub glance: bool,
}

impl Action {
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Options::default();
        while let Some(arg) = args.next() {
            let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
            match arg.as_str() {
                "serve" => {
                    return Ok(Self::Serve(
                        Name::named(&value()?)?,
                        Workload::named(&value()?)?,
                    ));
                }
                "--quick" => options.quick = true,
                "--markdown" => options.markdown = true,
                "--workload" => options.parts.push(part(value()?)?),
                "--peer" => options.peers.push(Name::named(&value()?)?),
                "--rounds" => {
                    let rounds: NonZeroUsize = value()?.parse().context("--rounds")?;
                    options.rounds = Some(rounds.get());
                }
                "--help" | "-h" => return Ok(Self::Help),
                _ => bail!("what is {arg:?}?\n\n{USAGE}"),
            }
        }
        Ok(Self::Measure(options))
    }
}

fn part(name: String) -> Result<String> {
    if !["updates", "changes", "limits"].contains(&name.as_str()) {
        Workload::named(&name)?;
    }
    Ok(name)
}

impl Options {
    /// Whether a part of the run was asked for.
    pub fn includes(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|name| name == part)
    }

    pub fn plan(&self, workload: Workload) -> Plan {
        // The shorter a page, the more the machine's moods weigh.
        let (rounds, turns, turn) = match workload {
            _ if self.quick => (1, 1, 200),
            Workload::Demo => (5, 5, 200),
            Workload::TenThousand => (3, 5, 200),
            Workload::Million => (3, 3, 500),
            Workload::Histograms => (3, 3, 200),
            Workload::Plugins => (1, 9, 1000),
        };
        let glance = self.quick && workload == Workload::Million;
        let at_a_glance = [
            Name::Meterbox,
            Name::Bound,
            Name::PrometheusClient,
            Name::Prometheus,
        ];
        let peers = Name::ALL.into_iter().filter(|name| {
            let is_asked_for = if self.peers.is_empty() {
                !glance || at_a_glance.contains(name)
            } else {
                self.peers.contains(name)
            };
            is_asked_for || *name == Name::Meterbox
        });
        Plan {
            rounds: self.rounds.unwrap_or(rounds),
            turns,
            turn: Duration::from_millis(turn),
            peers: peers.collect(),
            glance,
        }
    }
}

impl Plan {
    /// In the order in which they are measured.
    pub fn codings(&self) -> &'static [Coding] {
        if self.glance {
            &[Coding::Identity, Coding::Gzip]
        } else {
            &Coding::ALL
        }
    }

    /// Connections at once.
    pub fn clients(&self) -> &'static [usize] {
        if self.glance { &[1] } else { &[1, 8] }
    }
}
