//! Sparse histograms that the host counts: client_golang's algorithm.
//!
//! Bucket `i` of schema `s` holds what is above `base^(i-1)` and not above `base^i`, where `base` is `2^(2^-s)`. So the
//! schema says into how many buckets a power of two is cut, or, below 0, how many powers share one.

use std::sync::LazyLock;

mod check;

pub(crate) use check::is_whole;

use crate::{desc::NativeOptions, sample::NativeHistogramValue};

/// The schemas that Prometheus reads.
pub(crate) const SCHEMAS: std::ops::RangeInclusive<i32> = -4..=8;

/// Gaps of this many empty buckets are written out: a span of its own costs the page more.
const SMALL_GAP: i32 = 2;

/// The sparse buckets of one series. Count and sum are kept beside it, with the classic buckets.
#[derive(Clone, Debug, Default)]
pub(crate) struct NativeHistogram {
    schema: i32,
    zero_count: u64,
    positive: Buckets,
    negative: Buckets,
}

/// Counts by bucket number, ascending; no more than a few hundred, so that an insertion is a short move.
#[derive(Clone, Debug, Default)]
struct Buckets(Vec<(i32, u64)>);

impl NativeHistogram {
    pub(crate) fn new(options: &NativeOptions) -> Self {
        Self {
            schema: schema(options.factor),
            ..Self::default()
        }
    }

    pub(crate) fn observe(&mut self, value: f64, options: &NativeOptions) {
        if value.is_nan() {
            // It is counted, but no bucket can hold it.
            return;
        }
        if value.abs() <= options.zero_threshold {
            self.zero_count += 1;
            return;
        }
        let key = key(self.schema, value.abs());
        let buckets = if value > 0.0 {
            &mut self.positive
        } else {
            &mut self.negative
        };
        if buckets.add(key, 1) {
            self.limit(options.max_buckets as usize);
        }
    }

    /// Halves the resolution until there are few enough buckets, or no coarser one.
    fn limit(&mut self, most: usize) {
        while self.positive.0.len() + self.negative.0.len() > most && self.schema > *SCHEMAS.start()
        {
            self.schema -= 1;
            self.positive.halve();
            self.negative.halve();
        }
    }

    /// Writes it as a sample states it, into one that is used again and again. Count and sum are the caller's.
    pub(crate) fn state(&self, zero_threshold: f64, out: &mut NativeHistogramValue) {
        out.schema = self.schema;
        out.zero_threshold = zero_threshold;
        out.zero_count = self.zero_count as f64;
        self.positive
            .state(&mut out.positive_spans, &mut out.positive_counts);
        self.negative
            .state(&mut out.negative_spans, &mut out.negative_counts);
    }
}

impl Buckets {
    /// Whether the bucket is new.
    fn add(&mut self, key: i32, count: u64) -> bool {
        match self.0.binary_search_by_key(&key, |bucket| bucket.0) {
            Ok(place) => {
                self.0[place].1 += count;
                false
            }
            Err(place) => {
                self.0.insert(place, (key, count));
                true
            }
        }
    }

    /// Merges each pair of buckets that are one at half the resolution.
    fn halve(&mut self) {
        for bucket in &mut self.0 {
            // Half, rounded up.
            bucket.0 = (bucket.0 + 1).div_euclid(2);
        }
        self.0.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
    }

    fn state(&self, spans: &mut Vec<(i32, u32)>, counts: &mut Vec<f64>) {
        spans.clear();
        counts.clear();
        let mut next = 0;
        for &(key, count) in &self.0 {
            let gap = key - next;
            match spans.last_mut() {
                Some(last) if gap <= SMALL_GAP => {
                    last.1 += gap as u32 + 1;
                    counts.resize(counts.len() + gap as usize, 0.0);
                }
                _ => spans.push((gap, 1)),
            }
            counts.push(count as f64);
            next = key + 1;
        }
    }
}

/// The finest schema whose bounds grow by no less than the factor asks: 1.1 gives 3.
fn schema(factor: f64) -> i32 {
    let schema = -factor.log2().log2().floor();
    // A factor next to 1 has no logarithm that is a number; `as` takes it to the end of the range.
    (schema as i32).clamp(*SCHEMAS.start(), *SCHEMAS.end())
}

/// The bucket of a value above 0.
fn key(schema: i32, value: f64) -> i32 {
    // What is infinite is in the bucket behind the last finite one.
    let behind = i32::from(value.is_infinite());
    let (fraction, exponent) = frexp(value.min(f64::MAX));
    let key = if schema > 0 {
        let bounds = &BOUNDS[schema as usize - 1];
        let place = bounds.partition_point(|bound| *bound < fraction);
        place as i32 + (exponent - 1) * bounds.len() as i32
    } else {
        // A power of two is the inclusive upper bound of its bucket.
        let key = exponent - i32::from(fraction == 0.5);
        let powers = 1 << -schema;
        (key + powers - 1).div_euclid(powers)
    };
    key + behind
}

/// By how much each bound is above the one before, for each schema from 1: 2^(2^-schema), as client_golang's logarithms
/// round it. A plugin's histogram and that of a Go program then agree on the bucket of every number.
#[expect(
    clippy::approx_constant,
    reason = "one bit below the nearest to the square root, as it is there"
)]
const FACTORS: [f64; 8] = [
    1.414_213_562_373_095,
    1.189_207_115_002_721,
    1.090_507_732_665_257_7,
    1.044_273_782_427_413_8,
    1.021_897_148_654_116_6,
    1.010_889_286_051_700_5,
    1.005_429_901_112_802_7,
    1.002_711_275_050_202_5,
];

/// Fractions at which buckets begin, for each schema from 1: from 0.5 to below 1.
static BOUNDS: LazyLock<[Vec<f64>; 8]> = LazyLock::new(|| {
    let mut coarser = vec![0.5];
    FACTORS.map(|factor| {
        // Every other bound is one of the coarser schema, so that halving the resolution merges without a rest.
        let finer = coarser.iter().flat_map(|bound| [*bound, bound * factor]);
        coarser = finer.collect();
        coarser.clone()
    })
});

/// `value` as `fraction * 2^exponent` with a fraction from 0.5 to below 1; for finite numbers above 0.
fn frexp(value: f64) -> (f64, i32) {
    const EXPONENT: u64 = 0x7ff << 52;
    let (value, shift) = if value < f64::MIN_POSITIVE {
        // Below this the leading bits of the fraction are zeros.
        (value * 2f64.powi(64), 64)
    } else {
        (value, 0)
    };
    let bits = value.to_bits();
    let exponent = ((bits & EXPONENT) >> 52) as i32 - 1022 - shift;
    (f64::from_bits(bits & !EXPONENT | 1022 << 52), exponent)
}

#[cfg(test)]
mod tests;
