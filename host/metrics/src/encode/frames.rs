//! A page in pieces: rendered as they are asked for, so that a page of any size takes the memory of a few.

use super::{Encoder, Escaping, Format, encoder, escape};
use crate::{
    block::Slice,
    labels,
    page::{Page, PageFamily},
};

/// A piece is made of whole lines, and is this long or a little longer. Long enough that a write of it costs little more
/// than its bytes, short enough to stay in a core's cache.
const FRAME: usize = 64 << 10;

/// Series that are rendered before the length is looked at.
const STEP: usize = 64;

/// The pieces of a page; see [`Page::frames`].
#[derive(Debug)]
pub struct Frames {
    page: Page,
    encoder: Box<dyn Encoder>,
    /// The family that is being written.
    family: usize,
    /// Where its next series stand: block and position, for each owner. Empty before its first.
    cursors: Vec<Cursor>,
    /// Room that a piece gets from the start.
    capacity: usize,
    /// Families that could not be written.
    dropped: Vec<String>,
    done: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    block: usize,
    position: usize,
}

impl Frames {
    pub(crate) fn new(page: Page, format: Format, escaping: Escaping) -> Self {
        let (page, dropped) = escape::page(page, escaping);
        let encoder = encoder(format, &page);
        // A small page does not fill a piece.
        let series = page.families.iter().map(PageFamily::len).sum::<usize>();
        let capacity = (series * 128).clamp(4 << 10, FRAME + FRAME / 4);
        Self {
            page,
            encoder,
            family: 0,
            cursors: Vec::new(),
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
        if self.cursors.is_empty() {
            self.encoder.family(family, out);
            self.cursors = vec![Cursor::default(); family.owners.len()];
        }
        let next = match self.cursors.as_slice() {
            [_] => Some(0),
            cursors => first(family, cursors),
        };
        let alone = self.cursors.len() == 1;
        let slice = next.and_then(|owner| self.cursors[owner].slice(&family.owners[owner]));
        let (Some(owner), Some(slice)) = (next, slice) else {
            self.encoder.end_family(family, out);
            self.family += 1;
            self.cursors.clear();
            return;
        };
        let cursor = &mut self.cursors[owner];
        let end = cursor.position + if alone { STEP } else { 1 };
        let end = end.min(slice.texts.len());
        self.encoder
            .series(family, slice, cursor.position..end, out);
        cursor.position = end;
        if end == slice.texts.len() {
            *cursor = Cursor {
                block: cursor.block + 1,
                position: 0,
            };
        }
    }
}

impl Iterator for Frames {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.append(&mut out).then_some(out)
    }
}

impl Cursor {
    fn slice<'a>(&self, slices: &'a [Slice]) -> Option<&'a Slice> {
        slices.get(self.block)
    }
}

/// The owner whose next series comes first, if any has one left.
fn first(family: &PageFamily, cursors: &[Cursor]) -> Option<usize> {
    let text = |owner: usize| {
        let cursor = &cursors[owner];
        Some(
            cursor
                .slice(&family.owners[owner])?
                .texts
                .get(cursor.position),
        )
    };
    (0..cursors.len())
        .filter_map(|owner| Some((owner, text(owner)?)))
        .min_by(|a, b| labels::compare(a.1, b.1))
        .map(|(owner, _)| owner)
}
