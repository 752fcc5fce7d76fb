//! Instruments: handles that count inside the plugin. The host hears of it at the end of each call.
//!
//! A handle is cheap to clone, and clones are the same instrument.

mod counter;
mod gauge;
mod histogram;
mod summary;
mod vec;

pub use counter::Counter;
pub use gauge::Gauge;
pub use histogram::Histogram;
pub use summary::Summary;
pub use vec::{CounterVec, GaugeVec, HistogramVec, Instrument, LabelError, MetricVec, SummaryVec};

/// Makes an instrument out of its series. Only this crate can.
pub(crate) mod sealed {
    pub trait FromChild {
        fn from_child(child: std::rc::Rc<crate::child::Child>) -> Self;
    }
}

/// `$name` wraps a child.
macro_rules! instrument {
    ($name:ident) => {
        impl crate::instruments::sealed::FromChild for $name {
            fn from_child(child: std::rc::Rc<crate::child::Child>) -> Self {
                Self(child)
            }
        }
        impl crate::instruments::Instrument for $name {}
    };
}
use instrument;
