//! What runs at one moment: plugins, text files, and their scopes. Requests take one and keep it to their end, so that a
//! reload in between changes nothing for them.

use std::sync::Arc;

use meterbox_metrics::Scope;

use crate::{config::TEXTFILE, plugin::Plugin, textfile::Textfile};

/// A set that runs. It is never changed; another takes its place.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    /// Ascending by name.
    pub(crate) plugins: Vec<Arc<Plugin>>,
    pub(crate) textfile: Option<Arc<Textfile>>,
}

impl Fleet {
    /// Whether something of this name can be asked for: a plugin, or `textfile` if there are text files.
    pub(crate) fn has_collector(&self, name: &str) -> bool {
        self.plugins.iter().any(|plugin| plugin.name() == name)
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
}
