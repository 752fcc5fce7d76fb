//! A plugin: the handle that others hold, and the worker that has its instance.

mod background;
mod call;
mod collects;
mod convert;
#[cfg(test)]
mod fuzz;
mod instance;
mod journal;
mod lane;
mod probe;
mod recovery;
mod rehearsal;
mod route;
mod start;
mod status;
mod text;
pub(crate) mod trial;
mod worker;

use std::sync::Arc;

use meterbox_metrics::{RegisterError, Registry, Scope};
use tokio::{
    runtime::Handle,
    sync::{Mutex, Semaphore, watch},
    time::Interval,
};

pub use self::recovery::PluginState;
use self::{
    background::Background, instance::Template, journal::Journal, lane::Begun, probe::Probes,
    worker::Worker,
};
pub(crate) use self::{
    collects::{Collects, Join, Lead, Role},
    probe::{ProbeRequest, Unasked},
    rehearsal::rehearse,
    start::{Described, MadeOf, Prepared, prepare},
};
use crate::{
    engine::Usage,
    grants::Wanted,
    imports::meminfo::Reading,
    limits::Limits,
    own::{CollectorMetrics, PluginMetrics, ProbeMetrics},
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
    /// It may be asked to probe targets, and cannot.
    #[error("probe is set, but the plugin does not export meterbox:plugin/probe@0.1; remove it")]
    NoProbe,
    /// What its config refers to is not there: a folder, a file or an environment variable.
    #[error("{0}")]
    Config(String),
    /// It says that it cannot do without what it is not granted.
    #[error("it needs what it is not granted; if you trust it with that, write:\n{lines}")]
    Wants {
        /// The lines that are missing in the config, with the plugin's reasons.
        lines: String,
    },
    /// Its first calls failed.
    #[error("it does not start: {0}")]
    Start(String),
    /// Its families were refused.
    #[error(transparent)]
    Register(#[from] RegisterError),
}

impl From<SourceError> for PluginError {
    fn from(error: SourceError) -> Self {
        Self::Source(Arc::new(error))
    }
}

/// A running plugin. When the last handle is dropped it ends, after the call that is under way.
#[derive(Debug)]
pub(crate) struct Plugin {
    made_of: MadeOf,
    scope: Arc<Scope>,
    /// One call at a time: a collect holds the lock, and so does a tick.
    worker: Arc<Mutex<Worker>>,
    collects: Arc<Collects>,
    /// Present if it is collected in the background.
    background: Option<Arc<Background>>,
    /// Where the plugin was started: who scrapes may run elsewhere, and end sooner.
    runtime: Handle,
    /// When it wants its first tick, and how often, until it begins.
    ticks: std::sync::Mutex<Option<Interval>>,
    /// Ends what it does by itself.
    stop: watch::Sender<bool>,
    metrics: PluginMetrics,
    journal: Arc<Journal>,
    template: Template,
    wants: Vec<Wanted>,
    sdk: Option<Arc<str>>,
    route_permits: Arc<Semaphore>,
    /// Present if it may be asked to probe targets.
    probes: Option<Arc<Probes>>,
}

/// How a plugin's collect stands when a scrape has asked for it.
#[derive(Debug)]
pub(crate) enum Collect {
    /// It is over; whether it succeeded.
    Over(bool),
    /// It takes longer. The guest runs on even if nobody waits.
    UnderWay(Join),
}

impl Plugin {
    pub(crate) fn name(&self) -> &str {
        &self.template.identity().name
    }

    /// What it was made of: made of the same, another would be just like it.
    pub(crate) fn made_of(&self) -> &MadeOf {
        &self.made_of
    }

    /// What it has used, for the one that takes its place.
    pub(crate) fn usage(&self) -> &Arc<Usage> {
        &self.template.identity().usage
    }

    /// Ends its ticks and its collects in the background. Calls that others make are still answered.
    pub(crate) fn retire(&self) {
        self.stop.send_replace(true);
    }

    /// Takes what is counted about its probes off the page: the plugin that took its place has none.
    pub(crate) fn forget_probes(&self, registry: &Registry) {
        ProbeMetrics::forget(registry, self.name());
    }

    /// Takes its metrics off the page, for good.
    pub(crate) fn forget(&self, registry: &Registry) {
        self.metrics.collector.forget(registry);
    }

    pub(crate) fn state(&self) -> PluginState {
        self.journal.state()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.template.identity().limits
    }

    pub(crate) fn routes(&self) -> &[String] {
        &self.made_of.config.routes
    }

    /// Whether it may be asked to probe targets.
    pub(crate) fn has_probes(&self) -> bool {
        self.probes.is_some()
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
    ///
    /// Where it is collected in the background, what counts is the last time that it was.
    pub(crate) async fn collect(&self, meminfo: &Arc<Reading>, here: bool) -> Collect {
        if let Some(background) = &self.background {
            return match background.last() {
                Some(succeeded) => Collect::Over(succeeded),
                None => Collect::UnderWay(self.collects.join(background::FIRST)),
            };
        }
        let lead = match self.collects.enter() {
            Role::Lead(lead) => lead,
            Role::Join(join) => return Collect::UnderWay(join),
        };
        let number = lead.number();
        let meminfo = Arc::clone(meminfo);
        let worker = Arc::clone(&self.worker);
        match Arc::clone(&self.worker).try_lock_owned() {
            Ok(worker) if here => {
                // If it moves: the scrape may have less time than the guest.
                let call = worker::collect(worker, meminfo, lead);
                if let Begun::Over(succeeded) = lane::begin(call).await {
                    return Collect::Over(succeeded);
                }
            }
            free => {
                drop(free);
                let is_dear = self.is_dear();
                self.runtime.spawn(async move {
                    let worker = worker.lock_owned().await;
                    let call = worker::collect(worker, meminfo, lead);
                    if is_dear {
                        lane::away(call).await
                    } else {
                        lane::run(call).await
                    }
                });
            }
        }
        Collect::UnderWay(self.collects.join(number))
    }
}
