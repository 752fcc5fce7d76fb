//! The crate `prometheus-client`, with label sets as its documentation has them: a struct for each.

use std::{
    fmt::{self, Debug, Write},
    hash::Hash,
    sync::atomic::AtomicU64,
};

use anyhow::{Result, bail};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family as Metrics, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::Peer;
use crate::{
    demo,
    meminfo::Live,
    workload::{Family, Kind, Series, Value, Workload},
};

type Float = Gauge<f64, AtomicU64>;

pub struct PrometheusClient {
    registry: Registry,
    memory: Live<Float>,
}

impl PrometheusClient {
    pub fn new(workload: Workload) -> Result<Self> {
        let mut registry = Registry::default();
        let mut memory = Vec::new();
        for family in workload.families()? {
            match (family.kind, family.labels) {
                (Kind::Counter, ["code", "method"]) => counters::<Request>(&family, &mut registry),
                (Kind::Counter, ["namespace", "pod", "handler"]) => {
                    counters::<Operation>(&family, &mut registry);
                }
                (Kind::Histogram(bounds), ["namespace", "pod"]) => {
                    histograms::<Pod>(&family, bounds, &mut registry);
                }
                (_, []) => single(&family, &mut registry, &mut memory),
                (_, labels) => bail!("no struct for the labels {labels:?}"),
            }
        }
        Ok(Self {
            registry,
            memory: Live::new(memory)?,
        })
    }
}

impl Peer for PrometheusClient {
    fn render(&self, kept: &mut Vec<u8>) -> usize {
        self.memory.refresh(|gauge, value| {
            gauge.set(value);
        });
        kept.clear();
        // Into memory: nothing can fail.
        text::encode(&mut Text(kept), &self.registry).expect("a page");
        kept.len()
    }
}

/// Text behind text: what `String` is, in memory that is kept.
struct Text<'a>(&'a mut Vec<u8>);

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

trait LabelSet: EncodeLabelSet + Clone + Debug + Hash + Eq + Send + Sync + 'static {
    fn new(values: Vec<String>) -> Self;
}

/// Declares a struct of labels, whose values are given in the order of its fields.
macro_rules! label_set {
    ($name:ident { $($label:ident),* }) => {
        #[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
        struct $name { $($label: String),* }

        impl LabelSet for $name {
            fn new(values: Vec<String>) -> Self {
                let mut values = values.into_iter();
                Self { $($label: values.next().unwrap_or_default()),* }
            }
        }
    };
}

label_set!(Operation {
    namespace,
    pod,
    handler
});
label_set!(Pod { namespace, pod });
label_set!(Request { code, method });

/// `_total` is added by the encoder.
fn counters<L: LabelSet>(family: &Family, registry: &mut Registry) {
    let metrics = Metrics::<L, Counter>::default();
    for Series { labels, value } in family.iter() {
        if let Value::Number(number) = value {
            metrics.get_or_create(&L::new(labels)).inc_by(number as u64);
        }
    }
    let name = family.name.trim_end_matches("_total");
    registry.register(name, help(family), metrics);
}

fn histograms<L: LabelSet>(family: &Family, bounds: &'static [f64], registry: &mut Registry) {
    let make = move || Histogram::new(bounds.iter().copied());
    let metrics = Metrics::<L, Histogram, _>::new_with_constructor(make);
    for Series { labels, value } in family.iter() {
        if let Value::Observations(values) = value {
            let histogram = metrics.get_or_create(&L::new(labels));
            values.iter().for_each(|value| histogram.observe(*value));
        }
    }
    registry.register(&family.name, help(family), metrics);
}

/// A series without labels. What the crate cannot express is a gauge: a counter whose name has no `_total`, and the
/// parts of a summary.
fn single(
    family: &Family,
    registry: &mut Registry,
    memory: &mut Vec<(Float, crate::meminfo::Figure)>,
) {
    let gauge = |registry: &mut Registry, name: String, value: f64| {
        let gauge = Float::default();
        gauge.set(value);
        registry.register(name, help(family), gauge.clone());
        gauge
    };
    for series in family.iter() {
        match (series.value, family.kind) {
            (Value::Number(number), _) => {
                gauge(registry, family.name.clone(), number);
            }
            (Value::Memory(figure), _) => {
                memory.push((gauge(registry, family.name.clone(), 0.0), figure));
            }
            (Value::Observations(values), Kind::Histogram(bounds)) => {
                let histogram = Histogram::new(bounds.iter().copied());
                values.iter().for_each(|value| histogram.observe(*value));
                registry.register(&family.name, help(family), histogram);
            }
            (Value::Observations(mut values), Kind::Summary(quantiles)) => {
                gauge(
                    registry,
                    format!("{}_sum", family.name),
                    values.iter().sum(),
                );
                gauge(
                    registry,
                    format!("{}_count", family.name),
                    values.len() as f64,
                );
                values.sort_by(f64::total_cmp);
                let ready = Metrics::<[(&'static str, String); 1], Float>::default();
                for quantile in quantiles {
                    let label = [("quantile", quantile.to_string())];
                    let value = demo::quantile(&values, *quantile);
                    ready.get_or_create(&label).set(value);
                }
                registry.register(&family.name, help(family), ready);
            }
            (Value::Observations(_), Kind::Counter | Kind::Gauge) => {}
        }
    }
}

/// The full stop is added by the registry.
fn help(family: &Family) -> &str {
    family.help.trim_end_matches('.')
}
