//! A plugin: the handle that others hold, and the task that owns its instance.

mod convert;
mod instance;
mod route;
mod text;
mod worker;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use meterbox_metrics::{RegisterError, Registry, Scope, ScopeOptions};
use tokio::sync::{Semaphore, mpsc, watch};

use self::{instance::Template, worker::Worker};
use crate::{
    config::PluginConfig,
    engine::{Engine, Fault, Identity},
    imports::meminfo::Reading,
    own::PluginMetrics,
    source::{self, SourceError},
};

/// How many requests a plugin's routes serve at a time; more wait.
const ROUTE_CONCURRENCY: usize = 32;

/// Why a plugin could not be started. Reads as the end of "plugin NAME: ...".
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The file is no plugin.
    #[error(transparent)]
    Source(#[from] SourceError),
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

/// A running plugin. Dropping the last handle stops its task.
#[derive(Debug)]
pub(crate) struct Plugin {
    name: String,
    routes: Vec<String>,
    scope: Arc<Scope>,
    mailbox: mpsc::Sender<Message>,
    /// The last collect; while it is under way all scrapes that come share it.
    collect: Mutex<Option<Collect>>,
    metrics: PluginMetrics,
    template: Template,
    route_permits: Semaphore,
}

/// What a plugin's task is asked to do.
#[derive(Debug)]
enum Message {
    /// Collect, with the memory figures of this scrape.
    Collect {
        meminfo: Arc<Reading>,
        reply: watch::Sender<Option<bool>>,
    },
}

/// A collect that others may join.
#[derive(Clone, Debug)]
pub(crate) struct Collect(watch::Receiver<Option<bool>>);

impl Collect {
    /// One that is over when the sender says whether it succeeded, or is gone.
    pub(crate) fn new() -> (watch::Sender<Option<bool>>, Self) {
        let (reply, answer) = watch::channel(None);
        (reply, Self(answer))
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.0.has_changed().is_ok() && self.0.borrow().is_none()
    }

    /// Waits until it is over; whether it succeeded.
    pub(crate) async fn succeeded(mut self) -> bool {
        // An error: the plugin's task is gone.
        self.0
            .wait_for(Option::is_some)
            .await
            .is_ok_and(|answer| *answer == Some(true))
    }
}

/// A plugin compiled and linked, before it has said anything.
#[derive(Debug)]
pub(crate) struct Prepared {
    template: Template,
}

/// Reads, compiles and links a plugin. Slow: belongs on a thread of its own.
pub(crate) fn prepare(
    engine: &Engine,
    name: &str,
    config: &PluginConfig,
) -> Result<Prepared, PluginError> {
    let path: &Path = &config.source;
    let link = |why| PluginError::Link {
        path: path.display().to_string(),
        why,
    };
    let bytes = source::load(path)?;
    let component = engine
        .compile(&bytes)
        .map_err(|error| link(format!("{error:#}")))?;
    let identity = Arc::new(Identity {
        name: name.to_owned(),
        config: config.config.clone(),
        grants: config.grants,
        timeout: config.timeout,
    });
    let template = Template::new(engine, &component, identity).map_err(link)?;
    match config.routes.first() {
        Some(route) if !template.has_handler() => Err(PluginError::NoHandler {
            route: route.clone(),
        }),
        _ => Ok(Prepared { template }),
    }
}

impl Plugin {
    /// Makes the first instance, registers its families, and starts its task.
    pub(crate) async fn start(
        prepared: Prepared,
        config: &PluginConfig,
        registry: &Registry,
    ) -> Result<Arc<Self>, PluginError> {
        let Prepared { template } = prepared;
        let refused = |fault: Fault| PluginError::Start(fault.to_string());
        let start = Instant::now();
        let mut instance = template.instantiate().await.map_err(refused)?;
        let descs = instance.describe().await.map_err(refused)?;
        let name = template.identity().name.clone();
        let metrics = PluginMetrics::new(registry, &name)?;
        let options = ScopeOptions {
            prefix: config.prefix.clone(),
            const_labels: config.labels.clone().into_iter().collect(),
            ..ScopeOptions::new(&name)
        };
        let scope = registry.register(&options, descs)?;
        let worker = Worker::new(template.clone(), registry, &scope, metrics.clone());
        let worker = match worker.begin(instance).await {
            Ok(worker) => worker,
            Err(fault) => {
                registry.unregister(&scope);
                return Err(refused(fault));
            }
        };
        metrics.started(start.elapsed());
        // One message at a time is all there can be: scrapes share a collect.
        let (mailbox, messages) = mpsc::channel(1);
        tokio::spawn(worker.run(messages));
        Ok(Arc::new(Self {
            name,
            routes: config.routes.clone(),
            scope,
            mailbox,
            collect: Mutex::default(),
            metrics,
            template,
            route_permits: Semaphore::new(ROUTE_CONCURRENCY),
        }))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn routes(&self) -> &[String] {
        &self.routes
    }

    pub(crate) fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    pub(crate) fn metrics(&self) -> &PluginMetrics {
        &self.metrics
    }

    /// Joins the collect that is under way, or starts one. The guest runs on even if nobody waits any more.
    pub(crate) fn collect(&self, meminfo: &Arc<Reading>) -> Collect {
        let mut last = self.collect.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(collect) = last.as_ref().filter(|collect| collect.is_under_way()) {
            return collect.clone();
        }
        let (reply, collect) = Collect::new();
        let message = Message::Collect {
            meminfo: Arc::clone(meminfo),
            reply,
        };
        // Fails only if the task is gone; the dropped reply then says so to all who wait.
        let _ = self.mailbox.try_send(message);
        last.insert(collect).clone()
    }
}
