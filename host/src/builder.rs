//! From a config to a host.

use std::sync::{Arc, Mutex, PoisonError, RwLock, atomic::AtomicBool};

use meterbox_metrics::{RegisterError, Registry};

use crate::{
    assembly::{Assembly, Occasion},
    batch::Batches,
    config::{Config, ConfigError, PluginConfig},
    engine::{Engine, Settings, compile::Compiler},
    fleet::Fleet,
    host::{Error, Host, Inner},
    http::HttpMetrics,
    limits::Limits,
    own::{self, ProcessMetrics, ReloadMetrics},
    push::Push,
    reload::{Reloads, Source},
};

/// Sets up a [`Host`] in code.
#[derive(Clone, Debug, Default)]
pub struct HostBuilder {
    config: Config,
    registries: Vec<prometheus::Registry>,
    compiler: Option<Compiler>,
    source: Option<Source>,
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

    /// Says where the config comes from, for [`Host::reload`]. It may read files, and is called on a thread for such work.
    #[must_use]
    pub fn reload_from(
        mut self,
        read: impl Fn() -> Result<Config, ConfigError> + Send + Sync + 'static,
    ) -> Self {
        self.source = Some(Source(Arc::new(read)));
        self
    }

    /// Checks the config, compiles all plugins and makes their first instances. Must be called in a tokio runtime with
    /// timers; the plugins' tasks run there.
    pub async fn start(self) -> Result<Host, Error> {
        let Self {
            config,
            registries,
            compiler,
            source,
        } = self;
        config.check()?;
        let registry = Registry::new(registries);
        if !config.web.exporter_metrics {
            registry.show_own_only(own::BRIEF);
        }
        // No plugin is there yet whose families could be in the way.
        let clash = |error: RegisterError| Error::Engine(error.to_string());
        own::build_info(&registry).map_err(clash)?;
        let process = ProcessMetrics::new(&registry).map_err(clash)?;
        let http_metrics = HttpMetrics::new(&registry).map_err(clash)?;
        let reload_metrics = ReloadMetrics::new(&registry).map_err(clash)?;
        let push = match &config.push {
            Some(push) => {
                let push = Push::new(push.clone(), &registry).await;
                Some(push.map_err(Error::Push)?)
            }
            None => None,
        };
        let settings = Settings {
            state: config.state.directory.clone(),
            compiler,
            limits: config.limits.over(Limits::default()),
        };
        let engine = Engine::new(settings).map_err(|error| Error::Engine(format!("{error:#}")))?;
        let assembly = Assembly {
            engine,
            registry: registry.clone(),
        };
        let none = Fleet::default();
        let next = assembly.next(&config, &none, Occasion::Start).await?;
        let host = Host {
            inner: Arc::new(Inner {
                registry,
                fleet: RwLock::default(),
                web: config.web.clone(),
                http_metrics,
                process,
                batches: Batches::default(),
                reloads: Reloads::new(assembly, config, source, reload_metrics),
                stopping: AtomicBool::new(false),
                pushing: Mutex::default(),
            }),
        };
        host.inner.swap(next);
        host.inner.reloads.started(&host.inner);
        if let Some(push) = push {
            let tasks = push.begin(&host.inner);
            *host
                .inner
                .pushing
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = tasks;
        }
        Ok(host)
    }
}
