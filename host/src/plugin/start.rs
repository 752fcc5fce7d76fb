//! From what was loaded to a plugin that serves.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use meterbox_metrics::{Desc, RegisterError, Registry, Scope, ScopeLimits, ScopeOptions};
use tokio::{
    runtime::Handle,
    sync::{Mutex, Semaphore, watch},
};

use super::{
    Plugin, PluginError,
    background::Background,
    collects::Collects,
    instance::{Instance, Template},
    journal::Journal,
    probe::{self, Probes},
    worker::{self, Worker},
};
use crate::{
    config::{PluginConfig, Secret, Secrets},
    engine::{Digest, Fault, Identity, LoadError, Loaded, Usage, bindings::lifecycle, guard},
    grants::{Granted, Wanted},
    imports::log::LogQuota,
    limits::Limits,
    own::{PluginMetrics, ProbeMetrics},
};

/// All that decides on how a plugin behaves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MadeOf {
    pub(crate) config: PluginConfig,
    pub(crate) limits: Limits,
    /// Of its file.
    pub(crate) digest: Digest,
}

/// A plugin compiled and linked, before it has said anything.
#[derive(Debug)]
pub(crate) struct Prepared {
    template: Template,
    made_of: MadeOf,
    sdk: Option<Arc<str>>,
}

/// A plugin whose first instance has said what it reports.
pub(crate) struct Described {
    pub(super) template: Template,
    pub(super) instance: Instance,
    made_of: MadeOf,
    descs: Vec<Desc>,
    /// Those of its probes, if it may be asked for them.
    probe_descs: Option<Vec<Desc>>,
    wants: Vec<Wanted>,
    sdk: Option<Arc<str>>,
    pub(super) instantiate: Duration,
    pub(super) took: Duration,
}

/// Makes a plugin of what was loaded from its file. What it uses adds to `usage`.
pub(crate) async fn prepare(
    loaded: &Result<Loaded, LoadError>,
    name: &str,
    config: &PluginConfig,
    limits: Limits,
    usage: Arc<Usage>,
) -> Result<Prepared, PluginError> {
    let link = |why| PluginError::Link {
        path: config.source.to_string(),
        why,
    };
    let Loaded { pre, digest, sdk } = loaded.clone().map_err(|error| match error {
        LoadError::Source(error) => PluginError::Source(error),
        LoadError::Unfit(why) => link(why),
    })?;
    let made_of = MadeOf {
        config: config.clone(),
        limits: limits.clone(),
        digest,
    };
    let template =
        Template::new(pre, identity(name, config, limits, usage).await?).map_err(link)?;
    match config.routes.first() {
        Some(route) if !template.has_handler() => Err(PluginError::NoHandler {
            route: route.clone(),
        }),
        _ if config.probe && !template.has_probe() => Err(PluginError::NoProbe),
        _ => Ok(Prepared {
            template,
            made_of,
            sdk,
        }),
    }
}

async fn identity(
    name: &str,
    config: &PluginConfig,
    limits: Limits,
    usage: Arc<Usage>,
) -> Result<Arc<Identity>, PluginError> {
    let values = config.config.iter().map(|(key, value)| {
        let value = value.look_up();
        let value = value.map_err(|why| PluginError::Config(format!("config.{key}: {why}")))?;
        Ok((key.clone(), value))
    });
    let values: BTreeMap<String, Secret> = values.collect::<Result<_, PluginError>>()?;
    let log = Arc::new(LogQuota::new(&limits, Instant::now()));
    let grants = Granted::new(name, &config.grants, &limits, Arc::clone(&log));
    let grants = grants.map_err(PluginError::Config)?;
    let checked = grants.check_dirs(Instant::now() + limits.start_timeout);
    checked.await.map_err(PluginError::Config)?;
    let is_kept_elsewhere = |key: &String| config.config[key].is_kept_elsewhere();
    let secrets = values.iter().filter(|(key, _)| is_kept_elsewhere(key));
    let secrets = secrets.map(|(_, value)| value).chain(grants.secrets());
    Ok(Arc::new(Identity {
        name: name.to_owned(),
        secrets: Secrets::new(secrets),
        config: values,
        grants: Arc::new(grants),
        log,
        log_level: config.log_level,
        recent: Arc::default(),
        limits: Arc::new(limits),
        usage,
    }))
}

impl Prepared {
    /// What it wants to be granted, and the lines of config for what it is not.
    pub(super) async fn wants(&self) -> Result<(Vec<Wanted>, Option<String>), PluginError> {
        let Self { template, .. } = self;
        let asked = async { template.instantiate().await?.wants().await };
        let wants = guard("wants", asked).await;
        let wants = wants.map_err(|fault| refused(template, fault))?;
        let lines = template.identity().grants.lines(wants.iter());
        Ok((wants, lines))
    }

    /// Makes the first instance and lets it describe itself.
    pub(crate) async fn describe(self) -> Result<Described, PluginError> {
        self.describe_itself(true).await
    }

