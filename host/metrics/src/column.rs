//! What the series of a block hold. A column is shared with the pages that are being rendered; whoever changes it while
//! a page holds it makes a copy first.

use std::{hint::black_box, sync::Arc, time::Instant};

use crate::{
    desc::{Desc, Kind, NativeOptions, SummaryOptions},
    exemplar::{Exemplar, Exemplars},
    native_histogram::NativeHistogram,
    sample::{HistogramValue, NativeHistogramValue, Sample, SampleValue, SummaryValue},
    summary::Summary,
};

/// The values of a block's series, by position.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) values: Values,
    /// Both empty while no sample has brought one.
    timestamps: Times,
    created: Times,
    pub(crate) exemplars: Exemplars,
}

/// Milliseconds since 1970, or [`NO_TIME`], by position; shorter than the column where the rest has none.
#[derive(Clone, Debug, Default)]
struct Times(Vec<i64>);

impl Default for Column {
    /// No series; takes no memory.
    fn default() -> Self {
        Self {
            values: Values::Numbers(Vec::new()),
            timestamps: Times::default(),
            created: Times::default(),
            exemplars: Exemplars::default(),
        }
    }
}

/// A series without a time of its own.
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
    HistogramSamples(Vec<HistogramSample>),
    /// Summaries made elsewhere.
    SummarySamples(Vec<SummaryValue>),
}

/// A histogram made elsewhere.
#[derive(Clone, Debug)]
pub(crate) enum HistogramSample {
    Classic(HistogramValue),
    Native(Box<NativeHistogramValue>),
}

/// Histograms as one flat table of bucket counts.
#[derive(Clone, Debug)]
pub(crate) struct Histograms {
    /// Counts for each series: one per bound, one for +Inf; not cumulative.
    stride: usize,
    counts: Vec<u64>,
    sums: Vec<f64>,
    /// Sparse buckets, if the family has them; large, so each is copied by itself.
    native: Vec<Arc<NativeHistogram>>,
    native_options: Option<NativeOptions>,
}

