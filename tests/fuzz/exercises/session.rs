//! Any calls of a plugin: no panic, counters never go down, and strict readers take the page at any time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use arbitrary::{Result, Unstructured};
use meterbox_metrics::{
    Desc, Exemplar, HistogramOptions, HistogramValue, Kind, NativeHistogramValue, NativeOptions,
    Registry, Sample, SampleValue, Scope, ScopeLimits, ScopeOptions, Session, SummaryOptions,
    SummaryValue, Verb, View,
    encode::{Escaping, Format},
    parse,
};

/// The family that is watched.
const COUNTER: u32 = 0;

/// Lets these bytes call a scope.
pub fn session(data: &[u8]) {
    let registry = Registry::default();
    let options = ScopeOptions {
        limits: ScopeLimits {
            max_series: 40,
            ..ScopeLimits::default()
        },
        ..ScopeOptions::new("any")
    };
    let scope = registry.register(&options, descs()).expect("good families");
    let mut calls = Calls {
        session: Session::new(Arc::clone(&scope)),
        registry,
        scope,
        handles: Vec::new(),
        counters: BTreeMap::new(),
        removed: false,
        sampled: false,
    };
    let mut u = Unstructured::new(data);
    // It ends when the bytes do.
    while !u.is_empty() && calls.step(&mut u).is_ok() {}
    calls.commit();
    calls.look();
}

fn descs() -> Vec<Desc> {
    let histogram = |native| {
        Kind::Histogram(HistogramOptions {
            bounds: vec![-1.0, 0.5, 2.0],
            native,
        })
    };
    let native = NativeOptions {
        factor: 1.1,
        zero_threshold: 0.001,
        max_buckets: 8,
    };
    let summary = SummaryOptions {
        objectives: vec![(0.5, 0.05), (0.9, 0.01)],
        ..SummaryOptions::default()
    };
    vec![
        Desc::new("counted_total", "A counter.", Kind::Counter).with_labels(["l"]),
        Desc::new("my.counted_total", "In quotes.", Kind::Counter).with_labels(["l.m", "n"]),
        Desc::new("gauge", "", Kind::Gauge).with_labels(["l"]),
        Desc::new("untyped", "", Kind::Untyped),
        Desc::new("some_info", "", Kind::Info).with_labels(["l"]),
        Desc::new("classic", "", histogram(None)).with_labels(["l"]),
        Desc::new("native", "", histogram(Some(native))).with_labels(["l"]),
        Desc::new("summary", "", Kind::Summary(summary)).with_labels(["l"]),
    ]
}

struct Calls {
    registry: Registry,
    scope: Arc<Scope>,
    session: Session,
    handles: Vec<u32>,
    /// What the watched family held last, by labels.
    counters: BTreeMap<String, f64>,
    /// Whether a series of it may have been removed since, and whether samples write it.
    removed: bool,
    sampled: bool,
}

