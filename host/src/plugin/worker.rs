//! Who has a plugin's instance: one call at a time, and a fresh instance after a fatal fault.

use std::{
    collections::{HashSet, hash_map::RandomState},
    fmt,
    hash::{BuildHasher, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};

use meterbox_metrics::{Desc, Registry, SampleError, Scope};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard, watch},
    time::{Interval, MissedTickBehavior, interval_at, sleep_until},
};

use super::{
    collects::{CHEAP, Lead},
    instance::{Instance, Template},
    journal::Journal,
    lane,
    recovery::{PluginState, Recovery},
    text::Texts,
};
use crate::{
    engine::{Fault, FaultKind, bindings::lifecycle::Start, guard},
    imports::meminfo::Reading,
    limits::Limit,
    own::PluginMetrics,
};

pub(super) struct Worker {
    template: Template,
    scope: Arc<Scope>,
    metrics: PluginMetrics,
    journal: Arc<Journal>,
    /// `None` after a fatal fault, until a fresh one is made.
    instance: Option<Instance>,
    recovery: Recovery,
    /// When the fresh one is due.
    retry: Instant,
    /// Whether a task sees to it.
    is_recovering: bool,
    /// Families whose samples were refused, with the reason: each is logged once.
    refused: HashSet<(Option<u32>, &'static str)>,
    texts: Texts,
    /// Where the plugin was started.
    runtime: Handle,
}

impl Worker {
    pub(super) fn new(
        template: Template,
        registry: &Registry,
        scope: &Arc<Scope>,
        metrics: PluginMetrics,
        journal: Arc<Journal>,
    ) -> Self {
        Self {
            recovery: Recovery::new(&template.identity().limits),
            template,
            scope: Arc::clone(scope),
            texts: Texts::new(registry, scope, &metrics.collector),
            metrics,
            journal,
            instance: None,
            retry: Instant::now(),
            is_recovering: false,
            refused: HashSet::new(),
            runtime: Handle::current(),
        }
    }

