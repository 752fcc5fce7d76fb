//! One plugin: all that the exporter knows about it.

use std::time::Duration;

use maud::{Markup, html};

use super::{
    layout::{self, Site},
    parts, search,
    search::Found,
    show,
};
use crate::{
    config::API_PATH,
    engine::Fault,
    grants::{GrantStatus, Wanted},
    imports::recent::LogLine,
    plugin::PluginState,
    status::{LimitStatus, PluginStatus},
};

/// Lines of an error; characters of a message, and of a name.
const MOST_LINES: usize = 50;
const LONGEST: usize = 1000;
const LONGEST_NAME: usize = 200;

pub(super) fn page(site: &Site, status: &PluginStatus, families: &Found) -> Markup {
    let json = site.link(&format!("{API_PATH}/{}", status.name));
    let content = html! {
        nav.crumbs aria-label="Breadcrumbs" {
            a href=(site.link("/")) { "Plugins" } " / " span aria-current="page" { (status.name) }
        }
        h1 { (status.name) " " (parts::state(status)) }
        @if let Some(error) = &status.error {
            p.note.alarm {
                "It does not start: "
                @for line in error.lines().take(MOST_LINES) { (show::plain(line, LONGEST)) br; }
            }
        }
        @if let Some(retry) = status.retry {
            p.note {
                @if status.error.is_some() { "It is tried again " } @else { "It gets its next instance " }
                (parts::moment(retry, site)) "."
            }
        }
        (facts(site, status))
        @if status.error.is_none() {
            (collects(site, status))
            (faults(site, status))
            (limits(&status.limits))
            (grants(status))
            (log(site, status))
            (metrics(site, status, families))
        }
        p { a href=(json) { "This page as JSON" } }
    };
    layout::page(site, &format!("{} · Meterbox", status.name), "", content)
}

fn facts(site: &Site, status: &PluginStatus) -> Markup {
    let exports: Vec<_> = status
        .exports
        .iter()
        .map(|name| show::plain(name, LONGEST_NAME))
        .collect();
    html! {
        dl.facts {
            div { dt { "Source" } dd.code { (show::plain(&status.source.to_string(), LONGEST)) } }
            @if status.error.is_none() {
                div { dt { "Digest" } dd.code { "sha256:" (status.digest) } }
                div { dt { "SDK" } dd { (show::plain(status.sdk.as_deref().unwrap_or("none that is known"), LONGEST_NAME)) } }
                div { dt { "Exports" } dd.code { (exports.join(", ")) } }
                div { dt { "Collected" } dd {
                    @match status.interval {
                        Some(interval) => { "every " (show::duration(interval)) },
                        None => "at each scrape",
                    }
                } }
                @if !status.routes.is_empty() {
                    div { dt { "Routes" } dd {
                        @for route in &status.routes { a href=(site.link(route)) { (show::plain(route, LONGEST_NAME)) } " " }
                    } }
                }
                div { dt { "Log level" } dd { (status.log_level.map_or("that of the exporter", |level| level.label())) } }
                div { dt { "Instance" } dd {
                    "started in " (show::duration(status.start_duration)) ", "
                    (show::counted(status.restarts, "restart", "restarts"))
                } }
                div { dt { "Memory" } dd {
                    (parts::bar(status.memory_bytes as f64, status.memory_limit_bytes as f64)) " "
                    (show::bytes(status.memory_bytes)) " of " (show::bytes(status.memory_limit_bytes))
                } }
                div { dt { "Processor" } dd { (show::duration(status.cpu)) " in all calls" } }
            }
        }
    }
}

fn collects(site: &Site, status: &PluginStatus) -> Markup {
    html! {
        section aria-labelledby="collects" {
            h2 #collects { "Collects" }
            @match (status.last_collect, status.collects.last()) {
                (Some(time), Some(last)) => {
                    p {
                        "The last one " (if last.success { "succeeded" } else { "failed" }) " " (parts::moment(time, site))
                        " and took " (show::duration(last.duration)) "."
                        @if status.state != PluginState::Running { " Without an instance, each fails at once." }
                        @if last.success && !status.collect_success { " It was too late for the scrape that waited for it." }
                    }
                    div.wide { (parts::sparkline(&status.collects)) }
                    p.muted { (parts::in_words(&status.collects)) "; the newest is on the right." }
                }
                _ => p { "There was none yet." },
            }
        }
    }
}

fn faults(site: &Site, status: &PluginStatus) -> Markup {
    html! {
        section aria-labelledby="faults" {
            h2 #faults { "Faults" }
            @if status.faults_total == 0 && status.faults.is_empty() {
                p { "None since it was loaded." }
            } @else {
                p { (show::counted(status.faults_total, "fault", "faults")) " in all; the last ones, the newest first:" }
                ol.faults { @for fault in &status.faults { li { (one_fault(site, &status.name, fault)) } } }
            }
        }
    }
}

