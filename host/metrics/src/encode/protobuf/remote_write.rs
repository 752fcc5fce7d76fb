//! `prometheus.WriteRequest` of remote write 1.0: every sample with all of its labels, for systems that are pushed to.
//!
//! Nothing of the message stands before or after its series, so any run of them is a request of its own: each piece of a
//! page can be sent by itself.

use std::{borrow::Cow, ops::Range};

use super::{Field, Writer};
use crate::{
    block::Slice,
    desc::{Desc, Kind},
    encode::{
        Encoder,
        point::{Point, Reader},
    },
    labels,
    number::push_float,
    page::PageFamily,
};

type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// Sorts before `le` and `quantile`.
const NAME: &[u8] = b"__name__";

/// Writes series.
#[derive(Debug)]
pub(in crate::encode) struct RemoteWrite {
    reader: Reader,
    /// Labels of the sender; those that a series has itself win.
    labels: Vec<(String, String)>,
    timestamp: i64,
}

impl RemoteWrite {
    pub(in crate::encode) fn new(labels: Vec<(String, String)>, timestamp: i64) -> Self {
        Self {
            reader: Reader::default(),
            labels,
            timestamp,
        }
    }
}

impl Encoder for RemoteWrite {
    fn family(&mut self, family: &PageFamily, out: &mut Vec<u8>) {
        let desc = &family.desc;
        let kind = match desc.kind {
            Kind::Untyped => 0,
            Kind::Counter => 1,
            Kind::Gauge => 2,
            Kind::Histogram(_) => 3,
            Kind::Summary(_) => 5,
            Kind::Info => 6,
        };
        out.message(Field(3, "metadata"), |to| {
            to.unsigned(Field(1, "type"), kind);
            to.string(Field(2, "metric_family_name"), desc.name.as_bytes());
            to.string(Field(4, "help"), desc.help.as_bytes());
            if let Some(unit) = &desc.unit {
                to.string(Field(5, "unit"), unit.as_bytes());
            }
        });
    }

    fn series(
        &mut self,
        family: &PageFamily,
        slice: &Slice,
        range: Range<usize>,
        out: &mut Vec<u8>,
    ) {
        let Self {
            reader,
            labels,
            timestamp,
        } = self;
        for position in range {
            let mut series = Series {
                name: family.desc.name.as_bytes(),
                labels: pairs(labels, slice.texts.get(position)),
                timestamp: slice.column.timestamp(position).unwrap_or(*timestamp),
                out,
            };
            let point = reader.read(slice, position, family.taken);
            series.point(&family.desc, &point);
        }
    }
}

/// What the samples of one series have in common.
struct Series<'a> {
    name: &'a [u8],
    /// By name, which is how receivers want them.
    labels: Vec<Pair<'a>>,
    /// Milliseconds since 1970.
    timestamp: i64,
    out: &'a mut Vec<u8>,
}

impl Series<'_> {
    fn point(&mut self, desc: &Desc, point: &Point<'_>) {
        match point {
            Point::Number(value) => self.sample(b"", None, *value),
            Point::Summary {
                count,
                sum,
                quantiles,
            } => {
                for (quantile, value) in *quantiles {
                    self.sample(b"", Some((b"quantile", *quantile)), *value);
                }
                self.sample(b"_sum", None, *sum);
                self.sample(b"_count", None, *count);
            }
            Point::Histogram(point) => {
                let bounds = match &desc.kind {
                    Kind::Histogram(options) => options.bounds.as_slice(),
                    _ => &[],
                };
                let infinity = (&f64::INFINITY, &point.count);
                for (bound, up_to) in bounds.iter().zip(point.buckets).chain([infinity]) {
                    self.sample(b"_bucket", Some((b"le", *bound)), *up_to);
                }
                self.sample(b"_sum", None, point.sum);
                self.sample(b"_count", None, point.count);
            }
        }
    }

    fn sample(&mut self, suffix: &[u8], bound: Option<(&[u8], f64)>, value: f64) {
        let name = [self.name, suffix].concat();
        let bound = bound.map(|(label, bound)| {
            let mut text = Vec::new();
            push_float(&mut text, bound);
            (label, text)
        });
        // Two sorted rows become one.
        let own = [Some((NAME, name)), bound];
        let mut own = own.iter().flatten().peekable();
        let Self {
            labels,
            timestamp,
            out,
            ..
        } = self;
        out.message(Field(1, "timeseries"), |to| {
            for (name, value) in labels.iter() {
                while let Some((before, value)) = own.next_if(|own| own.0 < name.as_ref()) {
                    label(before, value, to);
                }
                label(name, value, to);
            }
            own.for_each(|(name, value)| label(name, value, to));
            to.message(Field(2, "samples"), |to| {
                to.double(Field(1, "value"), value);
                to.signed(Field(2, "timestamp"), *timestamp);
            });
        });
    }
}

fn label(name: &[u8], value: &[u8], to: &mut Vec<u8>) {
    to.message(Field(1, "labels"), |to| {
        to.string(Field(1, "name"), name);
        to.string(Field(2, "value"), value);
    });
}

/// The labels of a series and of the sender, sorted. Without those that are empty: they are the same as none.
fn pairs<'a>(sender: &'a [(String, String)], text: &'a [u8]) -> Vec<Pair<'a>> {
    let mut all: Vec<Pair<'a>> = labels::pairs(text)
        .map(|label| {
            let mut value = Cow::Borrowed(label.value);
            if label.value.contains(&b'\\') {
                let mut unescaped = Vec::new();
                labels::push_unescaped(&mut unescaped, label.value);
                value = Cow::Owned(unescaped);
            }
            (label.name(), value)
        })
        .collect();
    for (name, value) in sender {
        if !all.iter().any(|(own, _)| **own == *name.as_bytes()) {
            all.push((name.as_bytes().into(), value.as_bytes().into()));
        }
    }
    all.retain(|(_, value)| !value.is_empty());
    all.sort();
    all
}
