//! What the series of a family hold, one column per family: a slot number finds a series in each.

use std::time::Instant;

use crate::{
    desc::{Desc, HistogramOptions, Kind, SummaryOptions},
    sample::{HistogramValue, SummaryValue},
    summary::Summary,
};

/// The column of a family.
#[derive(Debug)]
pub(crate) enum Values {
    /// Counter, gauge, info, untyped.
    Numbers(Vec<f64>),
    /// Histograms that the host counts.
    Histograms(Histograms),
    /// Summaries that the host computes.
    Summaries(SummaryOptions, Vec<Summary>),
    /// Histograms made elsewhere.
    HistogramSamples(Vec<HistogramValue>),
    /// Summaries made elsewhere.
    SummarySamples(Vec<SummaryValue>),
}

/// Histograms of one family, as one flat table of bucket counts.
#[derive(Debug)]
pub(crate) struct Histograms {
    pub(crate) bounds: Box<[f64]>,
    /// For each slot `bounds.len() + 1` counts, the last for +Inf; not cumulative.
    counts: Vec<u64>,
    sums: Vec<f64>,
}

impl Histograms {
    fn new(options: &HistogramOptions) -> Self {
        Self {
            bounds: options.bounds.as_slice().into(),
            counts: Vec::new(),
            sums: Vec::new(),
        }
    }

    fn stride(&self) -> usize {
        self.bounds.len() + 1
    }

    fn push(&mut self) {
        self.counts.resize(self.counts.len() + self.stride(), 0);
        self.sums.push(0.0);
    }

    fn reset(&mut self, slot: usize) {
        let stride = self.stride();
        self.counts[slot * stride..][..stride].fill(0);
        self.sums[slot] = 0.0;
    }

    fn observe(&mut self, slot: usize, value: f64) {
        // Buckets are few: a walk beats a binary search. What no bound holds, NaN included, is +Inf's.
        let bucket = self
            .bounds
            .iter()
            .position(|bound| value <= *bound)
            .unwrap_or(self.bounds.len());
        let stride = self.stride();
        self.counts[slot * stride + bucket] += 1;
        self.sums[slot] += value;
    }

    /// Counts of this slot, one per bound and one for +Inf, not cumulative.
    pub(crate) fn counts(&self, slot: usize) -> &[u64] {
        &self.counts[slot * self.stride()..][..self.stride()]
    }

    pub(crate) fn sum(&self, slot: usize) -> f64 {
        self.sums[slot]
    }
}

impl Values {
    /// An empty column for what the host counts itself.
    pub(crate) fn instruments(desc: &Desc) -> Self {
        match &desc.kind {
            Kind::Histogram(options) => Self::Histograms(Histograms::new(options)),
            Kind::Summary(options) => Self::Summaries(options.clone(), Vec::new()),
            Kind::Counter | Kind::Gauge | Kind::Info | Kind::Untyped => Self::Numbers(Vec::new()),
        }
    }

    /// An empty column for what a collector returns.
    pub(crate) fn samples(desc: &Desc) -> Self {
        match &desc.kind {
            Kind::Histogram(_) => Self::HistogramSamples(Vec::new()),
            Kind::Summary(_) => Self::SummarySamples(Vec::new()),
            Kind::Counter | Kind::Gauge | Kind::Info | Kind::Untyped => Self::Numbers(Vec::new()),
        }
    }

    /// Makes room for one more slot, holding `initial` or no observations.
    pub(crate) fn push(&mut self, initial: f64, now: Instant) {
        match self {
            Self::Numbers(numbers) => numbers.push(initial),
            Self::Histograms(histograms) => histograms.push(),
            Self::Summaries(options, all) => all.push(Summary::new(options, now)),
            Self::HistogramSamples(all) => all.push(HistogramValue::default()),
            Self::SummarySamples(all) => all.push(SummaryValue::default()),
        }
    }

    /// Puts a slot that is used again back to its beginning.
    pub(crate) fn reset(&mut self, slot: usize, initial: f64, now: Instant) {
        match self {
            Self::Numbers(numbers) => numbers[slot] = initial,
            Self::Histograms(histograms) => histograms.reset(slot),
            Self::Summaries(options, all) => all[slot] = Summary::new(options, now),
            Self::HistogramSamples(all) => all[slot] = HistogramValue::default(),
            Self::SummarySamples(all) => all[slot] = SummaryValue::default(),
        }
    }

    pub(crate) fn add(&mut self, slot: usize, by: f64) {
        if let Self::Numbers(numbers) = self {
            numbers[slot] += by;
        }
    }

    pub(crate) fn set(&mut self, slot: usize, to: f64) {
        if let Self::Numbers(numbers) = self {
            numbers[slot] = to;
        }
    }

    pub(crate) fn observe(&mut self, slot: usize, value: f64, now: Instant) {
        match self {
            Self::Histograms(histograms) => histograms.observe(slot, value),
            Self::Summaries(_, all) => all[slot].observe(value, now),
            Self::Numbers(_) | Self::HistogramSamples(_) | Self::SummarySamples(_) => {}
        }
    }
}
