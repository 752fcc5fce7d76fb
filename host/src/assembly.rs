//! From a config to the next fleet: what is new is made and tried out beside what runs, which is not touched before the swap.

use std::{collections::HashMap, sync::Arc};

use meterbox_metrics::{Heir, Owner, Registry, Scope, ScopeOptions};
use tokio::{sync::OnceCell, task::JoinHandle};

use crate::{
    config::{Config, PluginConfig, Startup, TEXTFILE},
    distribution::Sources,
    engine::{Engine, LoadError, Loaded, bindings::lifecycle::Start},
    fleet::{Down, Fleet},
    host::Error,
    own::CollectorMetrics,
    plugin::{self, Described, MadeOf, Plugin, PluginError},
    textfile::Textfile,
};

/// Why plugins are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Nothing runs yet.
    Start,
    /// The config or files may have changed. What is new has to show what it does before it may serve.
    Reload,
    /// Plugins that did not start may be due.
    Retry,
}

/// Who makes fleets.
#[derive(Clone)]
pub(crate) struct Assembly {
    pub(crate) engine: Engine,
    pub(crate) registry: Registry,
}

/// A fleet that could take the place of another.
#[derive(Debug)]
pub(crate) struct Next {
    pub(crate) fleet: Fleet,
    /// In the order of the registry.
    pub(crate) scopes: Vec<Arc<Scope>>,
}

/// What becomes of a plugin of the config.
enum Candidate {
    /// It runs, and stays as it is.
    Stays(Arc<Plugin>),
    Comes(Box<Coming>),
    /// It did not start before, and is not due.
    Waits(Box<Down>),
}

struct Coming {
    described: Described,
    heir: Option<Heir>,
}

type File = Arc<OnceCell<Result<Loaded, LoadError>>>;

impl Assembly {
    /// The fleet that a config asks for. An error says what cannot be; everything that was made for it is gone then.
    pub(crate) async fn next(
        &self,
        config: &Config,
        old: &Fleet,
        occasion: Occasion,
    ) -> Result<Next, Error> {
        let next = self.try_next(config, old, occasion).await;
        if next.is_err() {
            for name in config.plugins.keys() {
                if old.plugin(name).is_none() && old.down(name).is_none() {
                    self.registry.remove_own("plugin", name);
                }
            }
        }
        next
    }

    async fn try_next(
        &self,
        config: &Config,
        old: &Fleet,
        occasion: Occasion,
    ) -> Result<Next, Error> {
        let mut down = Vec::new();
        let mut plugins = Vec::new();
        let mut coming = Vec::new();
        for (name, candidate) in self.candidates(config, old, occasion).await? {
            match candidate {
                Ok(Candidate::Stays(plugin)) => plugins.push(plugin),
                Ok(Candidate::Comes(new)) => coming.push((name, new)),
                Ok(Candidate::Waits(plugin)) => down.push(*plugin),
                Err(error) => down.push(self.down(name, error, config, old)?),
            }
        }
        // Before the plan, which then knows their names.
        for (name, new) in &coming {
            if let Err(error) = new.described.claim(&self.registry) {
                let name = name.clone();
                return Err(Error::Plugin { name, error });
            }
        }
        let textfile = old
            .textfile
            .as_ref()
            .filter(|files| config.textfile.as_ref() == Some(files.config()));
        let mut scopes = loop {
            let stay = plugins.iter().map(|plugin| plugin.scope());
            let stay = stay.chain(textfile.map(|files| files.scope()));
            let mut owners: Vec<_> = stay.cloned().map(Owner::Stays).collect();
            let first = owners.len();
            owners.extend(coming.iter().map(|(_, new)| new.owner()));
            if textfile.is_none() && config.textfile.is_some() {
                owners.push(Owner::Comes {
                    options: ScopeOptions::new(TEXTFILE),
                    descs: Textfile::descs(),
                    heir: None,
                });
            }
            match self.registry.plan(owners) {
                Ok(mut scopes) => break scopes.split_off(first),
                Err((place, error)) if place - first < coming.len() => {
                    let (name, _) = coming.remove(place - first);
                    down.push(self.down(name, error.into(), config, old)?);
                }
                Err((_, error)) => return Err(Error::Textfile(error.to_string())),
            }
        };
        let files = scopes.split_off(coming.len()).pop();
        let starts = coming.into_iter().zip(scopes).map(|((name, new), scope)| {
            let start = new.start();
            let started = Plugin::start(new.described, self.registry.clone(), scope, start);
            (name, tokio::spawn(started))
        });
        for (name, started) in Tasks(starts.collect()).all().await? {
            match started {
                Ok(plugin) => plugins.push(plugin),
                Err(error) => down.push(self.down(name, error, config, old)?),
            }
        }
        plugins.sort_by(|a, b| a.name().cmp(b.name()));
        let textfile = match (&config.textfile, files) {
            (Some(files), Some(scope)) => {
                let started = Textfile::start(files, &self.registry, scope);
                Some(Arc::new(started.map_err(Error::Textfile)?))
            }
            _ => textfile.cloned(),
        };
        let fleet = Fleet {
            plugins,
            down,
            textfile,
        };
        let scopes = fleet.scopes();
        Ok(Next { fleet, scopes })
    }

