//! The host as the ledger sees it: the functions of `instruments`.

use crate::Exemplar;
pub(crate) use crate::bindings::imports::instruments::InstrumentError;
use crate::bindings::imports::{exemplars, instruments};

/// The verbs of the contract. A trait so that tests can keep the books themselves.
pub(crate) trait Host {
    fn open(&self, family: u32, labels: &[&str]) -> Result<u32, InstrumentError>;
    fn remove(&self, family: u32, labels: &[&str]) -> Result<bool, InstrumentError>;
    fn remove_matching(&self, family: u32, labels: &[(&str, &str)])
    -> Result<u32, InstrumentError>;
    fn clear(&self, family: u32) -> Result<(), InstrumentError>;
    fn add(&self, series: &[u32], by: &[f64]) -> Result<(), InstrumentError>;
    fn set(&self, series: &[u32], to: &[f64]) -> Result<(), InstrumentError>;
    fn observe(&self, series: &[u32], values: &[f64]) -> Result<(), InstrumentError>;
}

/// The host that loaded this plugin.
pub(crate) struct Imports;

impl Host for Imports {
    fn open(&self, family: u32, labels: &[&str]) -> Result<u32, InstrumentError> {
        instruments::open(family, labels)
    }

    fn remove(&self, family: u32, labels: &[&str]) -> Result<bool, InstrumentError> {
        instruments::remove(family, labels)
    }

    fn remove_matching(
        &self,
        family: u32,
        labels: &[(&str, &str)],
    ) -> Result<u32, InstrumentError> {
        instruments::remove_matching(family, labels)
    }

    fn clear(&self, family: u32) -> Result<(), InstrumentError> {
        instruments::clear(family)
    }

    fn add(&self, series: &[u32], by: &[f64]) -> Result<(), InstrumentError> {
        instruments::add(series, by)
    }

    fn set(&self, series: &[u32], to: &[f64]) -> Result<(), InstrumentError> {
        instruments::set(series, to)
    }

    fn observe(&self, series: &[u32], values: &[f64]) -> Result<(), InstrumentError> {
        instruments::observe(series, values)
    }
}

/// Hands an exemplar to the host. Not one of the verbs of [`Host`]: a plugin that attaches none must not import the
/// interface, and a trait object holds on to all that its trait has.
pub(crate) type Attach = fn(u32, f64, &Exemplar) -> Result<(), InstrumentError>;

/// The one of the host that loaded this plugin.
pub(crate) fn attach(series: u32, value: f64, exemplar: &Exemplar) -> Result<(), InstrumentError> {
    let labels: Vec<(&str, &str)> = exemplar.labels().collect();
    let exemplar = exemplars::Exemplar {
        labels: &labels,
        value,
        timestamp_ms: exemplar.at(),
    };
    exemplars::attach(series, exemplar)
}

/// What went wrong, in words for the operator.
pub(crate) fn reason(error: &InstrumentError) -> &str {
    match error {
        InstrumentError::UnknownFamily => "unknown family",
        InstrumentError::UnknownSeries => "unknown series",
        InstrumentError::WrongKind => "the family's kind has no such verb",
        InstrumentError::LabelCount => "wrong number of label values",
        InstrumentError::InvalidValue(text) | InstrumentError::Limit(text) => text,
    }
}
