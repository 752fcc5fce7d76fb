//! One scrape: ask every plugin at once, wait until the deadline at the latest, render what there is.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use meterbox_metrics::{Registry, Scope, encode};

use crate::{imports::meminfo::Reading, plugin::Plugin};

/// A page never renders into less than this; most fit.
const FIRST_BYTES: usize = 16 << 10;

/// Collects from all plugins in parallel and renders the page. A plugin that is late or broken costs its samples.
pub(crate) async fn scrape(
    registry: &Registry,
    plugins: &[Arc<Plugin>],
    deadline: Instant,
) -> Bytes {
    let meminfo = Arc::new(Reading::default());
    // All are started before the first is waited for.
    let collects: Vec<_> = plugins
        .iter()
        .map(|plugin| plugin.collect(&meminfo))
        .collect();
    let mut failed: Vec<&Arc<Scope>> = Vec::new();
    for (plugin, collect) in plugins.iter().zip(collects) {
        let waited = tokio::time::timeout_at(deadline.into(), collect.succeeded()).await;
        if !waited.unwrap_or(false) {
            plugin.metrics().missed();
            failed.push(plugin.scope());
        }
    }
    let fresh = |scope: &Scope| {
        !failed
            .iter()
            .any(|failed| std::ptr::eq(failed.as_ref(), scope))
    };
    let mut page = Vec::with_capacity(FIRST_BYTES);
    registry.read(fresh, |families| {
        encode::text(families, Instant::now(), &mut page);
    });
    page.into()
}
