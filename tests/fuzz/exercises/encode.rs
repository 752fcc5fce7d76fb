//! Any families, in every format and under every escaping, read back as what they were.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use arbitrary::{Result, Unstructured};
use meterbox_metrics::{
    Desc, HistogramOptions, HistogramValue, Kind, Page, Registry, Sample, SampleValue,
    ScopeOptions, SummaryOptions, SummaryValue, View,
    encode::{Escaping, Format, escape_name},
    is_legacy_metric_name,
    parse::{self, ParsedFamily, ParsedMetric},
};
use prometheus::proto::MetricFamily;
use protobuf::CodedInputStream;

/// Families by name, as they were registered.
type Model = BTreeMap<String, (Desc, Vec<Sample>)>;

/// Makes a page of these bytes, and reads it in every way.
pub fn encode(data: &[u8]) {
    let registry = Registry::default();
    let Ok(model) = model(&registry, &mut Unstructured::new(data)) else {
        return;
    };
    let page = registry.page(|_| View::All);
    for escaping in Escaping::ALL {
        for format in [Format::Text, Format::OpenMetrics100] {
            let (text, left) = write(&page, format, escaping, &model);
            let text = String::from_utf8(text).expect("UTF-8");
            let families = match format {
                Format::Text => parse::text(&text),
                _ => parse::openmetrics(&text),
            };
            let families = families.unwrap_or_else(|error| panic!("{error}\nin:\n{text}"));
            assert_eq!(families.len(), left.len(), "{text}");
            for (wanted, family) in left.iter().zip(&families) {
                compare(wanted, family, format, escaping);
            }
        }
        let (bytes, left) = write(&page, Format::ProtobufDelimited, escaping, &model);
        compare_messages(&left, &bytes, escaping);
    }
}

/// The page, and the families that are on it, in its order.
fn write<'m>(
    page: &Page,
    format: Format,
    escaping: Escaping,
    model: &'m Model,
) -> (Vec<u8>, Vec<&'m (Desc, Vec<Sample>)>) {
    let frames = page.frames(format, escaping);
    let dropped: BTreeSet<String> = frames.dropped().iter().cloned().collect();
    let left = model.iter().filter(|(name, _)| !dropped.contains(*name));
    let mut left: Vec<_> = left
        .map(|(name, family)| (escaped(name, escaping), family))
        .collect();
    left.sort_by(|a, b| a.0.cmp(&b.0));
    let left = left.into_iter().map(|(_, family)| family).collect();
    (frames.flatten().collect(), left)
}

// === making families ===

fn model(registry: &Registry, u: &mut Unstructured<'_>) -> Result<Model> {
    let mut model = Model::new();
    for number in 0..u.int_in_range(1..=4)? {
        let desc = desc(u, number)?;
        let samples = samples(u, &desc)?;
        let options = ScopeOptions::new(number.to_string());
        // Two families of one name are refused, and strange labels.
        let Ok(scope) = registry.register(&options, vec![desc.clone()]) else {
            continue;
        };
        let numbered = samples.iter().map(|sample| (0, sample.clone()));
        if scope
            .replace_samples(numbered.collect(), Instant::now())
            .is_empty()
        {
            model.insert(desc.name.clone(), (desc, samples));
        }
    }
    Ok(model)
}

fn desc(u: &mut Unstructured<'_>, number: usize) -> Result<Desc> {
    let kind = match u.int_in_range(0..=5)? {
        0 => Kind::Counter,
        1 => Kind::Gauge,
        2 => Kind::Untyped,
        3 => Kind::Info,
        4 => {
            let mut bounds: Vec<f64> = u.arbitrary()?;
            bounds.retain(|bound| bound.is_finite());
            bounds.truncate(5);
            bounds.sort_by(f64::total_cmp);
            bounds.dedup();
            Kind::Histogram(HistogramOptions {
                bounds,
                native: None,
            })
        }
        _ => Kind::Summary(SummaryOptions::default()),
    };
    // The number keeps families apart whose other letters are escaped away, and a letter in front what is reserved.
    let name = |u: &mut Unstructured<'_>, number: usize| -> Result<String> {
        let strange: &str = if u.ratio(1, 3)? { u.arbitrary()? } else { "" };
        Ok(format!("n{number}x{strange}x"))
    };
    let suffix = match kind {
        Kind::Counter => "_total",
        Kind::Info => "_info",
        _ => "",
    };
    let metric = format!("{}{suffix}", name(u, number)?);
    let labels = (0..u.int_in_range(0..=2)?).map(|label| name(u, label));
    let labels: Vec<String> = labels.collect::<Result<_>>()?;
    Ok(Desc::new(metric, u.arbitrary::<&str>()?, kind).with_labels(labels))
}

