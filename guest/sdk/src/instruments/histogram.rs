//! Histograms.

use std::rc::Rc;

use super::instrument;
use crate::Exemplar;
use crate::child::Child;
use crate::host::attach;

/// Counts observations in buckets; the host does the counting.
#[derive(Clone, Debug)]
pub struct Histogram(Rc<Child>);

instrument!(Histogram);

impl Histogram {
    /// Makes one observation, in the unit of the family's name.
    #[inline]
    pub fn observe(&self, value: f64) {
        self.0.observe(value);
    }

    /// Makes one observation and attaches an exemplar to its bucket, in place of the one before.
    pub fn observe_with_exemplar(&self, value: f64, exemplar: impl Into<Exemplar>) {
        self.observe(value);
        self.0.attach(value, exemplar.into(), attach);
    }
}
