//! A page in pieces: rendered as they are asked for, so that a page of any size takes the memory of a few.

use super::{
    Encoder, Escaping, Format, STEP, encoder, escape, places::Places, protobuf::RemoteWrite,
};
use crate::{
    block::Slice,
    page::{Page, PageFamily},
};

/// A piece is made of whole lines, and is this long or a little longer. Long enough that a write of it costs little more
/// than its bytes, short enough to stay in a core's cache.
const FRAME: usize = 64 << 10;

/// The pieces of a page; see [`Page::frames`].
#[derive(Debug)]
pub struct Frames {
    page: Page,
    encoder: Box<dyn Encoder>,
    /// The family that is being written.
    family: usize,
    /// Where its next series stand, once it was begun.
    places: Places,
    is_begun: bool,
    /// Room that a piece gets from the start.
    capacity: usize,
    /// Families that could not be written.
    dropped: Vec<String>,
    done: bool,
}

impl Frames {
    pub(crate) fn new(page: Page, format: Format, escaping: Escaping) -> Self {
        let (page, dropped) = escape::page(page, escaping);
        let encoder = encoder(format, &page);
        Self::of(page, encoder, dropped)
    }

    pub(crate) fn write_requests(
        page: Page,
        labels: Vec<(String, String)>,
        timestamp_ms: i64,
    ) -> Self {
        let (page, dropped) = escape::page(page, Escaping::Underscores);
        let encoder = Box::new(RemoteWrite::new(labels, timestamp_ms));
        Self::of(page, encoder, dropped)
    }

    fn of(page: Page, encoder: Box<dyn Encoder>, dropped: Vec<String>) -> Self {
        // A small page does not fill a piece.
        let series = page.families.iter().map(|family| family.len());
        let capacity = (series.sum::<usize>() * 128).clamp(4 << 10, FRAME + FRAME / 4);
        Self {
            page,
            encoder,
            family: 0,
            places: Places::default(),
            is_begun: false,
            capacity,
            dropped,
            done: false,
        }
    }

    /// Names of the families that are left out because another family, or another label of theirs, has the same name once
    /// names are escaped.
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// Appends the next piece, into room that may have been used before; `false` where there is none left.
    pub fn append(&mut self, out: &mut Vec<u8>) -> bool {
        if self.done {
            return false;
        }
        out.reserve(self.capacity);
        let begin = out.len();
        while out.len() - begin < FRAME && !self.done {
            self.step(out);
        }
        out.len() > begin
    }

    /// Writes the next few series, or what stands between families.
    fn step(&mut self, out: &mut Vec<u8>) {
        let Some(family) = self.page.families.get(self.family) else {
            self.encoder.end(out);
            self.done = true;
            return;
        };
        if !self.is_begun {
            if let Some(slice) = small(family) {
                whole(&mut *self.encoder, family, slice, out);
                self.family += 1;
                return;
            }
            self.encoder.family(family, out);
            self.places.begin(family);
            self.is_begun = true;
        }
        match self.places.next(family) {
            Some((slice, range)) => {
                self.encoder.series(family, slice, range.clone(), out);
                self.places.advance(family, slice, &range);
            }
            None => {
                self.encoder.end_family(family, out);
                self.family += 1;
                self.is_begun = false;
            }
        }
    }
}

/// The only block of a family with few series.
fn small(family: &PageFamily) -> Option<&Slice> {
    match family.owner(0) {
        [slice] if family.owners() == 1 && slice.texts.len() <= STEP => Some(slice),
        _ => None,
    }
}

/// Writes a family with one small block.
fn whole(encoder: &mut dyn Encoder, family: &PageFamily, slice: &Slice, out: &mut Vec<u8>) {
    let key = encoder.key(family);
    if let Some(text) = key.and_then(|key| family.kept.get(key)) {
        return out.extend_from_slice(text);
    }
    let begin = out.len();
    encoder.family(family, out);
    encoder.series(family, slice, 0..slice.texts.len(), out);
    encoder.end_family(family, out);
    if let Some(key) = key {
        family.kept.offer(key, &out[begin..]);
    }
}

impl Iterator for Frames {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.append(&mut out).then_some(out)
    }
}
