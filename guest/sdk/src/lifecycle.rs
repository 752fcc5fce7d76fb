//! The start hook.

pub use crate::bindings::lifecycle::exports::meterbox::plugin::lifecycle::Start;

use crate::Result;
use crate::bindings::lifecycle::exports::meterbox::plugin::lifecycle::Guest;
use crate::plugin::{Exports, Plugin};

/// Called once in every instance, when the host has taken the families.
pub trait Lifecycle {
    /// `start` says whether series of an earlier instance are there: they are as they were left.
    ///
    /// # Errors
    /// An error refuses the plugin with that text.
    fn init(&mut self, start: Start) -> Result<()>;
}

impl<P: Plugin + Lifecycle> Guest for Exports<P> {
    fn init(start: Start) -> Result<(), String> {
        Self::call(|plugin| plugin.init(start))
    }
}
