//! A new plugin, or a new version of one, shows what it does where nobody sees it, before it may serve.

use std::{sync::Arc, time::Instant};

use meterbox_metrics::Scope;

use super::{Described, PluginError, start::refused, text};
use crate::engine::{bindings::lifecycle::Start, guard};

/// Initialises an instance and collects from it once, with the limits of any call. The scope holds what it has done; a family
/// whose samples are refused is no reason to refuse the plugin, since that costs the family alone.
pub(crate) async fn rehearse(
    described: Described,
    start: Start,
) -> Result<Arc<Scope>, PluginError> {
    let (options, descs) = described.families();
    let Described {
        template,
        mut instance,
        ..
    } = described;
    let scope = Scope::rehearsal(&options, descs);
    let calls = async {
        instance.attach(Arc::clone(&scope));
        instance.init(start).await?;
        instance.interval().await?;
        let samples = instance.collect(Arc::default()).await?;
        if let Some(said) = instance.collect_text().await? {
            text::check(&said)?;
        }
        scope.replace_samples(samples, Instant::now());
        Ok(())
    };
    let done = guard("collect", calls).await;
    done.map_err(|fault| refused(&template, fault))?;
    Ok(scope)
}
