//! Background work.

use std::time::Duration;

use crate::bindings::schedule::exports::meterbox::plugin::schedule::Guest;
use crate::opts::whole_millis;
use crate::plugin::{Exports, Plugin};
use crate::{Result, log};

/// Work that the host has done again and again.
pub trait Schedule {
    /// From the start of one tick to the start of the next, in whole milliseconds, at least 10. Asked once, after
    /// [`Lifecycle::init`](crate::Lifecycle::init).
    fn interval(&self) -> Duration;

    /// One tick. One that is due while the plugin is busy is skipped.
    ///
    /// # Errors
    /// An error is logged and counted; the next tick comes all the same.
    fn tick(&mut self) -> Result<()>;
}

impl<P: Plugin + Schedule> Guest for Exports<P> {
    fn interval_ms() -> u32 {
        let interval = Self::call(|plugin| Ok(plugin.interval()));
        whole_millis(interval.unwrap_or_else(|error| {
            log::error(error);
            Duration::MAX
        }))
    }

    fn tick() -> Result<(), String> {
        Self::call(P::tick)
    }
}
