//! Counters.

use std::rc::Rc;

use super::instrument;
use crate::child::Child;

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
}
