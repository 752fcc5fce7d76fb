//! One instance of a plugin: a store that cannot be trusted, and the exports in it.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use meterbox_metrics::{Desc, Kind, Sample, Scope, Session};
use wasmtime::{Store, component::InstancePre};
use wasmtime_wasi_http::p2::bindings::exports::wasi::http::incoming_handler;

use super::{
    call::{Call, Ended, arm, judge},
    convert,
};
use crate::{
    engine::{
        Fault, FaultKind, Identity, State,
        bindings::{collector, lifecycle, metric_types, probe, schedule, text_collector, wants},
    },
    grants::Wanted,
    imports::meminfo::Reading,
    limits::{Limit, Limits},
};

/// A plugin compiled and linked, from which instances are made in microseconds.
#[derive(Clone)]
pub(crate) struct Template {
    identity: Arc<Identity>,
    pre: InstancePre<State>,
    collector: collector::GuestIndices,
    lifecycle: Option<lifecycle::GuestIndices>,
    schedule: Option<schedule::GuestIndices>,
    text: Option<text_collector::GuestIndices>,
    wants: Option<wants::GuestIndices>,
    probe: Option<probe::GuestIndices>,
    handler: Option<incoming_handler::GuestIndices>,
}

/// A live instance. After a fatal fault it is good for nothing but to be dropped.
pub(crate) struct Instance {
    store: Store<State>,
    /// When it has to be ready to serve.
    start: Instant,
    /// Whether what calls change waits for [`Instance::release`].
    is_held: bool,
    collector: collector::Guest,
    lifecycle: Option<lifecycle::Guest>,
    schedule: Option<schedule::Guest>,
    text: Option<text_collector::Guest>,
    wants: Option<wants::Guest>,
    probe: Option<probe::Guest>,
    handler: Option<incoming_handler::Guest>,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template")
            .field(&self.identity.name)
            .finish()
    }
}

impl Template {
    /// Looks for the exports. An error says in a sentence what does not fit.
    pub(crate) fn new(pre: InstancePre<State>, identity: Arc<Identity>) -> Result<Self, String> {
        let collector = collector::GuestIndices::new(&pre).map_err(|_| {
            "it does not export meterbox:plugin/collector@0.1, as every plugin must".to_owned()
        })?;
        Ok(Self {
            lifecycle: lifecycle::GuestIndices::new(&pre).ok(),
            schedule: schedule::GuestIndices::new(&pre).ok(),
            text: text_collector::GuestIndices::new(&pre).ok(),
            wants: wants::GuestIndices::new(&pre).ok(),
            probe: probe::GuestIndices::new(&pre).ok(),
            handler: incoming_handler::GuestIndices::new(&pre).ok(),
            identity,
            pre,
            collector,
        })
    }

    pub(crate) fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// The interfaces that it exports.
    pub(crate) fn exports(&self) -> Vec<String> {
        let component = self.pre.component().component_type();
        let exports = component.exports(self.pre.engine());
        exports.map(|(name, _)| name.to_owned()).collect()
    }

    /// Whether it exports `wasi:http/incoming-handler`.
    pub(crate) fn has_handler(&self) -> bool {
        self.handler.is_some()
    }

    /// Whether it exports `probe`.
    pub(super) fn has_probe(&self) -> bool {
        self.probe.is_some()
    }

    /// Makes an instance, the start function of its modules included.
    pub(crate) async fn instantiate(&self) -> Result<Instance, Fault> {
        const EXPORT: &str = "instantiate";
        let start = Instant::now() + self.identity.limits.start_timeout;
        let mut store = self.store(EXPORT, start).await?;
        let call = arm(&mut store, start, Limit::StartTimeout);
        let ended = call.run(self.pre.instantiate_async(&mut store)).await;
        let instance = judge(&store, EXPORT, ended)?;
        // Only now are the types of the exports looked at.
        let contract =
            |error: wasmtime::Error| Fault::new(FaultKind::Contract, EXPORT, format!("{error:#}"));
        let collector = self
            .collector
            .load(&mut store, &instance)
            .map_err(contract)?;
        macro_rules! load {
            ($indices:expr) => {
                $indices
                    .as_ref()
                    .map(|indices| indices.load(&mut store, &instance))
                    .transpose()
                    .map_err(contract)?
            };
        }
        Ok(Instance {
            collector,
            lifecycle: load!(self.lifecycle),
            schedule: load!(self.schedule),
            text: load!(self.text),
            wants: load!(self.wants),
            probe: load!(self.probe),
            handler: load!(self.handler),
            store,
            start,
            is_held: false,
        })
    }

