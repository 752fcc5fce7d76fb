//! The config: which plugins run, what they are granted, and how the exporter listens.
//!
//! Three ways lead to a [`Config`]: a TOML file ([`Config::load`]), its text ([`Config::parse`]), or code
//! ([`Config::default`] and its public fields). All three pass the same [`Config::check`]. Nothing here binds a socket
//! or opens a plugin: a config is only values.
//!
//! ```
//! use meterbox::config::Config;
//!
//! let text = r#"
//!     [plugins.counter]
//!     source = "counter.wasm"
//!     timeout = 5
//! "#;
//! let error = Config::parse(text, "demo.toml", "/etc/meterbox".as_ref()).unwrap_err();
//! assert_eq!(error.to_string(), r#"demo.toml:4: plugins.counter.timeout: 5 has no unit; write "5s""#);
//! ```

mod error;
mod external_url;
#[cfg(test)]
mod fuzz;
mod grants;
mod include;
mod listen_address;
mod locate;
mod lock;
mod names;
mod nearest;
mod plugin;
mod push;
mod registry;
mod secrets;
mod signatures;
mod source;
mod state;
#[cfg(test)]
mod tests;
mod textfile;
pub(crate) mod units;
mod value;
mod web;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

pub(crate) use self::listen_address::unix_path;
use self::{error::Problem, locate::Locator};
pub use self::{
    error::{ConfigError, Place},
    grants::{DirGrant, Grant, Grants, Hosts, HttpGrant, Ports, Target},
    include::IncludeConfig,
    lock::{Lock, Locked},
    plugin::{LogLevel, PluginConfig, Startup},
    push::PushConfig,
    registry::RegistryConfig,
    signatures::{SignaturePolicy, SignaturesConfig},
    source::{ContentDigest, Reference, Source},
    state::StateConfig,
    textfile::TextfileConfig,
    units::parse_duration,
    value::Value,
    web::{
        API_PATH, HEALTHY_PATH, LANDING_PATH, PLUGINS_PATH, PROBE_PATH, READY_PATH, RELOAD_PATH,
        WebConfig,
    },
};
pub(crate) use self::{
    grants::{
        http::{host as http_host, path_problem},
        target,
    },
    include::signature_of,
    secrets::Secrets,
    value::Secret,
};
pub use crate::limits::{Limit, Limits, LimitsConfig};

/// What `[textfile]` is called in filters and metrics, where plugins have their names.
pub(crate) const TEXTFILE: &str = "textfile";

/// Everything that an operator can decide. The default serves the host's own metrics and no plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// `[web]`: addresses, paths and bounds of the HTTP server. Default: [`WebConfig::default`].
    pub web: WebConfig,
    /// `[limits]`: what each plugin may use up, where its own table does not say otherwise. Default: [`Limits::default`].
    pub limits: LimitsConfig,
    /// `[state]`: what is kept between two runs. Default: nothing.
    pub state: StateConfig,
    /// `[plugins.NAME]`: the plugins by name. A name is made of letters, digits, `_` and `-`, and begins with a letter
    /// or a digit. Default: none.
    pub plugins: BTreeMap<String, PluginConfig>,
    /// `[registries."HOST"]`: registries of plugins by host, with the port if there is one. Default: none.
    pub registries: BTreeMap<String, RegistryConfig>,
    /// `[signatures]`: whose plugins may run. Default: anybody's.
    pub signatures: SignaturesConfig,
    /// `[include]`: folders that add plugins to a config file. Default: `plugins.d` beside it.
    pub include: IncludeConfig,
    /// `[textfile]`: folders whose `*.prom` files are on the page. Default: none.
    pub textfile: Option<TextfileConfig>,
    /// `[push]`: a system that is sent the page. Default: none.
    pub push: Option<PushConfig>,
    /// The files that it was read from.
    #[serde(skip)]
    files: Vec<PathBuf>,
    /// Folders where more of them may appear.
    #[serde(skip)]
    watched_folders: Vec<PathBuf>,
}

