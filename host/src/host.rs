//! The one place where the rooms are joined: from a config to running plugins, and the handle to them.

use std::{
    collections::HashMap,
    fmt,
    path::Path,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use ::http::{Request, Response};
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use meterbox_metrics::{
    Page, RegisterError, Registry,
    encode::{Escaping, Format},
};
use tokio::{sync::OnceCell, task::JoinHandle};

use crate::{
    batch::{Batches, Shared},
    config::{Config, ConfigError, PluginConfig, WebConfig},
    engine::{Engine, Fault, Settings, compile::Compiler},
    fleet::Fleet,
    gather,
    http::HttpMetrics,
    limits::Limits,
    own::{self, ProcessMetrics},
    plugin::{self, Described, Plugin, PluginError, PluginState},
    textfile::Textfile,
};

/// Any error of somebody else's body.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body on either side of a plugin's HTTP route, and of every response.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Why a host could not start. Nothing of it is left running.
#[derive(Debug, thiserror::Error)]
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
    /// This machine or this build cannot host WebAssembly.
    #[error("cannot set up WebAssembly on this machine: {0}")]
    Engine(String),
}

/// A running set of plugins and the metrics that they report. Cheap to clone; when the last clone is dropped the plugins
/// stop.
#[derive(Clone, Debug)]
pub struct Host {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    /// Held just long enough to take it, or to put another in its place.
    fleet: RwLock<Arc<Fleet>>,
    web: WebConfig,
    http_metrics: HttpMetrics,
    process: ProcessMetrics,
    batches: Batches,
    stopping: AtomicBool,
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
    fn fleet(&self) -> Arc<Fleet> {
        let fleet = self.fleet.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&fleet)
    }
}

/// Sets up a [`Host`] in code.
#[derive(Clone, Debug, Default)]
pub struct HostBuilder {
    config: Config,
    registries: Vec<prometheus::Registry>,
    compiler: Option<Compiler>,
}

impl HostBuilder {
    /// Starts from a config instead of the default one.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Puts the families of a native registry on the same page. Where names clash, native code wins.
    #[must_use]
    pub fn registry(mut self, registry: prometheus::Registry) -> Self {
        self.registries.push(registry);
        self
    }

    /// Compiles plugins in processes of their own. Without it they are compiled in this one, where a file that is made to
    /// exhaust the compiler is refused by its figures alone.
    #[must_use]
    pub fn compiler(mut self, compiler: Compiler) -> Self {
        self.compiler = Some(compiler);
        self
    }

    /// Adds a plugin, or replaces the one of this name.
    #[must_use]
    pub fn plugin(mut self, name: impl Into<String>, plugin: PluginConfig) -> Self {
        self.config.plugins.insert(name.into(), plugin);
        self
    }

    /// Checks the config, compiles all plugins and makes their first instances. Must be called in a tokio runtime with
    /// timers; the plugins' tasks run there.
    pub async fn start(self) -> Result<Host, Error> {
        let Self {
            config,
            registries,
            compiler,
        } = self;
        config.check()?;
        let registry = Registry::new(registries);
        // No plugin is there yet whose families could be in the way.
        let clash = |error: RegisterError| Error::Engine(error.to_string());
        own::build_info(&registry).map_err(clash)?;
        let process = ProcessMetrics::new(&registry).map_err(clash)?;
        let http_metrics = HttpMetrics::new(&registry).map_err(clash)?;
        let settings = Settings {
            state: config.state.directory.clone(),
            compiler,
            limits: config.limits.over(Limits::default()),
        };
        let engine = Engine::new(settings).map_err(|error| Error::Engine(format!("{error:#}")))?;
        let described = describe(&engine, &config).await?;
        let plugins = start_all(described, &config, &registry).await?;
        // After all plugins: where names clash, theirs win.
        let textfile = config
            .textfile
            .map(|files| Textfile::start(&files, &registry).map(Arc::new))
            .transpose()
            .map_err(Error::Textfile)?;
        let fleet = Fleet { plugins, textfile };
        Ok(Host {
            inner: Arc::new(Inner {
                registry,
                fleet: RwLock::new(Arc::new(fleet)),
                web: config.web,
                http_metrics,
                process,
                batches: Batches::default(),
                stopping: AtomicBool::new(false),
            }),
        })
    }
}

