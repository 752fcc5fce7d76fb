//! The task that owns a plugin's instance: one call at a time, and a fresh instance after a fatal fault.

use std::{collections::HashSet, sync::Arc, time::Instant};

use meterbox_metrics::{Desc, Registry, Sample, Scope};
use tokio::{
    sync::mpsc,
    time::{Interval, MissedTickBehavior, interval_at},
};

use super::{
    Message,
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
    ticks: Option<Interval>,
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
            ticks: None,
            refused: HashSet::new(),
        }
    }

    /// Takes over the first instance, which has just described itself.
    pub(super) async fn begin(mut self, mut instance: Instance) -> Result<Self, Fault> {
        instance.attach(Arc::clone(&self.scope));
        instance.init(Start::First).await?;
        if let Some(period) = instance.interval().await? {
            let mut ticks = interval_at(tokio::time::Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            self.ticks = Some(ticks);
        }
        self.instance = Some(instance);
        self.metrics.up.set(1.0);
        self.metrics.series.set(self.scope.series() as f64);
        Ok(self)
    }

    /// Serves messages and ticks until the plugin's handle is dropped.
    pub(super) async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        loop {
            tokio::select! {
                message = messages.recv() => match message {
                    Some(Message::Collect { meminfo, reply }) => {
                        let succeeded = self.collect(meminfo).await;
                        reply.send_replace(Some(succeeded));
                    }
                    None => return,
                },
                () = next_tick(&mut self.ticks) => self.tick().await,
            }
            if self.instance.is_none() {
                // At once, not at the next scrape: whoever comes next finds the plugin ready.
                if let Err(fault) = self.restart().await {
                    self.fault(&fault);
                }
            }
        }
    }

    async fn collect(&mut self, meminfo: Arc<Reading>) -> bool {
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
        self.metrics.collected(succeeded, start.elapsed());
        self.metrics.series.set(self.scope.series() as f64);
        succeeded
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

async fn next_tick(ticks: &mut Option<Interval>) {
    match ticks {
        Some(ticks) => {
            ticks.tick().await;
        }
        None => std::future::pending().await,
    }
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
