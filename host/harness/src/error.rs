//! What a test is told.

use std::{fmt, io};

use meterbox_metrics::parse::ParseError;

/// Why a plugin did not do what its test asked. Its `Debug` is its `Display`: it is what a test that fails prints.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The plugin cannot be built.
    #[error("{0}")]
    Build(String),
    /// The lines given to [`Harness::config`](crate::Harness::config) end the plugin's table and rename it.
    #[error("the lines of config do not belong to the plugin's table")]
    Config,
    /// This machine cannot run it.
    #[error("cannot start a runtime: {0}")]
    Runtime(io::Error),
    /// The host refuses the plugin or its config.
    #[error(transparent)]
    Refuses(#[from] meterbox::Error),
    /// A line of the memory figures cannot be understood.
    #[error("no line of /proc/meminfo: {0:?}")]
    Meminfo(String),
    /// A call into the plugin failed.
    #[error("{fault}{functions}", fault = .0, functions = backtrace(.0))]
    Fault(meterbox::Fault),
    /// The host refused families that the plugin reported, and left them out.
    #[error("the host refuses what the plugin reports: {}", .0.join("; "))]
    Refused(Vec<String>),
    /// There is nothing to tick.
    #[error("the plugin has no schedule: it does not export meterbox:plugin/schedule@0.1")]
    NoSchedule,
    /// The page cannot be read.
    #[error("the page cannot be read: {0}")]
    Page(ParseError),
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<meterbox::Fault> for Error {
    fn from(fault: meterbox::Fault) -> Self {
        Self::Fault(fault)
    }
}

fn backtrace(fault: &meterbox::Fault) -> String {
    match fault.backtrace.as_slice() {
        [] => String::new(),
        functions => format!("\n  in {}", functions.join("\n  in ")),
    }
}
