//! `meterbox.lock`: which bytes the tags and URLs of a config stood for when `meterbox lock` asked.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{Config, ConfigError, ContentDigest, PluginConfig, locate::Locator};

const FILE: &str = "meterbox.lock";

/// A lock file: what plugins are bound to, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lock {
    /// Those whose sources do not say it themselves.
    pub plugins: BTreeMap<String, Locked>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// As the config wrote it. An entry for another source does not count.
    pub source: String,
    /// Of the manifest for a registry's tag, of the file for a URL.
    pub digest: ContentDigest,
}

impl Lock {
    /// Reads a lock file. One that is not there is empty.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => {
                let path = path.to_owned();
                return Err(ConfigError::Read { path, source });
            }
        };
        let origin = path.display().to_string();
        toml::from_str(&text).map_err(|error| Locator::new(&text, &origin).syntax(&error))
    }

    /// The text of the file.
    pub fn to_toml(&self) -> String {
        let mut text = String::from(
            "# Written by `meterbox lock`: what the sources of the config stood for. Keep it beside the config, in its history.\n",
        );
        for (name, Locked { source, digest }) in &self.plugins {
            // A string of Rust is one of TOML where it has but printable characters, as sources have.
            let _ = write!(
                text,
                "\n[plugins.{name}]\nsource = {source:?}\ndigest = \"{digest}\"\n"
            );
        }
        text
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let unfinished = path.with_extension(format!("lock.{}", std::process::id()));
        let written = fs::write(&unfinished, self.to_toml())
            .and_then(|()| fs::File::open(&unfinished)?.sync_all())
            .and_then(|()| fs::rename(&unfinished, path));
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written
    }
}

impl Config {
    /// Where its lock file is, or would be: beside the main file. None for a config that was not loaded.
    pub fn lock_file(&self) -> Option<PathBuf> {
        Some(self.files().first()?.with_file_name(FILE))
    }

    /// Plugins whose sources do not say which bytes they stand for, by name, with what the lock file says.
    pub fn to_lock(&self) -> impl Iterator<Item = (&String, &PluginConfig, Option<ContentDigest>)> {
        let all = self.plugins.iter();
        let open = all.filter(|(_, plugin)| !plugin.needs_no_lock());
        open.map(|(name, plugin)| (name, plugin, plugin.locked))
    }

    /// Takes over what the lock file says about sources that are still the same.
    pub(super) fn take_lock(&mut self) -> Result<(), ConfigError> {
        let Some(path) = self.lock_file() else {
            return Ok(());
        };
        let lock = Lock::read(&path)?;
        for (name, plugin) in &mut self.plugins {
            if let Some(locked) = lock.plugins.get(name)
                && locked.source == plugin.source.as_written()
            {
                plugin.lock(locked.digest);
            }
        }
        self.watched_folders.push(path);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(Lock::read(&path).unwrap(), Lock::default());
        let locked = Locked {
            source: "https://a.example/x.wasm?key=\"\\".to_owned(),
            digest: ContentDigest::of(b""),
        };
        let lock = Lock {
            plugins: [("a".to_owned(), locked)].into(),
        };
        lock.write(&path).unwrap();
        assert_eq!(Lock::read(&path).unwrap(), lock);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::write(&path, "[plugins.a]\nsource = 'x'\ndigest = 'md5:1'\n").unwrap();
        let error = Lock::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("meterbox.lock:3: plugins.a.digest"),
            "{error}"
        );
    }

    #[test]
    fn a_lock_counts_for_the_source_that_it_names() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("m.toml");
        let digest = ContentDigest::of(b"x");
        let pinned = |source: &str, more: &str| {
            let text = format!(
                "[registries.'r.example']\ntags = true\n[plugins.a]\nsource = '{source}'\n{more}"
            );
            fs::write(&config, text).unwrap();
            Config::load(&config).unwrap().plugins["a"].pinned()
        };
        let source = "oci://r.example/a:1";
        assert_eq!(pinned(source, ""), None);
        let lock = format!("[plugins.a]\nsource = '{source}'\ndigest = '{digest}'\n");
        fs::write(folder.path().join(FILE), lock).unwrap();
        assert_eq!(pinned(source, ""), Some(digest));
        assert_eq!(pinned("oci://r.example/a:2", ""), None);
        let other = ContentDigest::of(b"y");
        let written = format!("digest = '{other}'");
        assert_eq!(pinned(source, &written), Some(other));
        assert_eq!(pinned("a.wasm", ""), None, "a file needs none");
    }
}
