//! A plugin: the handle that others hold, and the worker that has its instance.

mod collects;
mod convert;
mod instance;
mod journal;
mod recovery;
mod route;
mod text;
mod worker;

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use meterbox_metrics::{Desc, RegisterError, Registry, Scope, ScopeLimits, ScopeOptions};
use tokio::{
    runtime::Handle,
    sync::{Mutex, Semaphore, oneshot},
};
use wasmtime::component::InstancePre;

pub(crate) use self::collects::{Collects, Join, Lead, Role};
pub use self::recovery::PluginState;
use self::{
    instance::{Instance, Template},
    journal::Journal,
    worker::Worker,
};
use crate::{
    config::PluginConfig,
    engine::{Fault, Identity, LoadError, State, guard},
    imports::{log::LogQuota, meminfo::Reading},
    limits::Limits,
    own::{CollectorMetrics, PluginMetrics},
    source::SourceError,
};

/// Why a plugin could not be started. Reads as the end of "plugin NAME: ...".
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The file is no plugin.
    #[error(transparent)]
    Source(Arc<SourceError>),
    /// The file cannot be compiled, or does not fit this host.
    #[error("{path} does not fit this host: {why}")]
    Link {
        /// The file.
        path: String,
        /// What does not fit.
        why: String,
    },
    /// A route is configured, but there is nobody to serve it.
    #[error(
        "route {route:?} is configured, but the plugin does not export wasi:http/incoming-handler@0.2; remove it from routes"
    )]
    NoHandler {
        /// The path.
        route: String,
    },
    /// Its first calls failed.
    #[error("it does not start: {0}")]
    Start(String),
    /// Its families were refused.
    #[error(transparent)]
    Register(#[from] RegisterError),
}

/// A running plugin. When the last handle is dropped it ends, after the call that is under way.
#[derive(Debug)]
pub(crate) struct Plugin {
    name: String,
    routes: Vec<String>,
    scope: Arc<Scope>,
    /// One call at a time: a collect holds the lock, and so does a tick.
    worker: Arc<Mutex<Worker>>,
    collects: Arc<Collects>,
    /// Where the plugin was started: who scrapes may run elsewhere, and end sooner.
    runtime: Handle,
    /// Ends the ticks when it is dropped.
    _ticking: oneshot::Sender<()>,
    metrics: PluginMetrics,
    journal: Arc<Journal>,
    template: Template,
    route_permits: Arc<Semaphore>,
}

/// How a plugin's collect stands when a scrape has asked for it.
#[derive(Debug)]
pub(crate) enum Collect {
    /// It is over; whether it succeeded.
    Over(bool),
    /// It takes longer. The guest runs on even if nobody waits.
    UnderWay(Join),
}

/// A plugin compiled and linked, before it has said anything.
#[derive(Debug)]
pub(crate) struct Prepared {
    template: Template,
}

/// A plugin whose first instance has said what it reports.
pub(crate) struct Described {
    template: Template,
    instance: Instance,
    descs: Vec<Desc>,
    took: Duration,
}

/// Makes a plugin of what was loaded from its file.
pub(crate) fn prepare(
    loaded: Result<InstancePre<State>, LoadError>,
    name: &str,
    config: &PluginConfig,
    limits: Limits,
) -> Result<Prepared, PluginError> {
    let link = |why| PluginError::Link {
        path: config.source.display().to_string(),
        why,
    };
    let pre = loaded.map_err(|error| match error {
        LoadError::Source(error) => PluginError::Source(error),
        LoadError::Unfit(why) => link(why),
    })?;
    let identity = Arc::new(Identity {
        name: name.to_owned(),
        config: config.config.clone(),
        grants: config.grants,
        log: LogQuota::new(&limits, Instant::now()),
        limits: Arc::new(limits),
        usage: Arc::default(),
    });
    let template = Template::new(pre, identity).map_err(link)?;
    match config.routes.first() {
        Some(route) if !template.has_handler() => Err(PluginError::NoHandler {
            route: route.clone(),
        }),
        _ => Ok(Prepared { template }),
    }
}

impl Prepared {
    /// Makes the first instance and lets it describe itself.
    pub(crate) async fn describe(self) -> Result<Described, PluginError> {
        let Self { template } = self;
        let start = Instant::now();
        let first = async {
            let mut instance = template.instantiate().await?;
            let descs = instance.describe().await?;
            Ok((instance, descs))
        };
        let first = guard("instantiate", first).await;
        let (instance, descs) = first.map_err(|fault| refused(&template, fault))?;
        Ok(Described {
            template,
            instance,
            descs,
            took: start.elapsed(),
        })
    }
}

