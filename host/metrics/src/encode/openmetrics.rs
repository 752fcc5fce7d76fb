//! OpenMetrics 1.0.0. Version 0.0.1 is written the same.
//!
//! Where the specification and what prometheus/common writes differ, the specification holds, because strict readers
//! refuse the whole page for one line: the order of the metadata is TYPE, UNIT, HELP; times are plain decimals; a
//! histogram of negative numbers has no `_sum`.

use std::ops::Range;

use super::{
    Encoder,
    canonical::{push_canonical, push_millis},
    kept::Key,
    line::{Name, bounds, push_help},
    point::{HistogramPoint, Point, Reader},
};
use crate::{
    block::Slice,
    desc::{Desc, Kind},
    exemplar::{Exemplar, SeriesExemplars},
    name::is_legacy_metric_name,
    number::push_integer,
    page::{Page, PageFamily},
};

/// Writes OpenMetrics.
#[derive(Debug)]
pub(super) struct OpenMetrics {
    reader: Reader,
    page: Page,
    family: Family,
    /// `quantile="0.5"`.
    quantile: Vec<u8>,
}

/// What the lines of the current family have in common.
#[derive(Debug, Default)]
struct Family {
    /// Of the metadata and of the samples, to which a suffix is added.
    name: Name,
    /// The suffix of a sample that is one number: `_total`, `_info` or none.
    suffix: &'static [u8],
    has_created: bool,
    /// Sums of negative numbers go down, which the format has no word for.
    has_negative_bounds: bool,
    /// `le="0.5"` for each bound, and `le="+Inf"`.
    le: Vec<Vec<u8>>,
}

impl OpenMetrics {
    pub(super) fn new(page: &Page) -> Self {
        Self {
            reader: Reader::default(),
            page: page.clone(),
            family: Family::default(),
            quantile: Vec::new(),
        }
    }

    /// The family as this format has it: its name without the suffix of its samples, the suffix, and the type.
    fn announce<'a>(&self, desc: &'a Desc) -> (&'a str, &'static str, &'static str) {
        let (suffix, kind) = match desc.kind {
            Kind::Counter => ("_total", "counter"),
            // Its samples have to end in `_info`, and a family is not renamed for one of its formats.
            Kind::Info => ("_info", "info"),
            Kind::Gauge => return (&desc.name, "", "gauge"),
            Kind::Histogram(_) => return (&desc.name, "", "histogram"),
            Kind::Summary(_) => return (&desc.name, "", "summary"),
            Kind::Untyped => return (&desc.name, "", "unknown"),
        };
        match desc.name.strip_suffix(suffix) {
            // Without its suffix it must not become another family.
            Some(base) if !base.is_empty() && !self.is_taken(base, desc) => (base, suffix, kind),
            _ if desc.kind == Kind::Info => (&desc.name, "", "gauge"),
            _ => (&desc.name, "", "unknown"),
        }
    }

    /// Whether the series of a family have `_created` lines.
    fn has_created(&self, base: &str, kind: &str) -> bool {
        self.page.created_lines
            && matches!(kind, "counter" | "histogram" | "summary")
            && !self.page.has(base, "_created")
    }

    /// Whether a family cannot be called this, because that is what another family or its samples are called.
    fn is_taken(&self, base: &str, by: &Desc) -> bool {
        let has = |base: &str, suffix: &str| self.page.has(base, suffix);
        let is_sample = |suffix: &&str| {
            let of = base.strip_suffix(suffix);
            of.is_some_and(|of| has(of, "") || has(of, "_total"))
        };
        has(base, "")
            || ["_bucket", "_count", "_sum", "_created"].iter().any(is_sample)
            // A counter goes before an info.
            || has(base, if by.kind == Kind::Info { "_total" } else { "_created" })
    }
}

impl Encoder for OpenMetrics {
    fn key(&self, family: &PageFamily) -> Option<Key> {
        let (base, suffix, kind) = self.announce(&family.desc);
        Some(Key::OpenMetrics {
            suffix: !suffix.is_empty(),
            created: self.has_created(base, kind),
        })
    }

    fn family(&mut self, family: &PageFamily, out: &mut Vec<u8>) {
        let desc = &*family.desc;
        let (base, suffix, kind) = self.announce(desc);
        self.family = Family {
            name: Name::new(base),
            suffix: suffix.as_bytes(),
            has_created: self.has_created(base, kind),
            has_negative_bounds: bounds(desc).any(|bound| bound < 0.0),
            le: bounds(desc)
                .map(|bound| {
                    let mut text = Vec::new();
                    push_label(&mut text, "le", bound);
                    text
                })
                .collect(),
        };
        let name = &self.family.name;
        let mut line = |keyword: &str, write: &dyn Fn(&mut Vec<u8>)| {
            out.extend_from_slice(b"# ");
            out.extend_from_slice(keyword.as_bytes());
            out.push(b' ');
            name.push(out);
            out.push(b' ');
            write(out);
            out.push(b'\n');
        };
        line("TYPE", &|out| out.extend_from_slice(kind.as_bytes()));
        if let Some(unit) = unit(desc, base, kind) {
            line("UNIT", &|out| out.extend_from_slice(unit.as_bytes()));
        }
        if !desc.help.is_empty() {
            line("HELP", &|out| push_help(out, &desc.help, true));
        }
    }

