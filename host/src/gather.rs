//! One scrape: ask plugins at once, wait until the deadline at the latest, take the page as it then is.
//!
//! A call into a plugin takes a few microseconds, to wake a task for it on another thread more than that. So a scrape
//! calls plugins itself, one after the other. Those that took long the last time are started before, on tasks of their own; one
//! that turns out to take long is moved to one when the epoch interrupts it; and when the scrape has spent its share, what is
//! left goes to tasks as well.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use meterbox_metrics::{Page, Registry, Scope, View};

use crate::{
    config::TEXTFILE, fleet::Fleet, imports::meminfo::Reading, own::ProcessMetrics,
    plugin::Collect, textfile::Textfile,
};

/// How long a scrape calls plugins itself.
const SHARE: Duration = Duration::from_millis(1);

/// Collects from the plugins that `wanted` names, and from text files. Who is late or broken costs its own samples; those
/// of plugins that were not asked are left out. `process` is missing where nothing about the exporter is wanted. Also says
/// whether everybody who was asked is on the page.
pub(crate) async fn gather(
    registry: &Registry,
    fleet: &Fleet,
    process: Option<&ProcessMetrics>,
    deadline: Instant,
    wanted: impl Fn(&str) -> bool,
) -> (Page, bool) {
    let meminfo = Arc::new(Reading::default());
    let Fleet {
        plugins, textfile, ..
    } = fleet;
    let textfile = textfile.as_deref();
    let (asked, unasked): (Vec<_>, Vec<_>) =
        plugins.iter().partition(|plugin| wanted(plugin.name()));
    let (files, no_files) = match textfile {
        Some(files) if wanted(TEXTFILE) => (Some(files), None),
        other => (None, other),
    };
    // All are started before the first is waited for.
    let mut under_way: Vec<_> = files
        .map(|files| (files.metrics(), files.scope(), files.collect()))
        .into_iter()
        .collect();
    let begun = Instant::now();
    let (dear, cheap): (Vec<_>, Vec<_>) = asked.into_iter().partition(|plugin| plugin.is_dear());
    let mut failed: Vec<&Arc<Scope>> = Vec::new();
    let dear = dear.into_iter().map(|plugin| (plugin, false));
    for (plugin, is_cheap) in dear.chain(cheap.into_iter().map(|plugin| (plugin, true))) {
        let here = is_cheap && begun.elapsed() < SHARE;
        match plugin.collect(&meminfo, here).await {
            Collect::Over(true) => {}
            Collect::Over(false) => failed.push(plugin.scope()),
            Collect::UnderWay(collect) => {
                under_way.push((plugin.metrics(), plugin.scope(), collect));
            }
        }
    }
    for (metrics, scope, collect) in under_way {
        let due = collect.due().map_or(deadline, |due| due.min(deadline));
        let waited = tokio::time::timeout_at(due.into(), collect.succeeded()).await;
        if !waited.unwrap_or(false) {
            metrics.missed();
            failed.push(scope);
        }
    }
    let among = |scopes: &[&Arc<Scope>], scope: &Scope| {
        scopes.iter().any(|each| std::ptr::eq(each.as_ref(), scope))
    };
    let unasked = unasked.into_iter().map(|plugin| plugin.scope());
    let unasked: Vec<_> = unasked.chain(no_files.map(Textfile::scope)).collect();
    if let Some(process) = process {
        process.read();
        for plugin in plugins {
            plugin.read_metrics();
        }
    }
    let page = registry.page_of(&fleet.scopes(), |scope| {
        if among(&unasked, scope) {
            View::Nothing
        } else if among(&failed, scope) {
            View::Instruments
        } else {
            View::All
        }
    });
    (page, failed.is_empty())
}