    /// Loads all plugins, and lets those that are new describe themselves and show what they do, all at once. Ascending by
    /// name.
    async fn candidates(
        &self,
        config: &Config,
        old: &Fleet,
        occasion: Occasion,
    ) -> Result<Vec<(String, Result<Candidate, PluginError>)>, Error> {
        // Bytes are had once, however many plugins come from it.
        let mut files: HashMap<_, File> = HashMap::new();
        let sources = Sources::new(config);
        let tasks = config.plugins.iter().map(|(name, plugin)| {
            let file = Arc::clone(files.entry((&plugin.source, plugin.pinned())).or_default());
            let runs = old.plugin(name).cloned();
            let down = old.down(name).cloned();
            let (engine, key, plugin) = (self.engine.clone(), name.clone(), plugin.clone());
            let limits = config.limits_of(&plugin);
            let sources = sources.clone();
            let task = tokio::spawn(async move {
                match (occasion, runs, down) {
                    (Occasion::Retry, Some(runs), _) => Ok(Candidate::Stays(runs)),
                    (Occasion::Retry, None, Some(down)) if !down.is_due() => {
                        Ok(Candidate::Waits(Box::new(down)))
                    }
                    (_, runs, _) => {
                        let loaded = file
                            .get_or_init(|| async {
                                let bytes = sources.pull(&plugin, &limits).await;
                                engine.load(&plugin.source.to_string(), bytes).await
                            })
                            .await;
                        candidate(loaded, &key, &plugin, limits, runs, occasion).await
                    }
                }
            });
            (name.clone(), task)
        });
        Tasks(tasks.collect()).all().await
    }

    /// What becomes of a plugin that cannot be: nothing, if an older version of it runs or nobody may go on without it.
    fn down(
        &self,
        name: String,
        error: PluginError,
        config: &Config,
        old: &Fleet,
    ) -> Result<Down, Error> {
        let wanted = config.plugins.get(&name);
        let Some(plugin) =
            wanted.filter(|plugin| plugin.startup != Startup::Fail && old.plugin(&name).is_none())
        else {
            return Err(Error::Plugin { name, error });
        };
        let metrics = match CollectorMetrics::new(&self.registry, &name) {
            Ok(metrics) => metrics,
            Err(clash) => {
                let error = clash.into();
                return Err(Error::Plugin { name, error });
            }
        };
        let (limits, error) = (config.limits_of(plugin), error.to_string());
        let before = old.down(&name);
        let tries = before.map_or(0, |before| before.tries).saturating_add(1);
        if before.is_none_or(|before| before.error != error) {
            let startup = plugin.startup;
            tracing::warn!(
                plugin = name,
                error,
                ?startup,
                "a plugin does not start; the others go on"
            );
        }
        Ok(Down::new(&name, plugin, &limits, error, tries, metrics))
    }
}

impl Coming {
    fn owner(&self) -> Owner {
        let (options, descs) = self.described.families();
        Owner::Comes {
            options,
            descs,
            heir: self.heir.clone(),
        }
    }

    fn start(&self) -> Start {
        start(self.heir.is_some())
    }
}

fn start(is_heir: bool) -> Start {
    if is_heir { Start::Again } else { Start::First }
}

async fn candidate(
    loaded: &Result<Loaded, LoadError>,
    name: &str,
    config: &PluginConfig,
    limits: crate::limits::Limits,
    runs: Option<Arc<Plugin>>,
    occasion: Occasion,
) -> Result<Candidate, PluginError> {
    if let (Some(runs), Ok(loaded)) = (&runs, loaded) {
        let made_of = MadeOf {
            config: config.clone(),
            limits: limits.clone(),
            digest: loaded.digest,
        };
        if *runs.made_of() == made_of {
            return Ok(Candidate::Stays(Arc::clone(runs)));
        }
    }
    let mut heir = None;
    if occasion == Occasion::Reload {
        let prepared = plugin::prepare(loaded, name, config, limits.clone(), Arc::default());
        let prepared = prepared.await?;
        let rehearsal = plugin::rehearse(prepared.describe().await?, start(runs.is_some())).await?;
        heir = runs.as_ref().map(|runs| Heir {
            of: Arc::clone(runs.scope()),
            rehearsal,
        });
    }
    let usage = runs.map_or_else(Arc::default, |runs| Arc::clone(runs.usage()));
    let prepared = plugin::prepare(loaded, name, config, limits, usage).await?;
    let described = prepared.describe().await?;
    Ok(Candidate::Comes(Box::new(Coming { described, heir })))
}

/// One task for each plugin. What is not done when nobody waits for it any more is called off.
struct Tasks<T>(Vec<(String, JoinHandle<Result<T, PluginError>>)>);

impl<T> Drop for Tasks<T> {
    fn drop(&mut self) {
        self.0.iter().for_each(|(_, task)| task.abort());
    }
}

impl<T> Tasks<T> {
    /// What all of them return, in their order.
    async fn all(mut self) -> Result<Vec<(String, Result<T, PluginError>)>, Error> {
        let mut all = Vec::with_capacity(self.0.len());
        for (name, task) in &mut self.0 {
            let done = task
                .await
                .map_err(|crash| Error::Engine(crash.to_string()))?;
            all.push((name.clone(), done));
        }
        Ok(all)
    }
}