    fn series(
        &mut self,
        family: &PageFamily,
        slice: &Slice,
        range: Range<usize>,
        out: &mut Vec<u8>,
    ) {
        for position in range {
            let line = Line {
                family: &self.family,
                labels: slice.texts.get(position),
                timestamp: slice.column.timestamp(position),
                exemplars: slice.column.exemplars.get(position),
            };
            match self.reader.read(slice, position, family.taken) {
                Point::Number(value) => line.push_number(value, out),
                Point::Histogram(histogram) => line.push_histogram(&histogram, out),
                Point::Summary {
                    count,
                    sum,
                    quantiles,
                } => line.push_summary(count, sum, quantiles, &mut self.quantile, out),
            }
            if self.family.has_created
                && let Some(created) = slice.created(position)
            {
                line.push_with(b"_created", b"", None, out, |out| push_millis(out, created));
            }
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"# EOF\n");
    }
}

/// The unit, where it may be said: the family's name, without the suffix of its samples, has to end in it.
fn unit<'a>(desc: &'a Desc, base: &str, kind: &str) -> Option<&'a str> {
    let unit = desc.unit.as_deref()?;
    let fits = base
        .strip_suffix(unit)
        .is_some_and(|rest| rest.ends_with('_'));
    // It cannot be quoted, and an info has none.
    let sayable = is_legacy_metric_name(unit) && kind != "info";
    (fits && sayable).then_some(unit)
}

/// What the lines of one series have in common.
struct Line<'a> {
    family: &'a Family,
    labels: &'a [u8],
    timestamp: Option<i64>,
    exemplars: Option<&'a SeriesExemplars>,
}

impl Line<'_> {
    fn push_with(
        &self,
        suffix: &[u8],
        extra: &[u8],
        exemplar: Option<&Exemplar>,
        out: &mut Vec<u8>,
        value: impl FnOnce(&mut Vec<u8>),
    ) {
        self.family
            .name
            .push_series(suffix, self.labels, extra, out);
        out.push(b' ');
        value(out);
        if let Some(timestamp) = self.timestamp {
            out.push(b' ');
            push_millis(out, timestamp);
        }
        if let Some(exemplar) = exemplar {
            push_exemplar(out, exemplar);
        }
        out.push(b'\n');
    }

    fn push_number(&self, value: f64, out: &mut Vec<u8>) {
        // What is announced as anything else cannot have one.
        let has_exemplar = self.family.suffix == b"_total";
        let exemplars = self.exemplars.filter(|_| has_exemplar);
        let exemplar = exemplars.and_then(|exemplars| exemplars.bucket(0));
        self.push_with(self.family.suffix, b"", exemplar, out, |out| {
            push_canonical(out, value);
        });
    }

    fn push(&self, suffix: &[u8], extra: &[u8], value: f64, out: &mut Vec<u8>) {
        self.push_with(suffix, extra, None, out, |out| push_canonical(out, value));
    }

    fn push_count(&self, suffix: &[u8], extra: &[u8], count: f64, out: &mut Vec<u8>) {
        self.push_with(suffix, extra, None, out, |out| push_whole(out, count));
    }

    fn push_bucket(&self, bucket: usize, le: &[u8], count: f64, out: &mut Vec<u8>) {
        let exemplar = self.exemplars.and_then(|all| all.bucket(bucket));
        self.push_with(b"_bucket", le, exemplar, out, |out| push_whole(out, count));
    }

    fn push_histogram(&self, histogram: &HistogramPoint<'_>, out: &mut Vec<u8>) {
        let Some((infinity, le)) = self.family.le.split_last() else {
            return;
        };
        for (bucket, (le, up_to)) in le.iter().zip(histogram.buckets).enumerate() {
            self.push_bucket(bucket, le, *up_to, out);
        }
        self.push_bucket(le.len(), infinity, histogram.count, out);
        // A sum is there only together with a count, and cannot be one that goes down. The count is the last bucket.
        if is_sum(histogram.sum) && !self.family.has_negative_bounds {
            self.push(b"_sum", b"", histogram.sum, out);
            self.push_count(b"_count", b"", histogram.count, out);
        }
    }

    fn push_summary(
        &self,
        count: f64,
        sum: f64,
        quantiles: &[(f64, f64)],
        label: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) {
        for (quantile, value) in quantiles {
            // Readers refuse a quantile below 0.
            if !(*value < 0.0) {
                label.clear();
                push_label(label, "quantile", *quantile);
                self.push(b"", label, *value, out);
            }
        }
        if is_sum(sum) {
            self.push(b"_sum", b"", sum, out);
        }
        self.push_count(b"_count", b"", count, out);
    }
}

/// Counts are whole numbers here. Those that are not, as some collectors have them, are rounded.
fn push_whole(out: &mut Vec<u8>, count: f64) {
    push_integer(out, count.round() as i64);
}

fn push_exemplar(out: &mut Vec<u8>, exemplar: &Exemplar) {
    out.extend_from_slice(b" # {");
    out.extend_from_slice(&exemplar.labels);
    out.extend_from_slice(b"} ");
    push_canonical(out, exemplar.value);
    if let Some(timestamp) = exemplar.timestamp_ms {
        out.push(b' ');
        push_millis(out, timestamp);
    }
}

fn push_label(out: &mut Vec<u8>, name: &str, bound: f64) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    push_canonical(out, bound);
    out.push(b'"');
}

/// Whether the format can say this sum.
fn is_sum(sum: f64) -> bool {
    sum >= 0.0
}
