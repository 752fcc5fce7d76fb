//! Summaries.

use std::rc::Rc;

use super::instrument;
use crate::child::Child;

/// Reports quantiles of what was observed lately; the host computes them.
#[derive(Clone, Debug)]
pub struct Summary(Rc<Child>);

instrument!(Summary);

impl Summary {
    /// Makes one observation, in the unit of the family's name.
    #[inline]
    pub fn observe(&self, value: f64) {
        self.0.observe(value);
    }
}
