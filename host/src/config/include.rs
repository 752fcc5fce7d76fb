//! `[include]`: what stands beside the config file.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    Config, PluginConfig, SignaturePolicy,
    error::{ConfigError, Problem},
    locate::Locator,
};

/// Folders that add plugins to a config file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct IncludeConfig {
    /// A folder whose `*.toml` files hold further `[plugins.NAME]` tables. Relative to the config file. Default:
    /// `plugins.d`, if it is there.
    pub config: Option<PathBuf>,
    /// A folder whose `*.wasm` files are plugins with default settings, named after the files; those that a
    /// `[plugins.NAME]` table has as its source are left to it. Relative to the config file. Default: none.
    pub plugins: Option<PathBuf>,
}

const CONFIG: &str = "plugins.d";

/// What a file in the folder may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Included {
    plugins: BTreeMap<String, PluginConfig>,
}

impl Config {
    /// Adds what stands beside the config file, which is the first of `self.files`.
    pub(super) fn include(&mut self, base_dir: &Path) -> Result<(), ConfigError> {
        let Some(main) = self.files.first().cloned() else {
            return Ok(());
        };
        let mut origins: BTreeMap<String, PathBuf> = BTreeMap::new();
        for name in self.plugins.keys() {
            origins.insert(name.clone(), main.clone());
        }
        let folder = base_dir.join(self.include.config.as_deref().unwrap_or(Path::new(CONFIG)));
        let is_wanted = self.include.config.is_some();
        for path in list(&folder, "toml", is_wanted)? {
            let text = read(&path)?;
            let origin = path.display().to_string();
            let locator = Locator::new(&text, &origin);
            let included: Included =
                toml::from_str(&text).map_err(|error| locator.syntax(&error))?;
            for (name, mut plugin) in included.plugins {
                plugin.resolve(&folder);
                let problem = match origins.entry(name.clone()) {
                    Entry::Vacant(entry) => {
                        entry.insert(path.clone());
                        let one = Self {
                            plugins: BTreeMap::from([(name.clone(), plugin.clone())]),
                            registries: self.registries.clone(),
                            ..Self::default()
                        };
                        one.find_problem().err()
                    }
                    Entry::Occupied(entry) => {
                        let other = entry.get().display();
                        let text =
                            format!("{other} has a plugin of this name, too; rename one of them");
                        Some(Problem::new(text).at(&name).at("plugins"))
                    }
                };
                if let Some(problem) = problem {
                    return Err(locator.invalid(problem));
                }
                self.plugins.insert(name, plugin);
            }
            self.files.push(path);
        }
        self.watched_folders.push(folder);
        if let Some(folder) = self.include.plugins.clone() {
            let folder = base_dir.join(folder);
            for path in list(&folder, "wasm", true)? {
                if !self
                    .plugins
                    .values()
                    .any(|plugin| plugin.source.file() == Some(&path))
                {
                    self.add_plugin_file(path)?;
                }
            }
            self.watched_folders.push(folder);
        }
        Ok(())
    }

    /// Files and folders on which this config depends: its own, and its plugins' files.
    pub(crate) fn watched(&self) -> Vec<PathBuf> {
        let plugins = self.plugins.values();
        let plugins = plugins.filter_map(|plugin| plugin.source.file().map(Path::to_owned));
        let plugins: Vec<_> = plugins.collect();
        let own = self.files.iter().chain(&self.watched_folders);
        let mut all: Vec<_> = own.cloned().collect();
        if self.signatures.policy != SignaturePolicy::Off {
            all.extend(self.signatures.keys.iter().cloned());
            all.extend(plugins.iter().map(|file| signature_of(file)));
        }
        all.extend(plugins);
        all.sort();
        all.dedup();
        all
    }

