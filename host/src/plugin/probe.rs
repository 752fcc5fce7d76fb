//! Probes of targets that scrapers name: each request gets an instance of its own, and a page of its own.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use meterbox_metrics::{
    Desc, Page, RegisterError, Registry, Sample, SampleError, ScopeOptions, View,
};
use tokio::sync::Semaphore;

use super::{Plugin, call::GRACE, instance::Instance, lane, recovery::PluginState};
use crate::{
    engine::{Fault, FaultKind, Identity, bindings::probe, guard},
    limits::{Limit, Limits},
    own::{ProbeMetrics, ProbeResult},
};

/// The exports, for messages.
const EXPORT: &str = "probe";
const DESCRIBE: &str = "probe.describe";

/// A request for a probe.
#[derive(Clone, Debug)]
pub(crate) struct ProbeRequest {
    /// What to measure.
    pub(crate) target: String,
    /// The other parameters.
    pub(crate) parameters: Vec<(String, String)>,
    /// When its scraper has to have the page.
    pub(crate) deadline: Instant,
}

/// What a probe has measured: whether its target is well, and samples.
pub(super) type Measured = (bool, Vec<(u32, Sample)>);

/// Families whose samples were left out of a page, and why.
pub(super) type Refused = Vec<(Option<u32>, SampleError)>;

/// Why a plugin was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unasked {
    #[error("The plugin may not be asked for probes")]
    NotEnabled,
    #[error("The plugin has not started")]
    Down,
    #[error("The plugin is quarantined")]
    Quarantined,
    #[error("The plugin is busy")]
    Busy,
    #[error("The exporter stops")]
    Stopping,
}

/// What the probes of a plugin share.
#[derive(Debug)]
pub(super) struct Probes {
    options: ScopeOptions,
    descs: Vec<Desc>,
    permits: Arc<Semaphore>,
    metrics: ProbeMetrics,
    /// Families whose samples were refused, with the reason: each is logged once.
    refused: Mutex<HashSet<(Option<u32>, &'static str)>>,
}

impl Probes {
    pub(super) fn new(
        options: ScopeOptions,
        descs: Vec<Desc>,
        limits: &Limits,
        metrics: ProbeMetrics,
    ) -> Self {
        Self {
            options,
            descs,
            permits: Arc::new(Semaphore::new(limits.probes)),
            metrics,
            refused: Mutex::default(),
        }
    }

    /// The page of a probe that ended so, and the families that were refused.
    pub(super) fn page(&self, (success, samples): Measured, took: Duration) -> (Page, Refused) {
        let descs = self.descs.clone();
        // They were registered alike when the plugin started: what could be refused was refused then.
        page(&self.options, descs, success, took, samples).unwrap_or_else(|error| {
            tracing::error!(plugin = self.options.owner, %error, "no page for a probe");
            (Registry::default().page(|_| View::All), Vec::new())
        })
    }
}

/// Whether the families of a plugin's probes can be on a page.
pub(super) fn check(options: &ScopeOptions, descs: &[Desc]) -> Result<(), RegisterError> {
    page(options, descs.to_vec(), false, Duration::ZERO, Vec::new()).map(drop)
}

/// A page in blackbox_exporter's words.
fn page(
    options: &ScopeOptions,
    descs: Vec<Desc>,
    success: bool,
    took: Duration,
    samples: Vec<(u32, Sample)>,
) -> Result<(Page, Refused), RegisterError> {
    let registry = Registry::default();
    for (name, help, value) in [
        (
            "probe_success",
            "Displays whether or not the probe was a success",
            f64::from(success),
        ),
        (
            "probe_duration_seconds",
            "Returns how long the probe took to complete in seconds",
            took.as_secs_f64(),
        ),
    ] {
        registry.own_gauge(name, help, [])?.with([]).set(value);
    }
    let scope = registry.register(options, descs)?;
    let refused = scope.replace_samples(samples, Instant::now());
    Ok((registry.page(|_| View::All), refused))
}

impl Plugin {
    /// Has a fresh instance probe a target; the page says what came of it, also if the plugin failed. It comes when the
    /// request is due at the latest, and does not wait for a guest that is to be stopped.
    pub(crate) async fn probe(self: Arc<Self>, request: ProbeRequest) -> Result<Page, Unasked> {
        let probes = Arc::clone(self.probes.as_ref().ok_or(Unasked::NotEnabled)?);
        if self.state() == PluginState::Quarantined {
            return Err(Unasked::Quarantined);
        }
        let permit = Arc::clone(&probes.permits).acquire_owned();
        // An error would be that the permits were closed, which they never are.
        let Ok(Ok(permit)) = tokio::time::timeout_at(request.deadline.into(), permit).await else {
            self.usage().deny(Limit::Probes);
            return Err(Unasked::Busy);
        };
        let begin = Instant::now();
        let due = request.deadline + 2 * GRACE;
        // A task of its own: if the peer goes away the guest still ends in order, and counts as long as it runs.
        let (plugin, shared) = (Arc::clone(&self), Arc::clone(&probes));
        let task = tokio::spawn(lane::run(async move {
            let in_flight = shared.metrics.enter();
            let measured = guard(EXPORT, plugin.measure(&request)).await;
            drop((permit, in_flight));
            plugin.probed(&shared, measured, begin.elapsed())
        }));
        match tokio::time::timeout_at(due.into(), task).await {
            Ok(Ok(Some(page))) => Ok(page),
            // It was cancelled with its runtime.
            Ok(_) => Err(Unasked::Stopping),
            Err(_) => Ok(probes.page((false, Vec::new()), begin.elapsed()).0),
        }
    }

