//! `[plugins.NAME]`: one plugin.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Deserialize;

use super::{error::Problem, names, units};

/// One plugin: where it comes from, how its metrics look, and what it may do.
///
/// In code it begins with [`PluginConfig::file`]; the methods then change one setting each.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PluginConfig {
    /// The `.wasm` file. In a config file it is relative to that file's folder. Required.
    pub source: PathBuf,
    /// Put before the name of every family. Must be a valid beginning of a metric name. Default: empty.
    #[serde(default)]
    pub prefix: String,
    /// Labels that every series of the plugin carries. Default: none.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Wall-clock limit of one call into the plugin. Must be more than zero. Default: 5 s.
    #[serde(default = "default_timeout", deserialize_with = "units::duration")]
    pub timeout: Duration,
    /// Exact paths that the plugin's `wasi:http` handler serves. Default: none.
    #[serde(default)]
    pub routes: Vec<String>,
    /// What the plugin sees through its `config` import. Default: empty.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// What the plugin may use beyond its own memory. Default: nothing.
    #[serde(default)]
    pub grants: Grants,
}

/// What a plugin may use. The default grants nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grants {
    /// Read the memory facts of the machine (`/proc/meminfo`). Default: false.
    pub meminfo: bool,
}

impl PluginConfig {
    /// A plugin from a file, with defaults for everything else.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            source: path.into(),
            prefix: String::new(),
            labels: BTreeMap::new(),
            timeout: default_timeout(),
            routes: Vec::new(),
            config: BTreeMap::new(),
            grants: Grants::default(),
        }
    }

    /// Sets the prefix of every family's name.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Adds a label to every series.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Sets the wall-clock limit of one call.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Adds a path that the plugin serves.
    #[must_use]
    pub fn route(mut self, path: impl Into<String>) -> Self {
        self.routes.push(path.into());
        self
    }

    /// Adds an entry to what the plugin sees through its `config` import.
    #[must_use]
    pub fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.insert(key.into(), value.into());
        self
    }

    /// Replaces what the plugin may use.
    #[must_use]
    pub fn grants(mut self, grants: Grants) -> Self {
        self.grants = grants;
        self
    }

    pub(super) fn find_problem(&self) -> Result<(), Problem> {
        if self.source.as_os_str().is_empty() {
            return Err(Problem::new("no file; write the path of a .wasm file").at("source"));
        }
        if !self.prefix.is_empty() && !names::is_metric_name(&self.prefix) {
            return Err(Problem::new(format!(
                "{:?} cannot begin a metric name; use letters, digits, \"_\" and \":\", and no digit first",
                self.prefix
            ))
            .at("prefix"));
        }
        if self.timeout.is_zero() {
            return Err(Problem::new("must be more than zero; write \"5s\"").at("timeout"));
        }
        if let Some(name) = self.labels.keys().find(|name| !names::is_label_name(name)) {
            return Err(Problem::new(format!(
                "{name:?} cannot name a label; use letters, digits and \"_\", with neither a digit nor \"__\" first"
            ))
            .at(name)
            .at("labels"));
        }
        match self
            .routes
            .iter()
            .find_map(|route| names::path_problem(route))
        {
            Some(problem) => Err(Problem::new(problem).at("routes")),
            None => Ok(()),
        }
    }
}

fn default_timeout() -> Duration {
    Duration::from_secs(5)
}