impl Calls {
    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        // One more than there are.
        let family = u.int_in_range(0..=8)?;
        match u.int_in_range(0..=15)? {
            0..=3 => {
                if let Ok(handle) = self.session.open(family, &values(u)?) {
                    self.handles.push(handle);
                }
            }
            4..=8 => {
                let verb = *u.choose(&[Verb::Add, Verb::Set, Verb::Observe])?;
                let handles = (0..u.int_in_range(0..=3)?).map(|_| self.handle(u));
                let handles = handles.collect::<Result<Vec<_>>>()?;
                let numbers = (0..handles.len()).map(|_| u.arbitrary());
                let numbers = numbers.collect::<Result<Vec<f64>>>()?;
                self.session.update(verb, handles, numbers).ok();
            }
            9 => {
                let labels = [(u.arbitrary::<&str>()?, u.arbitrary::<&str>()?)];
                let handle = self.handle(u)?;
                if let Ok(exemplar) = Exemplar::new(&labels, u.arbitrary()?, u.arbitrary()?) {
                    self.session.attach(handle, exemplar).ok();
                }
            }
            10 => {
                let removed = self.session.remove(family, &values(u)?);
                self.removed |= removed.is_ok();
            }
            11 => {
                let labels = [("l".to_owned(), u.arbitrary()?)];
                let removed = self.session.remove_matching(family, &labels);
                self.removed |= removed.is_ok_and(|count| count > 0);
            }
            12 if u.ratio(1, 4)? => {
                self.session.clear(family).ok();
                self.removed = true;
            }
            12 | 13 => self.commit(),
            // A trap: the instance and its session are gone.
            14 => {
                self.session = Session::new(Arc::clone(&self.scope));
                self.handles.clear();
                self.look();
            }
            _ => {
                let samples = (0..u.int_in_range(0..=4)?).map(|_| sample(u));
                let samples = samples.collect::<Result<Vec<_>>>()?;
                // Samples may say less than before, and leave series out.
                self.sampled |= samples.iter().any(|(family, _)| *family == COUNTER);
                self.removed |= self.sampled;
                self.scope.replace_samples(samples, Instant::now());
                self.look();
            }
        }
        Ok(())
    }

    /// One that was handed out, or another number.
    fn handle(&self, u: &mut Unstructured<'_>) -> Result<u32> {
        if self.handles.is_empty() || u.ratio(1, 20)? {
            u.arbitrary()
        } else {
            u.choose(&self.handles).copied()
        }
    }

    fn commit(&mut self) {
        self.session.commit(Instant::now());
        self.look();
        self.removed = false;
    }

    /// Takes a page and reads it.
    fn look(&mut self) {
        let page = self.registry.page(|_| View::All);
        assert!(self.scope.series() <= 40);
        for escaping in [Escaping::AllowUtf8, Escaping::Underscores] {
            let write =
                |format| String::from_utf8(page.to_bytes(format, escaping)).expect("only strings");
            let text = write(Format::Text);
            let open = write(Format::OpenMetrics100);
            parse::text(&text).unwrap_or_else(|error| panic!("{error}\nin:\n{text}"));
            parse::openmetrics(&open).unwrap_or_else(|error| panic!("{error}\nin:\n{open}"));
            page.to_bytes(Format::ProtobufDelimited, escaping);
            self.watch(&text);
        }
    }

    fn watch(&mut self, text: &str) {
        let families = parse::text(text).expect("it was read before");
        let counter = families
            .iter()
            .find(|family| family.name == "counted_total");
        let samples = counter.into_iter().flat_map(|family| family.samples());
        let now: BTreeMap<_, _> = samples
            .map(|sample| (format!("{:?}", sample.labels), sample.value))
            .collect();
        if !self.removed {
            for (labels, before) in &self.counters {
                // Of a family without series nothing is shown.
                assert!(
                    now.get(labels) >= Some(before),
                    "{labels} was {before}: {now:?}"
                );
            }
        }
        let labels: BTreeSet<_> = now.keys().collect();
        assert_eq!(labels.len(), now.len());
        self.counters = now;
    }
}

fn values(u: &mut Unstructured<'_>) -> Result<Vec<String>> {
    let values = (0..u.int_in_range(0..=2)?).map(|_| {
        // Few of them, so that series are met again.
        Ok(match u.int_in_range(0..=7)? {
            0..=5 => u.choose(&["a", "b", "c\"\n\\", ""])?.to_string(),
            _ => u.arbitrary()?,
        })
    });
    values.collect()
}

fn sample(u: &mut Unstructured<'_>) -> Result<(u32, Sample)> {
    let value = match u.int_in_range(0..=4)? {
        0 | 1 => SampleValue::Number(u.arbitrary()?),
        2 => SampleValue::Histogram(HistogramValue {
            count: u.arbitrary()?,
            sum: u.arbitrary()?,
            buckets: if u.arbitrary()? {
                vec![0.0, 1.0, u.arbitrary()?]
            } else {
                u.arbitrary()?
            },
        }),
        3 => SampleValue::NativeHistogram(Box::new(NativeHistogramValue {
            count: u.arbitrary()?,
            sum: u.arbitrary()?,
            schema: u.int_in_range(-6..=10)?,
            zero_threshold: u.arbitrary()?,
            zero_count: u.arbitrary()?,
            negative_spans: u.arbitrary()?,
            negative_counts: u.arbitrary()?,
            positive_spans: u.arbitrary()?,
            positive_counts: u.arbitrary()?,
        })),
        _ => SampleValue::Summary(SummaryValue {
            count: u.arbitrary()?,
            sum: u.arbitrary()?,
            quantiles: u.arbitrary()?,
        }),
    };
    let sample = Sample {
        label_values: values(u)?,
        value,
        timestamp_ms: u.arbitrary()?,
        created_ms: u.arbitrary()?,
    };
    Ok((u.int_in_range(0..=8)?, sample))
}
