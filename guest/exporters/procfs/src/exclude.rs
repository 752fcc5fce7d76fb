//! Devices to leave out.

use meterbox_plugin::{Result, config};
use regex_lite::Regex;

/// A regular expression over device names, which an operator may set; none leaves nothing out.
#[derive(Debug)]
pub(crate) struct Exclude(Option<Regex>);

impl Exclude {
    /// What the operator set, or this.
    pub(crate) fn of(key: &str, default: &str) -> Result<Self> {
        let pattern = config::get(key).unwrap_or_else(|| default.to_owned());
        Self::new(&pattern).map_err(|error| format!("config {key} = {pattern:?}: {error}").into())
    }

    pub(crate) fn new(pattern: &str) -> Result<Self, regex_lite::Error> {
        if pattern.is_empty() {
            return Ok(Self(None));
        }
        Regex::new(pattern).map(|regex| Self(Some(regex)))
    }

    pub(crate) fn has(&self, device: &str) -> bool {
        self.0.as_ref().is_some_and(|regex| regex.is_match(device))
    }
}
