//! How plugins are doing, as plain values: what the status pages and their JSON are made of.

use std::time::{Duration, Instant, SystemTime};

use crate::{
    config::{LogLevel, Source},
    engine::Fault,
    fleet::Down,
    grants::{GrantStatus, Wanted},
    imports::recent::LogLine,
    limits::Limit,
    plugin::PluginState,
};

/// How a plugin is doing, for pages and logs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PluginStatus {
    /// The name in the config.
    pub name: String,
    /// Whether the last call into it came back.
    pub up: bool,
    /// Whether it has an instance, or why it waits for one.
    pub state: PluginState,
    /// Why it did not start, if it never has. It has nothing below then but its source.
    pub error: Option<String>,
    /// When it is given its next instance, or the next try to start, if it waits for one.
    pub retry: Option<SystemTime>,
    /// Its file.
    pub source: Source,
    /// SHA-256 of the file, in hexadecimal; empty where it did not start.
    pub digest: String,
    /// The SDK of this project that it was written with, such as `meterbox-plugin 0.1.0`, as its file says.
    pub sdk: Option<String>,
    /// The interfaces that it exports, such as `meterbox:plugin/collector@0.1.0`.
    pub exports: Vec<String>,
    /// How often it is collected in the background; none means at each scrape.
    pub interval: Option<Duration>,
    /// The least level of its own lines that are logged, if its config says.
    pub log_level: Option<LogLevel>,
    /// Paths that it serves.
    pub routes: Vec<String>,
    /// When the last collect ended that had an instance to call.
    pub last_collect: Option<SystemTime>,
    /// Whether it succeeded in time for the last scrape.
    pub collect_success: bool,
    /// Its last collects, the newest last; at most 60.
    pub collects: Vec<Collected>,
    /// Series that the host holds for it.
    pub series: u64,
    /// Bytes of linear memory of the instance that made the last call, and what it may have.
    pub memory_bytes: u64,
    /// Bytes that they may be.
    pub memory_limit_bytes: u64,
    /// Processor time of all calls.
    pub cpu: Duration,
    /// How long the last instance took to start.
    pub start_duration: Duration,
    /// Instances that were made in place of one that was lost.
    pub restarts: u64,
    /// Calls that failed.
    pub faults_total: u64,
    /// Its last faults, the newest first; at most 16. This and what is below is only told by [`Host::plugin`].
    ///
    /// [`Host::plugin`]: crate::Host::plugin
    pub faults: Vec<Fault>,
    /// What it may use up, and does.
    pub limits: Vec<LimitStatus>,
    /// What it says that it wants to be granted, and whether it is.
    pub wants: Vec<Wanted>,
    /// Every grant that it has, used or was denied.
    pub grants: Vec<GrantStatus>,
    /// The last lines that it wrote, the newest first; at most 50: those of its level, or of `info` and above where it has none.
    pub log: Vec<LogLine>,
    /// Its lines that exceeded its limits and were dropped.
    pub log_lines_dropped: u64,
}

/// A collect that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collected {
    /// How long the call took.
    pub duration: Duration,
    /// Whether it succeeded.
    pub success: bool,
}

/// How a plugin uses one of its limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitStatus {
    /// The limit.
    pub limit: Limit,
    /// What it may use: seconds, bytes or a number.
    pub most: f64,
    /// What its last call, its instance or its metrics use of it, where that is watched.
    pub used: Option<f64>,
    /// How often it met the limit.
    pub denials: u64,
}

impl PluginStatus {
    /// One that does nothing yet.
    pub(crate) fn new(name: &str, source: Source, state: PluginState) -> Self {
        Self {
            name: name.to_owned(),
            up: false,
            state,
            error: None,
            retry: None,
            source,
            digest: String::new(),
            sdk: None,
            exports: Vec::new(),
            interval: None,
            log_level: None,
            routes: Vec::new(),
            last_collect: None,
            collect_success: false,
            collects: Vec::new(),
            series: 0,
            memory_bytes: 0,
            memory_limit_bytes: 0,
            cpu: Duration::ZERO,
            start_duration: Duration::ZERO,
            restarts: 0,
            faults_total: 0,
            faults: Vec::new(),
            limits: Vec::new(),
            wants: Vec::new(),
            grants: Vec::new(),
            log: Vec::new(),
            log_lines_dropped: 0,
        }
    }

    /// The state in one word: that of the metrics, or `down` where the plugin never started.
    pub fn label(&self) -> &'static str {
        match self.error {
            Some(_) => "down",
            None => self.state.label(),
        }
    }
}

impl From<&Down> for PluginStatus {
    fn from(down: &Down) -> Self {
        Self {
            error: Some(down.error.clone()),
            retry: down.retry().map(wall),
            ..Self::new(&down.name, down.source.clone(), PluginState::Waiting)
        }
    }
}

/// The time of day of a moment.
pub(crate) fn wall(at: Instant) -> SystemTime {
    let (instant, now) = (Instant::now(), SystemTime::now());
    let ahead = at.saturating_duration_since(instant);
    let ago = instant.saturating_duration_since(at);
    now.checked_add(ahead)
        .and_then(|time| time.checked_sub(ago))
        .unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_a_time_of_day() {
        let minute = Duration::from_secs(60);
        let now = SystemTime::now();
        let before = wall(Instant::now() - minute);
        let after = wall(Instant::now() + minute);
        assert!(before < now && after > now);
        let between = after.duration_since(before).unwrap_or_default();
        assert!(
            between.abs_diff(2 * minute) < Duration::from_secs(1),
            "{between:?}"
        );
    }
}
