//! The one place where the rooms are joined: from a config to running plugins, and the handle to them.

use std::{
    fmt, mem,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use ::http::{Request, Response};
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use meterbox_metrics::{
    Page, Registry,
    encode::{Escaping, Format},
};
use tokio::task::JoinSet;

use crate::{
    assembly::Next,
    batch::{Batches, Shared},
    builder::HostBuilder,
    config::{Config, ConfigError, WebConfig},
    fleet::Fleet,
    gather,
    http::HttpMetrics,
    own::ProcessMetrics,
    plugin::{Plugin, PluginError, ProbeRequest, Unasked},
    reload::Reloads,
    status::PluginStatus,
};

/// Any error of somebody else's body.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body on either side of a plugin's HTTP route, and of every response.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Why a host could not start, of which nothing is left running then; or why a reload was refused, of which nothing is left
/// either.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The config cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A plugin cannot be started.
    #[error("plugin {name:?}: {error}")]
    Plugin {
        /// Its name in the config.
        name: String,
        /// Why not.
        error: PluginError,
    },
    /// Text files cannot be served.
    #[error("[textfile]: {0}")]
    Textfile(String),
    /// Metrics cannot be pushed: a file or a variable that `[push]` names is missing or wrong.
    #[error("{0}")]
    Push(String),
    /// This machine or this build cannot host WebAssembly.
    #[error("cannot set up WebAssembly on this machine: {0}")]
    Engine(String),
    /// Nobody has said where the config comes from; see [`HostBuilder::reload_from`].
    #[error("this program has no config to read again")]
    NoSource,
}

/// A running set of plugins and the metrics that they report. Cheap to clone; when the last clone is dropped the plugins
/// stop.
#[derive(Clone, Debug)]
pub struct Host {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) registry: Registry,
    /// Held just long enough to take it, or to put another in its place.
    pub(crate) fleet: RwLock<Arc<Fleet>>,
    pub(crate) web: WebConfig,
    pub(crate) http_metrics: HttpMetrics,
    pub(crate) process: ProcessMetrics,
    pub(crate) batches: Batches,
    pub(crate) reloads: Reloads,
    pub(crate) stopping: AtomicBool,
    /// The tasks that push, which end with it.
    pub(crate) pushing: Mutex<JoinSet<()>>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fleet = self.fleet();
        let names: Vec<_> = fleet.plugins.iter().map(|plugin| plugin.name()).collect();
        f.debug_struct("Host")
            .field("plugins", &names)
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// What runs now.
    pub(crate) fn fleet(&self) -> Arc<Fleet> {
        let fleet = self.fleet.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&fleet)
    }

    /// Puts a fleet in the place of the one that runs; returns that. Requests that have it keep it.
    pub(crate) fn swap(&self, next: Next) -> Arc<Fleet> {
        let Next { fleet, scopes } = next;
        let new = Arc::new(fleet);
        let mut running = self.fleet.write().unwrap_or_else(PoisonError::into_inner);
        let has = |fleet: &Fleet, plugin: &Arc<Plugin>| {
            fleet.plugins.iter().any(|other| Arc::ptr_eq(other, plugin))
        };
        let come: Vec<_> = new
            .plugins
            .iter()
            .filter(|plugin| !has(&running, plugin))
            .collect();
        self.registry.install(scopes);
        come.iter().for_each(|plugin| plugin.release());
        let old = mem::replace(&mut *running, Arc::clone(&new));
        drop(running);
        come.iter().for_each(|plugin| plugin.begin());
        for plugin in old.plugins.iter().filter(|plugin| !has(&new, plugin)) {
            plugin.retire();
            let heir = new.plugin(plugin.name());
            if plugin.has_probes() && heir.is_some_and(|heir| !heir.has_probes()) {
                plugin.forget_probes(&self.registry);
            }
            match heir {
                None => plugin.forget(&self.registry),
                Some(heir) if heir.made_of().config.interval.is_none() => {
                    plugin.metrics().forget_last_collect(&self.registry);
                }
                Some(_) => {}
            }
        }
        for down in &old.down {
            if !new.has_collector(&down.name) {
                down.metrics.forget(&self.registry);
            }
        }
        if let (Some(files), None) = (&old.textfile, &new.textfile) {
            files.metrics().forget(&self.registry);
        }
        old
    }
}

impl Host {
    /// Sets up a host in code.
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    /// Starts all plugins of a config; see [`HostBuilder::start`].
    pub async fn start(config: &Config) -> Result<Self, Error> {
        Self::builder().config(config.clone()).start().await
    }

