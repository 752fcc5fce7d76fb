//! What the series of a block hold. A column is shared with the pages that are being rendered; whoever changes it while
//! a page holds it makes a copy first.

use std::{sync::Arc, time::Instant};

use crate::{
    desc::{Desc, Kind, SummaryOptions},
    sample::{HistogramValue, SampleValue, SummaryValue},
    summary::Summary,
};

/// The values of a block's series, by position.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) values: Values,
    /// Milliseconds since 1970, or [`NO_TIME`]; empty while no sample has brought one.
    timestamps: Vec<i64>,
}

impl Default for Column {
    /// No series; takes no memory.
    fn default() -> Self {
        Self {
            values: Values::Numbers(Vec::new()),
            timestamps: Vec::new(),
        }
    }
}

/// A series without a timestamp of its own.
const NO_TIME: i64 = i64::MIN;

/// One kind of value.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    /// Counter, gauge, info, untyped.
    Numbers(Vec<f64>),
    /// Histograms that the host counts.
    Histograms(Histograms),
    /// Summaries that the host computes; large, so each is copied by itself.
    Summaries(Vec<Arc<Summary>>),
    /// Histograms made elsewhere.
    HistogramSamples(Vec<HistogramValue>),
    /// Summaries made elsewhere.
    SummarySamples(Vec<SummaryValue>),
}

/// Histograms as one flat table of bucket counts.
#[derive(Clone, Debug)]
pub(crate) struct Histograms {
    /// Counts for each series: one per bound, one for +Inf; not cumulative.
    stride: usize,
    counts: Vec<u64>,
    sums: Vec<f64>,
}

/// What a column's values are made of.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// Numbers that begin with this one.
    Numbers(f64),
    /// Histograms with these bounds.
    Histograms(Arc<[f64]>),
    /// Summaries with these options.
    Summaries(SummaryOptions),
    /// Histograms made elsewhere.
    HistogramSamples,
    /// Summaries made elsewhere.
    SummarySamples,
}

impl Shape {
    /// For what the host counts itself.
    pub(crate) fn instruments(desc: &Desc) -> Self {
        match &desc.kind {
            Kind::Histogram(options) => Self::Histograms(options.bounds.as_slice().into()),
            Kind::Summary(options) => Self::Summaries(options.clone()),
            Kind::Info => Self::Numbers(1.0),
            Kind::Counter | Kind::Gauge | Kind::Untyped => Self::Numbers(0.0),
        }
    }

    /// For what a collector returns.
    pub(crate) fn samples(desc: &Desc) -> Self {
        match &desc.kind {
            Kind::Histogram(_) => Self::HistogramSamples,
            Kind::Summary(_) => Self::SummarySamples,
            Kind::Counter | Kind::Gauge | Kind::Info | Kind::Untyped => Self::Numbers(0.0),
        }
    }

    /// An empty column.
    pub(crate) fn column(&self) -> Column {
        let values = match self {
            Self::Numbers(_) => Values::Numbers(Vec::new()),
            Self::Histograms(bounds) => Values::Histograms(Histograms {
                stride: bounds.len() + 1,
                counts: Vec::new(),
                sums: Vec::new(),
            }),
            Self::Summaries(_) => Values::Summaries(Vec::new()),
            Self::HistogramSamples => Values::HistogramSamples(Vec::new()),
            Self::SummarySamples => Values::SummarySamples(Vec::new()),
        };
        Column {
            values,
            timestamps: Vec::new(),
        }
    }
}

impl Column {
    /// Appends a series without observations.
    pub(crate) fn push(&mut self, shape: &Shape, now: Instant) {
        match (&mut self.values, shape) {
            (Values::Numbers(all), Shape::Numbers(initial)) => all.push(*initial),
            (Values::Histograms(all), _) => {
                all.counts.resize(all.counts.len() + all.stride, 0);
                all.sums.push(0.0);
            }
            (Values::Summaries(all), Shape::Summaries(options)) => {
                all.push(Arc::new(Summary::new(options, now)));
            }
            (Values::HistogramSamples(all), _) => all.push(HistogramValue::default()),
            (Values::SummarySamples(all), _) => all.push(SummaryValue::default()),
            // A column is made by its shape.
            (Values::Numbers(_) | Values::Summaries(_), _) => {}
        }
    }

    /// Appends a series of another column of the same shape.
    pub(crate) fn push_from(&mut self, other: &Self, position: usize) {
        match (&mut self.values, &other.values) {
            (Values::Numbers(all), Values::Numbers(from)) => all.push(from[position]),
            (Values::Histograms(all), Values::Histograms(from)) => {
                all.counts.extend_from_slice(from.counts(position));
                all.sums.push(from.sums[position]);
            }
            (Values::Summaries(all), Values::Summaries(from)) => {
                all.push(Arc::clone(&from[position]));
            }
            (Values::HistogramSamples(all), Values::HistogramSamples(from)) => {
                all.push(from[position].clone());
            }
            (Values::SummarySamples(all), Values::SummarySamples(from)) => {
                all.push(from[position].clone());
            }
            _ => {}
        }
        if let Some(timestamp) = other.timestamp(position) {
            let last = self.len() - 1;
            self.set_timestamp(last, Some(timestamp));
        }
    }

    fn len(&self) -> usize {
        match &self.values {
            Values::Numbers(all) => all.len(),
            Values::Histograms(all) => all.sums.len(),
            Values::Summaries(all) => all.len(),
            Values::HistogramSamples(all) => all.len(),
            Values::SummarySamples(all) => all.len(),
        }
    }

    pub(crate) fn observe(&mut self, shape: &Shape, position: usize, value: f64, now: Instant) {
        match (&mut self.values, shape) {
            (Values::Histograms(all), Shape::Histograms(bounds)) => {
                // Buckets are few: a walk beats a binary search. What no bound holds, NaN included, is +Inf's.
                let bucket = bounds.iter().position(|bound| value <= *bound);
                let bucket = bucket.unwrap_or(bounds.len());
                all.counts[position * all.stride + bucket] += 1;
                all.sums[position] += value;
            }
            (Values::Summaries(all), _) => Arc::make_mut(&mut all[position]).observe(value, now),
            _ => {}
        }
    }

    /// Replaces the value of a series by that of a sample that was checked against its family.
    pub(crate) fn write(&mut self, position: usize, value: SampleValue) {
        match (&mut self.values, value) {
            (Values::Numbers(all), SampleValue::Number(number)) => all[position] = number,
            (Values::HistogramSamples(all), SampleValue::Histogram(value)) => all[position] = value,
            (Values::SummarySamples(all), SampleValue::Summary(value)) => all[position] = value,
            _ => {}
        }
    }

    pub(crate) fn has_timestamps(&self) -> bool {
        !self.timestamps.is_empty()
    }

    pub(crate) fn timestamp(&self, position: usize) -> Option<i64> {
        self.timestamps
            .get(position)
            .copied()
            .filter(|timestamp| *timestamp != NO_TIME)
    }

    pub(crate) fn set_timestamp(&mut self, position: usize, timestamp: Option<i64>) {
        if self.timestamps.len() <= position {
            if timestamp.is_none() {
                return;
            }
            self.timestamps.resize(position + 1, NO_TIME);
        }
        self.timestamps[position] = timestamp.unwrap_or(NO_TIME);
    }
}

impl Histograms {
    /// One count per bound and one for +Inf, not cumulative.
    pub(crate) fn counts(&self, position: usize) -> &[u64] {
        &self.counts[position * self.stride..][..self.stride]
    }

    pub(crate) fn sum(&self, position: usize) -> f64 {
        self.sums[position]
    }
}
