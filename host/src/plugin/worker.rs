//! Who has a plugin's instance: one call at a time, and a fresh instance after a fatal fault.

use std::{
    collections::HashSet,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use meterbox_metrics::{Desc, Registry, Sample, Scope};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, oneshot},
    time::{Interval, MissedTickBehavior, interval_at},
};

use super::{
    collects::Lead,
    instance::{Instance, Template},
    text::Texts,
};
use crate::{
    engine::{Fault, FaultKind, bindings::lifecycle::Start},
    imports::meminfo::Reading,
    own::PluginMetrics,
};

pub(super) struct Worker {
    template: Template,
    scope: Arc<Scope>,
    metrics: PluginMetrics,
    /// `None` after a fatal fault, until a fresh one is made.
    instance: Option<Instance>,
    /// Families whose samples were refused, with the reason: each is logged once.
    refused: HashSet<(Option<u32>, &'static str)>,
    texts: Texts,
}

impl Worker {
    pub(super) fn new(
        template: Template,
        registry: &Registry,
        scope: &Arc<Scope>,
        metrics: PluginMetrics,
    ) -> Self {
        Self {
            template,
            scope: Arc::clone(scope),
            texts: Texts::new(registry, scope, &metrics),
            metrics,
            instance: None,
            refused: HashSet::new(),
        }
    }

    /// Takes over the first instance, which has just described itself; also says when it wants its ticks.
    pub(super) async fn begin(
        mut self,
        mut instance: Instance,
    ) -> Result<(Self, Option<Interval>), Fault> {
        instance.attach(Arc::clone(&self.scope));
        instance.init(Start::First).await?;
        let ticks = instance.interval().await?.map(|period| {
            let mut ticks = interval_at(tokio::time::Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            ticks
        });
        self.instance = Some(instance);
        self.metrics.up.set(1.0);
        self.metrics.series.set(self.scope.series() as f64);
        Ok((self, ticks))
    }

    async fn collect(&mut self, meminfo: Arc<Reading>) -> (bool, Duration) {
        let start = Instant::now();
        let succeeded = match self.call_collect(meminfo).await {
            Ok(()) => {
                self.metrics.up.set(1.0);
                true
            }
            Err(fault) => {
                self.fault(&fault);
                false
            }
        };
        let took = start.elapsed();
        self.metrics.collected(succeeded, took);
        self.metrics.series.set(self.scope.series() as f64);
        (succeeded, took)
    }

    async fn call_collect(&mut self, meminfo: Arc<Reading>) -> Result<(), Fault> {
        let instance = match &mut self.instance {
            Some(instance) => instance,
            // The restart failed; try once more for this scrape.
            None => self.restart().await?,
        };
        let samples = instance.collect(meminfo).await?;
        let text = instance.collect_text().await?;
        self.accept(samples);
        match text {
            Some(text) => self.texts.accept(text).await,
            None => Ok(()),
        }
    }

    fn accept(&mut self, samples: Vec<(u32, Sample)>) {
        for (family, error) in self.scope.replace_samples(samples, Instant::now()) {
            let reason = error.reason();
            self.metrics.rejected(reason);
            if self.refused.insert((family, reason)) {
                let plugin = self.scope.owner();
                let error = error.to_string();
                tracing::warn!(
                    plugin,
                    reason,
                    error,
                    "samples of a family are refused and left out"
                );
            }
        }
    }

    async fn tick(&mut self) {
        let Some(instance) = &mut self.instance else {
            return;
        };
        match instance.tick().await {
            Ok(()) => self.metrics.up.set(1.0),
            Err(fault) => self.fault(&fault),
        }
    }

    /// Makes a fresh instance in place of the one that was lost.
    async fn restart(&mut self) -> Result<&mut Instance, Fault> {
        let start = Instant::now();
        let instance = self.template.again(&self.scope).await?;
        self.metrics.restarted(start.elapsed());
        Ok(self.instance.insert(instance))
    }

    /// Books a fault, and drops the instance if it is lost.
    fn fault(&mut self, fault: &Fault) {
        self.metrics.fault(fault.kind);
        if fault.is_fatal() {
            self.instance = None;
            self.metrics.up.set(0.0);
        }
        report(self.scope.owner(), fault);
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Worker").field(&self.scope.owner()).finish()
    }
}

/// One collect; whether it succeeded. Everything that happens to be awaited for is in here, so that it can go on elsewhere.
pub(super) async fn collect(
    mut worker: OwnedMutexGuard<Worker>,
    meminfo: Arc<Reading>,
    lead: Lead,
) -> bool {
    let (succeeded, took) = worker.collect(meminfo).await;
    // First of all the lock, which the next scrape will try.
    recover(worker);
    lead.finish(succeeded, took);
    succeeded
}

/// Ticks until `stop` is dropped.
pub(super) async fn tick(
    worker: Arc<Mutex<Worker>>,
    mut ticks: Interval,
    mut stop: oneshot::Receiver<()>,
) {
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = &mut stop => return,
        }
        let mut worker = Arc::clone(&worker).lock_owned().await;
        worker.tick().await;
        recover(worker);
    }
}

/// Replaces the instance if it was lost. At once, not at the next scrape: whoever comes next finds the plugin ready.
fn recover(mut worker: OwnedMutexGuard<Worker>) {
    if worker.instance.is_none() {
        tokio::spawn(async move {
            if let Err(fault) = worker.restart().await {
                worker.fault(&fault);
            }
        });
    }
}

/// One line in the log for a fault, with what to do about it.
pub(super) fn report(plugin: &str, fault: &Fault) {
    let remedy = match fault.kind {
        FaultKind::Error => "see what the plugin says",
        FaultKind::Trap => "report it to the plugin's author; a fresh instance goes on",
        FaultKind::Deadline => {
            "raise the plugin's timeout if it needs more; a fresh instance goes on"
        }
        FaultKind::Contract => "report it to the plugin's author",
    };
    let (kind, export) = (fault.kind.label(), fault.export);
    tracing::warn!(plugin, kind, export, error = %fault, remedy, "a call into a plugin failed");
}

impl Template {
    /// A later instance of a plugin that is registered.
    pub(super) async fn again(&self, scope: &Arc<Scope>) -> Result<Instance, Fault> {
        let mut instance = self.instantiate().await?;
        let descs: Vec<Desc> = instance.describe().await?;
        if descs != scope.descs() {
            let message = "it returned other families than the plugin's first instance";
            return Err(Fault::new(FaultKind::Contract, "describe", message));
        }
        instance.attach(Arc::clone(scope));
        instance.init(Start::Again).await?;
        Ok(instance)
    }
}
