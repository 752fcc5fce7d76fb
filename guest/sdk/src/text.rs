//! Metrics as exposition text.

use crate::Result;
use crate::bindings::text::exports::meterbox::plugin::text_collector::Guest;
use crate::plugin::{Exports, Plugin};

/// Metrics of a client library that the plugin uses already: it gives their text, and the host reads it.
///
/// [`Collector::register`](crate::Collector::register) need not make any family then.
pub trait TextCollector {
    /// Called for each scrape, right after [`Collector::collect`](crate::Collector::collect). The text is in format 0.0.4
    /// or, if its last line is `# EOF`, in OpenMetrics 1.0; at most 32 MiB.
    ///
    /// A family that clashes with what somebody described is left out; text that breaks its format is refused as a whole.
    ///
    /// # Errors
    /// An error costs the plugin its samples and its text of this scrape.
    fn collect_text(&mut self) -> Result<String>;
}

impl<P: Plugin + TextCollector> Guest for Exports<P> {
    fn collect_text() -> Result<String, String> {
        Self::call(P::collect_text)
    }
}
