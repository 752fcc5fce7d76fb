//! Text format 0.0.4, as client_golang writes it, byte for byte.

use std::{ops::Range, time::Instant};

use super::{
    Encoder,
    line::{Name, bounds, push_help},
};
use crate::{
    block::Slice,
    column::{HistogramSample, Values},
    desc::Desc,
    number::{push_float, push_integer},
    page::PageFamily,
};

/// Writes text format 0.0.4.
#[derive(Debug)]
pub(super) struct Text {
    /// Decides what summaries have forgotten.
    now: Instant,
    /// `le="0.5"` for each bound of the current family, and `le="+Inf"`.
    le: Vec<Vec<u8>>,
    /// The name of the current family.
    head: Short,
    name: Name,
}

impl Text {
    /// The same lines as [`Line::push`] writes, for what most pages are made of.
    fn numbers(&self, slice: &Slice, numbers: &[f64], range: Range<usize>, out: &mut Vec<u8>) {
        for (position, number) in range.zip(numbers) {
            let labels = slice.texts.get(position).len();
            out.reserve(self.head.len() + labels + 160);
            self.head.push(out);
            if labels > 0 {
                out.push(b'{');
                slice.texts.copy_to(position, out);
                out.push(b'}');
            }
            out.push(b' ');
            push_float(out, *number);
            out.push(b'\n');
        }
    }

    pub(super) fn new(now: Instant) -> Self {
        Self {
            now,
            le: Vec::new(),
            head: Short::default(),
            name: Name::default(),
        }
    }
}

impl Encoder for Text {
    fn family(&mut self, family: &PageFamily, out: &mut Vec<u8>) {
        self.name = Name::new(&family.desc.name);
        push_head(&family.desc, &self.name, out);
        self.head = Short::new(family.desc.name.as_bytes());
        self.le.clear();
        self.le.extend(bounds(&family.desc).map(|bound| {
            let mut text = Vec::new();
            push_bound(&mut text, b"le", bound);
            text
        }));
    }

    fn series(&mut self, _: &PageFamily, slice: &Slice, range: Range<usize>, out: &mut Vec<u8>) {
        let name = &self.name;
        let column = &*slice.column;
        let is_plain = !column.has_timestamps() && !name.is_quoted();
        if let (Values::Numbers(all), true) = (&column.values, is_plain) {
            return self.numbers(slice, &all[range.clone()], range, out);
        }
        for position in range {
            let labels = slice.texts.get(position);
            let line = Line {
                name,
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
                    line.push_histogram(&self.le, cumulative, all.sum(position), out);
                }
                Values::HistogramSamples(all) => {
                    let (le, buckets, count, sum) = match &all[position] {
                        HistogramSample::Classic(value) => (
                            self.le.as_slice(),
                            value.buckets.as_slice(),
                            value.count,
                            value.sum,
                        ),
                        // Nobody knows how many of its observations a classic bucket would hold.
                        HistogramSample::Native(value) => {
                            let infinity = &self.le[self.le.len() - 1..];
                            (infinity, [].as_slice(), value.count, value.sum)
                        }
                    };
                    let cumulative = buckets.iter().copied().chain([count]);
                    line.push_histogram(le, cumulative, sum, out);
                }
                Values::Summaries(all) => {
                    // Asking moves the window on, and the page is shared.
                    let mut summary = all[position].as_ref().clone();
                    let (count, sum) = (summary.count as f64, summary.sum);
                    line.push_summary(summary.quantiles(self.now), count, sum, out);
                }
                Values::SummarySamples(all) => {
                    let value = &all[position];
                    let quantiles = value.quantiles.iter().copied();
                    line.push_summary(quantiles, value.count, value.sum, out);
                }
            }
        }
    }
}

/// A text that is written many times; copied with a fixed length if it is short.
#[derive(Debug, Default)]
struct Short {
    text: Vec<u8>,
    padded: Option<[u8; 48]>,
}

impl Short {
    fn new(text: &[u8]) -> Self {
        let mut padded = [0; 48];
        let fits = text.len() <= padded.len();
        if fits {
            padded[..text.len()].copy_from_slice(text);
        }
        let padded = fits.then_some(padded);
        Self {
            text: text.to_vec(),
            padded,
        }
    }

    #[inline]
    fn len(&self) -> usize {
        self.text.len()
    }

    #[inline]
    fn push(&self, out: &mut Vec<u8>) {
        match &self.padded {
            Some(padded) => {
                let end = out.len() + self.text.len();
                out.extend_from_slice(padded);
                out.truncate(end);
            }
            None => out.extend_from_slice(&self.text),
        }
    }
}

fn push_head(desc: &Desc, name: &Name, out: &mut Vec<u8>) {
    if !desc.help.is_empty() {
        out.extend_from_slice(b"# HELP ");
        name.push(out);
        out.push(b' ');
        push_help(out, &desc.help, false);
        out.push(b'\n');
    }
    out.extend_from_slice(b"# TYPE ");
    name.push(out);
    out.push(b' ');
    out.extend_from_slice(desc.kind.text_name().as_bytes());
    out.push(b'\n');
}

/// What the lines of one series have in common.
struct Line<'a> {
    name: &'a Name,
    labels: &'a [u8],
    timestamp: Option<i64>,
}

impl Line<'_> {
    /// `name` `suffix` `{labels,extra}` `value` `timestamp`.
    #[inline]
    fn push(&self, suffix: &[u8], extra: &[u8], value: f64, out: &mut Vec<u8>) {
        self.name.push_series(suffix, self.labels, extra, out);
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
        le: &[Vec<u8>],
        cumulative: impl Iterator<Item = f64>,
        sum: f64,
        out: &mut Vec<u8>,
    ) {
        let mut count = 0.0;
        for (le, up_to) in le.iter().zip(cumulative) {
            self.push(b"_bucket", le, up_to, out);
            count = up_to;
        }
        self.push(b"_sum", b"", sum, out);
        self.push(b"_count", b"", count, out);
    }

    fn push_summary(
        &self,
        quantiles: impl Iterator<Item = (f64, f64)>,
        count: f64,
        sum: f64,
        out: &mut Vec<u8>,
    ) {
        let mut label = Vec::new();
        for (quantile, value) in quantiles {
            label.clear();
            push_bound(&mut label, b"quantile", quantile);
            self.push(b"", &label, value, out);
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
