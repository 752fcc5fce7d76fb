//! The hook that every plugin has.

use crate::bindings::collector::exports::meterbox::plugin::collector::Guest;
use crate::bindings::collector::meterbox::plugin::metric_types as wit;
use crate::plugin::{Exports, Plugin, text};
use crate::{Registry, Result, Samples, log};

/// What makes a type a plugin: its families and, for each scrape, its samples.
pub trait Collector: Sized {
    /// Makes the families and the plugin, once in every instance and before anything else. A later instance must make
    /// the same families.
    ///
    /// What is counted here is sent with the next call.
    ///
    /// # Errors
    /// An error refuses the plugin with that text.
    fn register(registry: &mut Registry) -> Result<Self>;

    /// Called for each scrape. A plugin that has instruments only need not write it.
    ///
    /// # Errors
    /// An error costs the plugin its samples of this scrape; what its instruments counted counts all the same.
    fn collect(&mut self, samples: &mut Samples) -> Result<()> {
        let _ = samples;
        Ok(())
    }
}

impl<P: Plugin + Collector> Guest for Exports<P> {
    fn describe() -> Result<Vec<wit::Desc>, String> {
        log::report_panics();
        let mut registry = Registry::default();
        let plugin = P::register(&mut registry).map_err(text)?;
        let parts = registry.into_parts();
        Self::start(plugin, parts.ledger, parts.probe_descs);
        Ok(parts.descs)
    }

    fn collect() -> Result<Vec<wit::Sample>, String> {
        let mut samples = Samples::default();
        Self::call(|plugin| plugin.collect(&mut samples))?;
        Ok(samples.into_inner())
    }
}
