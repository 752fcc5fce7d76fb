//! Families of every kind, with what is hard about each.

use meterbox_metrics::{
    Desc, Exemplar, HistogramOptions, HistogramValue, Kind, NativeHistogramValue, NativeOptions,
    Sample, SampleValue, SummaryOptions, SummaryValue,
};

use super::{Bench, values};

/// When samples say that they began: a quarter of a second past 2017-07-14 02:40.
const CREATED_MS: i64 = 1_500_000_000_250;

fn histogram(bounds: &[f64]) -> Kind {
    Kind::Histogram(HistogramOptions {
        bounds: bounds.to_vec(),
        native: None,
    })
}

fn number(labels: &[&str], value: f64) -> Sample {
    sample(labels, SampleValue::Number(value))
}

fn sample(labels: &[&str], value: SampleValue) -> Sample {
    Sample {
        label_values: values(labels),
        value,
        timestamp_ms: None,
        created_ms: None,
    }
}

fn classic(count: f64, sum: f64, buckets: &[f64]) -> SampleValue {
    SampleValue::Histogram(HistogramValue {
        count,
        sum,
        buckets: buckets.to_vec(),
    })
}

fn native(whole: bool) -> SampleValue {
    let half = if whole { 0.0 } else { 0.5 };
    SampleValue::NativeHistogram(Box::new(NativeHistogramValue {
        count: 9.0 + half,
        sum: 12.5,
        schema: 3,
        zero_threshold: 0.001,
        zero_count: 1.0,
        negative_spans: vec![(-3, 1)],
        negative_counts: vec![2.0],
        positive_spans: vec![(0, 2), (4, 1)],
        positive_counts: vec![3.0, 1.0, 2.0 + half],
    }))
}

fn summary(sum: f64, quantiles: &[(f64, f64)]) -> SampleValue {
    SampleValue::Summary(SummaryValue {
        count: 4.0,
        sum,
        quantiles: quantiles.to_vec(),
    })
}

fn created(sample: Sample) -> Sample {
    Sample {
        created_ms: Some(CREATED_MS),
        ..sample
    }
}

fn timed(sample: Sample) -> Sample {
    Sample {
        timestamp_ms: Some(1_600_000_000_007),
        ..sample
    }
}

/// Every kind, as samples.
pub fn sampled() -> Bench {
    let summary_kind = || Kind::Summary(SummaryOptions::default());
    let unit = |unit: &str, desc| Desc {
        unit: Some(unit.to_owned()),
        ..desc
    };
    let families = vec![
        (
            Desc::new("requests_total", "Requests by \"code\".", Kind::Counter)
                .with_labels(["code", "method"]),
            vec![
                created(number(&["200", "GET"], 1e6)),
                number(&["404", "a\\b\"c\nd"], 42.0),
                timed(created(number(&["500", "GET"], 0.5))),
            ],
        ),
        (
            unit(
                "bytes",
                Desc::new("sent_bytes_total", "Sent.", Kind::Counter),
            ),
            vec![created(number(&[], 12.0))],
        ),
        (
            Desc::new("restarts", "A counter without its suffix.", Kind::Counter),
            vec![created(number(&[], 3.0))],
        ),
        (
            unit(
                "celsius",
                Desc::new("temperature_celsius", "Back\\slash,\nline.", Kind::Gauge)
                    .with_labels(["room"]),
            ),
            vec![
                number(&["attic"], -12.5),
                number(&["cellar"], f64::NAN),
                number(&["kiln"], f64::INFINITY),
            ],
        ),
        (
            Desc::new("up", "", Kind::Gauge),
            vec![timed(number(&[], 1.0))],
        ),
        (
            Desc::new("build_info", "What runs.", Kind::Info).with_labels(["version"]),
            vec![number(&["1.2.3"], 1.0)],
        ),
        (
            Desc::new("role", "An info without its suffix.", Kind::Info).with_labels(["name"]),
            vec![number(&["leader"], 1.0)],
        ),
        (
            Desc::new("odd", "Of unknown type.", Kind::Untyped),
            vec![number(&[], 1e-5)],
        ),
        (
            Desc::new("latency_seconds", "Classic.", histogram(&[0.1, 1.0, 10.0]))
                .with_labels(["path"]),
            vec![
                created(sample(&["/"], classic(7.0, 12.5, &[1.0, 4.0, 6.0]))),
                timed(created(sample(&["/slow"], classic(2.0, 40.0, &[0.0; 3])))),
            ],
        ),
        (
            Desc::new(
                "drift_meters",
                "Bounds below zero.",
                histogram(&[-1.0, 0.0]),
            ),
            vec![created(sample(&[], classic(3.0, -2.0, &[1.0, 2.0])))],
        ),
        (
            Desc::new("shares", "Counts that are not whole.", histogram(&[1.0])),
            vec![sample(&[], classic(2.75, 1.5, &[1.25]))],
        ),
        (
            Desc::new("sparse", "Native.", histogram(&[])).with_labels(["counts"]),
            vec![
                sample(&["fractions"], native(false)),
                created(sample(&["whole"], native(true))),
            ],
        ),
        (
            Desc::new("size_bytes", "Quantiles.", summary_kind()).with_labels(["kind"]),
            vec![
                created(sample(
                    &["a"],
                    summary(10.0, &[(0.5, 2.0), (0.99, f64::NAN)]),
                )),
                sample(&["below zero"], summary(-3.0, &[(0.5, -1.0), (1.0, 2.0)])),
            ],
        ),
        (
            Desc::new("my.requests_total", "Dots.", Kind::Counter)
                .with_labels(["my.label", "plain"]),
            vec![created(number(&["a.b", "c\\"], 1.0))],
        ),
        (
            Desc::new("größe \"q\"", "Any UTF-8.", histogram(&[2.0])),
            vec![sample(&[], classic(1.0, 1.0, &[1.0]))],
        ),
    ];
    let (descs, samples): (Vec<_>, Vec<_>) = families.into_iter().unzip();
    let bench = Bench::new(descs);
    let samples = samples.into_iter().enumerate();
    let samples = samples
        .flat_map(|(family, list)| list.into_iter().map(move |sample| (family as u32, sample)));
    let refused = bench
        .scope
        .replace_samples(samples.collect(), std::time::Instant::now());
    assert_eq!(refused, []);
    bench
}

