//! Gauges.

use std::rc::Rc;

use super::instrument;
use crate::child::Child;

/// A number that rises and falls.
///
/// Adding and setting in one call fold into one change. Several instances of a plugin may add to the same gauge; when
/// they set it the last one wins.
#[derive(Clone, Debug)]
pub struct Gauge(Rc<Child>);

instrument!(Gauge);

impl Gauge {
    /// Sets the value.
    #[inline]
    pub fn set(&self, to: f64) {
        self.0.set(to);
    }

    /// Adds `by`, which may be negative.
    #[inline]
    pub fn add(&self, by: f64) {
        self.0.add(by);
    }

    /// Subtracts `by`.
    #[inline]
    pub fn sub(&self, by: f64) {
        self.0.add(-by);
    }

    /// Adds 1.
    #[inline]
    pub fn inc(&self) {
        self.0.add(1.0);
    }

    /// Subtracts 1.
    #[inline]
    pub fn dec(&self) {
        self.0.add(-1.0);
    }
}
