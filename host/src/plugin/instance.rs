//! One instance of a plugin: a store that cannot be trusted, and the exports in it.

use std::{
    fmt,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use meterbox_metrics::{Desc, Sample, Scope, Session};
use wasmtime::{
    AsContextMut, Store, UpdateDeadline,
    component::{Component, InstancePre},
};
use wasmtime_wasi_http::p2::bindings::exports::wasi::http::incoming_handler;

use super::convert;
use crate::{
    engine::{
        Engine, Fault, FaultKind, Identity, State,
        bindings::{collector, lifecycle, schedule, text_collector},
    },
    imports::meminfo::Reading,
};

/// How much longer than its limit a call may take to notice that it is over: a host call may be in the way.
const GRACE: Duration = Duration::from_millis(100);

/// A plugin compiled and linked, from which instances are made in microseconds.
#[derive(Clone)]
pub(crate) struct Template {
    identity: Arc<Identity>,
    pre: InstancePre<State>,
    collector: collector::GuestIndices,
    lifecycle: Option<lifecycle::GuestIndices>,
    schedule: Option<schedule::GuestIndices>,
    text: Option<text_collector::GuestIndices>,
    handler: Option<incoming_handler::GuestIndices>,
}

/// A live instance. After a fatal fault it is good for nothing but to be dropped.
pub(crate) struct Instance {
    store: Store<State>,
    collector: collector::Guest,
    lifecycle: Option<lifecycle::Guest>,
    schedule: Option<schedule::Guest>,
    text: Option<text_collector::Guest>,
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
    /// Links a component. An error says in a sentence what does not fit.
    pub(crate) fn new(
        engine: &Engine,
        component: &Component,
        identity: Arc<Identity>,
    ) -> Result<Self, String> {
        let pre = engine
            .link(component)
            .map_err(|error| format!("it imports what this host does not have: {error:#}"))?;
        let collector = collector::GuestIndices::new(&pre).map_err(|_| {
            "it does not export meterbox:plugin/collector@0.1, as every plugin must".to_owned()
        })?;
        Ok(Self {
            lifecycle: lifecycle::GuestIndices::new(&pre).ok(),
            schedule: schedule::GuestIndices::new(&pre).ok(),
            text: text_collector::GuestIndices::new(&pre).ok(),
            handler: incoming_handler::GuestIndices::new(&pre).ok(),
            identity,
            pre,
            collector,
        })
    }

    pub(crate) fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// Whether it exports `wasi:http/incoming-handler`.
    pub(crate) fn has_handler(&self) -> bool {
        self.handler.is_some()
    }

    /// Makes an instance, the start function of its modules included.
    pub(crate) async fn instantiate(&self) -> Result<Instance, Fault> {
        const EXPORT: &str = "instantiate";
        let mut store = Store::new(self.pre.engine(), State::new(Arc::clone(&self.identity)));
        store.epoch_deadline_callback(|store| {
            let late = Instant::now() >= store.data().deadline;
            Ok(if late {
                UpdateDeadline::Interrupt
            } else {
                UpdateDeadline::Yield(1)
            })
        });
        arm(&mut store, self.identity.timeout);
        let made = self.pre.instantiate_async(&mut store);
        let instance = bounded(EXPORT, self.identity.timeout, made).await?;
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
            handler: load!(self.handler),
            store,
        })
    }
}

impl Instance {
    /// Lets the guest work on its families.
    pub(crate) fn attach(&mut self, scope: Arc<Scope>) {
        self.store.data_mut().session = Some(Session::new(scope));
    }

    pub(crate) async fn describe(&mut self) -> Result<Vec<Desc>, Fault> {
        let limit = self.arm();
        let call = self.collector.call_describe(&mut self.store);
        let outcome = bounded("describe", limit, call).await;
        let descs = self.settle("describe", outcome)?;
        Ok(descs.into_iter().map(convert::desc).collect())
    }

