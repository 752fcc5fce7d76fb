//! Another config, or other plugin files, for a host that serves: all of it or nothing.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex as StdMutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{sync::Mutex, task::JoinHandle};

use crate::{
    assembly::{Assembly, Occasion},
    config::{Config, ConfigError},
    fleet::Fleet,
    host::{Error, Host, Inner},
    own::ReloadMetrics,
};

/// Where a config comes from.
#[derive(Clone)]
pub(crate) struct Source(pub(crate) Arc<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

/// What a reload needs.
pub(crate) struct Reloads {
    assembly: Assembly,
    /// The config that runs. Held for as long as a reload takes: there is one at a time.
    running: Mutex<Config>,
    source: Option<Source>,
    metrics: ReloadMetrics,
    /// Waits to try plugins again that did not start.
    retrying: StdMutex<Option<JoinHandle<()>>>,
}

/// What a reload has changed: names of plugins, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// Those that are new.
    pub added: Vec<String>,
    /// Those whose file or config changed.
    pub replaced: Vec<String>,
    /// Those that are not there any more.
    pub removed: Vec<String>,
}

impl Drop for Reloads {
    fn drop(&mut self) {
        let retrying = self
            .retrying
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = retrying.take() {
            task.abort();
        }
    }
}

impl Reloads {
    pub(crate) fn new(
        assembly: Assembly,
        config: Config,
        source: Option<Source>,
        metrics: ReloadMetrics,
    ) -> Self {
        Self {
            assembly,
            running: Mutex::new(config),
            source,
            metrics,
            retrying: StdMutex::default(),
        }
    }

    /// After the first fleet has begun.
    pub(crate) fn started(&self, inner: &Arc<Inner>) {
        self.metrics.succeeded();
        self.retry(inner);
    }

    /// Sees to it that plugins that did not start are tried again when they are due.
    fn retry(&self, inner: &Arc<Inner>) {
        let weak = Arc::downgrade(inner);
        let task = inner.fleet().next_try().map(|mut due| {
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep_until(due.into()).await;
                    let Some(inner) = weak.upgrade() else {
                        return;
                    };
                    // A task of its own: a reload that calls this one off must not leave it half done.
                    let trying = Arc::clone(&inner);
                    let tried =
                        tokio::spawn(async move { trying.reloads.try_again(&trying).await });
                    drop(inner);
                    match tried.await.ok().flatten() {
                        Some(next) => due = next,
                        None => return,
                    }
                }
            })
        });
        let mut retrying = self.retrying.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = std::mem::replace(&mut *retrying, task) {
            before.abort();
        }
    }

    /// When the next one is due.
    async fn try_again(&self, inner: &Inner) -> Option<Instant> {
        let running = self.running.lock().await;
        let old = inner.fleet();
        let next = self.assembly.next(&running, &old, Occasion::Retry).await;
        match next {
            Ok(next) => {
                for plugin in &next.fleet.plugins {
                    if old.plugin(plugin.name()).is_none() {
                        tracing::info!(plugin = plugin.name(), "the plugin has started at last");
                    }
                }
                inner.swap(next);
            }
            Err(error) => tracing::error!(%error, "plugins cannot be tried again"),
        }
        let next = inner.fleet().next_try()?;
        // Whatever went wrong, not in a loop.
        Some(next.max(Instant::now() + Duration::from_millis(10)))
    }

    async fn reload(&self, inner: &Arc<Inner>) -> Result<Reloaded, Error> {
        let mut running = self.running.lock().await;
        let done = self.try_reload(inner, &mut running).await;
        drop(running);
        match &done {
            Ok(Reloaded {
                added,
                replaced,
                removed,
            }) => {
                self.metrics.succeeded();
                tracing::info!(?added, ?replaced, ?removed, "the config is reloaded");
            }
            Err(error) => {
                self.metrics.failed();
                tracing::error!(%error, "the reload is refused; everything runs on as before");
            }
        }
        done
    }

    async fn try_reload(
        &self,
        inner: &Arc<Inner>,
        running: &mut Config,
    ) -> Result<Reloaded, Error> {
        let Source(read) = self.source.clone().ok_or(Error::NoSource)?;
        let read = tokio::task::spawn_blocking(move || read()).await;
        let mut config = read.map_err(|crash| Error::Engine(crash.to_string()))??;
        for key in config.take_fixed(running) {
            tracing::warn!(
                key,
                "this cannot change while the exporter runs; it takes effect with the next start"
            );
        }
        config.check()?;
        let old = inner.fleet();
        let next = self.assembly.next(&config, &old, Occasion::Reload).await;
        let next = next.inspect_err(|_| self.keep_code(&old))?;
        let old = inner.swap(next);
        let new = inner.fleet();
        self.keep_code(&new);
        *running = config;
        self.retry(inner);
        Ok(difference(&old, &new))
    }

    fn keep_code(&self, fleet: &Fleet) {
        let digests = fleet.plugins.iter().map(|plugin| plugin.made_of().digest);
        self.assembly.engine.keep(&digests.collect::<HashSet<_>>());
    }
}

fn difference(old: &Fleet, new: &Fleet) -> Reloaded {
    let name = |plugin: &Arc<crate::plugin::Plugin>| plugin.name().to_owned();
    let mut reloaded = Reloaded::default();
    for plugin in &new.plugins {
        match old.plugin(plugin.name()) {
            None => reloaded.added.push(name(plugin)),
            Some(before) if !Arc::ptr_eq(before, plugin) => reloaded.replaced.push(name(plugin)),
            Some(_) => {}
        }
    }
    let is_gone = |plugin: &&Arc<_>| new.plugin(name(plugin).as_str()).is_none();
    reloaded.removed = old.plugins.iter().filter(is_gone).map(name).collect();
    reloaded
}

impl Host {
    /// Reads the config again, from where [`HostBuilder::reload_from`] says, and makes the host what it asks for.
    ///
    /// Plugins whose config and file are as they were go on untouched. One that is new or changed is loaded, and shows
    /// in an instance that nobody sees what it does; when all have done so they take their places at once. Families of
    /// instruments that stayed the same in name, kind and labels keep their series. If anything fails, nothing changes.
    ///
    /// Goes on to its end when the future is dropped. One reload runs at a time.
    ///
    /// [`HostBuilder::reload_from`]: crate::HostBuilder::reload_from
    pub async fn reload(&self) -> Result<Reloaded, Error> {
        let inner = Arc::clone(&self.inner);
        let task = tokio::spawn(async move { inner.reloads.reload(&inner).await });
        task.await
            .unwrap_or_else(|crash| Err(Error::Engine(crash.to_string())))
    }

    /// Whether the last reload was done, and when that was for the last one that was: seconds since 1970.
    pub(crate) fn last_reload(&self) -> (bool, f64) {
        self.inner.reloads.metrics.last()
    }

    /// The config that runs. Waits for a reload that is under way.
    pub(crate) async fn running_config(&self) -> Config {
        self.inner.reloads.running.lock().await.clone()
    }
}