    async fn measure(&self, request: &ProbeRequest) -> Result<Measured, Fault> {
        let mut instance = self.template.again(&self.scope).await?;
        let measured = instance.probe(request).await?;
        let series = self.scope.series() as f64;
        self.metrics.collector.series.set(series);
        Ok(measured)
    }

    /// Books a probe, and makes its page.
    fn probed(&self, probes: &Probes, measured: Result<Measured, Fault>, took: Duration) -> Page {
        let result = match &measured {
            Ok((true, _)) => ProbeResult::Success,
            Ok((false, _)) => ProbeResult::Failure,
            Err(_) => ProbeResult::Fault,
        };
        probes.metrics.probed(result, took);
        let measured = measured.unwrap_or_else(|fault| {
            self.journal.fault(fault);
            (false, Vec::new())
        });
        let (page, refused) = probes.page(measured, took);
        for (family, error) in refused {
            let reason = error.reason();
            self.metrics.collector.rejected(reason);
            let mut told = probes
                .refused
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if told.insert((family, reason)) {
                let (plugin, error) = (self.name(), error.to_string());
                tracing::warn!(plugin, reason, error, "samples of a probe are left out");
            }
        }
        page
    }
}

impl Instance {
    /// The families of its probes.
    pub(super) async fn describe_probes(&mut self) -> Result<Vec<Desc>, Fault> {
        let Some((call, store, guest)) = self.probe_families() else {
            return Ok(Vec::new());
        };
        let ended = call.run(guest.call_describe(store)).await;
        let descs = self.settle(DESCRIBE, ended)?;
        self.accept(DESCRIBE, descs)
    }

    /// One probe.
    pub(super) async fn probe(&mut self, request: &ProbeRequest) -> Result<Measured, Fault> {
        let Identity { limits, .. } = &**self.identity();
        let timeout = limits.timeout;
        let patience = request.deadline.saturating_duration_since(Instant::now());
        let Some((call, store, guest)) = self.prober(request.deadline) else {
            let message = "there is no such export";
            return Err(Fault::new(FaultKind::Contract, EXPORT, message));
        };
        // Less than there is: who uses all of it is stopped before it can say that the target did not answer.
        let told = patience.min(timeout).mul_f64(0.9).as_millis();
        let asked = probe::Request {
            target: request.target.clone(),
            parameters: request.parameters.clone(),
            timeout_ms: told.try_into().unwrap_or(u32::MAX),
        };
        let ended = call.run(guest.call_probe(store, &asked)).await;
        let outcome = self.settle(EXPORT, ended).map_err(|fault| {
            if fault.limit != Some(Limit::Timeout) || patience >= timeout {
                return fault;
            }
            // No limit of the plugin's would have been in its way.
            let message = format!("it took longer than its scraper waits ({patience:.1?})");
            Fault {
                limit: None,
                message,
                ..fault
            }
        })?;
        let samples = self.take(EXPORT, outcome.samples)?;
        Ok((outcome.success, samples))
    }
}
