//! The message of a histogram.

use super::{
    Field, Writer,
    metric::{exemplar, timestamp},
};
use crate::{
    desc::{Desc, Kind},
    encode::point::HistogramPoint,
    exemplar::SeriesExemplars,
    native_histogram::is_whole,
    sample::NativeHistogramValue,
};

/// Classic buckets and sparse ones; each reader takes those that it knows.
pub(super) fn write(
    desc: &Desc,
    point: &HistogramPoint<'_>,
    exemplars: Option<&SeriesExemplars>,
    created: Option<i64>,
    to: &mut impl Writer,
) {
    let mut classic = point.buckets.iter().chain([&point.count]);
    let whole = classic.all(|count| is_whole(*count))
        && point.native.is_none_or(NativeHistogramValue::is_whole);
    let count = |to: &mut _, number, name, float, float_name, count| {
        self::count(
            to,
            whole,
            Field(number, name),
            Field(float, float_name),
            count,
        );
    };
    count(to, 1, "sample_count", 4, "sample_count_float", point.count);
    to.double(Field(2, "sample_sum"), point.sum);
    if let Kind::Histogram(options) = &desc.kind {
        let last = |bucket| exemplars.and_then(|all| all.bucket(bucket));
        let finite = options.bounds.iter().zip(point.buckets);
        // Nobody misses the bucket of +Inf, unless it has an exemplar.
        let infinity = last(options.bounds.len()).map(|_| (&f64::INFINITY, &point.count));
        for (bucket, (bound, up_to)) in finite.chain(infinity).enumerate() {
            to.message(Field(3, "bucket"), |to| {
                let [whole_field, float_field] = [
                    Field(1, "cumulative_count"),
                    Field(4, "cumulative_count_float"),
                ];
                self::count(to, whole, whole_field, float_field, *up_to);
                to.double(Field(2, "upper_bound"), *bound);
                if let Some(last) = last(bucket) {
                    exemplar(Field(3, "exemplar"), last, to);
                }
            });
        }
    }
    timestamp(Field(15, "created_timestamp"), created, to);
    let Some(native) = point.native else {
        return;
    };
    to.zigzag(Field(5, "schema"), native.schema.into());
    to.double(Field(6, "zero_threshold"), native.zero_threshold);
    count(
        to,
        7,
        "zero_count",
        8,
        "zero_count_float",
        native.zero_count,
    );
    let is_empty = native.negative_spans.is_empty() && native.positive_spans.is_empty();
    spans(Field(9, "negative_span"), &native.negative_spans, to);
    let fields = [Field(10, "negative_delta"), Field(11, "negative_count")];
    counts(whole, fields, &native.negative_counts, to);
    if is_empty && native.zero_threshold == 0.0 && native.zero_count == 0.0 {
        // Nothing else would tell it from a classic histogram.
        spans(Field(12, "positive_span"), &[(0, 0)], to);
    }
    spans(Field(12, "positive_span"), &native.positive_spans, to);
    let fields = [Field(13, "positive_delta"), Field(14, "positive_count")];
    counts(whole, fields, &native.positive_counts, to);
    for each in exemplars.map_or_else(Default::default, SeriesExemplars::native) {
        exemplar(Field(16, "exemplars"), each, to);
    }
}

/// A count in the field for integers, or in the one that overrides it.
fn count<W: Writer>(to: &mut W, whole: bool, integer: Field, float: Field, count: f64) {
    if whole {
        to.unsigned(integer, count as u64);
    } else {
        to.double(float, count);
    }
}

fn spans(field: Field, spans: &[(i32, u32)], to: &mut impl Writer) {
    for (offset, length) in spans {
        to.message(field, |to| {
            to.zigzag(Field(1, "offset"), (*offset).into());
            to.unsigned(Field(2, "length"), (*length).into());
        });
    }
}

/// Counts of sparse buckets: integers as the difference to the one before.
fn counts(whole: bool, [delta, absolute]: [Field; 2], counts: &[f64], to: &mut impl Writer) {
    let mut before = 0;
    for count in counts {
        if whole {
            let count = *count as i64;
            to.zigzag(delta, count - before);
            before = count;
        } else {
            to.double(absolute, *count);
        }
    }
}
