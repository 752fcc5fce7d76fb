//! `[textfile]`: files of exposition text.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::{
    Deserialize,
    de::{Deserializer, Error, SeqAccess, Visitor},
};

use super::{error::Problem, units};

/// Folders whose `*.prom` files are on the page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TextfileConfig {
    /// The folders, as one string or a list. `*`, `?` and `[...]` in them stand for every folder that fits at the time of a
    /// scrape. In a config file they are relative to that file's folder. Required.
    #[serde(deserialize_with = "one_or_many")]
    pub directory: Vec<PathBuf>,
    /// A file that is longer, in bytes, is refused. Must be more than zero. Default: 16 MiB.
    #[serde(default = "default_size", deserialize_with = "units::size")]
    pub max_file_size: u64,
}

impl TextfileConfig {
    /// One folder, with defaults for everything else.
    pub fn directory(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: vec![directory.into()],
            max_file_size: default_size(),
        }
    }

    pub(super) fn resolve(&mut self, base_dir: &Path) {
        for directory in &mut self.directory {
            *directory = base_dir.join(&directory);
        }
    }

    pub(super) fn find_problem(&self) -> Result<(), Problem> {
        let is_empty = |directory: &PathBuf| directory.as_os_str().is_empty();
        if self.directory.is_empty() || self.directory.iter().any(is_empty) {
            return Err(
                Problem::new("no folder; write the path of one with .prom files").at("directory"),
            );
        }
        if self.max_file_size == 0 {
            return Err(Problem::new("must be more than zero; write \"16MiB\"").at("max-file-size"));
        }
        Ok(())
    }
}

fn default_size() -> u64 {
    16 << 20
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    struct OneOrMany;

    impl<'de> Visitor<'de> for OneOrMany {
        type Value = Vec<PathBuf>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a folder or a list of folders")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![text.into()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut folders = Vec::new();
            while let Some(folder) = list.next_element()? {
                folders.push(folder);
            }
            Ok(folders)
        }
    }

    deserializer.deserialize_any(OneOrMany)
}
