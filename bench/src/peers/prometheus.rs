//! The `prometheus` crate.

use std::collections::HashMap;

use anyhow::Result;
use prometheus::{
    CounterVec, Encoder, Gauge, GaugeVec, HistogramOpts, HistogramVec, Opts, Registry, TextEncoder,
    core::{Collector, Desc},
    process_collector::ProcessCollector,
    proto::{Metric, MetricFamily, MetricType, Quantile},
};

use super::Peer;
use crate::{
    demo,
    meminfo::Live,
    workload::{Family, Kind, Value, Workload},
};

pub struct Prometheus {
    registry: Registry,
    memory: Live<Gauge>,
}

impl Prometheus {
    pub fn new(workload: Workload) -> Result<Self> {
        let registry = Registry::new();
        if workload == Workload::Plugins {
            // Meterbox's page has these families as well.
            registry.register(Box::new(ProcessCollector::for_self()))?;
        }
        let mut memory = Vec::new();
        for family in workload.families()? {
            registry.register(match family.kind {
                Kind::Counter => Box::new(counters(&family)?),
                Kind::Gauge => Box::new(gauges(&family, &mut memory)?),
                Kind::Histogram(bounds) => Box::new(histograms(&family, bounds)?),
                Kind::Summary(quantiles) => Box::new(Summary::new(&family, quantiles)?),
            })?;
        }
        Ok(Self {
            registry,
            memory: Live::new(memory)?,
        })
    }
}

impl Peer for Prometheus {
    fn render(&self, kept: &mut Vec<u8>) -> usize {
        self.memory.refresh(Gauge::set);
        kept.clear();
        let families = self.registry.gather();
        // Into memory, and from families that were checked when they were registered.
        TextEncoder::new().encode(&families, kept).expect("a page");
        kept.len()
    }
}

fn counters(family: &Family) -> Result<CounterVec> {
    let counters = CounterVec::new(Opts::new(&family.name, &family.help), family.labels)?;
    for series in family.iter() {
        let counter = counters.get_metric_with_label_values(&series.labels)?;
        if let Value::Number(number) = series.value {
            counter.inc_by(number);
        }
    }
    Ok(counters)
}

fn gauges(family: &Family, memory: &mut Vec<(Gauge, crate::meminfo::Figure)>) -> Result<GaugeVec> {
    let gauges = GaugeVec::new(Opts::new(&family.name, &family.help), family.labels)?;
    for series in family.iter() {
        let gauge = gauges.get_metric_with_label_values(&series.labels)?;
        match series.value {
            Value::Number(number) => gauge.set(number),
            Value::Memory(figure) => memory.push((gauge, figure)),
            Value::Observations(_) => {}
        }
    }
    Ok(gauges)
}

fn histograms(family: &Family, bounds: &[f64]) -> Result<HistogramVec> {
    let opts = HistogramOpts::new(&family.name, &family.help).buckets(bounds.to_vec());
    let histograms = HistogramVec::new(opts, family.labels)?;
    for series in family.iter() {
        let histogram = histograms.get_metric_with_label_values(&series.labels)?;
        if let Value::Observations(observations) = &series.value {
            observations
                .iter()
                .for_each(|value| histogram.observe(*value));
        }
    }
    Ok(histograms)
}

/// The crate has no summary, but its model does: this one has its quantiles ready.
struct Summary {
    desc: Desc,
    family: MetricFamily,
}

impl Summary {
    fn new(family: &Family, quantiles: &[f64]) -> Result<Self> {
        let mut summary = prometheus::proto::Summary::default();
        for series in family.iter() {
            if let Value::Observations(mut values) = series.value {
                summary.set_sample_count(values.len() as u64);
                summary.set_sample_sum(values.iter().sum());
                values.sort_by(f64::total_cmp);
                let quantiles = quantiles.iter().map(|quantile| {
                    let mut pair = Quantile::default();
                    pair.set_quantile(*quantile);
                    pair.set_value(demo::quantile(&values, *quantile));
                    pair
                });
                summary.set_quantile(quantiles.collect());
            }
        }
        let mut metric = Metric::default();
        metric.set_summary(summary);
        let mut made = MetricFamily::default();
        made.set_name(family.name.clone());
        made.set_help(family.help.clone());
        made.set_field_type(MetricType::SUMMARY);
        made.set_metric(vec![metric]);
        let (name, help) = (family.name.clone(), family.help.clone());
        Ok(Self {
            desc: Desc::new(name, help, Vec::new(), HashMap::new())?,
            family: made,
        })
    }
}

impl Collector for Summary {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        vec![self.family.clone()]
    }
}
