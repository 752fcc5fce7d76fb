//! What a plugin says about itself before it serves.

use meterbox_metrics::Desc;

use super::begun::{Begun, failed, load};
use crate::{
    config::PluginConfig, distribution::Sources, engine::compile::Compiler, grants::Wanted,
    host::Error, limits::Limits,
};

/// What a plugin says about itself.
#[derive(Debug)]
pub struct Survey {
    /// What it wants to be granted, and whether it is.
    pub wants: Vec<Wanted>,
    /// The lines of config for what it wants and is not granted, with its reasons.
    pub missing: Option<String>,
    /// Its families, or why they cannot be.
    pub families: Result<Families, Error>,
}

/// Families as a plugin described them.
#[derive(Clone, Debug, Default)]
pub struct Families {
    /// Those of the page.
    pub page: Vec<Desc>,
    /// Those of its probes, if the config lets it probe.
    pub probes: Vec<Desc>,
}

impl Survey {
    /// Whether it is granted all that it cannot do without.
    pub fn has_what_it_needs(&self) -> bool {
        let mut needed = self.wants.iter().filter(|want| want.is_needed);
        needed.all(|want| want.is_granted)
    }
}

/// Loads a plugin from where `sources` has it, asks what it wants, lets an instance describe itself, whether it is granted that or not, and registers the
/// families beside the host's own. It runs in a sandbox with no more than the config grants, and is not initialised.
///
/// # Errors
///
/// [`Error::Plugin`] where it cannot be loaded, or cannot say what it wants.
pub async fn survey(
    sources: &Sources,
    name: &str,
    plugin: &PluginConfig,
    limits: Limits,
    compiler: Option<Compiler>,
) -> Result<Survey, Error> {
    let loaded = load(name, plugin, limits, compiler, sources).await?;
    let wants = loaded.0.wants().await;
    let (wants, missing) = wants.map_err(|error| failed(name, error))?;
    let begun = Begun::new(name, loaded, false).await;
    Ok(Survey {
        wants,
        missing,
        families: begun.map(|begun| Families {
            page: begun.scope.descs().to_vec(),
            probes: begun.probe_descs,
        }),
    })
}
