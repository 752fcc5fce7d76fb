//! Lines for the operator, in the host's log under the plugin's name.
//!
//! One call is one line: line breaks are escaped. What exceeds the plugin's quota is dropped and counted. A panic is
//! logged as an error.
//!
//! ```no_run
//! # let attempts = 3;
//! meterbox_plugin::log::warn(format_args!("no answer after {attempts} attempts"));
//! ```

use std::fmt::Display;

use crate::bindings::imports::log::{Level, write};

/// For whoever works on the plugin.
pub fn debug(message: impl Display) {
    write(Level::Debug, &message.to_string());
}

/// Worth knowing.
pub fn info(message: impl Display) {
    write(Level::Info, &message.to_string());
}

/// Worth looking into.
pub fn warn(message: impl Display) {
    write(Level::Warn, &message.to_string());
}

/// Broken.
pub fn error(message: impl Display) {
    write(Level::Error, &message.to_string());
}

/// A panic traps, and all that the host learns is where in the code; this tells it why.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        error(panic.to_string().replace('\n', " "));
    }));
}
