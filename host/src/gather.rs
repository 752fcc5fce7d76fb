//! One scrape: ask plugins at once, wait until the deadline at the latest, take the page as it then is.

use std::{sync::Arc, time::Instant};

use meterbox_metrics::{Page, Registry, Scope, View};

use crate::{
    config::TEXTFILE, imports::meminfo::Reading, own::ProcessMetrics, plugin::Plugin,
    textfile::Textfile,
};

/// Collects from the plugins that `wanted` names, and from text files, in parallel. Who is late or broken costs its own
/// samples; those of plugins that were not asked are left out.
pub(crate) async fn gather(
    registry: &Registry,
    plugins: &[Arc<Plugin>],
    textfile: Option<&Textfile>,
    process: &ProcessMetrics,
    deadline: Instant,
    wanted: impl Fn(&str) -> bool,
) -> Page {
    let meminfo = Arc::new(Reading::default());
    let (asked, unasked): (Vec<_>, Vec<_>) =
        plugins.iter().partition(|plugin| wanted(plugin.name()));
    // All are started before the first is waited for.
    let collects: Vec<_> = asked
        .iter()
        .map(|plugin| plugin.collect(&meminfo))
        .collect();
    let (files, no_files) = match textfile {
        Some(files) if wanted(TEXTFILE) => (Some((files, files.collect())), None),
        other => (None, other),
    };
    let mut failed: Vec<&Arc<Scope>> = Vec::new();
    for (plugin, collect) in asked.iter().zip(collects) {
        let waited = tokio::time::timeout_at(deadline.into(), collect.succeeded()).await;
        if !waited.unwrap_or(false) {
            plugin.metrics().missed();
            failed.push(plugin.scope());
        }
    }
    if let Some((files, collect)) = files {
        let waited = tokio::time::timeout_at(deadline.into(), collect.succeeded()).await;
        if !waited.unwrap_or(false) {
            files.metrics().missed();
            failed.push(files.scope());
        }
    }
    let among = |scopes: &[&Arc<Scope>], scope: &Scope| {
        scopes.iter().any(|each| std::ptr::eq(each.as_ref(), scope))
    };
    let unasked = unasked.into_iter().map(|plugin| plugin.scope());
    let unasked: Vec<_> = unasked.chain(no_files.map(Textfile::scope)).collect();
    process.read();
    registry.page(|scope| {
        if among(&unasked, scope) {
            View::Nothing
        } else if among(&failed, scope) {
            View::Instruments
        } else {
            View::All
        }
    })
}
