//! The query of a metrics page: which families, and of which plugins.

use std::collections::HashSet;

use ::http::{Response, StatusCode};

use super::reply;
use crate::host::Body;

/// What a query leaves on the page. Parameters may be repeated; those that are not ours mean nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// `name[]`: exact names of families. Empty means all.
    names: HashSet<String>,
    plugins: Plugins,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Plugins {
    #[default]
    All,
    /// `collect[]`
    Only(HashSet<String>),
    /// `exclude[]`
    AllBut(HashSet<String>),
}

/// A query that means nothing; its text is node_exporter's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Combined collect and exclude queries are not allowed.")]
    Combined,
    #[error(
        "Couldn't create filtered metrics handler: couldn't create collector: missing collector: {0}"
    )]
    Missing(String),
}

impl Refusal {
    pub(super) fn response(&self) -> Response<Body> {
        reply::text(StatusCode::BAD_REQUEST, self.to_string())
    }
}

impl Filter {
    /// Reads a query, percent-encoded or not. `exists` says whether there is such a plugin; to exclude one that is not
    /// there is no error, since it is not on the page.
    pub(super) fn parse(
        query: Option<&str>,
        exists: impl Fn(&str) -> bool,
    ) -> Result<Self, Refusal> {
        let Some(query) = query else {
            return Ok(Self::default());
        };
        let mut names = HashSet::new();
        let mut collect = HashSet::new();
        let mut exclude = HashSet::new();
        let mut missing = None;
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                "name[]" => names.insert(value.into_owned()),
                "collect[]" => {
                    if missing.is_none() && !exists(&value) {
                        missing = Some(value.clone().into_owned());
                    }
                    collect.insert(value.into_owned())
                }
                "exclude[]" => exclude.insert(value.into_owned()),
                _ => false,
            };
        }
        let plugins = match (collect.is_empty(), exclude.is_empty()) {
            (false, false) => return Err(Refusal::Combined),
            (false, true) => Plugins::Only(collect),
            (true, false) => Plugins::AllBut(exclude),
            (true, true) => Plugins::All,
        };
        match missing {
            Some(plugin) => Err(Refusal::Missing(plugin)),
            None => Ok(Self { names, plugins }),
        }
    }

    /// Whether the plugin is asked, and its families are on the page.
    pub(super) fn plugin(&self, name: &str) -> bool {
        match &self.plugins {
            Plugins::All => true,
            Plugins::Only(plugins) => plugins.contains(name),
            Plugins::AllBut(plugins) => !plugins.contains(name),
        }
    }

    /// Whether every family stays.
    pub(super) fn has_all_families(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether the family stays.
    pub(super) fn family(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.contains(name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use super::*;

    fn parse(query: &str) -> Result<Filter, Refusal> {
        Filter::parse(Some(query), |plugin| {
            ["memory", "counter"].contains(&plugin)
        })
    }

    #[test]
    fn without_a_filter_everything_stays() {
        assert_eq!(Filter::parse(None, |_| false), Ok(Filter::default()));
        for query in ["", "x=1", "name=up", "name[=up", "collect=memory", "&&=&"] {
            let filter = parse(query).unwrap();
            assert!(
                filter.has_all_families() && filter.plugin("memory"),
                "{query}"
            );
        }
    }

    #[test]
    fn families_by_exact_name() {
        for query in [
            "name[]=up&name[]=my.name",
            "name%5B%5D=up&name%5B%5D=my%2ename",
            "x=1&name[]=up&name[]=up&name[]=my.name&",
        ] {
            let filter = parse(query).unwrap();
            assert!(filter.family("up") && filter.family("my.name"), "{query}");
            assert!(!filter.family("up_total") && !filter.family("u"), "{query}");
            assert!(filter.plugin("memory"), "{query}");
        }
        // The name is empty, and no family's: the page is, too.
        assert!(!parse("name[]=").unwrap().family("up"));
    }

    #[test]
    fn plugins_by_name() {
        let only = parse("collect[]=memory").unwrap();
        assert!(only.plugin("memory") && !only.plugin("counter"));
        let both = parse("collect[]=memory&collect%5b%5d=counter").unwrap();
        assert!(both.plugin("memory") && both.plugin("counter"));
        let without = parse("exclude[]=memory&exclude[]=gone&name[]=up").unwrap();
        assert!(!without.plugin("memory") && without.plugin("counter"));
        assert!(without.family("up") && !without.family("down"));
        let none = parse("exclude[]=memory&exclude[]=counter").unwrap();
        assert!(!none.plugin("memory") && !none.plugin("counter"));
    }

    #[test]
    fn refusals_are_those_of_node_exporter() {
        for (query, expected) in [
            (
                "collect[]=memory&exclude[]=counter",
                "Combined collect and exclude queries are not allowed.",
            ),
            (
                "collect[]=gone&exclude[]=gone",
                "Combined collect and exclude queries are not allowed.",
            ),
            (
                "collect[]=memory&collect[]=no+%C3%A9&collect[]=other",
                "Couldn't create filtered metrics handler: couldn't create collector: missing collector: no é",
            ),
            (
                "collect[]=",
                "Couldn't create filtered metrics handler: couldn't create collector: missing collector: ",
            ),
        ] {
            assert_eq!(parse(query).unwrap_err().to_string(), expected, "{query}");
        }
    }
}
