//! From a page into the registry.

use std::borrow::Cow;

use super::{
    kind::{Format, ParsedKind},
    model::{Label, ParsedFamily},
};
use crate::{Desc, HistogramOptions, Kind, Sample, SummaryOptions};

/// Why a family that is in order cannot be kept in a registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssembleError {
    /// Two series of a histogram have different buckets, and a [`Desc`] has one set of bounds for all.
    #[error(
        "histogram {name:?} has series with different buckets; give all of them the same bounds"
    )]
    Bounds {
        /// The family.
        name: String,
    },
    /// Series have so many different labels that giving all of them to each would cost too much memory.
    #[error(
        "metric {name:?} has more than {MAX_LABELS} different label names; give its series the same labels"
    )]
    Labels {
        /// The family.
        name: String,
    },
}

impl AssembleError {
    /// One word for the `reason` label of a metric.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Bounds { .. } => "buckets",
            Self::Labels { .. } => "labels",
        }
    }
}

/// How many label names a family may have, over all of its series.
const MAX_LABELS: usize = 128;

impl ParsedFamily<'_> {
    /// The name under which format 0.0.4 shows the family: that of its `# TYPE` line, in OpenMetrics with `_total` or
    /// `_info` behind it.
    pub fn full_name(&self) -> Cow<'_, str> {
        match (self.format, self.kind) {
            (Format::OpenMetrics, ParsedKind::Counter) => format!("{}_total", self.name).into(),
            (Format::OpenMetrics, ParsedKind::Info) => format!("{}_info", self.name).into(),
            _ => Cow::Borrowed(&self.name),
        }
    }

    /// The family as a collector would state it. Where series have different labels, each gets all of them, and empty
    /// values for those that it did not have, which is the same to Prometheus. A gauge histogram becomes a histogram and
    /// a state set a gauge, as on pages of format 0.0.4. The result is not checked: see [`Desc::check`].
    ///
    /// # Errors
    ///
    /// A family that a [`Desc`] has no words for.
    pub fn assemble(&self) -> Result<(Desc, Vec<Sample>), AssembleError> {
        let metrics = self.metrics();
        let mut label_names: Vec<Cow<'_, str>> = Vec::new();
        for metric in &metrics {
            // Nearly always all series have the same labels.
            let names = metric.labels.iter().map(Label::name);
            if !names.clone().eq(label_names.iter().cloned()) {
                label_names.extend(names);
                label_names.sort_unstable();
                label_names.dedup();
                if label_names.len() > MAX_LABELS {
                    let name = self.full_name().into_owned();
                    return Err(AssembleError::Labels { name });
                }
            }
        }
        let mut samples = Vec::with_capacity(metrics.len());
        let mut bounds: Option<Vec<f64>> = None;
        for metric in metrics {
            let mut label_values = vec![String::new(); label_names.len()];
            for label in &metric.labels {
                if let Ok(place) = label_names.binary_search(&label.name()) {
                    label_values[place] = label.value().into_owned();
                }
            }
            if *bounds.get_or_insert_with(|| metric.bounds.clone()) != metric.bounds {
                return Err(AssembleError::Bounds {
                    name: self.full_name().into_owned(),
                });
            }
            samples.push(Sample {
                label_values,
                value: metric.value,
                // Milliseconds of a double that is a time: far from the ends of an i64, which a cast stops at.
                created_ms: metric
                    .created
                    .map(|seconds| (seconds * 1000.0).round() as i64),
                timestamp_ms: metric.timestamp.map(|timestamp| timestamp.as_millis()),
            });
        }
        let desc = Desc {
            name: self.full_name().into_owned(),
            help: self.help.as_deref().unwrap_or_default().to_owned(),
            unit: self
                .unit
                .as_deref()
                .filter(|unit| !unit.is_empty())
                .map(str::to_owned),
            kind: kind(self.kind, bounds.unwrap_or_default()),
            label_names: label_names.into_iter().map(Cow::into_owned).collect(),
        };
        Ok((desc, samples))
    }
}

fn kind(kind: ParsedKind, bounds: Vec<f64>) -> Kind {
    match kind {
        ParsedKind::Counter => Kind::Counter,
        ParsedKind::Gauge | ParsedKind::StateSet => Kind::Gauge,
        ParsedKind::Histogram | ParsedKind::GaugeHistogram => Kind::Histogram(HistogramOptions {
            bounds,
            native: None,
        }),
        // Objectives are for observations; samples bring their quantiles along.
        ParsedKind::Summary => Kind::Summary(SummaryOptions::default()),
        ParsedKind::Info => Kind::Info,
        ParsedKind::Untyped => Kind::Untyped,
    }
}
