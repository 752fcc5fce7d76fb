//! All plugins in a table, those that need attention first.

use std::time::{Duration, UNIX_EPOCH};

use maud::{Markup, html};

use super::{
    layout::{self, Site},
    parts, show,
};
use crate::{
    config::{API_PATH, PLUGINS_PATH},
    host::Host,
    plugin::PluginState,
    status::PluginStatus,
};

/// Rows; of more plugins the page tells the number.
const MOST_ROWS: usize = 250;

/// What the page shows.
pub(super) struct Overview {
    pub(super) plugins: Vec<PluginStatus>,
    /// Series from text files, where there are any.
    pub(super) text_series: Option<u64>,
    /// Whether the last reload was done, and when the last one was that was: seconds since 1970.
    pub(super) last_reload: (bool, f64),
}

impl Overview {
    pub(super) fn new(host: &Host) -> Self {
        let fleet = host.inner.fleet();
        let files = fleet.textfile.as_ref();
        Self {
            plugins: host.plugins(),
            text_series: files.map(|files| files.metrics().series.get() as u64),
            last_reload: host.last_reload(),
        }
    }

    fn sum(&self, figure: impl Fn(&PluginStatus) -> u64) -> String {
        show::count(self.plugins.iter().map(figure).sum())
    }
}

/// How little is wrong with it.
fn rank(status: &PluginStatus) -> u8 {
    match status.state {
        _ if status.error.is_some() => 0,
        PluginState::Quarantined => 0,
        PluginState::Waiting => 1,
        PluginState::Running if parts::has_failed(status) => 2,
        PluginState::Running => 3,
    }
}

pub(super) fn page(site: &Site, overview: &Overview) -> Markup {
    let mut plugins: Vec<_> = overview.plugins.iter().collect();
    // Stable: by name among equals.
    plugins.sort_by_key(|status| rank(status));
    let well = plugins.iter().filter(|status| rank(status) == 3).count();
    let unwell = plugins.len() - well;
    let (is_reloaded, reload) = overview.last_reload;
    let reload = UNIX_EPOCH + Duration::try_from_secs_f64(reload).unwrap_or_default();
    let content = html! {
        h1 { "Plugins" }
        dl.figures {
            div { dt { "Healthy" } dd { (well) } }
            div { dt { "Need attention" } dd.alarm[unwell > 0] { (unwell) } }
            div { dt { "Series" } dd { (overview.sum(|status| status.series)) } }
            div { dt { "Faults" } dd { (overview.sum(|status| status.faults_total)) } }
            @if let Some(series) = overview.text_series {
                div { dt { "Series of text files" } dd { (show::count(series)) } }
            }
            div { dt { "Config loaded" } dd { (parts::moment(reload, site)) } }
        }
        @if !is_reloaded {
            p.note.alarm { "The last reload was refused, and the config before it runs on; the log says why." }
        }
        @if plugins.is_empty() {
            p { "No plugin is loaded." }
        } @else {
            div.scroll role="region" aria-label="Table of plugins" tabindex="0" { (table(site, &plugins)) }
        }
        @if plugins.len() > MOST_ROWS {
            p { "The first " (MOST_ROWS) " of " (plugins.len()) ". " a href=(site.link(API_PATH)) { "All of them as JSON" } }
        }
    };
    layout::page(site, "Meterbox", "", content)
}

fn table(site: &Site, plugins: &[&PluginStatus]) -> Markup {
    html! {
        table.plugins {
            caption { "Plugins, those that need attention first" }
            thead {
                tr {
                    th scope="col" { "Plugin" }
                    th scope="col" { "State" }
                    th.number scope="col" { "Took" }
                    th.lesser scope="col" { "Last collects" }
                    th.lesser scope="col" { "Collected" }
                    th.number.lesser scope="col" { "Series" }
                    th.lesser scope="col" { "Memory" }
                    th.number scope="col" { "Faults" }
                }
            }
            tbody {
                @for status in plugins.iter().take(MOST_ROWS) { (row(site, status)) }
            }
        }
    }
}

fn row(site: &Site, status: &PluginStatus) -> Markup {
    let link = site.link(&format!("{PLUGINS_PATH}{}", status.name));
    html! {
        tr {
            th scope="row" {
                a href=(link) { (status.name) }
                @for route in &status.routes { " " a.route href=(site.link(route)) { (show::plain(route, 60)) } }
            }
            @if let Some(error) = &status.error {
                td.wraps colspan="7" {
                    (parts::state(status)) " "
                    span.reason { (show::plain(error.lines().next().unwrap_or_default(), 300)) }
                }
            } @else {
                td { (parts::state(status)) }
                td.number { @if let Some(last) = status.collects.last() { (show::duration(last.duration)) } }
                td.lesser { (parts::sparkline(&status.collects)) }
                td.lesser {
                    @if let Some(time) = status.last_collect { (parts::moment(time, site)) } @else { "not yet" }
                }
                td.number.lesser { (show::count(status.series)) }
                td.lesser {
                    (parts::bar(status.memory_bytes as f64, status.memory_limit_bytes as f64))
                    " " (show::bytes(status.memory_bytes)) " of " (show::bytes(status.memory_limit_bytes))
                }
                td.number { (show::count(status.faults_total)) }
            }
        }
    }
}
