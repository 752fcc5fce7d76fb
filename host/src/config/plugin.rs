//! `[plugins.NAME]`: one plugin.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use super::{
    ContentDigest, Grants, LimitsConfig, RegistryConfig, Source, Value, error::Problem, names,
    units,
};

/// One plugin: where it comes from, how its metrics look, and what it may do.
///
/// In code it begins with [`PluginConfig::file`]; the methods then change one setting each.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PluginConfig {
    /// Where its bytes are: a `.wasm` file, `https://...` or `oci://...`. A file in a config file is relative to that file's
    /// folder. Required.
    pub source: Source,
    /// What these bytes must have: for a file and a URL the SHA-256 of the bytes, for a registry that of the manifest.
    /// Default: what the reference has, or what the lock file says; a file may be any.
    #[serde(default)]
    pub digest: Option<ContentDigest>,
    /// What the lock file says.
    #[serde(skip)]
    pub(crate) locked: Option<ContentDigest>,
    /// Put before the name of every family. Must be a valid beginning of a metric name. Default: empty.
    #[serde(default)]
    pub prefix: String,
    /// Labels that every series of the plugin carries. Default: none.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Wall-clock limit of one call into the plugin. Must be more than zero. The short form of `limits.timeout`, and
    /// goes before it. Default: none.
    #[serde(default, deserialize_with = "units::optional::duration")]
    pub timeout: Option<Duration>,
    /// Collect in the background so often, and show at each scrape what came of the last time. Must be more than zero.
    /// Default: none, which means at each scrape.
    #[serde(default, deserialize_with = "units::optional::duration")]
    pub interval: Option<Duration>,
    /// What happens if the plugin does not start. Default: fail.
    #[serde(default)]
    pub startup: Startup,
    /// Log the plugin's own lines of this level and above, whatever the host logs of its own. Default: none, which means as the
    /// host does.
    #[serde(default)]
    pub log_level: Option<LogLevel>,
    /// Exact paths that the plugin's `wasi:http` handler serves. Default: none.
    #[serde(default)]
    pub routes: Vec<String>,
    /// Whether scrapers may have the plugin probe targets: `/probe?plugin=NAME&target=...`. Default: false.
    #[serde(default)]
    pub probe: bool,
    /// What the plugin sees through its `config` import. Default: empty.
    #[serde(default)]
    pub config: BTreeMap<String, Value>,
    /// What the plugin may use beyond its own memory. Default: nothing.
    #[serde(default)]
    pub grants: Grants,
    /// What the plugin may use up. Default: what `[limits]` says for all.
    #[serde(default)]
    pub limits: LimitsConfig,
}

/// What happens if a plugin does not start, and no older version of it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Startup {
    /// The exporter does not start; a reload is refused.
    #[default]
    Fail,
    /// The others serve. The plugin is tried again after pauses that double from `limits.restart-pause` to
    /// `limits.restart-pause-max`.
    Retry,
    /// The others serve. The plugin is tried again with the next reload.
    Ignore,
}

/// How much weight a plugin gives to a line of its log, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// For its author.
    Debug,
    /// For whoever wants to know. What it writes to its standard output counts as this.
    Info,
    /// Something may be wrong. What it writes to its standard error counts as this.
    Warn,
    /// Something is wrong.
    Error,
}

