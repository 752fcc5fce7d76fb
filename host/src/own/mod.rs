//! The host's own metrics: atomics in the registry's own families.
//!
//! A metric about plugins is two lines here: a field of [`PluginMetrics`], and its name, help and labels in
//! [`PluginMetrics::new`].

mod probes;
mod process;
mod reload;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use meterbox_metrics::{Counter, CounterVec, Gauge, GaugeVec, RegisterError, Registry};

pub(crate) use self::{
    probes::{ProbeMetrics, ProbeResult},
    process::{ProcessMetrics, start_time},
    reload::ReloadMetrics,
};
use crate::{
    config::Grant,
    engine::{FaultKind, Identity},
    limits::Limit,
    plugin::PluginState,
};

/// Limits whose use is a number that can be watched.
pub(crate) const WATCHED: [Limit; 7] = [
    Limit::Cpu,
    Limit::HostCalls,
    Limit::TextBytes,
    Limit::Samples,
    Limit::Memory,
    Limit::TableElements,
    Limit::Series,
];

/// What pages have about plugins where they have nothing else about the exporter.
pub(crate) const BRIEF: &[&str] = &[
    "meterbox_build_info",
    "meterbox_plugin_up",
    "meterbox_plugin_collect_success",
    "meterbox_plugin_collect_duration_seconds",
];

/// A constant 1 that tells the version.
pub(crate) fn build_info(registry: &Registry) -> Result<(), RegisterError> {
    let help = "A constant 1, labelled by the version of this host.";
    let info = registry.own_gauge("meterbox_build_info", help, ["version"])?;
    info.with([env!("CARGO_PKG_VERSION")]).set(1.0);
    Ok(())
}

fn last_collects(registry: &Registry) -> Result<GaugeVec<1>, RegisterError> {
    registry.own_gauge(
        "meterbox_plugin_last_collect_timestamp_seconds",
        "When the last collect of a plugin with an interval of its own ended, in seconds since 1970.",
        ["plugin"],
    )
}

/// The series about whatever is asked at each scrape: a plugin, or the text files. Clones are the same series.
#[derive(Clone, Debug)]
pub(crate) struct CollectorMetrics {
    name: String,
    pub(crate) up: Gauge,
    collect_success: Gauge,
    collect_duration: Gauge,
    pub(crate) series: Gauge,
    rejected: CounterVec<2>,
    /// Whether the series are off the page for good: none may be made any more.
    is_gone: Arc<Mutex<bool>>,
}

/// The series about one plugin, all present from the start but those of reasons and denials. Clones are the same series.
#[derive(Clone, Debug)]
pub(crate) struct PluginMetrics {
    pub(crate) collector: CollectorMetrics,
    start_duration: Gauge,
    restarts: Counter,
    faults: [Counter; FaultKind::ALL.len()],
    states: [Gauge; PluginState::ALL.len()],
    memory: Gauge,
    cpu: Counter,
    log_lines_dropped: Counter,
    /// By versions of the plugin before this one.
    dropped_before: f64,
    limits: [Gauge; WATCHED.len()],
    used: [Gauge; WATCHED.len()],
    denials: CounterVec<2>,
    grant_uses: CounterVec<2>,
    grant_denials: CounterVec<2>,
}

impl CollectorMetrics {
    pub(crate) fn new(registry: &Registry, name: &str) -> Result<Self, RegisterError> {
        let gauge = |metric, help| {
            let family = registry.own_gauge(metric, help, ["plugin"])?;
            Ok::<_, RegisterError>(family.with([name]))
        };
        Ok(Self {
            name: name.to_owned(),
            up: gauge(
                "meterbox_plugin_up",
                "Whether the last call into the plugin came back (1), or it trapped or overran its time (0).",
            )?,
            collect_success: gauge(
                "meterbox_plugin_collect_success",
                "Whether the plugin's collect succeeded in time for this scrape.",
            )?,
            collect_duration: gauge(
                "meterbox_plugin_collect_duration_seconds",
                "How long the plugin's last collect took.",
            )?,
            series: gauge(
                "meterbox_plugin_series",
                "Series that the host holds for the plugin.",
            )?,
            rejected: registry.own_counter(
                "meterbox_rejected_families_total",
                "Families whose samples were refused and left out of a scrape, by reason.",
                ["plugin", "reason"],
            )?,
            is_gone: Arc::default(),
        })
    }