fn one_fault(site: &Site, plugin: &str, fault: &Fault) -> Markup {
    html! {
        p {
            span.state.failed { (fault.kind.label()) } " in " code { (fault.export) } ", "
            (parts::moment(fault.time, site))
        }
        p.message { (show::plain(&fault.message, LONGEST)) }
        p.muted { "Remedy: " (fault.remedy(plugin)) "." }
        @if !fault.backtrace.is_empty() {
            details {
                summary { "Backtrace, the innermost function first" }
                ol.code { @for name in &fault.backtrace { li { (show::plain(name, LONGEST_NAME)) } } }
            }
        }
    }
}

fn limits(limits: &[LimitStatus]) -> Markup {
    let figure = |status: &LimitStatus, figure: f64| {
        if status.limit.is_time() {
            show::duration(Duration::try_from_secs_f64(figure).unwrap_or_default())
        } else if status.limit.is_bytes() {
            show::bytes(figure as u64)
        } else {
            show::count(figure as u64)
        }
    };
    html! {
        section aria-labelledby="limits" {
            h2 #limits { "Limits" }
            div.scroll role="region" aria-label="Table of limits" tabindex="0" {
                table {
                    caption { "What the last call, its instance or its metrics used up, of what they may" }
                    thead { tr {
                        th scope="col" { "Limit" }
                        th.number scope="col" { "Used" }
                        th.number scope="col" { "May use" }
                        th.lesser scope="col" { "Part" }
                        th.number scope="col" { "Met" }
                    } }
                    tbody { @for status in limits {
                        tr {
                            th.code scope="row" { (status.limit.key()) }
                            td.number { @if let Some(used) = status.used { (figure(status, used)) } }
                            td.number { (figure(status, status.most)) }
                            td.lesser { @if let Some(used) = status.used { (parts::bar(used, status.most)) } }
                            td.number { (show::count(status.denials)) }
                        }
                    } }
                }
            }
        }
    }
}

fn grants(status: &PluginStatus) -> Markup {
    html! {
        section aria-labelledby="grants" {
            h2 #grants { "Grants" }
            @if status.grants.is_empty() { p { "Nothing is granted, and nothing was asked for in vain." } }
            @else { (grant_table(&status.grants)) }
            @if !status.wants.is_empty() { (want_table(&status.wants)) }
        }
    }
}

fn grant_table(grants: &[GrantStatus]) -> Markup {
    html! {
        table {
            caption { "What it may use of the machine" }
            thead { tr {
                th scope="col" { "Grant" }
                th scope="col" { "Granted" }
                th.number scope="col" { "Used" }
                th.number scope="col" { "Denied" }
            } }
            tbody { @for grant in grants {
                tr {
                    th.code scope="row" { (grant.grant.key()) }
                    td { (yes(grant.is_granted)) }
                    td.number { (show::count(grant.uses)) }
                    td.number { (show::count(grant.denials)) }
                }
            } }
        }
    }
}

fn want_table(wants: &[Wanted]) -> Markup {
    html! {
        div.scroll role="region" aria-label="Table of wants" tabindex="0" {
            table {
                caption { "What it says that it wants, in its own words" }
                thead { tr {
                    th scope="col" { "Grant" }
                    th scope="col" { "Of what" }
                    th scope="col" { "What for" }
                    th scope="col" { "Needed" }
                    th scope="col" { "Granted" }
                } }
                tbody { @for want in wants {
                    tr {
                        th.code scope="row" { (want.grant.key()) }
                        td.code { (show::plain(&want.what, LONGEST_NAME)) }
                        td.prose { bdi { (show::plain(&want.why, LONGEST_NAME)) } }
                        td { (yes(want.is_needed)) }
                        td { (yes(want.is_granted)) }
                    }
                } }
            }
        }
    }
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

fn log(site: &Site, status: &PluginStatus) -> Markup {
    html! {
        section aria-labelledby="log" {
            h2 #log { "Log" }
            @if status.log.is_empty() { p { "It has said nothing." } }
            @else {
                div.scroll role="region" aria-label="Table of log lines" tabindex="0" {
                    table.log {
                        caption { "Its last lines, the newest first" }
                        thead { tr { th scope="col" { "When" } th scope="col" { "Level" } th scope="col" { "Line" } } }
                        tbody { @for line in &status.log { (log_line(site, line)) } }
                    }
                }
            }
            @if status.log_lines_dropped > 0 {
                p.note { (show::counted(status.log_lines_dropped, "line", "lines")) " exceeded its limits and were dropped." }
            }
        }
    }
}

fn log_line(site: &Site, line: &LogLine) -> Markup {
    html! {
        tr {
            td { (parts::moment(line.time, site)) }
            td.level.(line.level.label()) {
                (line.level.label()) @if let Some(stream) = line.stream { " " span.muted { (stream) } }
            }
            td.code.line {
                bdi { (show::plain(&line.text, LONGEST)) }
                @if line.cut > 0 { span.muted { " … " (show::bytes(line.cut as u64)) " more" } }
            }
        }
    }
}

fn metrics(site: &Site, status: &PluginStatus, families: &Found) -> Markup {
    html! {
        section aria-labelledby="metrics" {
            h2 #metrics { "Metrics" }
            p {
                (show::counted(status.series, "series", "series")) ". "
                a href=(site.metrics(&[("collect[]", &status.name)])) { "The metrics of this plugin alone" }
            }
            @if !families.families.is_empty() { (search::table(site, families, false)) }
        }
    }
}