impl LogLevel {
    /// One word, as in the config and in logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl PluginConfig {
    /// A plugin from a file, with defaults for everything else.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::of(Source::File(path.into()))
    }

    /// A plugin from a source, with defaults for everything else.
    pub fn of(source: Source) -> Self {
        Self {
            source,
            digest: None,
            locked: None,
            prefix: String::new(),
            labels: BTreeMap::new(),
            timeout: None,
            interval: None,
            startup: Startup::default(),
            log_level: None,
            routes: Vec::new(),
            probe: false,
            config: BTreeMap::new(),
            grants: Grants::default(),
            limits: LimitsConfig::default(),
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
        self.timeout = Some(timeout);
        self
    }

    /// Collects in the background at this interval, instead of at each scrape.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// Sets what happens if it does not start.
    #[must_use]
    pub fn startup(mut self, startup: Startup) -> Self {
        self.startup = startup;
        self
    }

    /// Sets which of the plugin's own lines are logged.
    #[must_use]
    pub fn log_level(mut self, least: LogLevel) -> Self {
        self.log_level = Some(least);
        self
    }

    /// Adds a path that the plugin serves.
    #[must_use]
    pub fn route(mut self, path: impl Into<String>) -> Self {
        self.routes.push(path.into());
        self
    }

    /// Sets whether scrapers may have it probe targets.
    #[must_use]
    pub fn probe(mut self, may: bool) -> Self {
        self.probe = may;
        self
    }

    /// Adds an entry to what the plugin sees through its `config` import.
    #[must_use]
    pub fn config(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.config.insert(key.into(), value.into());
        self
    }

    /// Replaces what the plugin may use.
    #[must_use]
    pub fn grants(mut self, grants: Grants) -> Self {
        self.grants = grants;
        self
    }

    /// Replaces the limits that differ from those of all plugins.
    #[must_use]
    pub fn limits(mut self, limits: LimitsConfig) -> Self {
        self.limits = limits;
        self
    }

    /// Makes relative paths those of this folder.
    pub(super) fn resolve(&mut self, base_dir: &Path) {
        self.source.resolve(base_dir);
        self.grants.resolve(base_dir);
        for value in self.config.values_mut() {
            value.resolve(base_dir);
        }
    }

    /// The digest that it is bound to, if it is.
    pub fn pinned(&self) -> Option<ContentDigest> {
        let written = match &self.source {
            Source::Oci(reference) => reference.digest,
            Source::File(_) | Source::Https(_) => None,
        };
        written.or(self.digest).or(self.locked)
    }

    /// Whether the config says itself what it is bound to, or need not: then a lock file has nothing to say.
    pub(crate) fn needs_no_lock(&self) -> bool {
        let written = matches!(&self.source, Source::Oci(reference) if reference.digest.is_some());
        written || self.digest.is_some() || self.source.file().is_some()
    }

    /// Takes over what a lock file says, unless the config says more.
    pub(super) fn lock(&mut self, digest: ContentDigest) {
        if !self.needs_no_lock() {
            self.locked = Some(digest);
        }
    }

    fn find_source_problem(
        &self,
        registries: &BTreeMap<String, RegistryConfig>,
    ) -> Result<(), Problem> {
        match &self.source {
            Source::File(path) if path.as_os_str().is_empty() => {
                Err(Problem::new("no file; write the path of a .wasm file").at("source"))
            }
            Source::Oci(reference) => {
                let registry = &reference.registry;
                if reference.digest.is_some() && self.digest.is_some() {
                    let problem = "the source has a digest, too; keep one";
                    return Err(Problem::new(problem).at("digest"));
                }
                let tags = registries.get(registry).is_some_and(|found| found.tags);
                if reference.digest.is_none() && self.digest.is_none() && !tags {
                    return Err(Problem::new(format!(
                        "a tag may stand for other bytes tomorrow; write {}@sha256:..., or allow tags with [registries.{registry:?}] tags = true and run meterbox lock",
                        Source::Oci(reference.clone())
                    ))
                    .at("source"));
                }
                Ok(())
            }
            Source::File(_) | Source::Https(_) => Ok(()),
        }
    }

    pub(super) fn find_problem(
        &self,
        registries: &BTreeMap<String, RegistryConfig>,
    ) -> Result<(), Problem> {
        self.find_source_problem(registries)?;
        if !self.prefix.is_empty() && !names::is_metric_name(&self.prefix) {
            return Err(Problem::new(format!(
                "{:?} cannot begin a metric name; use letters, digits, \"_\" and \":\", and no digit first",
                self.prefix
            ))
            .at("prefix"));
        }
        if self.timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(Problem::new("must be more than zero; write \"5s\"").at("timeout"));
        }
        if self.interval.is_some_and(|interval| interval.is_zero()) {
            return Err(Problem::new("must be more than zero; write \"30s\"").at("interval"));
        }
        self.grants
            .find_problem()
            .map_err(|problem| problem.at("grants"))?;
        limits_problem(&self.limits).map_err(|problem| problem.at("limits"))?;
        for (is_set, key) in [
            (self.limits.stack.is_some(), "stack"),
            (self.limits.file_bytes.is_some(), "file-bytes"),
            (self.limits.compile_time.is_some(), "compile-time"),
            (self.limits.compile_memory.is_some(), "compile-memory"),
        ] {
            if !is_set {
                continue;
            }
            let problem = "one value serves all plugins; write it under [limits]";
            return Err(Problem::new(problem).at(key).at("limits"));
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

/// A time that is 0 would stop every call before it began.
pub(super) fn limits_problem(limits: &LimitsConfig) -> Result<(), Problem> {
    match limits.zero() {
        Some(limit) => Err(Problem::new("must be more than zero").at(&limit.key())),
        None if limits.stack.is_some_and(|stack| stack < LEAST_STACK) => {
            let problem = "too little for any plugin; write \"64KiB\" or more";
            Err(Problem::new(problem).at("stack"))
        }
        None if limits.stack.is_some_and(|stack| stack > MOST_STACK) => {
            let problem = "more than any plugin needs; write \"64MiB\" or less";
            Err(Problem::new(problem).at("stack"))
        }
        None => Ok(()),
    }
}

const LEAST_STACK: usize = 64 << 10;

/// Each call under way reserves a stack.
const MOST_STACK: usize = 64 << 20;
