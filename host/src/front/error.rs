//! Why a web config file cannot be used.

use std::{
    io,
    path::{Path, PathBuf},
};

/// A web config file, or a file that it names, that cannot be used. No text of it is repeated that could be a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebConfigError {
    /// The file could not be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file, as it was named.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The text is not YAML, a key is unknown, or a value cannot be used.
    #[error("{}: {problem}", path.display())]
    Invalid {
        /// The file, as it was named.
        path: PathBuf,
        /// Key, what is wrong with it, and what to write instead.
        problem: String,
    },
}

impl WebConfigError {
    pub(super) fn invalid(path: &Path, problem: impl Into<String>) -> Self {
        Self::Invalid {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }

    /// With its cause, for the log.
    pub(super) fn whole(&self) -> String {
        match self {
            Self::Read { source, .. } => format!("{self}: {source}"),
            Self::Invalid { .. } => self.to_string(),
        }
    }
}
