//! The messages of single series.

use std::ops::Range;

use super::{Field, Writer, histogram};
use crate::{
    block::Slice,
    desc::Kind,
    encode::point::{Point, Reader},
    exemplar::Exemplar,
    labels,
    page::PageFamily,
};

/// Walks the series of families.
#[derive(Debug, Default)]
pub(super) struct Walk {
    reader: Reader,
    /// A label value without its escapes.
    unescaped: Vec<u8>,
}

impl Walk {
    pub(super) fn metrics(
        &mut self,
        family: &PageFamily,
        slice: &Slice,
        range: Range<usize>,
        to: &mut impl Writer,
    ) {
        for position in range {
            to.message(Field(4, "metric"), |to| {
                self.metric(family, slice, position, to);
            });
        }
    }

    fn metric(
        &mut self,
        family: &PageFamily,
        slice: &Slice,
        position: usize,
        to: &mut impl Writer,
    ) {
        let desc = &*family.desc;
        write_labels(slice.texts.get(position), &mut self.unescaped, to);
        let created = slice.created(position);
        let exemplars = slice.column.exemplars.get(position);
        match self.reader.read(slice, position, family.taken) {
            Point::Number(value) => {
                let field = match desc.kind {
                    Kind::Counter => Field(3, "counter"),
                    Kind::Untyped => Field(5, "untyped"),
                    _ => Field(2, "gauge"),
                };
                to.message(field, |to| {
                    to.double(Field(1, "value"), value);
                    if let Some(last) = exemplars.and_then(|all| all.bucket(0)) {
                        exemplar(Field(2, "exemplar"), last, to);
                    }
                    if desc.kind == Kind::Counter {
                        timestamp(Field(3, "created_timestamp"), created, to);
                    }
                });
            }
            Point::Summary {
                count,
                sum,
                quantiles,
            } => to.message(Field(4, "summary"), |to| {
                // There is no other count: what is not a whole number is cut.
                to.unsigned(Field(1, "sample_count"), count as u64);
                to.double(Field(2, "sample_sum"), sum);
                for (quantile, value) in quantiles {
                    to.message(Field(3, "quantile"), |to| {
                        to.double(Field(1, "quantile"), *quantile);
                        to.double(Field(2, "value"), *value);
                    });
                }
                timestamp(Field(4, "created_timestamp"), created, to);
            }),
            Point::Histogram(point) => to.message(Field(7, "histogram"), |to| {
                histogram::write(desc, &point, exemplars, created, to);
            }),
        }
        if let Some(millis) = slice.column.timestamp(position) {
            to.signed(Field(6, "timestamp_ms"), millis);
        }
    }
}

/// The labels of a series or of an exemplar.
fn write_labels(text: &[u8], unescaped: &mut Vec<u8>, to: &mut impl Writer) {
    for label in labels::pairs(text) {
        let unescaped = &mut *unescaped;
        to.message(Field(1, "label"), |to| {
            to.string(Field(1, "name"), &label.name());
            let value = if label.value.contains(&b'\\') {
                unescaped.clear();
                labels::push_unescaped(unescaped, label.value);
                unescaped
            } else {
                label.value
            };
            to.string(Field(2, "value"), value);
        });
    }
}

pub(super) fn exemplar(field: Field, exemplar: &Exemplar, to: &mut impl Writer) {
    to.message(field, |to| {
        write_labels(&exemplar.labels, &mut Vec::new(), to);
        to.double(Field(2, "value"), exemplar.value);
        timestamp(Field(3, "timestamp"), exemplar.timestamp_ms, to);
    });
}

/// A `google.protobuf.Timestamp`.
pub(super) fn timestamp(field: Field, millis: Option<i64>, to: &mut impl Writer) {
    let Some(millis) = millis else {
        return;
    };
    to.message(field, |to| {
        // Its schema is of the later kind, in which zeros are left out.
        for (field, value) in [
            (Field(1, "seconds"), millis.div_euclid(1000)),
            (Field(2, "nanos"), millis.rem_euclid(1000) * 1_000_000),
        ] {
            if value != 0 {
                to.signed(field, value);
            }
        }
    });
}
