//! What a family is: the Desc of client libraries, checked once.

use std::time::Duration;

use crate::name::{is_label_name, is_metric_name};

/// One family. Its fields say what was asked for; [`Desc::check`] says whether that can be served.
#[derive(Clone, Debug, PartialEq)]
pub struct Desc {
    /// The full name, such as `http_requests_total`.
    pub name: String,
    /// One sentence for people.
    pub help: String,
    /// A base unit that the name ends in, such as `seconds`.
    pub unit: Option<String>,
    /// The type, with its options.
    pub kind: Kind,
    /// Names of the labels that differ from series to series, in the order in which values are given.
    pub label_names: Vec<String>,
}

/// What a family measures.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A total that only grows.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// Observations counted in buckets.
    Histogram(HistogramOptions),
    /// Observations with quantiles.
    Summary(SummaryOptions),
    /// A constant 1 whose labels are the message.
    Info,
    /// A number of unknown type.
    Untyped,
}

/// Buckets of a histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistogramOptions {
    /// Upper bounds, inclusive, strictly ascending, without +Inf.
    pub bounds: Vec<f64>,
    /// Sparse buckets, which the protobuf format alone can carry.
    pub native: Option<NativeOptions>,
}

/// Sparse buckets whose bounds grow by a factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NativeOptions {
    /// Greater than 1.
    pub factor: f64,
    /// Observations closer to zero than this share one bucket.
    pub zero_threshold: f64,
    /// How many buckets may be in use before the resolution is halved.
    pub max_buckets: u32,
}

/// How a summary computes its quantiles, and how it forgets.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryOptions {
    /// Pairs of quantile and allowed rank error, ascending by quantile.
    pub objectives: Vec<(f64, f64)>,
    /// How long an observation counts towards the quantiles. Count and sum never forget.
    pub max_age: Duration,
    /// In how many steps `max_age` passes; each costs one more insertion for every observation.
    pub age_buckets: u32,
}

impl SummaryOptions {
    /// client_golang's default: 10 minutes.
    pub const DEFAULT_MAX_AGE: Duration = Duration::from_secs(600);
    /// client_golang's default.
    pub const DEFAULT_AGE_BUCKETS: u32 = 5;
    /// More steps than this cost more than anybody can want.
    pub const MOST_AGE_BUCKETS: u32 = 100;
}

impl Default for SummaryOptions {
    fn default() -> Self {
        Self {
            objectives: Vec::new(),
            max_age: Self::DEFAULT_MAX_AGE,
            age_buckets: Self::DEFAULT_AGE_BUCKETS,
        }
    }
}

impl Kind {
    /// The word of the `# TYPE` line in text format 0.0.4, which knows no info type.
    pub fn text_name(&self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge | Self::Info => "gauge",
            Self::Histogram(_) => "histogram",
            Self::Summary(_) => "summary",
            Self::Untyped => "untyped",
        }
    }

    /// Suffixes that the text formats append to the family's name to make the names of its samples.
    pub fn suffixes(&self) -> &'static [&'static str] {
        match self {
            Self::Histogram(_) => &["_bucket", "_count", "_sum"],
            Self::Summary(_) => &["_count", "_sum"],
            _ => &[],
        }
    }

    /// Whether its series count from a moment on, which some formats show.
    pub fn has_created(&self) -> bool {
        matches!(self, Self::Counter | Self::Histogram(_) | Self::Summary(_))
    }

    /// Whether a series of this kind is one number.
    pub fn is_number(&self) -> bool {
        !matches!(self, Self::Histogram(_) | Self::Summary(_))
    }
}

/// Why a family cannot be served.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DescError {
    /// Empty.
    #[error("{0:?} is not a valid metric name")]
    MetricName(String),
    /// Empty, or it starts with `__`.
    #[error("{label:?} is not a valid label name for metric {name:?}")]
    LabelName {
        /// The family.
        name: String,
        /// The label.
        label: String,
    },
    /// The same label twice, perhaps once as a constant label of the config.
    #[error("duplicate label name {label:?} in metric {name:?}")]
    DuplicateLabel {
        /// The family.
        name: String,
        /// The label.
        label: String,
    },
    /// `le` and `quantile` belong to the encoder.
    #[error("{label:?} is not allowed as label name in {kind} {name:?}")]
    ReservedLabel {
        /// The family.
        name: String,
        /// The label.
        label: &'static str,
        /// What kind of family it is.
        kind: &'static str,
    },
    /// Bounds or quantiles out of order or out of range.
    #[error("metric {name:?}: {what}")]
    Options {
        /// The family.
        name: String,
        /// What is wrong with them.
        what: String,
    },
    /// The unit is no suffix of the name.
    #[error("unit {unit:?} is not a suffix of metric {name:?}")]
    Unit {
        /// The family.
        name: String,
        /// The unit.
        unit: String,
    },
}

impl Desc {
    /// Whether one of its samples is called this in any format, but not the family itself.
    pub(crate) fn has_sample(&self, name: &str) -> bool {
        let suffix = name.strip_prefix(self.name.as_str());
        if suffix.is_some_and(|suffix| self.kind.suffixes().contains(&suffix)) {
            return true;
        }
        // OpenMetrics says when `a_total` began in `a_created`.
        let base = match self.kind {
            Kind::Counter => self.name.strip_suffix("_total").unwrap_or(&self.name),
            _ => &self.name,
        };
        self.kind.has_created() && name.strip_suffix("_created") == Some(base)
    }

