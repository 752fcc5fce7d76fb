//! Families whose samples are made afresh for each scrape.

use crate::bindings::collector::meterbox::plugin::metric_types as wit;
use crate::opts::{HistogramOpts, Opts};

/// Describes a family of const samples: give it to [`Registry::desc`](crate::Registry::desc).
#[derive(Clone, Debug)]
pub struct Desc(pub(crate) wit::Desc);

impl Desc {
    /// A number that only rises.
    pub fn counter(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Opts::new(name, help), wit::Kind::Counter)
    }

    /// A number that rises and falls.
    pub fn gauge(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Opts::new(name, help), wit::Kind::Gauge)
    }

    /// Counts in buckets. `bounds` are the upper bounds that all its samples have; none for native samples alone.
    pub fn histogram(
        name: impl Into<String>,
        help: impl Into<String>,
        bounds: impl Into<HistogramOpts>,
    ) -> Self {
        Self::new(Opts::new(name, help), bounds.into().into())
    }

    /// Quantiles with a count and a sum.
    pub fn summary(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Opts::new(name, help), crate::SummaryOpts::default().into())
    }

    /// A constant 1 whose labels are the message.
    pub fn info(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Opts::new(name, help), wit::Kind::Info)
    }

    /// A number whose type nobody knows.
    pub fn untyped(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Opts::new(name, help), wit::Kind::Untyped)
    }

    /// See [`Opts::unit`].
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.0.unit = Some(unit.into());
        self
    }

    /// Label names; each sample gives its values in this order. The default is none.
    pub fn labels(mut self, names: &[&str]) -> Self {
        self.0.label_names = names.iter().map(ToString::to_string).collect();
        self
    }

    pub(crate) fn new(opts: Opts, kind: wit::Kind) -> Self {
        let Opts { name, help, unit } = opts;
        Self(wit::Desc {
            name,
            help,
            unit,
            kind,
            label_names: Vec::new(),
        })
    }
}

/// A registered [`Desc`]: what [`Samples`](crate::Samples) are made for.
#[derive(Clone, Debug)]
pub struct Family {
    pub(crate) index: u32,
    pub(crate) label_count: usize,
    /// Whether it is a family of probes.
    pub(crate) of_probe: bool,
}
