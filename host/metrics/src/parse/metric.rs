//! Lines of a family put together: one histogram, one summary, one number.

use super::{
    kind::{ParsedKind, Suffix},
    model::{Exemplar, Label, ParsedFamily, Row},
    number::{Timestamp, float},
};
use crate::{HistogramValue, SampleValue, SummaryValue};

/// A metric of a page, made of one line or several. Where OpenMetrics states it for several moments, the last one counts.
#[derive(Clone, Debug)]
pub struct ParsedMetric<'f, 'a> {
    /// In the order of its first line, without `le` and `quantile`.
    pub labels: Vec<Label<'a>>,
    /// A number for all but histograms and summaries. A sum that the page does not give is NaN, a count that it does not
    /// give is that of the +Inf bucket.
    pub value: SampleValue,
    /// Of a histogram: upper bounds, without +Inf, one for each of its buckets.
    pub bounds: Vec<f64>,
    /// When the value was read.
    pub timestamp: Option<Timestamp>,
    /// When the metric began to count, seconds since 1970.
    pub created: Option<f64>,
    /// With the number of the bucket that each is of, +Inf being the last; 0 for a counter.
    pub exemplars: Vec<(usize, &'f Exemplar<'a>)>,
}

impl<'a> ParsedFamily<'a> {
    /// The metrics of the family, in the order of their first lines. A state set has one for each state.
    pub fn metrics(&self) -> Vec<ParsedMetric<'_, 'a>> {
        let mut metrics: Vec<ParsedMetric<'_, 'a>> = Vec::new();
        // By number of metric; numbers count up from 0.
        let mut places: Vec<usize> = Vec::new();
        for row in &self.rows {
            let place = match places.get(row.metric as usize) {
                None => {
                    places.push(metrics.len());
                    metrics.push(self.start(row));
                    metrics.len() - 1
                }
                // Each state is a series of its own, as Prometheus knows no state sets.
                Some(first) if self.kind == ParsedKind::StateSet => {
                    if metrics[*first].timestamp != row.timestamp {
                        metrics.truncate(*first);
                    }
                    metrics.push(self.start(row));
                    metrics.len() - 1
                }
                Some(place) => {
                    if metrics[*place].timestamp != row.timestamp {
                        metrics[*place] = self.start(row);
                    }
                    *place
                }
            };
            let metric = &mut metrics[place];
            metric.add(row, self.row_labels(row), self.kind.own_label(&self.name));
        }
        for metric in &mut metrics {
            if let SampleValue::Summary(summary) = &mut metric.value {
                summary
                    .quantiles
                    .sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            }
        }
        metrics
    }

    fn start(&self, row: &Row<'_>) -> ParsedMetric<'_, 'a> {
        let (own, value) = match self.kind {
            ParsedKind::Histogram | ParsedKind::GaugeHistogram => {
                let value = HistogramValue {
                    sum: f64::NAN,
                    ..HistogramValue::default()
                };
                (Some("le"), SampleValue::Histogram(value))
            }
            ParsedKind::Summary => {
                let value = SummaryValue {
                    sum: f64::NAN,
                    ..SummaryValue::default()
                };
                (Some("quantile"), SampleValue::Summary(value))
            }
            _ => (None, SampleValue::Number(f64::NAN)),
        };
        let labels = self.row_labels(row).iter();
        ParsedMetric {
            labels: labels
                .filter(|label| !own.is_some_and(|own| label.is_named(own)))
                .copied()
                .collect(),
            value,
            bounds: Vec::new(),
            timestamp: row.timestamp,
            created: None,
            exemplars: Vec::new(),
        }
    }
}

impl<'f, 'a> ParsedMetric<'f, 'a> {
    fn add(&mut self, row: &'f Row<'a>, labels: &[Label<'_>], own: Option<&str>) {
        if row.suffix == Suffix::Created {
            self.created = Some(row.value);
            return;
        }
        if let Some(exemplar) = &row.exemplar {
            self.exemplars.push((self.bounds.len(), exemplar));
        }
        // Was read as a number before, or the page would have been refused.
        let bound = || {
            let label = labels
                .iter()
                .find(|label| own.is_some_and(|own| label.is_named(own)))?;
            float(&label.value())
        };
        match (&mut self.value, row.suffix) {
            (SampleValue::Histogram(histogram), Suffix::Bucket) => match bound() {
                Some(bound) if bound < f64::INFINITY => {
                    self.bounds.push(bound);
                    histogram.buckets.push(row.value);
                }
                _ => histogram.count = row.value,
            },
            (SampleValue::Histogram(histogram), Suffix::Sum | Suffix::GSum) => {
                histogram.sum = row.value;
            }
            // Native ones do not come as text.
            (SampleValue::Histogram(_) | SampleValue::NativeHistogram(_), _) => {}
            (SampleValue::Summary(summary), Suffix::Count) => summary.count = row.value,
            (SampleValue::Summary(summary), Suffix::Sum) => summary.sum = row.value,
            (SampleValue::Summary(summary), _) => {
                summary
                    .quantiles
                    .extend(bound().map(|bound| (bound, row.value)));
            }
            (SampleValue::Number(number), _) => *number = row.value,
        }
    }
}