fn samples(u: &mut Unstructured<'_>, desc: &Desc) -> Result<Vec<Sample>> {
    let mut samples: Vec<Sample> = Vec::new();
    for _ in 0..u.int_in_range(1..=3)? {
        let values = (0..desc.label_names.len()).map(|_| u.arbitrary::<String>());
        let label_values: Vec<String> = values.collect::<Result<_>>()?;
        if samples
            .iter()
            .all(|sample| sample.label_values != label_values)
        {
            samples.push(Sample {
                label_values,
                value: value(u, &desc.kind)?,
                timestamp_ms: u.arbitrary()?,
                created_ms: u
                    .arbitrary::<Option<u32>>()?
                    .map(|seconds| i64::from(seconds) * 999),
            });
        }
    }
    Ok(samples)
}

fn value(u: &mut Unstructured<'_>, kind: &Kind) -> Result<SampleValue> {
    let count = |u: &mut Unstructured<'_>| u.arbitrary::<u32>().map(f64::from);
    Ok(match kind {
        Kind::Counter => {
            let number = u.arbitrary::<f64>()?.abs();
            SampleValue::Number(if number.is_nan() { 0.0 } else { number })
        }
        Kind::Info => SampleValue::Number(1.0),
        Kind::Gauge | Kind::Untyped => SampleValue::Number(u.arbitrary()?),
        Kind::Histogram(options) => {
            let mut total = 0.0;
            let mut next = || {
                total += count(u)?;
                Ok(total)
            };
            let buckets = options
                .bounds
                .iter()
                .map(|_| next())
                .collect::<Result<_>>()?;
            SampleValue::Histogram(HistogramValue {
                buckets,
                count: next()?,
                sum: u.arbitrary()?,
            })
        }
        Kind::Summary(_) => SampleValue::Summary(SummaryValue {
            count: count(u)?,
            sum: u.arbitrary()?,
            quantiles: vec![(0.5, u.arbitrary()?), (0.99, u.arbitrary()?)],
        }),
    })
}

// === reading them back ===

/// A name that every reader takes stays as it is.
fn escaped(name: &str, escaping: Escaping) -> String {
    if is_legacy_metric_name(name) {
        name.to_owned()
    } else {
        escape_name(name, escaping)
    }
}

fn compare(
    (desc, samples): &(Desc, Vec<Sample>),
    family: &ParsedFamily<'_>,
    format: Format,
    escaping: Escaping,
) {
    let is_openmetrics = format != Format::Text;
    let name = escaped(&desc.name, escaping);
    let base = name.strip_suffix("_total").or(name.strip_suffix("_info"));
    let shown = if is_openmetrics { base } else { None };
    assert_eq!(family.name, shown.unwrap_or(&name));
    let help = family.help.as_deref().unwrap_or_default();
    // Blanks before a help text of format 0.0.4 do not count.
    assert!(help == desc.help || help == desc.help.trim_start_matches([' ', '\t']));
    let metrics = family.metrics();
    assert_eq!(metrics.len(), samples.len());
    let mut left: Vec<_> = metrics.iter().collect();
    for sample in samples {
        let place = left
            .iter()
            .position(|metric| has_labels(metric, desc, sample, escaping));
        let metric = left.remove(place.unwrap_or_else(|| panic!("{sample:?} not in {metrics:?}")));
        let millis = metric.timestamp.map(|timestamp| timestamp.as_millis());
        assert_eq!(millis, sample.timestamp_ms, "{sample:?} in {metric:?}");
        let has_negative = metric.bounds.iter().any(|bound| *bound < 0.0);
        compare_values(&sample.value, &metric.value, is_openmetrics, has_negative);
    }
}

