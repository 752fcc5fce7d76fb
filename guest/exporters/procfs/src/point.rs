//! Samples and families before the SDK has them, so that what reads a file is a pure function.

use meterbox_plugin::Desc;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
}

/// A family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    help: &'static str,
    labels: &'static [&'static str],
}

impl About {
    pub(crate) const fn counter(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Self {
        let kind = Kind::Counter;
        Self {
            name,
            kind,
            help,
            labels,
        }
    }

    pub(crate) const fn gauge(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Self {
        let kind = Kind::Gauge;
        Self {
            name,
            kind,
            help,
            labels,
        }
    }

    pub(crate) fn desc(&self) -> Desc {
        let make = match self.kind {
            Kind::Counter => Desc::counter,
            Kind::Gauge => Desc::gauge,
        };
        make(self.name.to_owned(), self.help.to_owned()).labels(self.labels)
    }
}

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) family: &'static str,
    pub(crate) labels: Vec<String>,
    pub(crate) value: f64,
}

impl Point {
    pub(crate) fn new(family: &'static str, labels: &[&str], value: f64) -> Self {
        Self {
            family,
            labels: labels.iter().map(ToString::to_string).collect(),
            value,
        }
    }
}

/// A whole number of the kernel; an error shows what stands there.
pub(crate) fn number(word: &str) -> Result<f64, String> {
    let number: Result<u64, _> = word.parse();
    number
        .map(|number| number as f64)
        .map_err(|_| format!("{word:?} is no number"))
}

/// The value of the one sample with these labels.
#[cfg(test)]
pub(crate) fn value(points: &[Point], family: &str, labels: &[&str]) -> Option<f64> {
    let mut found = points
        .iter()
        .filter(|point| point.family == family && point.labels == labels);
    let value = found.next()?.value;
    assert!(found.next().is_none(), "{family}{labels:?} comes twice");
    Some(value)
}
