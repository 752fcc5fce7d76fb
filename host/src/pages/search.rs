//! A search in metrics, and tables of families.

use maud::{Markup, html};
use meterbox_metrics::{Desc, Kind, Listed};

use super::{
    MOST_FAMILIES,
    layout::{self, Site},
    show,
};
use crate::{config::PLUGINS_PATH, host::Host};

/// Characters of what is looked for.
pub(super) const LONGEST_SEARCH: usize = 100;

/// The parameter.
const SEARCH: &str = "search";

/// Families that were found.
pub(super) struct Found {
    /// What was looked for.
    pub(super) words: String,
    /// By name.
    pub(super) families: Vec<Listed>,
    /// How many there are in all.
    pub(super) all: usize,
}

/// What a query asks for, if it does.
pub(super) fn words(query: Option<&str>) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query?.as_bytes());
    let (_, words) = pairs.find(|(key, _)| key == SEARCH)?;
    let words: String = words.trim().chars().take(LONGEST_SEARCH).collect();
    Some(words).filter(|words| !words.is_empty())
}

impl Found {
    /// Families that have each of the words in their name, their help or the name of their plugin.
    pub(super) fn new(host: &Host, words: &str) -> Self {
        let wanted: Vec<_> = words.split_whitespace().map(str::to_lowercase).collect();
        let matches = |desc: &Desc, owner: Option<&str>| {
            let [name, help] = [&desc.name, &desc.help].map(|text| text.to_lowercase());
            let owner = owner.unwrap_or_default().to_lowercase();
            let has = |word: &String| {
                let word = word.as_str();
                name.contains(word) || help.contains(word) || owner.contains(word)
            };
            wanted.iter().all(has)
        };
        let (families, all) = host.inner.registry.list(MOST_FAMILIES, matches);
        Self {
            words: words.to_owned(),
            families,
            all,
        }
    }

    /// All families of a plugin.
    pub(super) fn of_plugin(host: &Host, plugin: &str) -> Self {
        let registry = &host.inner.registry;
        let (families, all) = registry.list(MOST_FAMILIES, |_, owner| owner == Some(plugin));
        Self {
            words: String::new(),
            families,
            all,
        }
    }
}

/// The type in the words of OpenMetrics.
pub(super) fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::Info => "info",
        Kind::Untyped => "unknown",
        kind => kind.text_name(),
    }
}

pub(super) fn page(site: &Site, found: &Found) -> Markup {
    let words = show::plain(&found.words, LONGEST_SEARCH);
    let title = format!("{words} · Metrics · Meterbox");
    let content = html! {
        h1 { "Metrics" }
        @if found.families.is_empty() {
            p { "No family has “" bdi { (words) } "” in its name, its help or the name of its plugin." }
        } @else {
            (table(site, found, true))
        }
    };
    layout::page(site, &title, &found.words, content)
}

/// Families, with those who have them where that differs.
pub(super) fn table(site: &Site, found: &Found, with_owner: bool) -> Markup {
    let shown = found.families.len();
    html! {
        div.scroll role="region" aria-label="Table of metrics" tabindex="0" {
            table {
                caption {
                    @if shown < found.all { "The first " (shown) " of " (show::count(found.all as u64)) " families" }
                    @else { (show::counted(shown as u64, "family", "families")) }
                }
                thead {
                    tr {
                        th scope="col" { "Name" }
                        th scope="col" { "Type" }
                        th.number scope="col" { "Series" }
                        @if with_owner { th scope="col" { "Plugin" } }
                        th scope="col" { "Help" }
                    }
                }
                tbody { @for family in &found.families { (row(site, family, with_owner)) } }
            }
        }
    }
}

fn row(site: &Site, family: &Listed, with_owner: bool) -> Markup {
    let Listed {
        desc,
        owner,
        series,
    } = family;
    let mut query = vec![("name[]", desc.name.as_str())];
    query.extend(owner.as_deref().map(|owner| ("collect[]", owner)));
    let name = show::plain(&desc.name, 200);
    html! {
        tr {
            th.code scope="row" { a href=(site.metrics(&query)) { bdi { (name) } } }
            td { (kind(&desc.kind)) }
            td.number { (show::count(*series as u64)) }
            @if with_owner {
                td {
                    @match owner {
                        Some(owner) if owner != crate::config::TEXTFILE => {
                            a href=(site.link(&format!("{PLUGINS_PATH}{owner}"))) { (owner) }
                        }
                        Some(_) => "text files",
                        None => span.muted { "Meterbox" },
                    }
                }
            }
            td.prose { bdi { (show::plain(&desc.help, 300)) } }
        }
    }
}
