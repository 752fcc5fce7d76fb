//! The host's own metrics, kept in a registry of the `prometheus` crate like those of any native program.

use std::time::Duration;

use prometheus::{
    Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    process_collector::ProcessCollector,
};

use crate::engine::FaultKind;

/// Families about all plugins.
#[derive(Clone, Debug)]
pub(crate) struct OwnMetrics {
    registry: Registry,
    up: IntGaugeVec,
    collect_success: IntGaugeVec,
    collect_duration: GaugeVec,
    faults: IntCounterVec,
    restarts: IntCounterVec,
    start_duration: GaugeVec,
    series: IntGaugeVec,
    rejected: IntCounterVec,
}

/// The series about one plugin.
#[derive(Clone, Debug)]
pub(crate) struct PluginMetrics {
    name: String,
    pub(crate) up: IntGauge,
    collect_success: IntGauge,
    collect_duration: Gauge,
    start_duration: Gauge,
    restarts: IntCounter,
    pub(crate) series: IntGauge,
    faults: [IntCounter; FaultKind::ALL.len()],
    rejected: IntCounterVec,
}

impl OwnMetrics {
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let gauges = |name, help| IntGaugeVec::new(Opts::new(name, help), &["plugin"]);
        let own = Self {
            up: gauges(
                "meterbox_plugin_up",
                "Whether the last call into the plugin came back (1), or it trapped or overran its time (0).",
            )?,
            collect_success: gauges(
                "meterbox_plugin_collect_success",
                "Whether the plugin's collect succeeded in time for this scrape.",
            )?,
            collect_duration: GaugeVec::new(
                Opts::new(
                    "meterbox_plugin_collect_duration_seconds",
                    "How long the plugin's last collect took.",
                ),
                &["plugin"],
            )?,
            faults: IntCounterVec::new(
                Opts::new(
                    "meterbox_plugin_faults_total",
                    "Calls into the plugin that failed, by kind.",
                ),
                &["plugin", "kind"],
            )?,
            restarts: IntCounterVec::new(
                Opts::new(
                    "meterbox_plugin_restarts_total",
                    "Instances that were made to replace one that was lost.",
                ),
                &["plugin"],
            )?,
            start_duration: GaugeVec::new(
                Opts::new(
                    "meterbox_plugin_start_duration_seconds",
                    "How long the plugin's last instance took to start: instantiate, describe, init.",
                ),
                &["plugin"],
            )?,
            series: gauges(
                "meterbox_plugin_series",
                "Series that the host holds for the plugin.",
            )?,
            rejected: IntCounterVec::new(
                Opts::new(
                    "meterbox_rejected_families_total",
                    "Families whose samples were refused and left out of a scrape, by reason.",
                ),
                &["plugin", "reason"],
            )?,
            registry,
        };
        let build = IntGaugeVec::new(
            Opts::new(
                "meterbox_build_info",
                "A constant 1, labelled by the version of this host.",
            ),
            &["version"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        own.registry.register(Box::new(build))?;
        own.registry.register(Box::new(own.up.clone()))?;
        own.registry
            .register(Box::new(own.collect_success.clone()))?;
        own.registry
            .register(Box::new(own.collect_duration.clone()))?;
        own.registry.register(Box::new(own.faults.clone()))?;
        own.registry.register(Box::new(own.restarts.clone()))?;
        own.registry
            .register(Box::new(own.start_duration.clone()))?;
        own.registry.register(Box::new(own.series.clone()))?;
        own.registry.register(Box::new(own.rejected.clone()))?;
        own.registry
            .register(Box::new(ProcessCollector::for_self()))?;
        Ok(own)
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The series of one plugin, all present from the start.
    pub(crate) fn plugin(&self, name: &str) -> PluginMetrics {
        let one = [name];
        PluginMetrics {
            name: name.to_owned(),
            up: self.up.with_label_values(&one),
            collect_success: self.collect_success.with_label_values(&one),
            collect_duration: self.collect_duration.with_label_values(&one),
            start_duration: self.start_duration.with_label_values(&one),
            restarts: self.restarts.with_label_values(&one),
            series: self.series.with_label_values(&one),
            faults: FaultKind::ALL.map(|kind| self.faults.with_label_values(&[name, kind.label()])),
            rejected: self.rejected.clone(),
        }
    }
}

impl PluginMetrics {
    pub(crate) fn fault(&self, kind: FaultKind) {
        self.faults[kind as usize].inc();
    }

    pub(crate) fn collected(&self, succeeded: bool, took: Duration) {
        self.collect_success.set(succeeded.into());
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
        self.collect_success.set(0);
    }

    pub(crate) fn rejected(&self, reason: &str) {
        self.rejected
            .with_label_values(&[self.name.as_str(), reason])
            .inc();
    }
}
