//! Families with labels.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use super::{Counter, Gauge, Histogram, Summary, sealed};
use crate::child::Child;
use crate::labels;
use crate::ledger::Ledger;

/// Counters that differ by their labels.
pub type CounterVec = MetricVec<Counter>;
/// Gauges that differ by their labels.
pub type GaugeVec = MetricVec<Gauge>;
/// Histograms that differ by their labels.
pub type HistogramVec = MetricVec<Histogram>;
/// Summaries that differ by their labels.
pub type SummaryVec = MetricVec<Summary>;

/// What a [`MetricVec`] may hold.
pub trait Instrument: Clone + sealed::FromChild {}

/// A family with labels: one instrument for each combination of label values, made when it is first asked for.
///
/// Keep the handle rather than asking for it each time.
///
/// Deleting ends the instrument for everyone who holds it: what they still count goes unseen, also after the same
/// labels were asked for again, which begins at 0. Only this instance of the plugin knows that it must ask again.
#[derive(Clone)]
pub struct MetricVec<M> {
    family: Rc<Family>,
    metric: PhantomData<M>,
}

struct Family {
    ledger: Rc<Ledger>,
    index: u32,
    label_names: Box<[String]>,
    children: RefCell<HashMap<Rc<[u8]>, Rc<Child>>>,
    /// Where keys are made, so that finding a child allocates nothing.
    key: RefCell<Vec<u8>>,
}

impl<M: Instrument> MetricVec<M> {
    pub(crate) fn new(ledger: &Rc<Ledger>, index: u32, label_names: &[&str]) -> Self {
        let family = Family {
            ledger: Rc::clone(ledger),
            index,
            label_names: label_names.iter().map(ToString::to_string).collect(),
            children: RefCell::default(),
            key: RefCell::default(),
        };
        Self {
            family: Rc::new(family),
            metric: PhantomData,
        }
    }

    /// The instrument with these label values, in the order of the label names.
    ///
    /// # Panics
    /// If their number is not the number of label names.
    pub fn with_label_values(&self, values: &[&str]) -> M {
        self.get_metric_with_label_values(values)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The instrument with these label names and values, in any order.
    ///
    /// # Panics
    /// If the names are not the family's label names.
    pub fn with(&self, labels: &[(&str, &str)]) -> M {
        self.get_metric_with(labels)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// [`with_label_values`](Self::with_label_values) without the panic.
    ///
    /// # Errors
    /// If their number is not the number of label names.
    pub fn get_metric_with_label_values(&self, values: &[&str]) -> Result<M, LabelError> {
        let family = &*self.family;
        if values.len() != family.label_names.len() {
            return Err(family.mismatch(values));
        }
        Ok(M::from_child(family.child(values)))
    }

    /// [`with`](Self::with) without the panic.
    ///
    /// # Errors
    /// If the names are not the family's label names.
    pub fn get_metric_with(&self, labels: &[(&str, &str)]) -> Result<M, LabelError> {
        let values = self
            .family
            .in_order(labels)
            .ok_or_else(|| self.family.mismatch(labels))?;
        self.get_metric_with_label_values(&values)
    }

    /// Deletes the series with these label values; true if it was there, be it from an earlier instance of the
    /// plugin.
    pub fn delete_label_values(&self, values: &[&str]) -> bool {
        let family = &*self.family;
        if values.len() != family.label_names.len() {
            return false;
        }
        let here = family.forget(values);
        let at_host = family.ledger.remove(family.index, values);
        here || at_host
    }

    /// Deletes the series with these label names and values, given in any order; true if it was there.
    pub fn delete(&self, labels: &[(&str, &str)]) -> bool {
        self.family
            .in_order(labels)
            .is_some_and(|values| self.delete_label_values(&values))
    }

    /// Deletes every series that has all of these labels; returns how many. A name that is no label name fits none.
    pub fn delete_partial_match(&self, labels: &[(&str, &str)]) -> u32 {
        self.family.forget_matching(labels)
    }

    /// Deletes every series.
    pub fn reset(&self) {
        let family = &*self.family;
        family
            .children
            .borrow_mut()
            .drain()
            .for_each(|(_, child)| child.kill());
        family.ledger.clear(family.index);
    }
}

impl Family {
    fn child(&self, values: &[&str]) -> Rc<Child> {
        let mut key = self.key.borrow_mut();
        labels::join(values.iter().copied(), &mut key);
        let mut children = self.children.borrow_mut();
        if let Some(child) = children.get(key.as_slice()) {
            return Rc::clone(child);
        }
        let key: Rc<[u8]> = key.as_slice().into();
        let child = Child::new(&self.ledger, self.index, Rc::clone(&key));
        children.insert(key, Rc::clone(&child));
        child
    }

    fn forget(&self, values: &[&str]) -> bool {
        let mut key = self.key.borrow_mut();
        labels::join(values.iter().copied(), &mut key);
        let child = self.children.borrow_mut().remove(key.as_slice());
        child.inspect(|child| child.kill()).is_some()
    }

    fn forget_matching(&self, labels: &[(&str, &str)]) -> u32 {
        let position = |name| self.label_names.iter().position(|label| label == name);
        let wanted: Option<Vec<(usize, &str)>> = labels
            .iter()
            .map(|&(name, value)| Some((position(name)?, value)))
            .collect();
        let Some(wanted) = wanted else { return 0 };

        if self.ledger.is_connected() {
            // Then the host knows them all, those of earlier instances included, and counts each once.
            self.ledger.open_new();
        }
        let mut unknown_to_host = 0;
        self.children.borrow_mut().retain(|_, child| {
            let values = child.labels();
            let matches = wanted.iter().all(|&(place, value)| values[place] == value);
            if matches {
                child.kill();
                unknown_to_host += u32::from(child.series().is_none());
            }
            !matches
        });
        unknown_to_host + self.ledger.remove_matching(self.index, labels)
    }

    /// The values in the order of the label names, if the names are just these.
    fn in_order<'a>(&self, labels: &[(&str, &'a str)]) -> Option<Vec<&'a str>> {
        if labels.len() != self.label_names.len() {
            return None;
        }
        let value = |name: &String| labels.iter().find(|(label, _)| label == name);
        self.label_names
            .iter()
            .map(|name| value(name).map(|&(_, value)| value))
            .collect()
    }

    fn mismatch(&self, given: impl fmt::Debug) -> LabelError {
        LabelError(format!(
            "labels {given:?} do not fit the label names {:?}",
            self.label_names
        ))
    }
}

impl<M> fmt::Debug for MetricVec<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricVec")
            .field("label_names", &self.family.label_names)
            .field("children", &self.family.children.borrow().len())
            .finish_non_exhaustive()
    }
}

/// Labels that do not fit their family.
#[derive(Clone, Debug)]
pub struct LabelError(String);

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LabelError {}
