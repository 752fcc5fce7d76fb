//! Families of the `prometheus` crate, brought into our model: an embedding program's own, and the host's.

use std::{collections::BTreeMap, time::Instant};

use prometheus::proto::{Metric, MetricFamily, MetricType};

use crate::{
    desc::{Desc, HistogramOptions, Kind, SummaryOptions},
    family::Family,
    name::is_metric_name,
    sample::{HistogramValue, Sample, SampleValue, SummaryValue},
};

/// What all registries have now. The first registry that has a name keeps it.
pub(crate) fn gather(registries: &[prometheus::Registry]) -> Vec<Family> {
    let mut families: BTreeMap<String, Vec<Family>> = BTreeMap::new();
    for registry in registries {
        for family in registry.gather() {
            let name = family.name().to_owned();
            if is_metric_name(&name) && !families.contains_key(&name) {
                families.insert(name, convert(&family));
            }
        }
    }
    families.into_values().flatten().collect()
}

/// One family for each set of label names: custom collectors may mix them.
fn convert(family: &MetricFamily) -> Vec<Family> {
    // Fewer labels first, as client_golang sorts them.
    let mut by_labels: BTreeMap<(usize, Vec<String>), Vec<&Metric>> = BTreeMap::new();
    for metric in family.get_metric() {
        let names = metric
            .get_label()
            .iter()
            .map(|label| label.name().to_owned());
        let names: Vec<String> = names.collect();
        by_labels
            .entry((names.len(), names))
            .or_default()
            .push(metric);
    }
    by_labels
        .into_iter()
        .filter_map(|((_, names), metrics)| store(family, names, &metrics))
        .collect()
}

fn store(family: &MetricFamily, names: Vec<String>, metrics: &[&Metric]) -> Option<Family> {
    let kind = match family.get_field_type() {
        MetricType::COUNTER => Kind::Counter,
        MetricType::GAUGE => Kind::Gauge,
        MetricType::HISTOGRAM => Kind::Histogram(HistogramOptions {
            bounds: bounds(metrics.first()?),
            native: None,
        }),
        MetricType::SUMMARY => Kind::Summary(SummaryOptions::default()),
        MetricType::UNTYPED => Kind::Untyped,
    };
    let desc = Desc::new(family.name(), family.help(), kind).with_labels(names);
    desc.check([].into_iter()).ok()?;
    let kind = desc.kind.clone();
    let mut store = Family::new(desc, &[]);
    let samples = metrics.iter().map(|metric| sample(&kind, metric));
    // A native family that is inconsistent in itself costs itself: `replace` leaves it empty.
    store.replace(samples, Instant::now(), usize::MAX).ok()?;
    Some(store)
}

fn sample(kind: &Kind, metric: &Metric) -> Sample {
    let value = match kind {
        Kind::Counter => SampleValue::Number(metric.get_counter().value()),
        Kind::Untyped | Kind::Info => SampleValue::Number(metric.untyped.value()),
        Kind::Gauge => SampleValue::Number(metric.get_gauge().value()),
        Kind::Histogram(_) => {
            let histogram = metric.get_histogram();
            let buckets = histogram.get_bucket().iter();
            SampleValue::Histogram(HistogramValue {
                count: histogram.get_sample_count() as f64,
                sum: histogram.get_sample_sum(),
                buckets: buckets
                    .filter(|bucket| bucket.upper_bound().is_finite())
                    .map(|bucket| bucket.cumulative_count() as f64)
                    .collect(),
            })
        }
        Kind::Summary(_) => {
            let summary = metric.get_summary();
            let quantiles = summary.get_quantile().iter();
            SampleValue::Summary(SummaryValue {
                count: summary.sample_count() as f64,
                sum: summary.sample_sum(),
                quantiles: quantiles
                    .map(|each| (each.quantile(), each.value()))
                    .collect(),
            })
        }
    };
    let timestamp = metric.timestamp_ms();
    Sample {
        label_values: metric
            .get_label()
            .iter()
            .map(|label| label.value().to_owned())
            .collect(),
        value,
        timestamp_ms: (timestamp != 0).then_some(timestamp),
        created_ms: None,
    }
}

fn bounds(metric: &Metric) -> Vec<f64> {
    let buckets = metric.get_histogram().get_bucket().iter();
    buckets
        .map(|bucket| bucket.upper_bound())
        .filter(|bound| bound.is_finite())
        .collect()
}