    /// Takes over from the config that runs what cannot change; returns the keys that would have been other.
    pub(crate) fn take_fixed(&mut self, running: &Self) -> Vec<&'static str> {
        let mut keys = Vec::new();
        if self.web.listen_addresses != running.web.listen_addresses {
            keys.push("web.listen-addresses");
            self.web
                .listen_addresses
                .clone_from(&running.web.listen_addresses);
        }
        if self.web != running.web {
            keys.push("web");
        }
        if self.state != running.state {
            keys.push("state");
        }
        if self.push != running.push {
            keys.push("push");
        }
        let (new, old) = (&mut self.limits, &running.limits);
        let shared = |limits: &super::LimitsConfig| {
            let times = limits.compile_time;
            (
                limits.stack,
                limits.file_bytes,
                times,
                limits.compile_memory,
            )
        };
        if shared(new) != shared(old) {
            keys.push("limits.stack, file-bytes, compile-time or compile-memory");
        }
        (
            new.stack,
            new.file_bytes,
            new.compile_time,
            new.compile_memory,
        ) = shared(old);
        self.web = running.web.clone();
        self.state = running.state.clone();
        self.push = running.push.clone();
        keys
    }
}

/// Where the signature of a file is.
pub(crate) fn signature_of(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".sig");
    path.into()
}

pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Files of this extension in a folder, by name. Those whose names begin with a dot are somebody's business.
fn list(folder: &Path, extension: &str, is_wanted: bool) -> Result<Vec<PathBuf>, ConfigError> {
    let failed = |source| ConfigError::Read {
        path: folder.to_owned(),
        source,
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if !is_wanted && error.kind() == io::ErrorKind::NotFound => {
            return Ok(Vec::new());
        }
        entries => entries.map_err(failed)?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden && path.extension().is_some_and(|found| found == extension) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use super::*;

    /// Writes files into a folder, and loads the first.
    fn load(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Config, ConfigError>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let config = Config::load(folder.path().join(files[0].0));
        (folder, config)
    }

    #[test]
    fn a_folder_adds_plugins() {
        let one = "[plugins.one]\nsource = 'a.wasm'\n";
        let two = "[plugins.two]\nsource = '../lib/b.wasm'\n";
        let include = "[include]\nplugins = 'lib'\n";
        let main = format!("{include}{one}");
        let (folder, config) = load(&[
            ("m.toml", &main),
            ("plugins.d/2.toml", two),
            ("plugins.d/.hidden.toml", "nonsense"),
            ("plugins.d/notes.txt", "nonsense"),
            ("lib/c.wasm", ""),
        ]);
        let config = config.unwrap();
        let names: Vec<_> = config.plugins.keys().map(String::as_str).collect();
        assert_eq!(names, ["c", "one", "two"]);
        let files = [
            folder.path().join("m.toml"),
            folder.path().join("plugins.d/2.toml"),
        ];
        assert_eq!(config.files(), files);
        assert!(config.watched().contains(&folder.path().join("lib")));
    }

    #[test]
    fn problems_in_a_folder_name_its_file() {
        let main = "[plugins.one]\nsource = 'a.wasm'\n";
        let said = |files: &[(&str, &str)]| {
            let (folder, config) = load(files);
            let said = config.unwrap_err().to_string();
            said.replace(&format!("{}/", folder.path().display()), "")
        };
        assert_eq!(
            said(&[("m.toml", main), ("plugins.d/x.toml", main)]),
            "plugins.d/x.toml:1: plugins.one: m.toml has a plugin of this name, too; rename one of them"
        );
        assert_eq!(
            said(&[
                ("m.toml", main),
                ("plugins.d/x.toml", "\n[plugins.a]\nsourc = 'a'\n")
            ]),
            "plugins.d/x.toml:3: plugins.a.sourc: unknown key `sourc`; did you mean `source`?"
        );
        assert_eq!(
            said(&[("m.toml", main), ("plugins.d/x.toml", "[web]\n")]),
            "plugins.d/x.toml:1: web: unknown key `web`, expected `plugins`"
        );
        assert_eq!(
            said(&[("m.toml", "[include]\nconfig = 'none.d'\n")]),
            "none.d: cannot be read"
        );
    }
}
