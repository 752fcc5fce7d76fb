//! Why a config is refused: file, line, key and remedy in one sentence.

use std::{fmt, io, path::PathBuf};

/// A config that cannot be used. Nothing was started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file, as it was named.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The text is not TOML, a key is unknown, or a value cannot be used.
    #[error("{place}{problem}")]
    Invalid {
        /// Where it stands.
        place: Place,
        /// What is wrong and what to write instead.
        problem: String,
    },
}

impl ConfigError {
    /// For a config that was built by code or flags.
    pub(super) fn without_origin(problem: Problem) -> Self {
        let place = Place {
            origin: None,
            line: None,
            key: problem.dotted_key(),
        };
        Self::Invalid {
            place,
            problem: problem.text,
        }
    }
}

/// A place in a config. Displays as the beginning of a sentence: `demo.toml:7: plugins.counter.timeout: `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file or text; `None` for a config that was built by code or flags.
    pub origin: Option<String>,
    /// Line in the origin, from 1; `None` where it is not known.
    pub line: Option<usize>,
    /// Dotted key; empty where the text is not even TOML.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            f.write_str(origin)?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            f.write_str(": ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        Ok(())
    }
}

/// A value that cannot be used, before anyone knows where it was written.
#[derive(Debug)]
pub(super) struct Problem {
    /// From the root to the value.
    pub(super) key: Vec<String>,
    /// What is wrong and what to write instead.
    pub(super) text: String,
}

impl Problem {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            key: Vec::new(),
            text: text.into(),
        }
    }

    /// Moves the problem under `key`; from the inside out.
    pub(super) fn at(mut self, key: &str) -> Self {
        self.key.insert(0, key.to_owned());
        self
    }

    pub(super) fn dotted_key(&self) -> String {
        dotted(&self.key)
    }
}

/// Joins keys as they would be written in the file.
pub(super) fn dotted(keys: &[String]) -> String {
    let is_bare = |key: &str| {
        !key.is_empty()
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
    };
    let mut out = String::new();
    for key in keys {
        if !out.is_empty() {
            out.push('.');
        }
        if is_bare(key) {
            out.push_str(key);
        } else {
            out.push_str(&format!("{key:?}"));
        }
    }
    out
}