    /// The page as it is after asking the plugins that `wanted` says yes to, which takes until `deadline` at the latest.
    /// Text files are asked by the name `textfile`. A plugin that is late or broken costs its own samples; what it counted
    /// before stays. Overlapping calls share one collect per plugin, so a page may show values that were read just before
    /// it was asked for; calls for all plugins that come in together may get one page.
    pub async fn gather(&self, deadline: Instant, wanted: impl Fn(&str) -> bool) -> Page {
        self.gather_shared(deadline, wanted).await.page().clone()
    }

    /// The same, with what those who came in together make of it.
    pub(crate) async fn gather_shared(
        &self,
        deadline: Instant,
        wanted: impl Fn(&str) -> bool,
    ) -> Arc<Shared> {
        let Inner {
            registry,
            process,
            web,
            ..
        } = &*self.inner;
        let process = web.exporter_metrics.then_some(process);
        let fleet = self.inner.fleet();
        let all = fleet.is_all(&wanted);
        let gather = gather::gather(registry, &fleet, process, deadline, wanted);
        // Who is alone has nobody to wait for.
        if all && self.inner.http_metrics.is_busy() {
            self.inner.batches.page(deadline, gather).await
        } else {
            Shared::new(gather.await.0)
        }
    }

    /// Whether [`Host::gather`] asks whether something of this name is wanted: a plugin, or `textfile` if there are text
    /// files.
    pub(crate) fn has_collector(&self, name: &str) -> bool {
        self.inner.fleet().has_collector(name)
    }

    /// The whole page in text format 0.0.4; see [`Host::gather`].
    pub async fn scrape(&self, deadline: Instant) -> Bytes {
        let page = self.gather(deadline, |_| true).await;
        page.to_bytes(Format::Text, Escaping::default()).into()
    }

    pub(crate) fn http_metrics(&self) -> &HttpMetrics {
        &self.inner.http_metrics
    }

    pub(crate) fn web(&self) -> &WebConfig {
        &self.inner.web
    }

    /// Where the metrics are served, such as `/metrics`.
    pub fn telemetry_path(&self) -> &str {
        &self.inner.web.telemetry_path
    }

    /// Every plugin, by name, without the lists that [`Host::plugin`] tells.
    pub fn plugins(&self) -> Vec<PluginStatus> {
        let fleet = self.inner.fleet();
        let down = fleet.down.iter().map(PluginStatus::from);
        let plugins = fleet.plugins.iter();
        let mut all: Vec<_> = plugins.map(|plugin| plugin.summary()).chain(down).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// How the plugin of this name is doing, if there is one.
    pub fn plugin(&self, name: &str) -> Option<PluginStatus> {
        let fleet = self.inner.fleet();
        match fleet.plugin(name) {
            Some(plugin) => Some(plugin.status()),
            None => fleet.down(name).map(PluginStatus::from),
        }
    }

    /// The plugin route mounted at exactly this path.
    pub fn route(&self, path: &str) -> Option<Route> {
        let fleet = self.inner.fleet();
        let plugin = Arc::clone(fleet.route(path)?);
        Some(Route { plugin })
    }

    /// Whether any plugin may be asked to probe targets.
    pub(crate) fn has_probes(&self) -> bool {
        self.inner.fleet().has_probes()
    }

    /// Has a plugin probe a target; `None` without such a plugin.
    pub(crate) async fn probe(
        &self,
        plugin: &str,
        request: ProbeRequest,
    ) -> Option<Result<Page, Unasked>> {
        let fleet = self.inner.fleet();
        if let Some(down) = fleet.down(plugin) {
            return Some(Err(match down.probes {
                true => Unasked::Down,
                false => Unasked::NotEnabled,
            }));
        }
        let plugin = Arc::clone(fleet.plugin(plugin)?);
        Some(plugin.probe(request).await)
    }

    /// Whether requests are welcome: until [`Host::shutdown`].
    pub fn is_ready(&self) -> bool {
        !self.inner.stopping.load(Ordering::Relaxed)
    }

    /// Says to load balancers that requests are not welcome any more. Plugins stop when the last clone is dropped.
    pub fn shutdown(&self) {
        self.inner.stopping.store(true, Ordering::Relaxed);
    }
}

/// A path that a plugin serves.
#[derive(Clone, Debug)]
pub struct Route {
    plugin: Arc<Plugin>,
}

impl Route {
    /// Bytes that the body of a request may have.
    pub(crate) fn request_bytes(&self) -> usize {
        self.plugin.limits().request_bytes
    }

    /// Hands the request to a fresh instance of the plugin. What that instance counted is on the page before its
    /// response is given out. A fault of the plugin becomes a 502, or a 504 if it took too long; a plugin
    /// that is busy or quarantined gives a 503.
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        Arc::clone(&self.plugin).handle(request).await
    }
}