impl Config {
    /// Reads and checks a TOML file, and what [`IncludeConfig`] adds to it. Relative paths are resolved against the folder of
    /// the file that they stand in.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = include::read(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut config = Self::parse(&text, &path.display().to_string(), folder)?;
        config.files.push(path.to_owned());
        config.include(folder)?;
        config.take_lock()?;
        config.check()?;
        Ok(config)
    }

    /// The files that it was read from, the main one first; none for a config that was not loaded.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Parses and checks TOML text.
    ///
    /// `origin` names the text in errors. Relative paths are resolved against `base_dir`.
    pub fn parse(text: &str, origin: &str, base_dir: &Path) -> Result<Self, ConfigError> {
        let locator = Locator::new(text, origin);
        let mut config: Self = toml::from_str(text).map_err(|error| locator.syntax(&error))?;
        config
            .find_problem()
            .map_err(|problem| locator.invalid(problem))?;
        if let Some(file) = &mut config.web.config_file {
            *file = base_dir.join(&*file);
        }
        for plugin in config.plugins.values_mut() {
            plugin.resolve(base_dir);
        }
        config.signatures.resolve(base_dir);
        for registry in config.registries.values_mut() {
            registry.resolve(base_dir);
        }
        if let Some(textfile) = &mut config.textfile {
            textfile.resolve(base_dir);
        }
        if let Some(push) = &mut config.push {
            push.resolve(base_dir);
        }
        if let Some(directory) = &mut config.state.directory {
            *directory = base_dir.join(&*directory);
        }
        Ok(config)
    }

    /// Adds a plugin with default settings, named after its file: `plugins/counter.wasm` becomes `counter`.
    ///
    /// Fails where another plugin has that name, or where the file's name makes no valid one.
    pub fn add_plugin_file(
        &mut self,
        path: impl Into<PathBuf>,
    ) -> Result<&mut PluginConfig, ConfigError> {
        let path = path.into();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        self.add_plugin(stem.into_owned(), PluginConfig::file(path))
    }

    /// Adds a plugin under a name. Fails where the name is taken or not valid; the rest waits for [`Config::check`].
    pub fn add_plugin(
        &mut self,
        name: impl Into<String>,
        plugin: PluginConfig,
    ) -> Result<&mut PluginConfig, ConfigError> {
        use std::collections::btree_map::Entry;

        let name = name.into();
        check_plugin_name(&name).map_err(ConfigError::without_origin)?;
        match self.plugins.entry(name) {
            Entry::Vacant(entry) => Ok(entry.insert(plugin)),
            Entry::Occupied(entry) => Err(ConfigError::without_origin(
                Problem::new(format!(
                    "the name is taken by {:?}; give one of the two another name",
                    entry.get().source.to_string()
                ))
                .at(entry.key())
                .at("plugins"),
            )),
        }
    }

    /// Checks what types cannot: names, paths, and what plugins and pages would both claim.
    ///
    /// [`Config::load`] and [`Config::parse`] have done it; whoever changes fields afterwards asks again.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.find_problem().map_err(ConfigError::without_origin)
    }

    /// What this plugin may use up.
    pub fn limits_of(&self, plugin: &PluginConfig) -> Limits {
        let limits = plugin.limits.over(self.limits.over(Limits::default()));
        Limits {
            timeout: plugin.timeout.unwrap_or(limits.timeout),
            ..limits
        }
    }

    fn find_problem(&self) -> Result<(), Problem> {
        self.web.find_problem().map_err(|p| p.at("web"))?;
        if let Some(textfile) = &self.textfile {
            textfile.find_problem().map_err(|p| p.at("textfile"))?;
            if self.plugins.contains_key(TEXTFILE) {
                let problem = "the name is taken by [textfile]; give the plugin another one";
                return Err(Problem::new(problem).at(TEXTFILE).at("plugins"));
            }
        }
        if let Some(push) = &self.push {
            push.find_problem().map_err(|p| p.at("push"))?;
        }
        plugin::limits_problem(&self.limits).map_err(|p| p.at("limits"))?;
        self.state.find_problem().map_err(|p| p.at("state"))?;
        for (host, registry) in &self.registries {
            registry
                .find_problem(host)
                .map_err(|p| p.at(host).at("registries"))?;
        }
        self.signatures
            .find_problem()
            .map_err(|p| p.at("signatures"))?;
        let mut owners = BTreeMap::new();
        for (name, plugin) in &self.plugins {
            check_plugin_name(name)?;
            plugin
                .find_problem(&self.registries)
                .and_then(|()| self.claim_routes(name, plugin, &mut owners))
                .map_err(|p| p.at(name).at("plugins"))?;
        }
        Ok(())
    }

    fn claim_routes<'a>(
        &self,
        name: &'a str,
        plugin: &'a PluginConfig,
        owners: &mut BTreeMap<&'a str, &'a str>,
    ) -> Result<(), Problem> {
        for route in &plugin.routes {
            let problem = if self.web.owns(route) {
                format!("{route:?} is a page of the exporter; choose another path")
            } else {
                match owners.insert(route, name) {
                    None => continue,
                    Some(owner) if owner == name => {
                        format!("{route:?} is listed twice; remove one")
                    }
                    Some(owner) => {
                        format!(
                            "{route:?} is already a route of plugins.{owner}; choose another path"
                        )
                    }
                }
            };
            return Err(Problem::new(problem).at("routes"));
        }
        Ok(())
    }
}

fn check_plugin_name(name: &str) -> Result<(), Problem> {
    if names::is_plugin_name(name) {
        return Ok(());
    }
    Err(Problem::new(format!(
        "{name:?} cannot name a plugin; use letters, digits, \"_\" and \"-\", with a letter or a digit first"
    ))
    .at(name)
    .at("plugins"))
}