    async fn store(&self, export: &'static str, start: Instant) -> Result<Store<State>, Fault> {
        let identity = Arc::clone(&self.identity);
        let made = match self.identity.grants.disk() {
            None => State::store(self.pre.engine(), identity),
            Some(disk) => {
                let engine = self.pre.engine().clone();
                let make = move || State::store(&engine, identity);
                let Some(made) = disk.wait(start, make).await else {
                    let why = "the folders in its grants.dirs do not open in time (limits.start-timeout): see whether their file system answers";
                    return Err(Fault::new(FaultKind::Deadline, export, why));
                };
                made
            }
        };
        made.map_err(|why| Fault::new(FaultKind::Host, export, why))
    }
}

impl Instance {
    /// Lets the guest work on its families.
    pub(crate) fn attach(&mut self, scope: Arc<Scope>) {
        self.store.data_mut().session = Some(Session::new(scope));
    }

    /// What the plugin wants to be granted, and whether it is.
    pub(crate) async fn wants(&mut self) -> Result<Vec<Wanted>, Fault> {
        const EXPORT: &str = "wants";
        let Some(wants) = &self.wants else {
            return Ok(Vec::new());
        };
        let call = arm(&mut self.store, self.start, Limit::StartTimeout);
        let ended = call.run(wants.call_wants(&mut self.store)).await;
        let wants = judge(&self.store, EXPORT, ended)?;
        let compared = self.store.data().identity.grants.compare(wants);
        compared.map_err(|why| Fault::new(FaultKind::Contract, EXPORT, why))
    }

    pub(crate) async fn describe(&mut self) -> Result<Vec<Desc>, Fault> {
        const EXPORT: &str = "describe";
        let call = arm(&mut self.store, self.start, Limit::StartTimeout);
        let ended = call
            .run(self.collector.call_describe(&mut self.store))
            .await;
        let descs = self.settle(EXPORT, ended)?;
        self.accept(EXPORT, descs)
    }

    /// Takes what an export has described, if it is not too much.
    pub(super) fn accept(
        &self,
        export: &'static str,
        descs: Vec<metric_types::Desc>,
    ) -> Result<Vec<Desc>, Fault> {
        let descs: Vec<_> = descs.into_iter().map(convert::desc).collect();
        let limits = &self.store.data().identity.limits;
        match too_much(&descs, limits) {
            Some(limit) => Err(Fault::limit(limit, export, limits)),
            None => Ok(descs),
        }
    }

    pub(crate) async fn init(&mut self, start: lifecycle::Start) -> Result<(), Fault> {
        let Some(lifecycle) = &self.lifecycle else {
            return Ok(());
        };
        let call = arm(&mut self.store, self.start, Limit::StartTimeout);
        let ended = call.run(lifecycle.call_init(&mut self.store, start)).await;
        self.settle("init", ended)
    }

    pub(crate) async fn collect(
        &mut self,
        meminfo: Arc<Reading>,
    ) -> Result<Vec<(u32, Sample)>, Fault> {
        const EXPORT: &str = "collect";
        let call = self.arm();
        self.store.data_mut().meminfo = meminfo;
        let ended = call.run(self.collector.call_collect(&mut self.store)).await;
        let samples = self.settle(EXPORT, ended)?;
        self.take(EXPORT, samples)
    }

    /// Takes the samples that an export has returned, if they are not too many.
    pub(super) fn take(
        &self,
        export: &'static str,
        samples: Vec<metric_types::Sample>,
    ) -> Result<Vec<(u32, Sample)>, Fault> {
        let Identity { limits, usage, .. } = &*self.store.data().identity;
        usage.set(Limit::Samples, samples.len() as u64);
        if samples.len() > limits.samples {
            return Err(Fault::limit(Limit::Samples, export, limits));
        }
        Ok(convert::samples(samples))
    }

    /// The metrics that the guest has as text, if it is one of those.
    pub(crate) async fn collect_text(&mut self) -> Result<Option<String>, Fault> {
        const EXPORT: &str = "collect-text";
        let call = self.arm();
        let Some(text) = &self.text else {
            return Ok(None);
        };
        let ended = call.run(text.call_collect_text(&mut self.store)).await;
        let text = self.settle(EXPORT, ended)?;
        let Identity { limits, usage, .. } = &*self.store.data().identity;
        usage.set(Limit::TextBytes, text.len() as u64);
        if text.len() > limits.text_bytes {
            return Err(Fault::limit(Limit::TextBytes, EXPORT, limits));
        }
        Ok(Some(text))
    }

