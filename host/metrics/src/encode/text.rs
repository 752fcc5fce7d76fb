//! Text format 0.0.4, as client_golang writes it, byte for byte.

use std::time::Instant;

use super::series;
use crate::{
    desc::Desc,
    family::Family,
    number::{push_float, push_integer},
    registry::Page,
    values::Values,
};

/// Appends the page. `now` decides what summaries have forgotten.
pub fn encode(page: &Page<'_>, now: Instant, out: &mut Vec<u8>) {
    for stores in &page.families {
        let Some(first) = stores.first() else {
            continue;
        };
        push_head(&first.desc, out);
        let le = le_texts(first);
        for (store, slot) in series(stores) {
            push_series(store, slot, &le, now, out);
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

fn push_series(store: &Family, slot: u32, le: &[Vec<u8>], now: Instant, out: &mut Vec<u8>) {
    let line = Line {
        name: store.desc.name.as_bytes(),
        labels: store.text(slot),
        timestamp: store.timestamp(slot),
    };
    let place = slot as usize;
    match &store.values {
        Values::Numbers(numbers) => line.push(b"", b"", numbers[place], out),
        Values::Histograms(histograms) => {
            let counts = histograms.counts(place);
            let mut count = 0;
            let cumulative = counts.iter().map(|next| {
                count += next;
                count as f64
            });
            line.push_histogram(le, cumulative, histograms.sum(place), out);
        }
        Values::HistogramSamples(all) => {
            let value = &all[place];
            let cumulative = value.buckets.iter().chain([&value.count]).copied();
            line.push_histogram(le, cumulative, value.sum, out);
        }
        Values::Summaries(_, all) => {
            // Asking moves the window on; the copy lets the page be read by many.
            let mut summary = all[place].clone();
            let (count, sum) = (summary.count as f64, summary.sum);
            line.push_summary(summary.quantiles(now), count, sum, out);
        }
        Values::SummarySamples(all) => {
            let value = &all[place];
            line.push_summary(value.quantiles.iter().copied(), value.count, value.sum, out);
        }
    }
}

/// What the lines of one series have in common.
struct Line<'a> {
    name: &'a [u8],
    labels: &'a [u8],
    timestamp: Option<i64>,
}

impl Line<'_> {
    /// `name` `suffix` `{labels,extra}` `value` `timestamp`.
    fn push(&self, suffix: &[u8], extra: &[u8], value: f64, out: &mut Vec<u8>) {
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

/// `le="0.5"` for each bound of a histogram family, and `le="+Inf"`.
fn le_texts(family: &Family) -> Vec<Vec<u8>> {
    let crate::desc::Kind::Histogram(options) = &family.desc.kind else {
        return Vec::new();
    };
    let bounds = options.bounds.iter().copied().chain([f64::INFINITY]);
    bounds
        .map(|bound| {
            let mut text = Vec::new();
            push_bound(&mut text, b"le", bound);
            text
        })
        .collect()
}

fn push_bound(out: &mut Vec<u8>, name: &[u8], bound: f64) {
    out.extend_from_slice(name);
    out.extend_from_slice(b"=\"");
    push_float(out, bound);
    out.push(b'"');
}
