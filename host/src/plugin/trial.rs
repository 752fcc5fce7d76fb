//! A plugin that is called when its owner says so: no server, no clock, no pause after a fault.

mod begun;
mod figures;
mod probe;
mod survey;

use std::{
    collections::HashSet,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use meterbox_metrics::{Registry, Scope, View};

use self::{
    begun::{Begun, failed, load},
    figures::names,
};
pub use self::{
    figures::{LimitUse, StartTimes},
    probe::Probed,
    survey::{Families, Survey, survey},
};
use super::{
    instance::{Instance, Template},
    probe::Probes,
    start::refused,
    text::Texts,
};
use crate::{
    config::PluginConfig,
    distribution::Sources,
    engine::{Fault, bindings::lifecycle::Start, compile::Compiler, guard},
    host::Error,
    imports::meminfo::Reading,
    limits::Limits,
    own::WATCHED,
};

/// One plugin in the real engine, with the real registry behind it, and nothing else around.
///
/// Families, limits, grants and settings are those that `meterbox serve` would apply. What differs is who decides when
/// something happens: ticks come when [`Trial::tick`] is called and never by themselves, and an instance that was lost is
/// replaced by the next call, without a pause. Must be used in a tokio runtime with timers.
///
/// ```no_run
/// use meterbox::{config::PluginConfig, trial::Trial};
///
/// # async fn example() -> Result<(), meterbox::Error> {
/// let plugin = PluginConfig::file("counter.wasm");
/// let mut trial = Trial::start("counter", &plugin, Default::default(), None).await?;
/// let collected = trial.collect().await;
/// assert!(collected.fault.is_none());
/// let page = trial.page();
/// # Ok(())
/// # }
/// ```
pub struct Trial {
    template: Template,
    registry: Registry,
    scope: Arc<Scope>,
    texts: Texts,
    instance: Option<Instance>,
    interval: Option<Duration>,
    times: StartTimes,
    meminfo: Option<Arc<Reading>>,
    restarts: usize,
    /// The most that a call took of each limit that is watched.
    most: [f64; WATCHED.len()],
    /// Whether the last collect failed, so that its samples are old.
    failed: bool,
    probes: Option<Probes>,
    /// Families that are not the plugin's.
    own: HashSet<String>,
}

/// What became of one collect.
#[derive(Clone, Debug)]
pub struct Collected {
    /// How long the calls took, and the host's work on what they returned. Not the replacement of a lost instance.
    pub took: Duration,
    /// Why it failed, if it did.
    pub fault: Option<Fault>,
    /// Families whose samples or text were refused and left out, with the reason, a sentence each.
    pub refused: Vec<String>,
}

/// One more instance, which does nothing but take its memory until it is dropped.
pub struct Spare {
    _instance: Instance,
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Trial").field(&self.scope.owner()).finish()
    }
}

impl fmt::Debug for Spare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spare").finish_non_exhaustive()
    }
}

impl Trial {
    /// Loads a plugin under this name, registers its families and initialises it. `limits` is what
    /// [`Config::limits_of`](crate::config::Config::limits_of) says. With a compiler it is compiled in a process of its
    /// own; compiled code is not kept.
    ///
    /// # Errors
    ///
    /// Whatever `meterbox serve` would refuse the plugin for; see [`Error::Plugin`].
    pub async fn start(
        name: &str,
        plugin: &PluginConfig,
        limits: Limits,
        compiler: Option<Compiler>,
    ) -> Result<Self, Error> {
        Self::start_from(&Sources::default(), name, plugin, limits, compiler).await
    }