    /// When the last collect in the background ended.
    pub(crate) fn last_collect(&self, registry: &Registry) -> Result<Gauge, RegisterError> {
        Ok(last_collects(registry)?.with([&self.name]))
    }

    /// Takes that off the page, if it is there.
    pub(crate) fn forget_last_collect(&self, registry: &Registry) {
        if let Ok(stamps) = last_collects(registry) {
            stamps.remove([&self.name]);
        }
    }

    /// Takes all series off the page, also those that a call under way would still make.
    pub(crate) fn forget(&self, registry: &Registry) {
        let mut is_gone = self.is_gone.lock().unwrap_or_else(PoisonError::into_inner);
        *is_gone = true;
        registry.remove_own("plugin", &self.name);
    }

    /// Makes series, unless there are to be none any more.
    fn unless_gone(&self, change: impl FnOnce()) {
        let is_gone = self.is_gone.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_gone {
            change();
        }
    }

    pub(crate) fn collected(&self, succeeded: bool, took: Duration) {
        self.collect_success.set(f64::from(succeeded));
        self.collect_duration.set(took.as_secs_f64());
    }

    /// Whether the last scrape had them.
    pub(crate) fn succeeded(&self) -> bool {
        self.collect_success.get() == 1.0
    }

    /// A scrape goes out without the plugin's samples.
    pub(crate) fn missed(&self) {
        self.collect_success.set(0.0);
    }

    pub(crate) fn rejected(&self, reason: &str) {
        self.unless_gone(|| self.rejected.with([&self.name, reason]).inc());
    }
}

impl PluginMetrics {
    pub(crate) fn new(registry: &Registry, identity: &Identity) -> Result<Self, RegisterError> {
        let name = identity.name.as_str();
        let gauge = |metric, help| {
            let family = registry.own_gauge(metric, help, ["plugin"])?;
            Ok::<_, RegisterError>(family.with([name]))
        };
        let counter = |metric, help| {
            let family = registry.own_counter(metric, help, ["plugin"])?;
            Ok::<_, RegisterError>(family.with([name]))
        };
        let counters = |metric, help, label| registry.own_counter(metric, help, ["plugin", label]);
        let faults = counters(
            "meterbox_plugin_faults_total",
            "Calls into the plugin that failed, by kind.",
            "kind",
        )?;
        let gauges = |metric, help, label| registry.own_gauge(metric, help, ["plugin", label]);
        let states = gauges(
            "meterbox_plugin_state",
            "1 for the state that the plugin is in: it runs, waits for its next instance, or is quarantined.",
            "state",
        )?;
        let limits = gauges(
            "meterbox_plugin_limit",
            "What the plugin may use up, by key of its limits: seconds, bytes or a number.",
            "limit",
        )?;
        let used = gauges(
            "meterbox_plugin_limit_used",
            "What the plugin's last call, its instance or its metrics use up of that.",
            "limit",
        )?;
        let log_lines_dropped = counter(
            "meterbox_plugin_log_lines_dropped_total",
            "Log lines of the plugin that exceeded its limits and were dropped.",
        )?;
        Ok(Self {
            collector: CollectorMetrics::new(registry, name)?,
            start_duration: gauge(
                "meterbox_plugin_start_duration_seconds",
                "How long the plugin's last instance took to start: instantiate, describe, init.",
            )?,
            restarts: counter(
                "meterbox_plugin_restarts_total",
                "Instances that were made to replace one that was lost.",
            )?,
            faults: FaultKind::ALL.map(|kind| faults.with([name, kind.label()])),
            states: PluginState::ALL.map(|state| states.with([name, state.label()])),
            memory: gauge(
                "meterbox_plugin_memory_bytes",
                "Linear memory of the plugin's instance.",
            )?,
            cpu: counter(
                "meterbox_plugin_cpu_seconds_total",
                "Processor time of calls into the plugin.",
            )?,
            dropped_before: log_lines_dropped.get(),
            log_lines_dropped,
            limits: WATCHED.map(|limit| limits.with([name, &limit.key()])),
            used: WATCHED.map(|limit| used.with([name, &limit.key()])),
            denials: counters(
                "meterbox_plugin_denials_total",
                "How often the plugin met one of its limits, by its key.",
                "limit",
            )?,
            grant_uses: counters(
                "meterbox_plugin_grant_uses_total",
                "How often the plugin used what it is granted, by key of its grants.",
                "grant",
            )?,
            grant_denials: counters(
                "meterbox_plugin_grant_denials_total",
                "How often the plugin was denied what it is not granted, by key of its grants.",
                "grant",
            )?,
        })
    }