    /// The same; `insists` says whether it must be granted what it needs.
    pub(super) async fn describe_itself(self, insists: bool) -> Result<Described, PluginError> {
        let Self {
            template,
            made_of,
            sdk,
        } = self;
        let start = Instant::now();
        let first = async {
            let mut instance = template.instantiate().await?;
            let wants = instance.wants().await?;
            Ok((instance, wants))
        };
        let first = guard("instantiate", first).await;
        let (mut instance, wants) = first.map_err(|fault| refused(&template, fault))?;
        let instantiate = start.elapsed();
        // Before it fails for want of it.
        if let Some(lines) = template.identity().grants.missing(&wants)
            && insists
        {
            return Err(PluginError::Wants { lines });
        }
        let described = guard("describe", instance.describe()).await;
        let descs = described.map_err(|fault| refused(&template, fault))?;
        let probe_descs = match made_of.config.probe {
            true => {
                let described = guard("describe", instance.describe_probes()).await;
                let descs = described.map_err(|fault| refused(&template, fault))?;
                probe::check(&made_of.options(&template.identity().name), &descs)?;
                Some(descs)
            }
            false => None,
        };
        Ok(Described {
            template,
            instance,
            made_of,
            descs,
            probe_descs,
            wants,
            sdk,
            instantiate,
            took: start.elapsed(),
        })
    }
}

impl Described {
    /// Makes the series about it, whose names no plugin can have from then on.
    pub(crate) fn claim(&self, registry: &Registry) -> Result<(), PluginError> {
        PluginMetrics::new(registry, self.template.identity())?;
        ProbeMetrics::claim(registry)?;
        Ok(())
    }

    /// What to register for it.
    pub(crate) fn families(&self) -> (ScopeOptions, Vec<Desc>) {
        let options = self.made_of.options(&self.template.identity().name);
        (options, self.descs.clone())
    }

    /// The families of its probes; none if it may not be asked for any.
    pub(super) fn probe_descs(&self) -> &[Desc] {
        self.probe_descs.as_deref().unwrap_or_default()
    }

    /// What its probes share, if it may be asked for any.
    pub(super) fn probes(&self, registry: &Registry) -> Result<Option<Probes>, RegisterError> {
        let Some(descs) = self.probe_descs.clone() else {
            return Ok(None);
        };
        let name = &self.template.identity().name;
        let metrics = ProbeMetrics::new(registry, name)?;
        let options = self.made_of.options(name);
        let probes = Probes::new(options, descs, &self.made_of.limits, metrics);
        Ok(Some(probes))
    }
}

impl MadeOf {
    /// How its families are registered.
    fn options(&self, name: &str) -> ScopeOptions {
        let Self { config, limits, .. } = self;
        ScopeOptions {
            prefix: config.prefix.clone(),
            const_labels: config.labels.clone().into_iter().collect(),
            limits: ScopeLimits {
                max_series: limits.series,
                max_handles: limits.handles,
                max_label_bytes: limits.label_bytes,
                max_buckets: limits.buckets,
            },
            ..ScopeOptions::new(name)
        }
    }
}

pub(super) fn refused(template: &Template, fault: Fault) -> PluginError {
    PluginError::Start(match fault.limit {
        Some(_) => format!("{fault}; {}", fault.remedy(&template.identity().name)),
        None => fault.to_string(),
    })
}

impl Plugin {
    /// Initialises a plugin whose families are registered or planned. What it changes shows, and what it does by itself
    /// starts, when it begins.
    pub(crate) async fn start(
        described: Described,
        registry: Registry,
        scope: Arc<Scope>,
        start: lifecycle::Start,
    ) -> Result<Arc<Self>, PluginError> {
        let probes = described.probes(&registry)?.map(Arc::new);
        let Described {
            template,
            instance,
            made_of,
            wants,
            sdk,
            took,
            ..
        } = described;
        let begun = Instant::now();
        let metrics = PluginMetrics::new(&registry, template.identity())?;
        let background = made_of.config.interval.map(|every| {
            let stamp = metrics.collector.last_collect(&registry)?;
            Ok::<_, PluginError>(Arc::new(Background::new(every, stamp)))
        });
        let background = background.transpose()?;
        let journal = Journal::new(Arc::clone(template.identity()), metrics.clone());
        let journal = Arc::new(journal);
        let worker = Worker::new(
            template.clone(),
            &registry,
            &scope,
            metrics.clone(),
            Arc::clone(&journal),
        );
        let first = guard("init", worker.begin(instance, start)).await;
        let (worker, ticks) = first.map_err(|fault| refused(&template, fault))?;
        metrics.set_start(took + begun.elapsed());
        let route_permits = Arc::new(Semaphore::new(template.identity().limits.requests));
        Ok(Arc::new(Self {
            made_of,
            scope,
            worker: Arc::new(Mutex::new(worker)),
            collects: Collects::new(),
            background,
            runtime: Handle::current(),
            ticks: std::sync::Mutex::new(ticks),
            stop: watch::Sender::new(false),
            metrics,
            journal,
            template,
            wants,
            sdk,
            route_permits,
            probes,
        }))
    }

    /// What its `init` has changed shows from now on.
    pub(crate) fn release(&self) {
        // Nobody else knows it yet, so the lock is free.
        if let Ok(mut worker) = self.worker.try_lock() {
            worker.release();
        }
        self.metrics.begin(self.template.identity());
    }

    /// Starts its ticks, and its collects in the background.
    pub(crate) fn begin(&self) {
        let ticks = self
            .ticks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(ticks) = ticks {
            let ticking = worker::tick(Arc::clone(&self.worker), ticks, self.stop.subscribe());
            self.runtime.spawn(ticking);
        }
        if let Some(background) = &self.background {
            let collecting = Arc::clone(background).run(
                Arc::clone(&self.worker),
                Arc::clone(&self.collects),
                self.stop.subscribe(),
            );
            self.runtime.spawn(collecting);
        }
    }
}
