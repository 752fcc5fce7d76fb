//! Samples: series as a collector states them, which replace what their families held. Client libraries call them const
//! metrics.

use crate::{
    desc::{Desc, Kind},
    session::Quota,
};

/// One series as it stands now.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// One for each label name of the family, in its order.
    pub label_values: Vec<String>,
    /// The value; its case fits the kind of the family.
    pub value: SampleValue,
    /// When the value was read, milliseconds since 1970; `None` for now.
    pub timestamp_ms: Option<i64>,
    /// When a counter, histogram or summary began to count, milliseconds since 1970, if that is known.
    pub created_ms: Option<i64>,
}

/// The value of a sample.
#[derive(Clone, Debug, PartialEq)]
pub enum SampleValue {
    /// Counter, gauge, info and untyped.
    Number(f64),
    /// A histogram made elsewhere.
    Histogram(HistogramValue),
    /// A native histogram made elsewhere.
    NativeHistogram(Box<NativeHistogramValue>),
    /// A summary made elsewhere.
    Summary(SummaryValue),
}

/// A histogram made elsewhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistogramValue {
    /// How many observations.
    pub count: f64,
    /// What they add up to.
    pub sum: f64,
    /// Cumulative counts, one for each bound of the family, without +Inf.
    pub buckets: Vec<f64>,
}

/// A native histogram made elsewhere: buckets whose bounds grow by 2^(2^-schema).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NativeHistogramValue {
    /// How many observations.
    pub count: f64,
    /// What they add up to.
    pub sum: f64,
    /// From -4 to 8.
    pub schema: i32,
    /// Up to this distance from zero, observations share the zero bucket.
    pub zero_threshold: f64,
    /// How many observations the zero bucket holds.
    pub zero_count: f64,
    /// Runs of buckets below zero: how many are skipped since the last run (the first: since bucket 0), and how many
    /// follow.
    pub negative_spans: Vec<(i32, u32)>,
    /// Absolute counts, one for each bucket of the runs.
    pub negative_counts: Vec<f64>,
    /// Runs of buckets above zero.
    pub positive_spans: Vec<(i32, u32)>,
    /// Absolute counts, one for each bucket of the runs.
    pub positive_counts: Vec<f64>,
}

/// A summary made elsewhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SummaryValue {
    /// How many observations.
    pub count: f64,
    /// What they add up to.
    pub sum: f64,
    /// Pairs of quantile and value, ascending by quantile.
    pub quantiles: Vec<(f64, f64)>,
}

/// Why a family's samples were refused, all of them: half a family would be a lie.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SampleError {
    /// `describe` named no such family.
    #[error("a sample of family number {0}, which describe did not return")]
    UnknownFamily(u32),
    /// The family already reports through instruments.
    #[error("metric {name:?} reports through instruments and cannot have samples too")]
    Mixed {
        /// The family.
        name: String,
    },
    /// Too many or too few label values.
    #[error(
        "metric {name:?}: inconsistent label cardinality: expected {expected} label values but got {got:?}"
    )]
    LabelCount {
        /// The family.
        name: String,
        /// How many label names it has.
        expected: usize,
        /// The values that came.
        got: Vec<String>,
    },
    /// Two samples with the same labels.
    #[error(
        "collected metric {name:?} {{{labels}}} was collected before with the same label values"
    )]
    Duplicate {
        /// The family.
        name: String,
        /// Its rendered labels.
        labels: String,
    },
    /// A value that its kind cannot have.
    #[error("metric {name:?}: {what}")]
    Value {
        /// The family.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// The plugin has as many series as it may.
    #[error("metric {name:?}: the plugin's limit of {limit} series is used up")]
    SeriesLimit {
        /// The family.
        name: String,
        /// The limit.
        limit: usize,
    },
    /// A sample is larger than it may be.
    #[error("metric {name:?}: {limit}")]
    Limit {
        /// The family.
        name: String,
        /// What it has too much of.
        limit: Quota,
    },
}

impl SampleError {
    /// One word for the `reason` label of a metric.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnknownFamily(_) => "unknown_family",
            Self::Mixed { .. } => "mixed",
            Self::LabelCount { .. } => "label_count",
            Self::Duplicate { .. } => "duplicate",
            Self::Value { .. } => "value",
            Self::SeriesLimit { .. } => "series_limit",
            Self::Limit { .. } => "limit",
        }
    }
}

