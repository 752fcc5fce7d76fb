//! What one series holds, the same for every source: the formats that read this need not know where a histogram comes
//! from.

use std::time::Instant;

use crate::{
    block::Slice,
    column::{HistogramSample, Values},
    sample::NativeHistogramValue,
};

/// The value of a series.
#[derive(Debug)]
pub(super) enum Point<'a> {
    Number(f64),
    Histogram(HistogramPoint<'a>),
    Summary {
        count: f64,
        sum: f64,
        /// Pairs of quantile and value.
        quantiles: &'a [(f64, f64)],
    },
}

#[derive(Debug)]
pub(super) struct HistogramPoint<'a> {
    pub(super) count: f64,
    pub(super) sum: f64,
    /// Cumulative counts of the classic buckets, without +Inf; empty where only the sparse ones are known.
    pub(super) buckets: &'a [f64],
    /// The sparse buckets. Count and sum are those above.
    pub(super) native: Option<&'a NativeHistogramValue>,
}

/// Reads values of series one after the other, in room that is used again.
#[derive(Debug, Default)]
pub(super) struct Reader {
    buckets: Vec<f64>,
    quantiles: Vec<(f64, f64)>,
    native: NativeHistogramValue,
}

impl Reader {
    /// `now` decides what summaries have forgotten.
    pub(super) fn read<'a>(
        &'a mut self,
        slice: &'a Slice,
        position: usize,
        now: Instant,
    ) -> Point<'a> {
        match &slice.column.values {
            Values::Numbers(all) => Point::Number(all[position]),
            Values::Histograms(all) => {
                let mut count = 0;
                self.buckets.clear();
                self.buckets.extend(all.counts(position).iter().map(|next| {
                    count += next;
                    count as f64
                }));
                // The last one is +Inf, which is the count.
                self.buckets.pop();
                let native = all.native(position).map(|(histogram, options)| {
                    histogram.state(options.zero_threshold, &mut self.native);
                    self.native.count = count as f64;
                    &self.native
                });
                Point::Histogram(HistogramPoint {
                    count: count as f64,
                    sum: all.sum(position),
                    buckets: &self.buckets,
                    native,
                })
            }
            Values::HistogramSamples(all) => Point::Histogram(match &all[position] {
                HistogramSample::Classic(value) => HistogramPoint {
                    count: value.count,
                    sum: value.sum,
                    buckets: &value.buckets,
                    native: None,
                },
                HistogramSample::Native(value) => HistogramPoint {
                    count: value.count,
                    sum: value.sum,
                    buckets: &[],
                    native: Some(value),
                },
            }),
            Values::Summaries(all) => {
                let summary = &all[position];
                self.quantiles.clear();
                self.quantiles.extend_from_slice(&summary.quantiles(now));
                Point::Summary {
                    count: summary.count as f64,
                    sum: summary.sum,
                    quantiles: &self.quantiles,
                }
            }
            Values::SummarySamples(all) => {
                let value = &all[position];
                Point::Summary {
                    count: value.count,
                    sum: value.sum,
                    quantiles: &value.quantiles,
                }
            }
        }
    }
}