    /// Shows what it may use up.
    pub(crate) fn begin(&self, identity: &Identity) {
        for (gauge, limit) in self.limits.iter().zip(WATCHED) {
            gauge.set(identity.limits.get(limit));
        }
    }

    /// Reads what is counted elsewhere, for a page.
    pub(crate) fn read(&self, identity: &Identity, state: PluginState) {
        for (gauge, each) in self.states.iter().zip(PluginState::ALL) {
            gauge.set(f64::from(each == state));
        }
        let usage = &identity.usage;
        self.memory.set(usage.used(Limit::Memory) as f64);
        self.cpu.advance(usage.cpu().as_secs_f64());
        self.log_lines_dropped
            .advance(self.dropped_before + identity.log.dropped() as f64);
        for (gauge, limit) in self.used.iter().zip(WATCHED) {
            gauge.set(self.used(identity, limit));
        }
        for grant in Grant::ALL {
            let labels = [self.collector.name.as_str(), grant.key()];
            let (uses, denials) = (identity.grants.uses(grant), identity.grants.denials(grant));
            // A name of another grant is looked up, too.
            if identity.grants.has(grant) || uses > 0 {
                self.grant_uses.with(labels).advance(uses as f64);
            }
            if identity.grants.has(grant) || denials > 0 {
                self.grant_denials.with(labels).advance(denials as f64);
            }
        }
        for limit in Limit::ALL {
            match usage.denied(*limit) {
                0 => {}
                denied => {
                    let name = self.collector.name.as_str();
                    self.collector.unless_gone(|| {
                        let counter = self.denials.with([name, &limit.key()]);
                        counter.advance(denied as f64);
                    });
                }
            }
        }
    }

    /// What is used of a limit that is watched: seconds, bytes or a number.
    pub(crate) fn used(&self, identity: &Identity, limit: Limit) -> f64 {
        let used = identity.usage.used(limit);
        match limit {
            Limit::Series => self.collector.series.get(),
            Limit::Cpu => used as f64 / 1e9,
            _ => used as f64,
        }
    }

    /// Faults of all kinds.
    pub(crate) fn faults(&self) -> u64 {
        let counts = self.faults.iter().map(|counter| counter.get() as u64);
        counts.sum()
    }

    pub(crate) fn restarts(&self) -> u64 {
        self.restarts.get() as u64
    }

    pub(crate) fn start_duration(&self) -> Duration {
        Duration::try_from_secs_f64(self.start_duration.get()).unwrap_or_default()
    }

    pub(crate) fn fault(&self, kind: FaultKind) {
        self.faults[kind as usize].inc();
    }

    pub(crate) fn set_start(&self, took: Duration) {
        self.start_duration.set(took.as_secs_f64());
    }

    pub(crate) fn restarted(&self, took: Duration) {
        self.restarts.inc();
        self.set_start(took);
    }
}
