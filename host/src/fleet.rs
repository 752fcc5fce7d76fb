//! What runs at one moment: plugins, text files, and their scopes. Requests take one and keep it to their end, so that a
//! reload in between changes nothing for them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use meterbox_metrics::Scope;

use crate::{
    config::{PluginConfig, Source, Startup, TEXTFILE},
    limits::Limits,
    own::CollectorMetrics,
    plugin::Plugin,
    textfile::Textfile,
};

/// A set that runs. It is never changed; another takes its place.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    /// Ascending by name.
    pub(crate) plugins: Vec<Arc<Plugin>>,
    /// Those that did not start, and that others do not wait for.
    pub(crate) down: Vec<Down>,
    pub(crate) textfile: Option<Arc<Textfile>>,
}

/// A plugin that did not start.
#[derive(Clone, Debug)]
pub(crate) struct Down {
    pub(crate) name: String,
    pub(crate) startup: Startup,
    /// Whether it may be asked to probe targets once it runs.
    pub(crate) probes: bool,
    pub(crate) source: Source,
    /// Why it did not, the last time.
    pub(crate) error: String,
    /// How often it was tried in a row.
    pub(crate) tries: u32,
    /// When it is tried again, if its config says so.
    pub(crate) due: Instant,
    /// Says that it is down.
    pub(crate) metrics: CollectorMetrics,
}

impl Down {
    /// After the next try of so many has failed.
    pub(crate) fn new(
        name: &str,
        config: &PluginConfig,
        limits: &Limits,
        error: String,
        tries: u32,
        metrics: CollectorMetrics,
    ) -> Self {
        metrics.up.set(0.0);
        Self {
            name: name.to_owned(),
            startup: config.startup,
            probes: config.probe,
            source: config.source.clone(),
            error,
            tries,
            due: Instant::now() + pause(limits, tries),
            metrics,
        }
    }
}

impl Down {
    /// Whether it is time to try again.
    pub(crate) fn is_due(&self) -> bool {
        self.retry().is_some_and(|due| due <= Instant::now())
    }

    /// When it is tried again, if nobody reloads.
    pub(crate) fn retry(&self) -> Option<Instant> {
        (self.startup == Startup::Retry).then_some(self.due)
    }
}

/// Doubles with every try.
fn pause(limits: &Limits, tries: u32) -> Duration {
    let doubled = 1_u32 << tries.saturating_sub(1).min(31);
    let pause = limits.restart_pause.saturating_mul(doubled);
    pause.min(limits.restart_pause_max)
}

impl Fleet {
    /// The running plugin of this name.
    pub(crate) fn plugin(&self, name: &str) -> Option<&Arc<Plugin>> {
        self.plugins.iter().find(|plugin| plugin.name() == name)
    }

    /// The plugin of this name that did not start.
    pub(crate) fn down(&self, name: &str) -> Option<&Down> {
        self.down.iter().find(|down| down.name == name)
    }

    /// Whether something of this name can be asked for: a plugin, or `textfile` if there are text files.
    pub(crate) fn has_collector(&self, name: &str) -> bool {
        self.plugin(name).is_some()
            || self.down(name).is_some()
            || name == TEXTFILE && self.textfile.is_some()
    }

    /// Whether `wanted` names everything that there is.
    pub(crate) fn is_all(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.plugins.iter().all(|plugin| wanted(plugin.name()))
            && (self.textfile.is_none() || wanted(TEXTFILE))
    }

    /// Everything that a page may show.
    pub(crate) fn scopes(&self) -> Vec<Arc<Scope>> {
        let plugins = self.plugins.iter().map(|plugin| plugin.scope());
        let files = self.textfile.as_ref().map(|files| files.scope());
        plugins.chain(files).cloned().collect()
    }

    /// The plugin that serves exactly this path.
    pub(crate) fn route(&self, path: &str) -> Option<&Arc<Plugin>> {
        let serves = |plugin: &&Arc<Plugin>| plugin.routes().iter().any(|route| route == path);
        self.plugins.iter().find(serves)
    }

    /// Whether there is a plugin that may be asked to probe targets.
    pub(crate) fn has_probes(&self) -> bool {
        self.plugins.iter().any(|plugin| plugin.has_probes())
            || self.down.iter().any(|down| down.probes)
    }

    /// When the first of those that did not start is due.
    pub(crate) fn next_try(&self) -> Option<Instant> {
        self.down.iter().filter_map(Down::retry).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let limits = Limits {
            restart_pause: Duration::from_secs(1),
            restart_pause_max: Duration::from_secs(5),
            ..Limits::default()
        };
        let pauses = [1, 2, 3, 4, 5, u32::MAX].map(|tries| pause(&limits, tries).as_secs());
        assert_eq!(pauses, [1, 2, 4, 5, 5, 5]);
    }
}
