//! How the last reload went, in the words of Prometheus.

use std::time::{SystemTime, UNIX_EPOCH};

use meterbox_metrics::{Gauge, RegisterError, Registry};

#[derive(Clone, Debug)]
pub(crate) struct ReloadMetrics {
    successful: Gauge,
    success: Gauge,
}

impl ReloadMetrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, RegisterError> {
        let gauge = |name, help| {
            let family = registry.own_gauge(name, help, [])?;
            Ok::<_, RegisterError>(family.with([]))
        };
        Ok(Self {
            successful: gauge(
                "meterbox_config_last_reload_successful",
                "Whether the last configuration reload attempt was successful.",
            )?,
            success: gauge(
                "meterbox_config_last_reload_success_timestamp_seconds",
                "Timestamp of the last successful configuration reload.",
            )?,
        })
    }

    /// At the start, too.
    pub(crate) fn succeeded(&self) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        self.successful.set(1.0);
        self.success.set(since.unwrap_or_default().as_secs_f64());
    }

    /// Whether the last one was done, and when that was for the last one that was: seconds since 1970.
    pub(crate) fn last(&self) -> (bool, f64) {
        (self.successful.get() == 1.0, self.success.get())
    }

    pub(crate) fn failed(&self) {
        self.successful.set(0.0);
    }
}