/// Checks a sample against its family.
pub(crate) fn check(desc: &Desc, sample: &Sample) -> Result<(), SampleError> {
    if sample.label_values.len() != desc.label_names.len() {
        return Err(SampleError::LabelCount {
            name: desc.name.clone(),
            expected: desc.label_names.len(),
            got: sample.label_values.clone(),
        });
    }
    check_value(desc, &sample.value).map_err(|what| SampleError::Value {
        name: desc.name.clone(),
        what,
    })
}

fn check_value(desc: &Desc, value: &SampleValue) -> Result<(), String> {
    match (&desc.kind, value) {
        (Kind::Counter, SampleValue::Number(number)) if !(*number >= 0.0) => {
            Err(format!("a counter cannot be {number}"))
        }
        (Kind::Info, SampleValue::Number(number)) if *number != 1.0 => {
            Err(format!("an info is always 1, not {number}"))
        }
        (Kind::Counter | Kind::Gauge | Kind::Info | Kind::Untyped, SampleValue::Number(_)) => {
            Ok(())
        }
        (Kind::Histogram(options), SampleValue::Histogram(histogram)) => {
            let HistogramValue { count, buckets, .. } = histogram;
            if buckets.len() != options.bounds.len() {
                let (got, wanted) = (buckets.len(), options.bounds.len());
                return Err(format!("{got} buckets where the family has {wanted}"));
            }
            let mut counts = buckets.iter().chain([count]);
            let mut before = 0.0;
            match counts.find(|next| !(**next >= std::mem::replace(&mut before, **next))) {
                Some(bad) => Err(format!("bucket counts are not cumulative at {bad}")),
                None => Ok(()),
            }
        }
        (Kind::Histogram(_), SampleValue::NativeHistogram(histogram)) => histogram.check(),
        (Kind::Summary(_), SampleValue::Summary(summary)) => {
            if !(summary.count >= 0.0) {
                return Err(format!("a count cannot be {}", summary.count));
            }
            let mut before = -1.0;
            for &(quantile, _) in &summary.quantiles {
                if !(0.0..=1.0).contains(&quantile) || quantile <= before {
                    return Err(format!(
                        "quantile {quantile} is out of range or out of order"
                    ));
                }
                before = quantile;
            }
            Ok(())
        }
        (kind, value) => {
            let value = match value {
                SampleValue::Number(_) => "number",
                SampleValue::Histogram(_) => "histogram",
                SampleValue::NativeHistogram(_) => "native histogram",
                SampleValue::Summary(_) => "summary",
            };
            Err(format!("a {value} is no value for a {}", kind.text_name()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desc::HistogramOptions;

    fn refused(kind: Kind, value: SampleValue) -> String {
        let sample = Sample {
            label_values: Vec::new(),
            value,
            timestamp_ms: None,
            created_ms: None,
        };
        check(&Desc::new("x", "", kind), &sample)
            .expect_err("must be refused")
            .to_string()
    }

    #[test]
    fn says_what_is_wrong() {
        let histogram = || {
            Kind::Histogram(HistogramOptions {
                bounds: vec![1.0, 2.0],
                native: None,
            })
        };
        let buckets = |buckets: &[f64]| {
            let buckets = buckets.to_vec();
            SampleValue::Histogram(HistogramValue {
                count: 3.0,
                sum: 0.0,
                buckets,
            })
        };
        let cases = [
            (
                Kind::Counter,
                SampleValue::Number(-1.0),
                "a counter cannot be -1",
            ),
            (
                Kind::Counter,
                SampleValue::Number(f64::NAN),
                "a counter cannot be NaN",
            ),
            (
                Kind::Info,
                SampleValue::Number(2.0),
                "an info is always 1, not 2",
            ),
            (
                Kind::Gauge,
                buckets(&[]),
                "a histogram is no value for a gauge",
            ),
            (
                histogram(),
                buckets(&[1.0]),
                "1 buckets where the family has 2",
            ),
            (
                histogram(),
                buckets(&[2.0, 1.0]),
                "bucket counts are not cumulative at 1",
            ),
            (
                histogram(),
                buckets(&[2.0, 4.0]),
                "bucket counts are not cumulative at 3",
            ),
            (
                histogram(),
                buckets(&[f64::NAN, 1.0]),
                "bucket counts are not cumulative at NaN",
            ),
        ];
        for (kind, value, wanted) in cases {
            assert_eq!(refused(kind, value), format!("metric \"x\": {wanted}"));
        }
    }
}
