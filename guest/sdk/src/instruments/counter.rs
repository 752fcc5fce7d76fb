//! Counters.

use std::rc::Rc;

use super::instrument;
use crate::Exemplar;
use crate::child::Child;
use crate::host::attach;

/// A number that only rises. The host keeps it, so it survives this instance of the plugin.
#[derive(Clone, Debug)]
pub struct Counter(Rc<Child>);

instrument!(Counter);

impl Counter {
    /// Adds 1.
    #[inline]
    pub fn inc(&self) {
        self.0.inc();
    }

    /// Adds `by`.
    ///
    /// # Panics
    /// If `by` is negative or NaN.
    #[inline]
    pub fn inc_by(&self, by: f64) {
        assert!(by >= 0.0, "counter cannot decrease in value");
        self.0.add(by);
    }

    /// Adds 1 and attaches an exemplar, in place of the one before.
    pub fn inc_with_exemplar(&self, exemplar: impl Into<Exemplar>) {
        self.add_with_exemplar(1.0, exemplar);
    }

    /// Adds `by` and attaches an exemplar, in place of the one before.
    ///
    /// # Panics
    /// If `by` is negative or NaN.
    pub fn add_with_exemplar(&self, by: f64, exemplar: impl Into<Exemplar>) {
        self.inc_by(by);
        self.0.attach(by, exemplar.into(), attach);
    }
}
