//! The host's own metrics: atomics in the registry's own families.
//!
//! A metric about plugins is two lines here: a field of [`PluginMetrics`], and its name, help and labels in
//! [`PluginMetrics::new`].

mod process;

use std::time::Duration;

use meterbox_metrics::{Counter, CounterVec, Gauge, RegisterError, Registry};

pub(crate) use self::process::{ProcessMetrics, start_time};
use crate::engine::FaultKind;

/// A constant 1 that tells the version.
pub(crate) fn build_info(registry: &Registry) -> Result<(), RegisterError> {
    let help = "A constant 1, labelled by the version of this host.";
    let info = registry.own_gauge("meterbox_build_info", help, ["version"])?;
    info.with([env!("CARGO_PKG_VERSION")]).set(1.0);
    Ok(())
}

/// The series about one plugin, all present from the start but those of reasons. Clones are the same series.
#[derive(Clone, Debug)]
pub(crate) struct PluginMetrics {
    name: String,
    pub(crate) up: Gauge,
    collect_success: Gauge,
    collect_duration: Gauge,
    start_duration: Gauge,
    restarts: Counter,
    pub(crate) series: Gauge,
    faults: [Counter; FaultKind::ALL.len()],
    rejected: CounterVec<2>,
}

impl PluginMetrics {
    pub(crate) fn new(registry: &Registry, name: &str) -> Result<Self, RegisterError> {
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
            start_duration: gauge(
                "meterbox_plugin_start_duration_seconds",
                "How long the plugin's last instance took to start: instantiate, describe, init.",
            )?,
            restarts: counter(
                "meterbox_plugin_restarts_total",
                "Instances that were made to replace one that was lost.",
            )?,
            series: gauge(
                "meterbox_plugin_series",
                "Series that the host holds for the plugin.",
            )?,
            faults: FaultKind::ALL.map(|kind| faults.with([name, kind.label()])),
            rejected: counters(
                "meterbox_rejected_families_total",
                "Families whose samples were refused and left out of a scrape, by reason.",
                "reason",
            )?,
        })
    }

    pub(crate) fn fault(&self, kind: FaultKind) {
        self.faults[kind as usize].inc();
    }

    pub(crate) fn collected(&self, succeeded: bool, took: Duration) {
        self.collect_success.set(f64::from(succeeded));
        self.collect_duration.set(took.as_secs_f64());
    }

    pub(crate) fn started(&self, took: Duration) {
        self.start_duration.set(took.as_secs_f64());
    }

    pub(crate) fn restarted(&self, took: Duration) {
        self.restarts.inc();
        self.started(took);
    }

    /// A scrape goes out without the plugin's samples.
    pub(crate) fn missed(&self) {
        self.collect_success.set(0.0);
    }

    pub(crate) fn rejected(&self, reason: &str) {
        self.rejected.with([&self.name, reason]).inc();
    }
}