/// What a column's values are made of.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// Numbers that begin with this one.
    Numbers(f64),
    /// Histograms with these bounds, and perhaps sparse buckets.
    Histograms(Arc<[f64]>, Option<NativeOptions>),
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
            Kind::Histogram(options) => {
                Self::Histograms(options.bounds.as_slice().into(), options.native)
            }
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
            Self::Histograms(bounds, native) => Values::Histograms(Histograms {
                stride: bounds.len() + 1,
                counts: Vec::new(),
                sums: Vec::new(),
                native: Vec::new(),
                native_options: *native,
            }),
            Self::Summaries(_) => Values::Summaries(Vec::new()),
            Self::HistogramSamples => Values::HistogramSamples(Vec::new()),
            Self::SummarySamples => Values::SummarySamples(Vec::new()),
        };
        Column {
            values,
            timestamps: Times::default(),
            created: Times::default(),
            exemplars: Exemplars::default(),
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
                let native = all.native_options.as_ref().map(NativeHistogram::new);
                all.native.extend(native.map(Arc::new));
            }
            (Values::Summaries(all), Shape::Summaries(options)) => {
                all.push(Arc::new(Summary::new(options, now)));
            }
            (Values::HistogramSamples(all), _) => {
                all.push(HistogramSample::Classic(HistogramValue::default()));
            }
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
                all.native.extend(from.native.get(position).cloned());
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
        let last = self.len() - 1;
        self.set_timestamp(last, other.timestamp(position));
        self.set_created(last, other.created(position));
        self.exemplars.copy(last, other.exemplars.get(position));
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

    /// When its summaries forget something, if they ever do.
    pub(crate) fn lasts_until(&self, now: Instant) -> Option<Instant> {
        match &self.values {
            Values::Summaries(all) => all.iter().filter_map(|one| one.lasts_until(now)).min(),
            _ => None,
        }
    }

    pub(crate) fn observe(&mut self, shape: &Shape, position: usize, value: f64, now: Instant) {
        match (&mut self.values, shape) {
            (Values::Histograms(all), Shape::Histograms(bounds, native)) => {
                let bucket = bucket(bounds, value);
                all.counts[position * all.stride + bucket] += 1;
                all.sums[position] += value;
                if let (Some(histogram), Some(options)) = (all.native.get_mut(position), native) {
                    Arc::make_mut(histogram).observe(value, options);
                }
            }
            (Values::Summaries(all), _) => Arc::make_mut(&mut all[position]).observe(value, now),
            _ => {}
        }
    }

    /// Attaches an exemplar to the bucket that holds its value; see [`Exemplars::put`].
    pub(crate) fn attach(
        &mut self,
        shape: &Shape,
        position: usize,
        exemplar: Exemplar,
        room: &mut usize,
    ) {
        let (bounds, native): (&[f64], _) = match shape {
            Shape::Histograms(bounds, native) => (bounds, native.is_some()),
            _ => (&[], false),
        };
        let bucket = bucket(bounds, exemplar.value);
        let is_native = native && !exemplar.value.is_nan();
        self.exemplars
            .put(position, bucket, is_native, exemplar, room);
    }

    /// Has the processor fetch the numbers in their order. Who changes one of them after a page often changes them all, in
    /// an order that is not theirs: a third of the time of a million changes was waiting for memory.
    pub(crate) fn touch(&self) {
        const LINE: usize = 64 / size_of::<f64>();
        if let Values::Numbers(all) = &self.values {
            black_box(all.iter().step_by(LINE).sum::<f64>());
        }
    }

    /// Replaces the value of a series by that of a sample that was checked against its family.
    pub(crate) fn write(&mut self, position: usize, value: SampleValue) {
        match (&mut self.values, value) {
            (Values::Numbers(all), SampleValue::Number(number)) => all[position] = number,
            (Values::HistogramSamples(all), SampleValue::Histogram(value)) => {
                all[position] = HistogramSample::Classic(value);
            }
            (Values::HistogramSamples(all), SampleValue::NativeHistogram(value)) => {
                all[position] = HistogramSample::Native(value);
            }
            (Values::SummarySamples(all), SampleValue::Summary(value)) => all[position] = value,
            _ => {}
        }
    }

    /// Whether a series has what this sample says. Only numbers are looked at: to compare anything else costs what it saves.
    pub(crate) fn has(&self, position: usize, sample: &Sample) -> bool {
        let (Values::Numbers(all), SampleValue::Number(number)) = (&self.values, &sample.value)
        else {
            return false;
        };
        all[position].to_bits() == number.to_bits()
            && self.timestamp(position) == sample.timestamp_ms
            && self.created(position) == sample.created_ms
    }

    pub(crate) fn has_timestamps(&self) -> bool {
        !self.timestamps.0.is_empty()
    }

    pub(crate) fn timestamp(&self, position: usize) -> Option<i64> {
        self.timestamps.get(position)
    }

    pub(crate) fn set_timestamp(&mut self, position: usize, timestamp: Option<i64>) {
        self.timestamps.set(position, timestamp);
    }

    /// When the series began to count, if its sample said so.
    pub(crate) fn created(&self, position: usize) -> Option<i64> {
        self.created.get(position)
    }

    pub(crate) fn set_created(&mut self, position: usize, created: Option<i64>) {
        self.created.set(position, created);
    }
}

/// Buckets are few: a walk beats a binary search. What no bound holds, NaN included, is +Inf's.
fn bucket(bounds: &[f64], value: f64) -> usize {
    let bucket = bounds.iter().position(|bound| value <= *bound);
    bucket.unwrap_or(bounds.len())
}

impl Times {
    fn get(&self, position: usize) -> Option<i64> {
        let time = self.0.get(position).copied();
        time.filter(|time| *time != NO_TIME)
    }

    fn set(&mut self, position: usize, time: Option<i64>) {
        if self.0.len() <= position {
            if time.is_none() {
                return;
            }
            self.0.resize(position + 1, NO_TIME);
        }
        self.0[position] = time.unwrap_or(NO_TIME);
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

    /// Its sparse buckets, and their options.
    pub(crate) fn native(&self, position: usize) -> Option<(&NativeHistogram, &NativeOptions)> {
        let native = self.native.get(position)?;
        Some((native, self.native_options.as_ref()?))
    }
}
