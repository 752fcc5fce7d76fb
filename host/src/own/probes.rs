//! What is counted about a plugin's probes.

use std::time::Duration;

use meterbox_metrics::{Counter, CounterVec, Gauge, GaugeVec, RegisterError, Registry};

/// How a probe can end; each is a value of the `result` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeResult {
    /// The target is as it should be.
    Success,
    /// It is not, or did not answer.
    Failure,
    /// The plugin failed.
    Fault,
}

impl ProbeResult {
    const ALL: [Self; 3] = [Self::Success, Self::Failure, Self::Fault];

    fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Fault => "fault",
        }
    }
}

/// The series about the probes of one plugin. Clones are the same series.
#[derive(Clone, Debug)]
pub(crate) struct ProbeMetrics {
    results: [Counter; ProbeResult::ALL.len()],
    seconds: Counter,
    in_flight: Gauge,
}

/// A probe that is under way.
#[derive(Debug)]
pub(crate) struct ProbeInFlight(Gauge);

impl Drop for ProbeInFlight {
    fn drop(&mut self) {
        self.0.add(-1.0);
    }
}

struct Families {
    results: CounterVec<2>,
    seconds: CounterVec<1>,
    in_flight: GaugeVec<1>,
}

impl Families {
    fn new(registry: &Registry) -> Result<Self, RegisterError> {
        Ok(Self {
            results: registry.own_counter(
                "meterbox_plugin_probes_total",
                "Probes that the plugin was asked for, by result: a target that is well, one that is not, a plugin that failed.",
                ["plugin", "result"],
            )?,
            seconds: registry.own_counter(
                "meterbox_plugin_probe_seconds_total",
                "Wall-clock time of the plugin's probes.",
                ["plugin"],
            )?,
            in_flight: registry.own_gauge(
                "meterbox_plugin_probes_in_flight",
                "Probes of the plugin that are under way.",
                ["plugin"],
            )?,
        })
    }
}

impl ProbeMetrics {
    pub(crate) fn new(registry: &Registry, plugin: &str) -> Result<Self, RegisterError> {
        let families = Families::new(registry)?;
        Ok(Self {
            results: ProbeResult::ALL.map(|result| families.results.with([plugin, result.label()])),
            seconds: families.seconds.with([plugin]),
            in_flight: families.in_flight.with([plugin]),
        })
    }

    /// Takes their names, which no plugin can have from then on.
    pub(crate) fn claim(registry: &Registry) -> Result<(), RegisterError> {
        Families::new(registry).map(drop)
    }

    /// Takes the series about a plugin that may not probe any more off the page.
    pub(crate) fn forget(registry: &Registry, plugin: &str) {
        let Ok(families) = Families::new(registry) else {
            return;
        };
        for result in ProbeResult::ALL {
            families.results.remove([plugin, result.label()]);
        }
        families.seconds.remove([plugin]);
        families.in_flight.remove([plugin]);
    }

    pub(crate) fn enter(&self) -> ProbeInFlight {
        self.in_flight.add(1.0);
        ProbeInFlight(self.in_flight.clone())
    }

    pub(crate) fn probed(&self, result: ProbeResult, took: Duration) {
        self.results[result as usize].inc();
        self.seconds.add(took.as_secs_f64());
    }
}
