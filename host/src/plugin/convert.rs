//! Words of the contract into words of the metric model.

use std::time::Duration;

use meterbox_metrics as model;

use crate::engine::bindings::metric_types as wit;

/// client_golang's default, 2^-128.
const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;

/// What OpenTelemetry takes, too.
const MAX_BUCKETS: u32 = 160;

pub(super) fn desc(desc: wit::Desc) -> model::Desc {
    model::Desc {
        name: desc.name,
        help: desc.help,
        unit: desc.unit,
        kind: kind(desc.kind),
        label_names: desc.label_names,
    }
}

fn kind(kind: wit::Kind) -> model::Kind {
    match kind {
        wit::Kind::Counter => model::Kind::Counter,
        wit::Kind::Gauge => model::Kind::Gauge,
        wit::Kind::Info => model::Kind::Info,
        wit::Kind::Untyped => model::Kind::Untyped,
        wit::Kind::Histogram(options) => model::Kind::Histogram(model::HistogramOptions {
            bounds: options.bounds,
            native: options.native.map(native),
        }),
        wit::Kind::Summary(options) => model::Kind::Summary(summary(&options)),
    }
}

fn native(options: wit::NativeOptions) -> model::NativeOptions {
    let wit::NativeOptions {
        factor,
        zero_threshold,
        max_buckets,
    } = options;
    model::NativeOptions {
        factor,
        zero_threshold: if zero_threshold == 0.0 {
            ZERO_THRESHOLD
        } else {
            zero_threshold
        },
        max_buckets: if max_buckets == 0 {
            MAX_BUCKETS
        } else {
            max_buckets
        },
    }
}

fn summary(options: &wit::SummaryOptions) -> model::SummaryOptions {
    let default = model::SummaryOptions::default();
    let mut objectives: Vec<_> = options
        .objectives
        .iter()
        .map(|each| (each.quantile, each.error))
        .collect();
    objectives.sort_by(|a, b| a.0.total_cmp(&b.0));
    model::SummaryOptions {
        objectives,
        max_age: match options.max_age_ms {
            0 => default.max_age,
            millis => Duration::from_millis(millis.into()),
        },
        age_buckets: match options.age_buckets {
            0 => default.age_buckets,
            buckets => buckets,
        },
    }
}

/// Pairs of family number and sample.
pub(super) fn samples(samples: Vec<wit::Sample>) -> Vec<(u32, model::Sample)> {
    samples
        .into_iter()
        .map(|sample| (sample.family, self::sample(sample)))
        .collect()
}

fn sample(sample: wit::Sample) -> model::Sample {
    let value = match sample.value {
        wit::Value::Number(number) => model::SampleValue::Number(number),
        wit::Value::Histogram(wit::HistogramValue {
            count,
            sum,
            buckets,
        }) => model::SampleValue::Histogram(model::HistogramValue {
            count,
            sum,
            buckets,
        }),
        wit::Value::NativeHistogram(value) => {
            model::SampleValue::NativeHistogram(Box::new(native_histogram(value)))
        }
        wit::Value::Summary(wit::SummaryValue {
            count,
            sum,
            quantiles,
        }) => model::SampleValue::Summary(model::SummaryValue {
            count,
            sum,
            quantiles,
        }),
    };
    model::Sample {
        label_values: sample.label_values,
        value,
        timestamp_ms: sample.timestamp_ms.map(|millis| millis as i64),
        created_ms: sample.created_ms.map(|millis| millis as i64),
    }
}

fn native_histogram(value: wit::NativeHistogramValue) -> model::NativeHistogramValue {
    let spans = |spans: Vec<wit::BucketSpan>| {
        spans
            .into_iter()
            .map(|span| (span.offset, span.length))
            .collect()
    };
    model::NativeHistogramValue {
        count: value.count,
        sum: value.sum,
        schema: value.schema,
        zero_threshold: value.zero_threshold,
        zero_count: value.zero_count,
        negative_spans: spans(value.negative_spans),
        negative_counts: value.negative_counts,
        positive_spans: spans(value.positive_spans),
        positive_counts: value.positive_counts,
    }
}
