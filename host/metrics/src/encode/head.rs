//! What the text format writes of a family again and again; rendered when the family is first written.

use super::{
    line::{Name, bounds, push_help},
    room::Short,
};
use crate::{desc::Desc, number::push_float};

/// What all series of a family have in common in text format 0.0.4.
#[derive(Debug)]
pub(crate) struct Head {
    /// The HELP and the TYPE line.
    pub(super) metadata: Box<[u8]>,
    pub(super) name: Name,
    /// How lines begin if the name needs no quotes: `name{`, and with the suffixes of a histogram.
    pub(super) plain: Start,
    pub(super) bucket: Start,
    pub(super) sum: Start,
    pub(super) count: Start,
    /// `,le="0.5"} ` for each bound and for `+Inf`.
    pub(super) le: Box<[Short<32>]>,
    /// Length of the longest `le`.
    pub(super) longest_le: usize,
}

/// What a line begins with.
pub(super) type Start = Short<64>;

impl Head {
    pub(crate) fn new(desc: &Desc) -> Self {
        let name = Name::new(&desc.name);
        let start = |suffix: &str| Short::new(format!("{}{suffix}{{", desc.name).as_bytes());
        let le = bounds(desc).map(|bound| {
            let mut text = b",le=\"".to_vec();
            push_float(&mut text, bound);
            text.extend_from_slice(b"\"} ");
            Short::new(&text)
        });
        let le: Box<[Short<32>]> = le.collect();
        Self {
            metadata: metadata(desc, &name),
            plain: start(""),
            bucket: start("_bucket"),
            sum: start("_sum"),
            count: start("_count"),
            longest_le: le.iter().map(|le| le.text().len()).max().unwrap_or(0),
            le,
            name,
        }
    }

    /// `le="0.5"` of a bucket.
    pub(super) fn le(&self, bucket: usize) -> &[u8] {
        let text = self.le[bucket].text();
        &text[1..text.len() - 2]
    }
}

fn metadata(desc: &Desc, name: &Name) -> Box<[u8]> {
    let mut out = Vec::new();
    if !desc.help.is_empty() {
        out.extend_from_slice(b"# HELP ");
        name.push(&mut out);
        out.push(b' ');
        push_help(&mut out, &desc.help, false);
        out.push(b'\n');
    }
    out.extend_from_slice(b"# TYPE ");
    name.push(&mut out);
    out.push(b' ');
    out.extend_from_slice(desc.kind.text_name().as_bytes());
    out.push(b'\n');
    out.into()
}
