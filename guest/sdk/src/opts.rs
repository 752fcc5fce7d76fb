//! What a family is made with, beyond its name.

use std::time::Duration;

use crate::bindings::collector::meterbox::plugin::metric_types as wit;
use crate::buckets::DEFAULT_BUCKETS;

/// Name, help and unit of a family.
#[derive(Clone, Debug)]
pub struct Opts {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) unit: Option<String>,
}

impl Opts {
    /// The full name, with unit and suffix, and one sentence for people.
    pub fn new(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            help: help.into(),
            unit: None,
        }
    }

    /// A base unit in the plural: `seconds`, `bytes`. The name must end in it (before `_total`); it is not added.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }
}

/// Buckets of a histogram. By default the bounds are [`DEFAULT_BUCKETS`] and there are no native buckets.
///
/// Whatever lists upper bounds converts into it.
#[derive(Clone, Debug)]
pub struct HistogramOpts {
    bounds: Vec<f64>,
    native: Option<NativeOpts>,
}

impl HistogramOpts {
    /// Upper bounds, inclusive and strictly ascending, without the +Inf that always follows. None at all is fine for
    /// a histogram that has native buckets.
    pub fn new(bounds: impl Into<Vec<f64>>) -> Self {
        Self {
            bounds: bounds.into(),
            native: None,
        }
    }

    /// Has native buckets too. They travel in the protobuf format only.
    pub fn native(mut self, native: NativeOpts) -> Self {
        self.native = Some(native);
        self
    }
}

impl Default for HistogramOpts {
    fn default() -> Self {
        Self::new(DEFAULT_BUCKETS)
    }
}

impl<B: Into<Vec<f64>>> From<B> for HistogramOpts {
    fn from(bounds: B) -> Self {
        Self::new(bounds)
    }
}

/// Sparse buckets whose bounds grow by a factor.
#[derive(Clone, Debug)]
pub struct NativeOpts(wit::NativeOptions);

impl NativeOpts {
    /// Each bound is at most `factor` times the one before; it must be greater than 1, and 1.1 is a good choice.
    pub fn new(factor: f64) -> Self {
        Self(wit::NativeOptions {
            factor,
            zero_threshold: 0.0,
            max_buckets: 0,
        })
    }

    /// Observations closer to zero than this share one bucket. The default is 2^-128.
    pub fn zero_threshold(mut self, threshold: f64) -> Self {
        self.0.zero_threshold = threshold;
        self
    }

    /// When more buckets than this are in use the resolution is halved. The default is 160.
    pub fn max_buckets(mut self, buckets: u32) -> Self {
        self.0.max_buckets = buckets;
        self
    }
}

/// What a summary reports. By default it has a count and a sum only.
///
/// A list of objectives converts into it.
#[derive(Clone, Debug, Default)]
pub struct SummaryOpts {
    objectives: Vec<(f64, f64)>,
    max_age: Duration,
    age_buckets: u32,
}

impl SummaryOpts {
    /// Pairs of a quantile and the rank error allowed for it, all between 0 and 1: `(0.9, 0.01)` gives a value whose
    /// rank lies between 0.89 and 0.91.
    pub fn new(objectives: impl Into<Vec<(f64, f64)>>) -> Self {
        Self {
            objectives: objectives.into(),
            ..Self::default()
        }
    }

    /// How far back the quantiles look, in whole milliseconds. The default is 10 minutes.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// In how many steps observations are forgotten. The default is 5.
    pub fn age_buckets(mut self, buckets: u32) -> Self {
        self.age_buckets = buckets;
        self
    }
}

impl<O: Into<Vec<(f64, f64)>>> From<O> for SummaryOpts {
    fn from(objectives: O) -> Self {
        Self::new(objectives)
    }
}

impl From<HistogramOpts> for wit::Kind {
    fn from(opts: HistogramOpts) -> Self {
        let native = opts.native.map(|NativeOpts(native)| native);
        Self::Histogram(wit::HistogramOptions {
            bounds: opts.bounds,
            native,
        })
    }
}

impl From<SummaryOpts> for wit::Kind {
    fn from(opts: SummaryOpts) -> Self {
        let objectives = opts.objectives.iter();
        Self::Summary(wit::SummaryOptions {
            objectives: objectives
                .map(|&(quantile, error)| wit::Objective { quantile, error })
                .collect(),
            max_age_ms: whole_millis(opts.max_age),
            age_buckets: opts.age_buckets,
        })
    }
}

/// Milliseconds as the contract counts them; what is too long for it is as long as can be.
pub(crate) fn whole_millis(duration: Duration) -> u32 {
    duration.as_millis().try_into().unwrap_or(u32::MAX)
}
