//! The crates `metrics` and `metrics-exporter-prometheus`.

use anyhow::Result;
use metrics::{Gauge, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use super::Peer;
use crate::{
    meminfo::Live,
    workload::{Family, Kind, Series, Value, Workload},
};

const METADATA: Metadata<'static> = Metadata::new("bench", Level::INFO, None);

pub struct MetricsExporter {
    page: PrometheusHandle,
    memory: Live<Gauge>,
    /// Not used again, but the metrics are its own.
    _recorder: PrometheusRecorder,
}

impl MetricsExporter {
    pub fn new(workload: Workload) -> Result<Self> {
        let mut builder = PrometheusBuilder::new();
        for family in workload.families()? {
            match family.kind {
                Kind::Histogram(bounds) => {
                    let name = Matcher::Full(family.name);
                    builder = builder.set_buckets_for_metric(name, bounds)?;
                }
                Kind::Summary(quantiles) => builder = builder.set_quantiles(quantiles)?,
                Kind::Counter | Kind::Gauge => {}
            }
        }
        let recorder = builder.build_recorder();
        let mut memory = Vec::new();
        for family in workload.families()? {
            describe(&family, &recorder);
            for series in family.iter() {
                if let Some(gauge) = record(&family, series, &recorder) {
                    memory.push(gauge);
                }
            }
        }
        Ok(Self {
            page: recorder.handle(),
            memory: Live::new(memory)?,
            _recorder: recorder,
        })
    }
}

impl Peer for MetricsExporter {
    fn render(&self, kept: &mut Vec<u8>) -> usize {
        self.memory.refresh(|gauge, value| gauge.set(value));
        kept.clear();
        // Into memory: nothing can fail.
        self.page.render_to_write(kept).expect("a page");
        kept.len()
    }
}

fn describe(family: &Family, recorder: &PrometheusRecorder) {
    let (name, help) = (family.name.clone().into(), family.help.clone().into());
    match family.kind {
        Kind::Counter => recorder.describe_counter(name, None, help),
        Kind::Gauge => recorder.describe_gauge(name, None, help),
        Kind::Histogram(_) | Kind::Summary(_) => recorder.describe_histogram(name, None, help),
    }
}

fn record(
    family: &Family,
    series: Series,
    recorder: &PrometheusRecorder,
) -> Option<(Gauge, crate::meminfo::Figure)> {
    let pairs = family.labels.iter().zip(series.labels);
    let labels: Vec<_> = pairs
        .map(|(name, value)| Label::new(*name, value))
        .collect();
    let key = Key::from_parts(family.name.clone(), labels);
    match (series.value, family.kind) {
        (Value::Number(number), Kind::Counter) => {
            recorder
                .register_counter(&key, &METADATA)
                .increment(number as u64);
        }
        (Value::Number(number), _) => recorder.register_gauge(&key, &METADATA).set(number),
        (Value::Memory(figure), _) => {
            return Some((recorder.register_gauge(&key, &METADATA), figure));
        }
        (Value::Observations(values), _) => {
            let histogram = recorder.register_histogram(&key, &METADATA);
            values.iter().for_each(|value| histogram.record(*value));
        }
    }
    None
}