    /// The same for a plugin that comes from where a config says: its registries, its keys and its state directory.
    ///
    /// # Errors
    ///
    /// Those of [`Trial::start`].
    pub async fn start_from(
        sources: &Sources,
        name: &str,
        plugin: &PluginConfig,
        limits: Limits,
        compiler: Option<Compiler>,
    ) -> Result<Self, Error> {
        let Begun {
            template,
            mut instance,
            registry,
            scope,
            metrics,
            probes,
            mut times,
            ..
        } = Begun::new(
            name,
            load(name, plugin, limits, compiler, sources).await?,
            true,
        )
        .await?;
        let begin = Instant::now();
        instance.attach(Arc::clone(&scope));
        let begun = async {
            instance.init(Start::First).await?;
            instance.interval().await
        };
        let begun = guard("init", begun).await;
        let interval = begun.map_err(|fault| failed(name, refused(&template, fault)))?;
        times.init = begin.elapsed();
        let mut trial = Self {
            texts: Texts::new(&registry, &scope, &metrics.collector),
            own: names(registry.page(|_| View::Nothing)),
            template,
            registry,
            scope,
            instance: Some(instance),
            interval,
            times,
            meminfo: None,
            restarts: 0,
            most: [0.0; WATCHED.len()],
            failed: false,
            probes,
        };
        trial.measure();
        Ok(trial)
    }

    /// The memory figures that collects see from now on, as text of `/proc/meminfo`, in place of the machine's. The plugin
    /// needs the grant all the same.
    ///
    /// # Errors
    ///
    /// The line that cannot be understood.
    pub fn set_meminfo(&mut self, text: &str) -> Result<(), String> {
        let reading = Reading::given(text).map_err(str::to_owned)?;
        self.meminfo = Some(Arc::new(reading));
        Ok(())
    }

    /// One collect, as for a scrape.
    pub async fn collect(&mut self) -> Collected {
        let ended = self.call_collect().await;
        let (took, refused, fault) = match ended {
            Ok((took, refused)) => (took, refused, None),
            Err((took, fault)) => (took, Vec::new(), Some(fault)),
        };
        self.failed = fault.is_some();
        Collected {
            took,
            fault: fault.map(|fault| self.lost(fault)),
            refused,
        }
    }

    async fn call_collect(&mut self) -> Result<(Duration, Vec<String>), (Duration, Fault)> {
        let revived = self.revive().await;
        let begin = Instant::now();
        revived.map_err(|fault| (Duration::ZERO, fault))?;
        let Some(instance) = &mut self.instance else {
            return Ok((Duration::ZERO, Vec::new()));
        };
        let meminfo = self.meminfo.clone().unwrap_or_default();
        let (scope, texts) = (&self.scope, &mut self.texts);
        let call = async {
            let samples = instance.collect(meminfo).await?;
            let text = instance.collect_text().await?;
            let errors = scope.replace_samples(samples, Instant::now());
            let mut refused: Vec<_> = errors.iter().map(|(_, error)| error.to_string()).collect();
            if let Some(text) = text {
                texts.accept(text).await?;
                refused.extend(texts.left_out().cloned());
            }
            Ok(refused)
        };
        let ended = guard("collect", call).await;
        let took = begin.elapsed();
        self.measure();
        match ended {
            Ok(refused) => Ok((took, refused)),
            Err(fault) => Err((took, fault)),
        }
    }

    /// One tick, at once; how long it took. Does nothing for a plugin without a schedule.
    ///
    /// # Errors
    ///
    /// What the plugin returned, or why it was stopped.
    pub async fn tick(&mut self) -> Result<Duration, Fault> {
        let ticked = match self.revive().await {
            Ok(()) => {
                let begin = Instant::now();
                let Some(instance) = &mut self.instance else {
                    return Ok(Duration::ZERO);
                };
                let ended = guard("tick", instance.tick()).await;
                self.measure();
                ended.map(|()| begin.elapsed())
            }
            Err(fault) => Err(fault),
        };
        ticked.map_err(|fault| self.lost(fault))
    }

    /// Makes one more instance and leaves it as it is: neither described nor initialised.
    ///
    /// # Errors
    ///
    /// Why it could not be made.
    pub async fn instantiate(&self) -> Result<Spare, Fault> {
        let instance = guard("instantiate", self.template.instantiate()).await?;
        Ok(Spare {
            _instance: instance,
        })
    }

    /// Replaces an instance that was lost.
    async fn revive(&mut self) -> Result<(), Fault> {
        if self.instance.is_none() {
            let again = guard("instantiate", self.template.again(&self.scope)).await?;
            self.instance = Some(again);
            self.restarts += 1;
        }
        Ok(())
    }

    fn lost(&mut self, fault: Fault) -> Fault {
        if fault.is_fatal() {
            self.instance = None;
        }
        fault
    }
}
