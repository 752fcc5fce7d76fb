//! A page of metrics as a test looks at it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use crate::parse;

/// Everything of one scrape, families by name.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// In the order of the page, which is by name.
    pub families: Vec<Family>,
}

/// One family.
#[derive(Clone, Debug, Default)]
pub struct Family {
    /// Its name.
    pub name: String,
    /// Its help, unescaped; empty if there was none.
    pub help: String,
    /// `counter`, `gauge`, `histogram`, `summary` or `untyped`.
    pub kind: String,
    /// Its samples in the order of the page.
    pub samples: Vec<Sample>,
    /// Its lines, byte for byte.
    pub text: String,
}

/// What tells a sample from all others of a page: its name and its labels.
pub type Series = (String, BTreeMap<String, String>);

/// One line.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The family's name, perhaps with `_bucket`, `_sum` or `_count`.
    pub name: String,
    /// Its labels, unescaped.
    pub labels: BTreeMap<String, String>,
    /// The value as printed.
    pub printed: String,
    /// The value.
    pub value: f64,
    /// Milliseconds since 1970.
    pub timestamp: Option<i64>,
}

impl Page {
    /// Reads text format 0.0.4, strictly: what a careful exporter would not write is an error.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self {
            families: parse::families(text)?,
        })
    }

    /// A family that must be there.
    pub fn family(&self, name: &str) -> Result<&Family> {
        self.families
            .iter()
            .find(|family| family.name == name)
            .with_context(|| {
                let names: Vec<_> = self.families.iter().map(|family| &*family.name).collect();
                format!("no family {name} among {}", names.join(" "))
            })
    }

    /// The one sample with this name and exactly these labels.
    pub fn sample(&self, name: &str, labels: &[(&str, &str)]) -> Option<&Sample> {
        self.samples().find(|sample| {
            sample.name == name
                && sample.labels.len() == labels.len()
                && labels
                    .iter()
                    .all(|(label, value)| sample.labels.get(*label).is_some_and(|v| v == value))
        })
    }

    /// Its value.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.sample(name, labels).map(|sample| sample.value)
    }

    /// Its value, which must be there.
    pub fn number(&self, name: &str, labels: &[(&str, &str)]) -> Result<f64> {
        self.value(name, labels)
            .with_context(|| format!("no sample {name}{labels:?}"))
    }

    /// Its value as printed; "" if it is not there.
    pub fn printed(&self, name: &str, labels: &[(&str, &str)]) -> &str {
        self.sample(name, labels)
            .map(|sample| &*sample.printed)
            .unwrap_or_default()
    }

    /// Every sample.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.families.iter().flat_map(|family| &family.samples)
    }

    /// The lines of the plugins' families, byte for byte: the page without the exporter's own figures.
    pub fn plugin_text(&self) -> String {
        self.plugin_families().map(|family| &*family.text).collect()
    }

    /// The plugins' families.
    pub fn plugin_families(&self) -> impl Iterator<Item = &Family> {
        let own = |name: &str| name.starts_with("meterbox_") || name.starts_with("process_");
        self.families
            .iter()
            .filter(move |family| !own(&family.name))
    }

    /// Fails unless the family has this type and help.
    pub fn expect(&self, name: &str, kind: &str, help: &str) -> Result<&Family> {
        let family = self.family(name)?;
        if (&*family.kind, &*family.help) != (kind, help) {
            bail!(
                "{name} is a {} with the help {:?}, not a {kind} with {help:?}",
                family.kind,
                family.help
            );
        }
        Ok(family)
    }
}

impl Sample {
    /// What identifies it.
    pub fn series(&self) -> Series {
        (self.name.clone(), self.labels.clone())
    }

    /// A label's value; "" if it has no such label.
    pub fn label(&self, name: &str) -> &str {
        self.labels
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    }
}