/// Histograms and summaries as the host counts them.
pub fn counted() -> Bench {
    let native = |max_buckets| {
        Some(NativeOptions {
            factor: 1.1,
            zero_threshold: 0.001,
            max_buckets,
        })
    };
    let histogram = |bounds: &[f64], native| {
        Kind::Histogram(HistogramOptions {
            bounds: bounds.to_vec(),
            native,
        })
    };
    let summary = SummaryOptions {
        objectives: vec![(0.5, 0.05), (0.9, 0.01)],
        ..SummaryOptions::default()
    };
    let mut bench = Bench::new(vec![
        Desc::new(
            "both",
            "Classic and native.",
            histogram(&[1.0, 5.0], native(160)),
        ),
        Desc::new("coarse", "Few buckets.", histogram(&[], native(3))),
        Desc::new("quantiles", "A summary.", Kind::Summary(summary)),
        Desc::new("ticks_total", "A counter.", Kind::Counter),
        Desc::new("unused", "Nothing observed.", histogram(&[], native(160))),
    ]);
    let observed = [0.5, 1.0, 2.5, 0.0, -3.0, 100.0, f64::INFINITY];
    for family in 0..5 {
        let series = bench.session.open(family, &[]).expect("a series");
        let (verb, numbers) = match family {
            0 => (meterbox_metrics::Verb::Observe, observed.to_vec()),
            1 | 2 => (meterbox_metrics::Verb::Observe, observed[..6].to_vec()),
            3 => (meterbox_metrics::Verb::Add, vec![2.0]),
            _ => continue,
        };
        let handles = vec![series; numbers.len()];
        bench
            .session
            .update(verb, handles, numbers)
            .expect("numbers");
        let traced = match family {
            0 => [0.5, 100.0].as_slice(),
            1 => &[2.5, -3.0],
            3 => &[2.0],
            _ => &[],
        };
        for value in traced {
            // Python's parser counts the quotes that stand escaped in an exemplar: they have to be even.
            let labels = [("trace_id", "a\"b\"\\\né"), ("span", "7")];
            let exemplar = Exemplar::new(&labels, *value, Some(CREATED_MS)).expect("an exemplar");
            bench
                .session
                .attach(series, exemplar)
                .expect("a kind with exemplars");
        }
    }
    bench.commit();
    bench
}