    /// Takes over the first instance, which has just described itself; also says when it wants its ticks. What `init`
    /// changes is held back until [`Worker::release`].
    pub(super) async fn begin(
        mut self,
        mut instance: Instance,
        start: Start,
    ) -> Result<(Self, Option<Interval>), Fault> {
        instance.attach(Arc::clone(&self.scope));
        instance.hold();
        instance.init(start).await?;
        let ticks = instance.interval().await?.map(|period| {
            let mut ticks = interval_at(tokio::time::Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            ticks
        });
        self.instance = Some(instance);
        self.recovery.started(Instant::now());
        Ok((self, ticks))
    }

    /// Makes real what `init` has changed.
    pub(super) fn release(&mut self) {
        if let Some(instance) = &mut self.instance {
            instance.release();
        }
        let collector = &self.metrics.collector;
        collector.up.set(1.0);
        collector.series.set(self.scope.series() as f64);
    }

    async fn collect(&mut self, meminfo: Arc<Reading>) -> (bool, Duration) {
        let start = Instant::now();
        let succeeded = match self.call_collect(meminfo).await {
            Some(Ok(())) => {
                self.metrics.collector.up.set(1.0);
                true
            }
            Some(Err(fault)) => {
                self.fault(fault);
                false
            }
            None => false,
        };
        let took = start.elapsed();
        self.metrics.collector.collected(succeeded, took);
        self.metrics
            .collector
            .series
            .set(self.scope.series() as f64);
        (succeeded, took)
    }

    /// `None` without an instance: the fault that cost it was told when it happened.
    async fn call_collect(&mut self, meminfo: Arc<Reading>) -> Option<Result<(), Fault>> {
        let instance = self.instance.as_mut()?;
        let (scope, texts) = (&self.scope, &mut self.texts);
        let call = async {
            let samples = instance.collect(meminfo).await?;
            let text = instance.collect_text().await?;
            let errors = scope.replace_samples(samples, Instant::now());
            // Text that is refused does not cost the samples.
            let accepted = match text {
                Some(text) => texts.accept(text).await,
                None => Ok(()),
            };
            Ok((errors, accepted))
        };
        Some(match guard("collect", call).await {
            Ok((errors, accepted)) => {
                self.refuse(errors);
                accepted
            }
            Err(fault) => Err(fault),
        })
    }

    fn refuse(&mut self, errors: Vec<(Option<u32>, SampleError)>) {
        for (family, error) in errors {
            let reason = error.reason();
            self.metrics.collector.rejected(reason);
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

    /// Processor time of all calls until now.
    fn cpu(&self) -> Duration {
        self.template.identity().usage.cpu()
    }

    async fn tick(&mut self) {
        let Some(instance) = &mut self.instance else {
            return;
        };
        match guard("tick", instance.tick()).await {
            Ok(()) => self.metrics.collector.up.set(1.0),
            Err(fault) => self.fault(fault),
        }
    }

    /// Makes a fresh instance in place of the one that was lost.
    async fn restart(&mut self) {
        let start = Instant::now();
        match guard("instantiate", self.template.again(&self.scope)).await {
            Ok(instance) => {
                self.metrics.restarted(start.elapsed());
                self.recovery.started(Instant::now());
                self.journal.set_state(PluginState::Running, None);
                self.instance = Some(instance);
            }
            Err(fault) => self.fault(fault),
        }
    }

    /// Books a fault, and drops the instance if it is lost.
    fn fault(&mut self, fault: Fault) {
        if fault.is_fatal() {
            self.instance = None;
            self.metrics.collector.up.set(0.0);
        }
        self.journal.fault(fault);
        if self.instance.is_some() {
            return;
        }
        let now = Instant::now();
        let before = self.journal.state();
        let nanos = self.template.identity().usage.used(Limit::Cpu);
        let cpu = Duration::from_nanos(nanos);
        let (state, pause) = self.recovery.lost(now, cpu, chance());
        self.retry = now + pause;
        self.journal.set_state(state, Some(self.retry));
        if state == PluginState::Quarantined && before != state {
            let plugin = self.scope.owner();
            let remedy = "see the faults before this; a reload with another file or config of the plugin ends the quarantine";
            tracing::error!(plugin, retry = ?pause, remedy, "the plugin lost too many instances and is quarantined");
        }
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
    let is_called = worker.instance.is_some();
    let before = worker.cpu();
    let (succeeded, took) = worker.collect(meminfo).await;
    let cost = worker.cpu() - before;
    // First of all the lock, which the next scrape will try.
    recover(worker);
    if is_called {
        lead.finish(succeeded, took, cost);
    } else {
        lead.finish_without_call();
    }
    succeeded
}

/// Ticks until it is stopped. A tick that costs little begins where it is due, which is sooner and cheaper than to hand it on.
pub(super) async fn tick(
    worker: Arc<Mutex<Worker>>,
    mut ticks: Interval,
    mut stop: watch::Receiver<bool>,
) {
    let mut is_dear = true;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let worker = Arc::clone(&worker).lock_owned();
        let cost = if is_dear {
            lane::later(async { tick_once(worker.await).await }).await
        } else {
            lane::run(tick_once(worker.await)).await
        };
        is_dear = cost.is_none_or(|cost| cost > CHEAP);
    }
}

/// One tick; the processor time that it took.
async fn tick_once(mut worker: OwnedMutexGuard<Worker>) -> Duration {
    let before = worker.cpu();
    worker.tick().await;
    let cost = worker.cpu() - before;
    recover(worker);
    cost
}

/// Sees to it that an instance that was lost is replaced when it is due, as long as the plugin is wanted.
fn recover(mut worker: OwnedMutexGuard<Worker>) {
    if worker.instance.is_some() || worker.is_recovering {
        return;
    }
    worker.is_recovering = true;
    let plugin = Arc::downgrade(OwnedMutexGuard::mutex(&worker));
    let mut retry = worker.retry;
    // If that is at once the lock is kept: whoever comes next finds the plugin ready.
    let runtime = worker.runtime.clone();
    let mut held = (retry <= Instant::now()).then_some(worker);
    runtime.spawn(async move {
        loop {
            let restarted = match held.take() {
                Some(worker) => lane::run(restart(worker)).await,
                None => {
                    sleep_until(retry.into()).await;
                    let Some(plugin) = plugin.upgrade() else {
                        return;
                    };
                    lane::later(async { restart(plugin.lock_owned().await).await }).await
                }
            };
            let Some(mut worker) = restarted else {
                return;
            };
            retry = worker.retry;
            if worker.instance.is_some() {
                worker.is_recovering = false;
                return;
            }
        }
    });
}

async fn restart(mut worker: OwnedMutexGuard<Worker>) -> OwnedMutexGuard<Worker> {
    worker.restart().await;
    worker
}

/// A number between 0 and 1 that differs from plugin to plugin.
pub(super) fn chance() -> f64 {
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
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
