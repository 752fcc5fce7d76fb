//! `io.prometheus.client.MetricFamily`, in its three encodings.
//!
//! The messages are walked here once, in the order in which the schema declares their fields; a [`Writer`] makes bytes
//! or text of them. Fields are those of client_golang: names keep their `_total`, the bucket of +Inf is left out (its
//! count is the sample count), and native histograms are here and nowhere else.

mod delimited;
mod histogram;
mod metric;
mod remote_write;
mod text;

use std::ops::Range;

use super::Encoder;
use crate::{
    block::Slice,
    desc::{Desc, Kind},
    page::PageFamily,
};
use delimited::Count;
use metric::Walk;

pub(super) use remote_write::RemoteWrite;
pub(super) use text::Layout;

/// A field of a message.
#[derive(Clone, Copy, Debug)]
struct Field(u32, &'static str);

/// Writes fields, one after the other.
trait Writer {
    fn message(&mut self, field: Field, write: impl FnOnce(&mut Self));
    fn string(&mut self, field: Field, value: &[u8]);
    fn double(&mut self, field: Field, value: f64);
    /// `uint32` or `uint64`.
    fn unsigned(&mut self, field: Field, value: u64);
    /// `int32` or `int64`; these numbers are rarely negative.
    fn signed(&mut self, field: Field, value: i64);
    /// `sint32` or `sint64`; these numbers are as often negative as not.
    fn zigzag(&mut self, field: Field, value: i64);
    fn word(&mut self, field: Field, number: u64, name: &'static str);
}

/// Writes families as messages behind their length.
#[derive(Debug, Default)]
pub(super) struct Delimited(Walk);

impl Encoder for Delimited {
    fn family(&mut self, family: &PageFamily, out: &mut Vec<u8>) {
        // The length comes first. Walking the family twice keeps a page of any size in the memory of a few pieces.
        let mut length = Count::default();
        head(&family.desc, &mut length);
        for slice in family.slices() {
            let all = 0..slice.texts.len();
            self.0.metrics(family, slice, all, &mut length);
        }
        tail(&family.desc, &mut length);
        delimited::push_varint(out, length.0 as u64);
        head(&family.desc, out);
    }

    fn series(
        &mut self,
        family: &PageFamily,
        slice: &Slice,
        range: Range<usize>,
        out: &mut Vec<u8>,
    ) {
        self.0.metrics(family, slice, range, out);
    }

    fn end_family(&mut self, family: &PageFamily, out: &mut Vec<u8>) {
        tail(&family.desc, out);
    }
}

/// Writes families as text.
#[derive(Debug)]
pub(super) struct ForPeople {
    walk: Walk,
    layout: Layout,
}

impl ForPeople {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            walk: Walk::default(),
            layout,
        }
    }
}

impl Encoder for ForPeople {
    fn family(&mut self, family: &PageFamily, out: &mut Vec<u8>) {
        head(&family.desc, &mut text::Text::first(self.layout, out));
    }

    fn series(
        &mut self,
        family: &PageFamily,
        slice: &Slice,
        range: Range<usize>,
        out: &mut Vec<u8>,
    ) {
        let mut text = text::Text::more(self.layout, out);
        self.walk.metrics(family, slice, range, &mut text);
    }

    fn end_family(&mut self, family: &PageFamily, out: &mut Vec<u8>) {
        tail(&family.desc, &mut text::Text::more(self.layout, out));
        out.push(b'\n');
    }
}

fn head(desc: &Desc, to: &mut impl Writer) {
    to.string(Field(1, "name"), desc.name.as_bytes());
    if !desc.help.is_empty() {
        to.string(Field(2, "help"), desc.help.as_bytes());
    }
    let (number, name) = match desc.kind {
        Kind::Counter => (0, "COUNTER"),
        // The schema has no info.
        Kind::Gauge | Kind::Info => (1, "GAUGE"),
        Kind::Summary(_) => (2, "SUMMARY"),
        Kind::Untyped => (3, "UNTYPED"),
        Kind::Histogram(_) => (4, "HISTOGRAM"),
    };
    to.word(Field(3, "type"), number, name);
}

fn tail(desc: &Desc, to: &mut impl Writer) {
    if let Some(unit) = &desc.unit {
        to.string(Field(5, "unit"), unit.as_bytes());
    }
}
