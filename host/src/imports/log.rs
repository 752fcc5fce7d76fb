//! `log`: lines of a plugin in the host's log, as many as it may write.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use wasmtime::Result;

use super::recent::LogLine;
use crate::{
    config::LogLevel,
    engine::{
        Identity, State,
        bindings::log::{Host, Level},
    },
    limits::{Limit, Limits},
};

/// The name of the events that are lines of a plugin whose config has a `log-level`; the names of others say where they stand
/// in the source.
///
/// A program that embeds the host lets events of this name through whatever their level is: those below the plugin's
/// `log-level` are not made.
pub const CHOSEN: &str = "line of a plugin with a log-level";

const TARGET: &str = "meterbox::plugin";

/// How many seconds of its allowance a plugin may save up.
const BURST: f64 = 10.0;

/// What a plugin may still write, over all its instances.
#[derive(Debug)]
pub(crate) struct LogQuota {
    buckets: Mutex<Buckets>,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct Buckets {
    lines: Bucket,
    bytes: Bucket,
    /// Lines dropped since the last one that was written.
    silence: u64,
}

/// Tokens that come back with time.
#[derive(Debug)]
struct Bucket {
    per_second: f64,
    left: f64,
    filled: Instant,
}

impl Bucket {
    fn new(per_second: f64, now: Instant) -> Self {
        Self {
            per_second,
            left: per_second * BURST,
            filled: now,
        }
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.left = (self.left + passed * self.per_second).min(self.per_second * BURST);
        self.filled = now;
    }
}

impl LogQuota {
    pub(crate) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            buckets: Mutex::new(Buckets {
                lines: Bucket::new(limits.get(Limit::LogLines), now),
                bytes: Bucket::new(limits.get(Limit::LogBytes), now),
                silence: 0,
            }),
            dropped: AtomicU64::new(0),
        }
    }

    /// Lines that were not written.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Takes a line of so many bytes: how many were dropped since the last one that was taken, or by which limit this one
    /// is dropped.
    pub(crate) fn take(&self, bytes: usize, now: Instant) -> Result<u64, Limit> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Buckets {
            lines,
            bytes: room,
            silence,
        } = &mut *buckets;
        lines.fill(now);
        room.fill(now);
        let denied = if lines.left < 1.0 {
            Limit::LogLines
        } else if room.left < bytes as f64 {
            Limit::LogBytes
        } else {
            lines.left -= 1.0;
            room.left -= bytes as f64;
            return Ok(std::mem::take(silence));
        };
        *silence += 1;
        self.dropped.fetch_add(1, Relaxed);
        Err(denied)
    }
}

impl Host for State {
    fn write(&mut self, level: Level, message: String) -> Result<()> {
        self.meter.host_call()?;
        line(&self.identity, level, &message, 0, None);
        Ok(())
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

/// Logs one line of a plugin, if its config wants the level and its quota allows; of a longer one that lost `cut` bytes already,
/// or was written to a `stream`, so much is said.
pub(super) fn line(
    identity: &Identity,
    level: Level,
    message: &str,
    cut: usize,
    stream: Option<&'static str>,
) {
    let (plugin, least) = (identity.name.as_str(), identity.log_level);
    let weight = LogLevel::from(level);
    if least.is_some_and(|least| weight < least) {
        return;
    }
    let most = identity.limits.log_line_bytes;
    let mut end = message.len().min(most);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let cut = cut + message.len() - end;
    match identity.log.take(end, Instant::now()) {
        Ok(0) => {}
        Ok(dropped) => {
            let remedy = Limit::LogLines.remedy(plugin);
            tracing::warn!(plugin, dropped, remedy, "the plugin logs too much");
        }
        Err(limit) => {
            identity.usage.deny(limit);
            return;
        }
    }
    if cut > 0 {
        identity.usage.deny(Limit::LogLineBytes);
    }
    let text = identity.secrets.mask(&message[..end], cut > 0);
    // Escaped is what could forge a line or drive a terminal.
    let line = text.escape_debug();
    if weight >= least.unwrap_or(LogLevel::Info) {
        identity
            .recent
            .add(LogLine::new(weight, stream, &text, cut));
    }
    let cut = (cut > 0).then_some(cut);
    macro_rules! log {
        ($level:ident) => {
            match least {
                None => tracing::$level!(target: TARGET, plugin, stream, cut, "{line}"),
                Some(_) => {
                    tracing::$level!(name: CHOSEN, target: TARGET, plugin, stream, cut, "{line}");
                }
            }
        };
    }
    match level {
        Level::Debug => log!(debug),
        Level::Info => log!(info),
        Level::Warn => log!(warn),
        Level::Error => log!(error),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_dropped_is_counted_and_told_with_the_next_line() {
        let now = Instant::now();
        let limits = Limits {
            log_lines: 2,
            log_bytes: 100,
            ..Limits::default()
        };
        let quota = LogQuota::new(&limits, now);
        for _ in 0..20 {
            assert_eq!(quota.take(1, now), Ok(0));
        }
        assert_eq!(quota.take(1, now), Err(Limit::LogLines));
        assert_eq!(quota.take(1, now), Err(Limit::LogLines));
        let later = now + Duration::from_secs(1);
        assert_eq!(quota.take(1001, later), Err(Limit::LogBytes));
        assert_eq!(quota.take(500, later), Ok(3));
        assert_eq!(quota.take(1, later), Ok(0));
        assert_eq!(quota.dropped(), 3);
    }
}
