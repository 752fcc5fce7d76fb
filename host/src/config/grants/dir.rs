//! Folders that a plugin may use.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, de::Deserializer};

use super::either::{self, Either};

/// A folder that a plugin may read, with everything below it: `"/var/lib/app"`, or a table
/// `{ host = "/var/lib/app", guest = "/data", write = true }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirGrant {
    /// The folder. In a config file it is relative to that file's folder.
    pub host: PathBuf,
    /// What it is called in the plugin, from the root. Default: the same as on the host.
    pub guest: String,
    /// Whether the plugin may change files, make and delete them. Default: false.
    pub write: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Table {
    host: String,
    guest: Option<String>,
    #[serde(default)]
    write: bool,
}

impl Either for DirGrant {
    type Table = Table;
    const EXPECTING: &str = r#"a path or { host = "/path", guest = "/path", write = true }"#;

    fn of_table(table: Table) -> Result<Self, String> {
        let guest = table.guest.unwrap_or_else(|| table.host.clone());
        if table.host.is_empty() {
            return Err("no folder; write host = \"/path\"".into());
        }
        let has_dots = guest.split('/').any(|part| matches!(part, "." | ".."));
        if !guest.starts_with('/') || has_dots {
            return Err(format!(
                "{guest:?} cannot be the plugin's name for a folder; write guest = \"/data\""
            ));
        }
        Ok(Self {
            host: table.host.into(),
            guest,
            write: table.write,
        })
    }
}

impl FromStr for DirGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::of_table(Table {
            host: text.to_owned(),
            guest: None,
            write: false,
        })
    }
}

impl<'de> Deserialize<'de> for DirGrant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        either::deserialize(deserializer)
    }
}

impl DirGrant {
    pub(super) fn resolve(&mut self, base_dir: &Path) {
        self.host = base_dir.join(&self.host);
    }
}