    /// How often the guest wants to be ticked.
    pub(crate) async fn interval(&mut self) -> Result<Option<Duration>, Fault> {
        let Some(schedule) = &self.schedule else {
            return Ok(None);
        };
        let call = arm(&mut self.store, self.start, Limit::StartTimeout);
        let ended = call.run(schedule.call_interval_ms(&mut self.store)).await;
        let millis = judge(&self.store, "interval-ms", ended)?;
        // Faster than this is a busy loop.
        Ok(Some(Duration::from_millis(millis.max(10).into())))
    }

    pub(crate) async fn tick(&mut self) -> Result<(), Fault> {
        let call = self.arm();
        self.store.data_mut().meminfo = Arc::default();
        let Some(schedule) = &self.schedule else {
            return Ok(());
        };
        let ended = call.run(schedule.call_tick(&mut self.store)).await;
        self.settle("tick", ended)
    }

    /// A call of the HTTP handler: the call, the store, and the handler in it.
    pub(super) fn handler(
        &mut self,
    ) -> Option<(Call, &mut Store<State>, &incoming_handler::Guest)> {
        let call = self.arm();
        Some((call, &mut self.store, self.handler.as_ref()?))
    }

    pub(super) fn identity(&self) -> &Arc<Identity> {
        &self.store.data().identity
    }

    /// A call of `probe.describe`, as one of those that start an instance.
    pub(super) fn probe_families(&mut self) -> Option<(Call, &mut Store<State>, &probe::Guest)> {
        let call = arm(&mut self.store, self.start, Limit::StartTimeout);
        Some((call, &mut self.store, self.probe.as_ref()?))
    }

    /// A call of `probe.probe`, which has to be over at this time, or after the plugin's timeout.
    pub(super) fn prober(
        &mut self,
        deadline: Instant,
    ) -> Option<(Call, &mut Store<State>, &probe::Guest)> {
        let timeout = Instant::now() + self.store.data().identity.limits.timeout;
        let call = arm(&mut self.store, deadline.min(timeout), Limit::Timeout);
        self.store.data_mut().meminfo = Arc::default();
        Some((call, &mut self.store, self.probe.as_ref()?))
    }

    /// What became of a call of the HTTP handler.
    pub(super) fn judge<T>(&self, export: &'static str, ended: Ended<T>) -> Result<T, Fault> {
        judge(&self.store, export, ended)
    }

    /// From now on calls change nothing that others see.
    pub(super) fn hold(&mut self) {
        self.is_held = true;
    }

    /// Makes real what was held back, and from now on what calls change.
    pub(super) fn release(&mut self) {
        self.is_held = false;
        self.commit();
    }

    /// Makes real what a call has staged.
    pub(super) fn commit(&mut self) {
        if self.is_held {
            return;
        }
        if let Some(session) = &mut self.store.data_mut().session {
            session.commit(Instant::now());
        }
    }

    fn arm(&mut self) -> Call {
        let deadline = Instant::now() + self.store.data().identity.limits.timeout;
        arm(&mut self.store, deadline, Limit::Timeout)
    }

    /// A call happened or it did not: what it staged counts if it returned, be it an error.
    pub(super) fn settle<T>(
        &mut self,
        export: &'static str,
        ended: Ended<Result<T, String>>,
    ) -> Result<T, Fault> {
        let answer = judge(&self.store, export, ended)?;
        self.commit();
        answer.map_err(|said| {
            let said = self.store.data().identity.secrets.mask(&said, false);
            Fault::said(export, &said)
        })
    }
}

/// What the families have too much of.
fn too_much(descs: &[Desc], limits: &Limits) -> Option<Limit> {
    if descs.len() > limits.families {
        return Some(Limit::Families);
    }
    descs.iter().find_map(|desc| {
        let texts = [&desc.name, &desc.help].into_iter();
        let texts = texts.chain(&desc.unit).chain(&desc.label_names);
        let buckets = match &desc.kind {
            Kind::Histogram(options) => {
                let native = options
                    .native
                    .map_or(0, |native| native.max_buckets as usize);
                options.bounds.len().max(native)
            }
            Kind::Summary(options) => options.objectives.len(),
            Kind::Counter | Kind::Gauge | Kind::Info | Kind::Untyped => 0,
        };
        if desc.label_names.len() > limits.labels {
            Some(Limit::Labels)
        } else if texts.map(String::len).sum::<usize>() > limits.desc_bytes {
            Some(Limit::DescBytes)
        } else {
            (buckets > limits.buckets).then_some(Limit::Buckets)
        }
    })
}
