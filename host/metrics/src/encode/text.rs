//! Text format 0.0.4, as client_golang writes it, byte for byte.

use std::ops::Range;

use super::{
    Encoder,
    head::{Head, Start},
    kept::Key,
    room::Room,
};
use crate::{
    block::{Slice, Texts},
    column::{HistogramSample, Histograms, Values},
    number::{LONGEST, push_float, push_integer},
    page::PageFamily,
};

/// What a line has at most beside its names and labels: braces, a space, a number, a line feed.
const LINE: usize = 4 + LONGEST;

/// Writes text format 0.0.4.
#[derive(Debug)]
pub(super) struct Text;

impl Encoder for Text {
    fn key(&self, _: &PageFamily) -> Option<Key> {
        Some(Key::Text)
    }

    fn family(&mut self, family: &PageFamily, out: &mut Vec<u8>) {
        out.extend_from_slice(&family.head().metadata);
    }

    fn series(
        &mut self,
        family: &PageFamily,
        slice: &Slice,
        range: Range<usize>,
        out: &mut Vec<u8>,
    ) {
        let head = family.head();
        let column = &*slice.column;
        if !column.has_timestamps() && !head.name.is_quoted() {
            match &column.values {
                Values::Numbers(all) => return numbers(head, &slice.texts, all, range, out),
                Values::Histograms(all) => return histograms(head, &slice.texts, all, range, out),
                _ => (),
            }
        }
        for position in range {
            let labels = slice.texts.get(position);
            let line = Line {
                head,
                labels,
                timestamp: column.timestamp(position),
            };
            match &column.values {
                Values::Numbers(all) => line.push(b"", b"", all[position], out),
                Values::Histograms(all) => {
                    let mut count = 0;
                    let cumulative = all.counts(position).iter().map(|next| {
                        count += next;
                        count as f64
                    });
                    line.push_histogram(0, cumulative, all.sum(position), out);
                }
                Values::HistogramSamples(all) => {
                    let (first, buckets, count, sum) = match &all[position] {
                        HistogramSample::Classic(value) => {
                            (0, value.buckets.as_slice(), value.count, value.sum)
                        }
                        // Nobody knows how many of its observations a classic bucket would hold.
                        HistogramSample::Native(value) => {
                            let infinity = head.le.len() - 1;
                            (infinity, [].as_slice(), value.count, value.sum)
                        }
                    };
                    let cumulative = buckets.iter().copied().chain([count]);
                    line.push_histogram(first, cumulative, sum, out);
                }
                Values::Summaries(all) => {
                    let summary = &all[position];
                    let quantiles = summary.quantiles(family.taken);
                    line.push_summary(&quantiles, summary.count as f64, summary.sum, out);
                }
                Values::SummarySamples(all) => {
                    let value = &all[position];
                    line.push_summary(&value.quantiles, value.count, value.sum, out);
                }
            }
        }
    }
}

/// The same lines as [`Line::push`] writes, for what most pages are made of.
fn numbers(head: &Head, texts: &Texts, all: &[f64], range: Range<usize>, out: &mut Vec<u8>) {
    let most = range.len() * (head.plain.text().len() + LINE) + texts.bytes_of(range.clone());
    Room::with(out, most, |room| {
        for position in range {
            begin(room, &head.plain, texts, position);
            room.number(all[position]);
            room.byte(b'\n');
        }
    });
}

/// The same lines as [`Line::push_histogram`] writes.
fn histograms(
    head: &Head,
    texts: &Texts,
    all: &Histograms,
    range: Range<usize>,
    out: &mut Vec<u8>,
) {
    for position in range {
        let labels = texts.get(position).len();
        let line = head.bucket.text().len() + labels + head.longest_le + LINE;
        Room::with(out, (head.le.len() + 2) * line, |room| {
            let mut count = 0;
            for (le, next) in head.le.iter().zip(all.counts(position)) {
                count += next;
                room.short(&head.bucket);
                if labels > 0 {
                    room.labels(texts, position);
                    room.short(le);
                } else {
                    // The brace takes the place of the comma.
                    room.short_over(le, b'{');
                }
                room.number(count as f64);
                room.byte(b'\n');
            }
            begin(room, &head.sum, texts, position);
            room.number(all.sum(position));
            room.byte(b'\n');
            begin(room, &head.count, texts, position);
            room.number(count as f64);
            room.byte(b'\n');
        });
    }
}

/// `name{labels} ` or `name `.
#[inline(always)]
fn begin(room: &mut Room<'_>, start: &Start, texts: &Texts, position: usize) {
    room.short(start);
    if texts.get(position).is_empty() {
        room.replace(b' ');
    } else {
        room.labels(texts, position);
        room.byte(b'}');
        room.byte(b' ');
    }
}

/// What the lines of one series have in common.
struct Line<'a> {
    head: &'a Head,
    labels: &'a [u8],
    timestamp: Option<i64>,
}

impl Line<'_> {
    /// `name` `suffix` `{labels,extra}` `value` `timestamp`.
    #[inline]
    fn push(&self, suffix: &[u8], extra: &[u8], value: f64, out: &mut Vec<u8>) {
        self.head.name.push_series(suffix, self.labels, extra, out);
        out.push(b' ');
        push_float(out, value);
        if let Some(timestamp) = self.timestamp {
            out.push(b' ');
            push_integer(out, timestamp);
        }
        out.push(b'\n');
    }

    fn push_histogram(
        &self,
        first: usize,
        cumulative: impl Iterator<Item = f64>,
        sum: f64,
        out: &mut Vec<u8>,
    ) {
        let mut count = 0.0;
        for (bucket, up_to) in (first..).zip(cumulative) {
            self.push(b"_bucket", self.head.le(bucket), up_to, out);
            count = up_to;
        }
        self.push(b"_sum", b"", sum, out);
        self.push(b"_count", b"", count, out);
    }

    fn push_summary(&self, quantiles: &[(f64, f64)], count: f64, sum: f64, out: &mut Vec<u8>) {
        let mut label = Vec::new();
        for (quantile, value) in quantiles {
            label.clear();
            push_bound(&mut label, b"quantile", *quantile);
            self.push(b"", &label, *value, out);
        }
        self.push(b"_sum", b"", sum, out);
        self.push(b"_count", b"", count, out);
    }
}

fn push_bound(out: &mut Vec<u8>, name: &[u8], bound: f64) {
    out.extend_from_slice(name);
    out.extend_from_slice(b"=\"");
    push_float(out, bound);
    out.push(b'"');
}