impl Described {
    /// What to register for it.
    pub(crate) fn families(&mut self, config: &PluginConfig) -> (ScopeOptions, Vec<Desc>) {
        let Identity { name, limits, .. } = &**self.template.identity();
        let options = ScopeOptions {
            prefix: config.prefix.clone(),
            const_labels: config.labels.clone().into_iter().collect(),
            limits: ScopeLimits {
                max_series: limits.series,
                max_handles: limits.handles,
                max_label_bytes: limits.label_bytes,
                max_buckets: limits.buckets,
            },
            ..ScopeOptions::new(name)
        };
        (options, std::mem::take(&mut self.descs))
    }
}

fn refused(template: &Template, fault: Fault) -> PluginError {
    PluginError::Start(match fault.limit {
        Some(_) => format!("{fault}; {}", fault.remedy(&template.identity().name)),
        None => fault.to_string(),
    })
}

impl Plugin {
    /// Initialises a plugin whose families are registered, and starts its ticks.
    pub(crate) async fn start(
        described: Described,
        routes: Vec<String>,
        registry: Registry,
        scope: Arc<Scope>,
    ) -> Result<Arc<Self>, PluginError> {
        let Described {
            template,
            instance,
            took,
            ..
        } = described;
        let start = Instant::now();
        let metrics = PluginMetrics::new(&registry, template.identity())?;
        let journal = Journal::new(Arc::clone(template.identity()), metrics.clone());
        let journal = Arc::new(journal);
        let worker = Worker::new(
            template.clone(),
            &registry,
            &scope,
            metrics.clone(),
            Arc::clone(&journal),
        );
        let begun = guard("init", worker.begin(instance)).await;
        let (worker, ticks) = begun.map_err(|fault| refused(&template, fault))?;
        metrics.started(took + start.elapsed());
        let worker = Arc::new(Mutex::new(worker));
        let (ticking, stop) = oneshot::channel();
        if let Some(ticks) = ticks {
            tokio::spawn(worker::tick(Arc::clone(&worker), ticks, stop));
        }
        let route_permits = Arc::new(Semaphore::new(template.identity().limits.requests));
        Ok(Arc::new(Self {
            name: template.identity().name.clone(),
            routes,
            scope,
            worker,
            collects: Collects::new(),
            runtime: Handle::current(),
            _ticking: ticking,
            metrics,
            journal,
            template,
            route_permits,
        }))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn state(&self) -> PluginState {
        self.journal.state()
    }

    /// The last faults, the newest first.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.journal.faults()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.template.identity().limits
    }

    pub(crate) fn routes(&self) -> &[String] {
        &self.routes
    }

    pub(crate) fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    pub(crate) fn metrics(&self) -> &CollectorMetrics {
        &self.metrics.collector
    }

    /// Brings its metrics up to date, for a page.
    pub(crate) fn read_metrics(&self) {
        self.metrics.read(self.template.identity(), self.state());
    }

    /// Whether a scrape should leave the call to other threads.
    pub(crate) fn is_dear(&self) -> bool {
        self.collects.is_dear()
    }

    /// Joins the collect that is under way, or starts one: on a task of its own, or `here`, where it stays until it first
    /// waits or yields. Never waits.
    pub(crate) async fn collect(&self, meminfo: &Arc<Reading>, here: bool) -> Collect {
        let lead = match self.collects.enter() {
            Role::Lead(lead) => lead,
            Role::Join(join) => return Collect::UnderWay(join),
        };
        let number = lead.number();
        let meminfo = Arc::clone(meminfo);
        let worker = Arc::clone(&self.worker);
        match Arc::clone(&self.worker).try_lock_owned() {
            Ok(worker) if here => {
                let mut call = Box::pin(worker::collect(worker, meminfo, lead));
                let polled = poll_fn(|cx| {
                    // Its timers belong where it may go on.
                    let _entered = self.runtime.enter();
                    Poll::Ready(call.as_mut().poll(cx))
                });
                if let Poll::Ready(succeeded) = polled.await {
                    return Collect::Over(succeeded);
                }
                // The scrape may have less time than the guest.
                self.runtime.spawn(call);
            }
            free => {
                drop(free);
                self.runtime.spawn(async move {
                    let worker = worker.lock_owned().await;
                    worker::collect(worker, meminfo, lead).await
                });
            }
        }
        Collect::UnderWay(self.collects.join(number))
    }
}
