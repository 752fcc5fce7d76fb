//! Text format 0.0.4, as client_golang writes it, byte for byte.

use std::{ops::Range, time::Instant};

use super::Encoder;
use crate::{
    block::Slice,
    column::Values,
    desc::{Desc, Kind},
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
        }
    }
}

impl Encoder for Text {
    fn family(&mut self, family: &PageFamily, out: &mut Vec<u8>) {
        push_head(&family.desc, out);
        self.head = Short::new(family.desc.name.as_bytes());
        self.le.clear();
        if let Kind::Histogram(options) = &family.desc.kind {
            let bounds = options.bounds.iter().copied().chain([f64::INFINITY]);
            self.le.extend(bounds.map(|bound| {
                let mut text = Vec::new();
                push_bound(&mut text, b"le", bound);
                text
            }));
        }
    }

    fn series(
        &mut self,
        family: &PageFamily,
        slice: &Slice,
        range: Range<usize>,
        out: &mut Vec<u8>,
    ) {
        let name = family.desc.name.as_bytes();
        let column = &*slice.column;
        if let (Values::Numbers(all), false) = (&column.values, column.has_timestamps()) {
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
                    let value = &all[position];
                    let cumulative = value.buckets.iter().chain([&value.count]).copied();
                    line.push_histogram(&self.le, cumulative, value.sum, out);
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

fn push_head(desc: &Desc, out: &mut Vec<u8>) {
    if !desc.help.is_empty() {
        out.extend_from_slice(b"# HELP ");
        out.extend_from_slice(desc.name.as_bytes());
        out.push(b' ');
        for byte in desc.help.bytes() {
            match byte {
                b'\\' => out.extend_from_slice(b"\\\\"),
                b'\n' => out.extend_from_slice(b"\\n"),
                _ => out.push(byte),
            }
        }
        out.push(b'\n');
    }
    out.extend_from_slice(b"# TYPE ");
    out.extend_from_slice(desc.name.as_bytes());
    out.push(b' ');
    out.extend_from_slice(desc.kind.text_name().as_bytes());
    out.push(b'\n');
}

/// What the lines of one series have in common.
struct Line<'a> {
    name: &'a [u8],
    labels: &'a [u8],
    timestamp: Option<i64>,
}

impl Line<'_> {
    /// `name` `suffix` `{labels,extra}` `value` `timestamp`.
    #[inline]
    fn push(&self, suffix: &[u8], extra: &[u8], value: f64, out: &mut Vec<u8>) {
        // One look at the capacity for the whole line: a number is 24 characters at most, a timestamp 20.
        out.reserve(self.name.len() + suffix.len() + self.labels.len() + extra.len() + 52);
        out.extend_from_slice(self.name);
        out.extend_from_slice(suffix);
        if !self.labels.is_empty() || !extra.is_empty() {
            out.push(b'{');
            out.extend_from_slice(self.labels);
            if !self.labels.is_empty() && !extra.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(extra);
            out.push(b'}');
        }
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
