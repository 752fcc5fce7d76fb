//! What the modules for peers and files have in common: errors, and waiting for no longer than wanted.

use std::fmt;
use std::time::Duration;

use wasip2::clocks::monotonic_clock;
use wasip2::io::poll::{self, Pollable};

/// Why a peer, or a file, could not be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerError {
    /// The operator did not grant it. The host has logged the line that would allow it.
    Denied(String),
    /// It did not answer in time.
    TimedOut(String),
    /// Anything else, such as a peer that is not there.
    Failed(String),
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(text) | Self::TimedOut(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for PeerError {}

/// The end of a time that waits share.
#[derive(Debug)]
pub(crate) struct Deadline {
    /// Ready when the time is over.
    over: Pollable,
    timeout: Duration,
}

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        Self {
            over: monotonic_clock::subscribe_duration(nanos),
            timeout,
        }
    }

    /// Waits until it is ready, or fails when the time is over; `what` says what was waited for.
    pub(crate) fn wait(&self, ready: &Pollable, what: &str) -> Result<(), PeerError> {
        match self.comes(ready) {
            true => Ok(()),
            false => Err(PeerError::TimedOut(format!("{what}: {}", self.late()))),
        }
    }

    /// Waits; whether it became ready before the time is over.
    pub(crate) fn comes(&self, ready: &Pollable) -> bool {
        poll::poll(&[ready, &self.over]).contains(&0)
    }

    /// What to say when the time is over.
    pub(crate) fn late(&self) -> String {
        format!("no answer within {:?}", self.timeout)
    }
}
