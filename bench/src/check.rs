//! That all peers serve the same: their pages are read and compared with the bound's, which is written straight from the
//! definition of the workload.

use std::{collections::HashMap, fmt::Write};

use anyhow::{Context, Result, bail};

use crate::{
    peers::{Bound, Page, Peer},
    workload::Workload,
};

/// A page as numbers by series, and what its comments say.
#[derive(Default)]
pub struct Content {
    /// Place on the page and value, by name and sorted labels.
    samples: HashMap<String, (usize, f64)>,
    types: HashMap<String, String>,
    helps: HashMap<String, String>,
}

/// How a page that has the same samples and values looks different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    Order,
    Types,
    Helps,
}

impl Content {
    /// What everybody is expected to serve.
    pub fn expected(workload: Workload) -> Result<Self> {
        let mut page = Vec::new();
        if let Page::Pieces(pieces) = std::sync::Arc::new(Bound::new(workload)?).page() {
            pieces.for_each(|piece| page.extend_from_slice(&piece));
        }
        Self::parse(&page)
    }

    pub fn parse(page: &[u8]) -> Result<Self> {
        let mut content = Self::default();
        let mut key = String::new();
        for line in std::str::from_utf8(page)?.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let mut words = comment.splitn(3, ' ');
                match (words.next(), words.next(), words.next()) {
                    (Some("TYPE"), Some(name), Some(kind)) => {
                        content.types.insert(name.to_owned(), kind.to_owned());
                    }
                    (Some("HELP"), Some(name), Some(help)) => {
                        content.helps.insert(name.to_owned(), help.to_owned());
                    }
                    _ => {} // # EOF
                }
            } else if !line.is_empty() {
                let value = sample(line, &mut key).with_context(|| line.to_owned())?;
                let place = content.samples.len();
                if content
                    .samples
                    .insert(key.clone(), (place, value))
                    .is_some()
                {
                    bail!("{key} is there twice");
                }
            }
        }
        Ok(content)
    }

    /// Fails unless `other` has the same samples and values; says what else is different.
    pub fn compare(&self, other: &Self) -> Result<Vec<Difference>> {
        for (key, (_, value)) in &self.samples {
            let found = other
                .samples
                .get(key)
                .with_context(|| format!("{key} is missing"))?;
            if !agree(key, *value, found.1) {
                bail!("{key} is {} and not {value}", found.1);
            }
        }
        let extra = other
            .samples
            .keys()
            .find(|key| !self.samples.contains_key(*key));
        if let Some(extra) = extra {
            bail!("{extra} should not be there");
        }
        let mut differences = Vec::new();
        let is_moved = |(key, (place, _)): (&String, &(usize, f64))| self.samples[key].0 != *place;
        if other.samples.iter().any(is_moved) {
            differences.push(Difference::Order);
        }
        for (difference, ours, theirs) in [
            (Difference::Types, &self.types, &other.types),
            (Difference::Helps, &self.helps, &other.helps),
        ] {
            if ours != theirs {
                differences.push(difference);
            }
        }
        Ok(differences)
    }

    /// Series of this page that are missing on the other one, and those that are only there.
    pub fn names_apart<'a>(&'a self, other: &'a Self) -> (Vec<&'a str>, Vec<&'a str>) {
        let only = |ours: &'a Self, theirs: &'a Self| {
            let keys = ours
                .samples
                .keys()
                .filter(|key| !theirs.samples.contains_key(*key));
            keys.map(String::as_str).collect()
        };
        (only(self, other), only(other, self))
    }
}

/// Memory figures change from one scrape to the next, and every peer estimates quantiles in its own way.
fn agree(key: &str, ours: f64, theirs: f64) -> bool {
    let is_memory = key.starts_with("memory_") || key.starts_with("node_memory_");
    is_memory || key.contains("quantile=") || ours.to_bits() == theirs.to_bits()
}

/// `name{b="2",a="1"} 5` to `name a=1 b=2` in `key`, and 5.
fn sample(line: &str, key: &mut String) -> Result<f64> {
    key.clear();
    let (series, value) = line.rsplit_once(' ').context("no value")?;
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').context("no end of labels")?),
        None => (series, ""),
    };
    key.push_str(name);
    // No label of these workloads has a comma, a quote or an escape in its value.
    let mut labels: Vec<_> = labels
        .split(',')
        .filter(|label| !label.is_empty())
        .collect();
    labels.sort_unstable();
    for label in labels {
        let (name, value) = label.split_once('=').context("no label value")?;
        let value = value.trim_matches('"');
        match (name, value.parse::<f64>()) {
            // 1.0 is 1.
            ("le" | "quantile", Ok(bound)) => write!(key, " {name}={bound}")?,
            _ => write!(key, " {name}={value}")?,
        }
    }
    value.parse().context("value")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str =
        "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1\",y=\"2\"} 5\na_b{le=\"1\"} 7\n";

    fn compared(other: &str) -> Result<Vec<Difference>> {
        Content::parse(PAGE.as_bytes())?.compare(&Content::parse(other.as_bytes())?)
    }

    #[test]
    fn the_same_in_other_words() -> Result<()> {
        assert_eq!(compared(PAGE)?, []);
        let moved =
            "a_b{le=\"1.0\"} 7.0\n# TYPE a_total counter\na_total{y=\"2\",x=\"1\"} 5e0\n# EOF\n";
        assert_eq!(compared(moved)?, [Difference::Order, Difference::Helps]);
        Ok(())
    }

    #[test]
    fn refuses_what_is_not_the_same() {
        for (old, new) in [
            ("} 5", "} 6"),
            ("x=\"1\"", "x=\"3\""),
            ("a_b{le=\"1\"} 7\n", ""),
            ("} 7\n", "} 7\nc 1\n"),
        ] {
            assert!(
                compared(&PAGE.replace(old, new)).is_err(),
                "{old:?} to {new:?}"
            );
        }
    }
}
