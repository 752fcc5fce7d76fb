//! `log`: lines of a plugin in the host's log.

use wasmtime::Result;

use crate::engine::{
    State,
    bindings::log::{Host, Level},
};

impl Host for State {
    fn write(&mut self, level: Level, message: String) -> Result<()> {
        let plugin = self.identity.name.as_str();
        // Debug escapes what could forge a line or drive a terminal.
        let message = message.escape_debug();
        match level {
            Level::Debug => tracing::debug!(target: "meterbox::plugin", plugin, "{message}"),
            Level::Info => tracing::info!(target: "meterbox::plugin", plugin, "{message}"),
            Level::Warn => tracing::warn!(target: "meterbox::plugin", plugin, "{message}"),
            Level::Error => tracing::error!(target: "meterbox::plugin", plugin, "{message}"),
        }
        Ok(())
    }
}