    pub(crate) async fn init(&mut self, start: lifecycle::Start) -> Result<(), Fault> {
        let limit = self.arm();
        let Some(lifecycle) = &self.lifecycle else {
            return Ok(());
        };
        let call = lifecycle.call_init(&mut self.store, start);
        let outcome = bounded("init", limit, call).await;
        self.settle("init", outcome)
    }

    pub(crate) async fn collect(
        &mut self,
        meminfo: Arc<Reading>,
    ) -> Result<Vec<(u32, Sample)>, Fault> {
        let limit = self.arm();
        self.store.data_mut().meminfo = meminfo;
        let call = self.collector.call_collect(&mut self.store);
        let outcome = bounded("collect", limit, call).await;
        self.settle("collect", outcome).map(convert::samples)
    }

    /// The metrics that the guest has as text, if it is one of those.
    pub(crate) async fn collect_text(&mut self) -> Result<Option<String>, Fault> {
        let limit = self.arm();
        let Some(text) = &self.text else {
            return Ok(None);
        };
        let call = text.call_collect_text(&mut self.store);
        let outcome = bounded("collect-text", limit, call).await;
        self.settle("collect-text", outcome).map(Some)
    }

    /// How often the guest wants to be ticked.
    pub(crate) async fn interval(&mut self) -> Result<Option<Duration>, Fault> {
        let limit = self.arm();
        let Some(schedule) = &self.schedule else {
            return Ok(None);
        };
        let call = schedule.call_interval_ms(&mut self.store);
        let millis = bounded("interval-ms", limit, call).await?;
        // Faster than this is a busy loop.
        Ok(Some(Duration::from_millis(millis.max(10).into())))
    }

    pub(crate) async fn tick(&mut self) -> Result<(), Fault> {
        let limit = self.arm();
        self.store.data_mut().meminfo = Arc::default();
        let Some(schedule) = &self.schedule else {
            return Ok(());
        };
        let call = schedule.call_tick(&mut self.store);
        let outcome = bounded("tick", limit, call).await;
        self.settle("tick", outcome)
    }

    /// The store and the HTTP handler in it, ready for one call.
    pub(super) fn handler(&mut self) -> Option<(&mut Store<State>, &incoming_handler::Guest)> {
        self.arm();
        Some((&mut self.store, self.handler.as_ref()?))
    }

    /// Makes real what a call has staged.
    pub(super) fn commit(&mut self) {
        if let Some(session) = &mut self.store.data_mut().session {
            session.commit(Instant::now());
        }
    }

    fn arm(&mut self) -> Duration {
        let limit = self.store.data().identity.timeout;
        arm(&mut self.store, limit);
        limit
    }

    /// A call happened or it did not: what it staged counts if it returned, be it an error.
    fn settle<T>(
        &mut self,
        export: &'static str,
        outcome: Result<Result<T, String>, Fault>,
    ) -> Result<T, Fault> {
        let answer = outcome?;
        self.commit();
        answer.map_err(|said| Fault::new(FaultKind::Error, export, said.escape_debug().to_string()))
    }
}

/// Starts the clock of a call.
fn arm(store: &mut Store<State>, limit: Duration) {
    let mut store = store.as_context_mut();
    store.data_mut().deadline = Instant::now() + limit;
    store.set_epoch_deadline(1);
}

/// Waits for a call. Guest code is stopped by the epoch; this also ends the wait for a host call that hangs.
pub(super) async fn bounded<T>(
    export: &'static str,
    limit: Duration,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(limit + GRACE, call).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(match Fault::from_call(export, &error) {
            Fault {
                kind: FaultKind::Deadline,
                ..
            } => deadline(export, limit),
            fault => fault,
        }),
        Err(_) => Err(deadline(export, limit)),
    }
}

fn deadline(export: &'static str, limit: Duration) -> Fault {
    let message = format!("it took longer than the plugin's timeout of {limit:?}");
    Fault::new(FaultKind::Deadline, export, message)
}
