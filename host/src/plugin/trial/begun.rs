//! How a trial begins: a plugin is loaded, and its families are registered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use meterbox_metrics::{Desc, Registry, Scope};

use super::StartTimes;
use crate::{
    config::PluginConfig,
    distribution::Sources,
    engine::{Engine, Settings, compile::Compiler},
    host::Error,
    http::HttpMetrics,
    limits::Limits,
    own::{self, PluginMetrics, ProcessMetrics},
    plugin::{
        Described, PluginError, Prepared,
        instance::{Instance, Template},
        prepare,
        probe::Probes,
    },
};

pub(super) fn failed(name: &str, error: impl Into<PluginError>) -> Error {
    Error::Plugin {
        name: name.to_owned(),
        error: error.into(),
    }
}

/// A plugin that is loaded, and how long that took.
pub(super) async fn load(
    name: &str,
    plugin: &PluginConfig,
    limits: Limits,
    compiler: Option<Compiler>,
    sources: &Sources,
) -> Result<(Prepared, Duration), Error> {
    let settings = Settings {
        state: None,
        compiler,
        limits: limits.clone(),
    };
    let engine = Engine::new(settings).map_err(|error| Error::Engine(format!("{error:#}")))?;
    let begin = Instant::now();
    let bytes = sources.pull(plugin, &limits).await;
    let loaded = engine.load(&plugin.source.to_string(), bytes).await;
    let took = begin.elapsed();
    let prepared = prepare(&loaded, name, plugin, limits, Arc::default());
    Ok((prepared.await.map_err(|error| failed(name, error))?, took))
}

/// A plugin whose families are registered.
pub(super) struct Begun {
    pub(super) template: Template,
    pub(super) instance: Instance,
    pub(super) registry: Registry,
    pub(super) scope: Arc<Scope>,
    /// The families of its probes.
    pub(super) probe_descs: Vec<Desc>,
    pub(super) metrics: PluginMetrics,
    pub(super) probes: Option<Probes>,
    pub(super) times: StartTimes,
}

impl Begun {
    /// `insists` says whether it must be granted what it needs.
    pub(super) async fn new(
        name: &str,
        (prepared, load): (Prepared, Duration),
        insists: bool,
    ) -> Result<Self, Error> {
        let described = prepared.describe_itself(insists).await;
        let described = described.map_err(|error| failed(name, error))?;
        let times = StartTimes {
            load,
            instantiate: described.instantiate,
            describe: described.took - described.instantiate,
            init: Duration::ZERO,
        };
        let registry = Registry::default();
        let taken = |error: meterbox_metrics::RegisterError| failed(name, error);
        own::build_info(&registry).map_err(taken)?;
        // Only to have their names taken, as they are on a page that is served.
        ProcessMetrics::new(&registry).map_err(taken)?;
        HttpMetrics::new(&registry).map_err(taken)?;
        let metrics =
            PluginMetrics::new(&registry, described.template.identity()).map_err(taken)?;
        let probes = described.probes(&registry).map_err(taken)?;
        let probe_descs = described.probe_descs().to_vec();
        let (options, descs) = described.families();
        let scope = registry.register(&options, descs).map_err(taken)?;
        let Described {
            template, instance, ..
        } = described;
        Ok(Self {
            template,
            instance,
            registry,
            scope,
            probe_descs,
            metrics,
            probes,
            times,
        })
    }
}
