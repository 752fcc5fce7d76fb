//! Histograms.

use std::rc::Rc;

use super::instrument;
use crate::child::Child;

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
}
