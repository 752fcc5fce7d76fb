//! Waiting for a condition.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

/// How long a test waits for something that should come at once, on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Probes every few milliseconds until the probe succeeds; fails with the probe's last reason after `within`.
pub fn until<T>(within: Duration, mut probe: impl FnMut() -> Result<T>) -> Result<T> {
    let end = Instant::now() + within;
    loop {
        match probe() {
            Ok(value) => return Ok(value),
            Err(reason) if Instant::now() >= end => {
                return Err(reason).with_context(|| format!("not within {within:?}"));
            }
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}
