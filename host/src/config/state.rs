//! `[state]`: what is kept between two runs.

use std::path::PathBuf;

use serde::Deserialize;

use super::error::Problem;

/// Where the host keeps what only saves time: it works without. The default keeps nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StateConfig {
    /// A folder for compiled plugins; made if it is not there. In a config file it is relative to that file's folder. It
    /// must belong to the user that the host runs as, and nobody else may write to it: its contents are run. Default: none.
    pub directory: Option<PathBuf>,
}

impl StateConfig {
    pub(super) fn find_problem(&self) -> Result<(), Problem> {
        match &self.directory {
            Some(path) if path.as_os_str().is_empty() => {
                Err(Problem::new("no path; write one, or leave the key out").at("directory"))
            }
            _ => Ok(()),
        }
    }
}