/// Loads all plugins and lets their first instances describe themselves, all at once. Ascending by name.
async fn describe(engine: &Engine, config: &Config) -> Result<Vec<Described>, Error> {
    // A file is read once, however many plugins come from it.
    let mut files: HashMap<&Path, Arc<OnceCell<_>>> = HashMap::new();
    let tasks = config.plugins.iter().map(|(name, plugin)| {
        let file = Arc::clone(files.entry(&plugin.source).or_default());
        let (engine, name, plugin) = (engine.clone(), name.clone(), plugin.clone());
        let limits = config.limits_of(&plugin);
        tokio::spawn(async move {
            let loaded = file.get_or_init(|| engine.load(&plugin.source)).await;
            plugin::prepare(loaded.clone(), &name, &plugin, limits)?
                .describe()
                .await
        })
    });
    in_order(config, Tasks(tasks.collect())).await
}

/// Registers all plugins by name, so that it is always the same one that finds a family taken, then starts them at once.
async fn start_all(
    mut described: Vec<Described>,
    config: &Config,
    registry: &Registry,
) -> Result<Vec<Arc<Plugin>>, Error> {
    let plugins = || config.plugins.iter();
    let families = described.iter_mut().zip(plugins());
    let families = families.map(|(described, (_, plugin))| described.families(plugin));
    let scopes = registry.register_all(families.collect());
    let scopes = scopes.map_err(|(place, error)| Error::Plugin {
        name: plugins()
            .nth(place)
            .map_or_else(String::new, |(name, _)| name.clone()),
        error: error.into(),
    })?;
    let tasks = described.into_iter().zip(scopes).zip(plugins());
    let tasks = tasks.map(|((described, scope), (_, plugin))| {
        let started = Plugin::start(described, plugin.routes.clone(), registry.clone(), scope);
        tokio::spawn(started)
    });
    in_order(config, Tasks(tasks.collect())).await
}

/// One task for each plugin. What is not done when nobody waits for it any more is called off.
struct Tasks<T>(Vec<JoinHandle<Result<T, PluginError>>>);

impl<T> Drop for Tasks<T> {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// What the tasks of all plugins return, or the error of the first by name.
async fn in_order<T>(config: &Config, mut tasks: Tasks<T>) -> Result<Vec<T>, Error> {
    let mut all = Vec::with_capacity(tasks.0.len());
    for (name, task) in config.plugins.keys().zip(&mut tasks.0) {
        let done = task
            .await
            .map_err(|crash| Error::Engine(crash.to_string()))?;
        all.push(done.map_err(|error| Error::Plugin {
            name: name.clone(),
            error,
        })?);
    }
    Ok(all)
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
            registry, process, ..
        } = &*self.inner;
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

    /// Every plugin, by name.
    pub fn plugins(&self) -> Vec<PluginStatus> {
        let fleet = self.inner.fleet();
        let plugins = fleet.plugins.iter();
        plugins
            .map(|plugin| PluginStatus {
                name: plugin.name().to_owned(),
                up: plugin.metrics().up.get() == 1.0,
                state: plugin.state(),
                faults: plugin.faults(),
                routes: plugin.routes().to_vec(),
            })
            .collect()
    }

    /// The plugin route mounted at exactly this path.
    pub fn route(&self, path: &str) -> Option<Route> {
        let fleet = self.inner.fleet();
        let plugin = Arc::clone(fleet.route(path)?);
        Some(Route { plugin })
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

/// How a plugin is doing, for pages and logs.
#[derive(Clone, Debug)]
pub struct PluginStatus {
    /// The name in the config.
    pub name: String,
    /// Whether the last call into it came back.
    pub up: bool,
    /// Whether it has an instance, or why it waits for one.
    pub state: PluginState,
    /// Its last faults, the newest first; at most 16.
    pub faults: Vec<Fault>,
    /// Paths that it serves.
    pub routes: Vec<String>,
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