    /// A family without labels or unit.
    pub fn new(name: impl Into<String>, help: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            help: help.into(),
            unit: None,
            kind,
            label_names: Vec::new(),
        }
    }

    /// The same family with these labels.
    #[must_use]
    pub fn with_labels<I: IntoIterator<Item: Into<String>>>(mut self, names: I) -> Self {
        self.label_names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Checks names, labels, unit and options; `const_labels` are the names of the constant labels that come on top.
    pub fn check<'a>(
        &'a self,
        const_labels: impl Iterator<Item = &'a str>,
    ) -> Result<(), DescError> {
        let name = || self.name.clone();
        if !is_metric_name(&self.name) {
            return Err(DescError::MetricName(name()));
        }
        let mut seen = Vec::new();
        for label in const_labels.chain(self.label_names.iter().map(String::as_str)) {
            if !is_label_name(label) {
                let label = label.to_owned();
                return Err(DescError::LabelName {
                    name: name(),
                    label,
                });
            }
            if seen.contains(&label) {
                let label = label.to_owned();
                return Err(DescError::DuplicateLabel {
                    name: name(),
                    label,
                });
            }
            if let (Kind::Histogram(_), "le") | (Kind::Summary(_), "quantile") = (&self.kind, label)
            {
                return Err(DescError::ReservedLabel {
                    name: name(),
                    label: if label == "le" { "le" } else { "quantile" },
                    kind: self.kind.text_name(),
                });
            }
            seen.push(label);
        }
        if let Some(unit) = &self.unit {
            let base = self.name.strip_suffix("_total").unwrap_or(&self.name);
            let fits = base
                .strip_suffix(unit.as_str())
                .is_some_and(|rest| rest.ends_with('_'));
            if !fits {
                return Err(DescError::Unit {
                    name: name(),
                    unit: unit.clone(),
                });
            }
        }
        self.check_options()
            .map_err(|what| DescError::Options { name: name(), what })
    }

    fn check_options(&self) -> Result<(), String> {
        match &self.kind {
            Kind::Histogram(options) => check_histogram(options),
            Kind::Summary(options) => check_summary(options),
            _ => Ok(()),
        }
    }
}

fn check_histogram(options: &HistogramOptions) -> Result<(), String> {
    if let Some(bad) = options.bounds.iter().find(|bound| !bound.is_finite()) {
        return Err(format!(
            "bucket bound {bad} is not a finite number (+Inf is added by itself)"
        ));
    }
    if let Some(pair) = options.bounds.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(format!(
            "histogram buckets must be in increasing order: {} >= {}",
            pair[0], pair[1]
        ));
    }
    match options.native {
        Some(native) if !(native.factor > 1.0 && native.factor.is_finite()) => Err(format!(
            "native bucket factor {} is not above 1",
            native.factor
        )),
        Some(native) if !(native.zero_threshold >= 0.0 && native.zero_threshold.is_finite()) => {
            Err(format!(
                "native zero threshold {} is negative",
                native.zero_threshold
            ))
        }
        _ => Ok(()),
    }
}

fn check_summary(options: &SummaryOptions) -> Result<(), String> {
    for &(quantile, error) in &options.objectives {
        if !(0.0..=1.0).contains(&quantile) || !(0.0..=1.0).contains(&error) {
            return Err(format!(
                "objective {quantile} ± {error} is not between 0 and 1"
            ));
        }
    }
    if let Some(pair) = options
        .objectives
        .windows(2)
        .find(|pair| pair[0].0 >= pair[1].0)
    {
        return Err(format!(
            "quantile {} comes twice or out of order",
            pair[1].0
        ));
    }
    if options.age_buckets == 0 || options.age_buckets > SummaryOptions::MOST_AGE_BUCKETS {
        return Err(format!(
            "{} age buckets; from 1 to {} are possible",
            options.age_buckets,
            SummaryOptions::MOST_AGE_BUCKETS
        ));
    }
    if options.max_age.is_zero() {
        return Err("a max age of 0 forgets everything at once".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(desc: &Desc) -> String {
        desc.check(["zone"].into_iter())
            .expect_err("must be refused")
            .to_string()
    }

    #[test]
    fn says_what_is_wrong() {
        let histogram = |bounds: &[f64]| {
            Kind::Histogram(HistogramOptions {
                bounds: bounds.to_vec(),
                native: None,
            })
        };
        let cases = [
            (
                Desc::new("", "", Kind::Gauge),
                "\"\" is not a valid metric name",
            ),
            (
                Desc::new("a", "", Kind::Gauge).with_labels(["__x"]),
                "\"__x\" is not a valid label name for metric \"a\"",
            ),
            (
                Desc::new("a", "", Kind::Gauge).with_labels(["zone"]),
                "duplicate label name \"zone\" in metric \"a\"",
            ),
            (
                Desc::new("a", "", histogram(&[])).with_labels(["le"]),
                "\"le\" is not allowed as label name in histogram \"a\"",
            ),
            (
                Desc::new("a", "", histogram(&[1.0, 1.0])),
                "metric \"a\": histogram buckets must be in increasing order: 1 >= 1",
            ),
            (
                Desc {
                    unit: Some("seconds".into()),
                    ..Desc::new("aseconds", "", Kind::Gauge)
                },
                "unit \"seconds\" is not a suffix of metric \"aseconds\"",
            ),
        ];
        for (desc, wanted) in cases {
            assert_eq!(complaint(&desc), wanted);
        }
    }

    #[test]
    fn a_unit_stands_before_total() {
        let desc = Desc {
            unit: Some("bytes".into()),
            ..Desc::new("sent_bytes_total", "", Kind::Counter)
        };
        assert_eq!(desc.check([].into_iter()), Ok(()));
    }
}