/// Names are compared where they are not escaped.
fn has_labels(
    metric: &ParsedMetric<'_, '_>,
    desc: &Desc,
    sample: &Sample,
    escaping: Escaping,
) -> bool {
    let read = metric.labels.iter();
    let read = read.map(|label| (label.name().into_owned(), label.value().into_owned()));
    let read: Vec<_> = read.collect();
    let written = labels(desc, sample);
    read.len() == written.len()
        && read.iter().zip(written).all(|(read, written)| {
            let same_name = escaping != Escaping::AllowUtf8 || read.0 == written.0;
            same_name && read.1 == written.1
        })
}

/// Names and values, as they stand in a line: by name, before it is escaped.
fn labels<'s>(desc: &'s Desc, sample: &'s Sample) -> Vec<(&'s str, &'s str)> {
    let names = desc.label_names.iter().map(String::as_str);
    let mut labels: Vec<_> = names
        .zip(sample.label_values.iter().map(String::as_str))
        .collect();
    labels.sort_unstable();
    labels
}

fn compare_values(
    wanted: &SampleValue,
    read: &SampleValue,
    is_openmetrics: bool,
    has_negative: bool,
) {
    // What OpenMetrics has no word for is left out.
    let sum = |wanted: f64, read: f64, has_negative: bool| {
        if !is_openmetrics || wanted >= 0.0 && !has_negative {
            assert_same(wanted, read);
        }
    };
    match (wanted, read) {
        (SampleValue::Number(wanted), SampleValue::Number(read)) => assert_same(*wanted, *read),
        (SampleValue::Histogram(wanted), SampleValue::Histogram(read)) => {
            assert_eq!((wanted.count, &wanted.buckets), (read.count, &read.buckets));
            sum(wanted.sum, read.sum, has_negative);
        }
        (SampleValue::Summary(wanted), SampleValue::Summary(read)) => {
            assert_eq!(wanted.count, read.count);
            sum(wanted.sum, read.sum, false);
            let shown = wanted.quantiles.iter();
            let shown: Vec<_> = shown
                .filter(|(_, value)| !is_openmetrics || !(*value < 0.0))
                .collect();
            assert_eq!(shown.len(), read.quantiles.len());
            for (wanted, read) in shown.into_iter().zip(&read.quantiles) {
                assert_eq!(wanted.0, read.0);
                assert_same(wanted.1, read.1);
            }
        }
        (wanted, read) => panic!("{wanted:?} came back as {read:?}"),
    }
}

/// The very bits, but all NaNs are one.
fn assert_same(a: f64, b: f64) {
    assert!(
        a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
        "{a:?} {b:?}"
    );
}

fn compare_messages(left: &[&(Desc, Vec<Sample>)], bytes: &[u8], escaping: Escaping) {
    let mut stream = CodedInputStream::from_bytes(bytes);
    for (desc, samples) in left {
        let family: MetricFamily = stream.read_message().expect("a message for each family");
        assert_eq!(family.name(), escaped(&desc.name, escaping));
        assert_eq!(family.help(), desc.help);
        assert_eq!(family.get_metric().len(), samples.len());
        for metric in family.get_metric() {
            let values = metric.get_label().iter().map(|label| label.value());
            let values: Vec<_> = values.collect();
            let mut found = samples.iter().filter(|sample| {
                let labels = labels(desc, sample);
                labels
                    .iter()
                    .map(|label| label.1)
                    .eq(values.iter().copied())
            });
            let is_same = |sample: &Sample| match &sample.value {
                SampleValue::Number(number) => {
                    let read = match desc.kind {
                        Kind::Counter => metric.get_counter().value(),
                        Kind::Untyped => metric.untyped.value(),
                        _ => metric.get_gauge().value(),
                    };
                    read.to_bits() == number.to_bits()
                }
                SampleValue::Histogram(value) => {
                    let read = metric.get_histogram();
                    let buckets = read.get_bucket().iter();
                    let buckets: Vec<_> = buckets.map(|it| it.cumulative_count() as f64).collect();
                    read.get_sample_count() as f64 == value.count
                        && read.get_sample_sum().to_bits() == value.sum.to_bits()
                        && buckets == value.buckets
                }
                SampleValue::Summary(value) => {
                    let read = metric.get_summary();
                    read.sample_count() as f64 == value.count
                        && read.sample_sum().to_bits() == value.sum.to_bits()
                }
                SampleValue::NativeHistogram(_) => false,
            };
            assert!(found.any(is_same), "{metric:?} in {samples:?}");
        }
    }
    assert!(stream.eof().expect("no more"));
}
