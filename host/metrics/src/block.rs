//! A run of series that stand next to each other on the page.
//!
//! A block has two halves: the texts, which never change once the block is made, and the column of values. Both are
//! shared with the pages that are being rendered, so that taking a page costs two reference counts for a block.

use std::{ops::Range, sync::Arc, time::Instant};

use crate::{
    column::{Column, Shape},
    created::Created,
    order::Source,
    sample::Sample,
};

/// Series in a full block. Large enough that a block's share of the bookkeeping is nothing; small enough that copying
/// a column is: 8 KiB of numbers.
pub(crate) const BLOCK: usize = 1024;

/// In place of the id of a series that is no more.
pub(crate) const DEAD: u32 = u32::MAX;

/// Up to this length a text is copied at once.
pub(crate) const WINDOW: usize = 96;

/// The label texts of a block, one behind the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    /// Where each text ends.
    ends: Vec<u32>,
    created: Created,
}

impl Texts {
    pub(crate) fn with_capacity(texts: usize, bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ends: Vec::with_capacity(texts),
            created: Created::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(crate) fn get(&self, position: usize) -> &[u8] {
        let start = if position == 0 {
            0
        } else {
            self.ends[position - 1] as usize
        };
        &self.bytes[start..self.ends[position] as usize]
    }

    /// A text, and if it is short, as nearly all are, the same with what stands behind it: to copy a fixed length is much
    /// cheaper than a call that has to look at it.
    #[inline]
    pub(crate) fn get_padded(&self, position: usize) -> (&[u8], Option<&[u8; WINDOW]>) {
        let text = self.get(position);
        let start = self.ends[position] as usize - text.len();
        let window = self.bytes[start..].first_chunk::<WINDOW>();
        (text, window.filter(|_| text.len() <= WINDOW))
    }

    /// Bytes of some texts together.
    pub(crate) fn bytes_of(&self, range: Range<usize>) -> usize {
        match (range.start.checked_sub(1), range.end.checked_sub(1)) {
            (_, None) => 0,
            (None, Some(last)) => self.ends[last] as usize,
            (Some(before), Some(last)) => (self.ends[last] - self.ends[before]) as usize,
        }
    }

    /// When the series was opened, milliseconds since 1970, if its family keeps that.
    pub(crate) fn created(&self, position: usize) -> Option<i64> {
        self.created.get(position)
    }

    pub(crate) fn push(&mut self, text: &[u8], created: Option<i64>) {
        self.created.push(self.ends.len(), created);
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
    }

    /// Appends a text of another block.
    pub(crate) fn push_from(&mut self, other: &Self, position: usize) {
        self.push(other.get(position), other.created(position));
    }
}

/// What a page takes of a block.
#[derive(Clone, Debug)]
pub(crate) struct Slice {
    pub(crate) texts: Arc<Texts>,
    pub(crate) column: Arc<Column>,
}

impl Slice {
    /// When the series began to count, milliseconds since 1970: as its sample said, or when it was opened.
    pub(crate) fn created(&self, position: usize) -> Option<i64> {
        self.column
            .created(position)
            .or_else(|| self.texts.created(position))
    }
}

/// A block in its family.
#[derive(Debug)]
pub(crate) struct Block {
    texts: Arc<Texts>,
    column: Held,
    /// The series at each position, or [`DEAD`].
    pub(crate) ids: Vec<u32>,
    /// How many of them are dead.
    pub(crate) dead: usize,
}

/// A column, and whether a page may have it too. Most updates meet their own: they pay for no reference count.
#[derive(Debug)]
enum Held {
    Mine(Column),
    Shared(Arc<Column>),
}

impl Held {
    fn get(&self) -> &Column {
        match self {
            Self::Mine(column) => column,
            Self::Shared(column) => column,
        }
    }

    /// To change it: a copy, if a page still holds it.
    fn get_mut(&mut self) -> &mut Column {
        if let Self::Shared(_) = self {
            *self = match std::mem::replace(self, Self::Mine(Column::default())) {
                Self::Shared(column) => {
                    column.touch();
                    Self::Mine(Arc::unwrap_or_clone(column))
                }
                mine @ Self::Mine(_) => mine,
            };
        }
        match self {
            Self::Mine(column) => column,
            Self::Shared(column) => Arc::make_mut(column),
        }
    }

    fn share(&mut self) -> Arc<Column> {
        match self {
            Self::Shared(column) => Arc::clone(column),
            Self::Mine(column) => {
                let column = Arc::new(std::mem::take(column));
                *self = Self::Shared(Arc::clone(&column));
                column
            }
        }
    }
}

impl Block {
    pub(crate) fn new(shape: &Shape) -> Self {
        Self::with_texts(Texts::default(), shape)
    }

    /// Its series are to be pushed.
    pub(crate) fn with_texts(texts: Texts, shape: &Shape) -> Self {
        Self {
            ids: Vec::with_capacity(texts.len()),
            texts: Arc::new(texts),
            column: Held::Mine(shape.column()),
            dead: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn text(&self, position: usize) -> &[u8] {
        self.texts.get(position)
    }

    /// When its summaries forget something, if they ever do.
    pub(crate) fn lasts_until(&self, now: Instant) -> Option<Instant> {
        self.column.get().lasts_until(now)
    }

    pub(crate) fn exemplars(&self) -> usize {
        self.column.get().exemplars.len()
    }

    /// Whether a series has what this sample says.
    pub(crate) fn has(&self, position: usize, sample: &Sample) -> bool {
        self.column.get().has(position, sample)
    }

    pub(crate) fn column(&mut self) -> &mut Column {
        self.column.get_mut()
    }

    /// The block as it is now, for a page.
    pub(crate) fn slice(&mut self) -> Slice {
        Slice {
            texts: Arc::clone(&self.texts),
            column: self.column.share(),
        }
    }

    /// Appends the text of a series; its value is the caller's to append. Only while no page has the block.
    pub(crate) fn push_text(&mut self, id: u32, text: &[u8], created: Option<i64>) {
        Arc::make_mut(&mut self.texts).push(text, created);
        self.ids.push(id);
    }

    /// Takes a series from another block; its text is here. The id, or [`DEAD`].
    pub(crate) fn take_from(&mut self, other: &mut Self, position: usize) -> u32 {
        self.column().push_from(other.column.get(), position);
        let id = other.retire(position);
        self.dead += usize::from(id == DEAD);
        self.ids.push(id);
        id
    }

    /// Makes a series a dead one; its id, or [`DEAD`].
    pub(crate) fn retire(&mut self, position: usize) -> u32 {
        let id = std::mem::replace(&mut self.ids[position], DEAD);
        self.dead += usize::from(id != DEAD);
        id
    }

    /// The texts, and the ids if some of them are dead.
    pub(crate) fn source(&self, number: u32) -> Source {
        Source {
            number,
            texts: Arc::clone(&self.texts),
            ids: (self.dead > 0).then(|| self.ids.clone()),
        }
    }

    /// Makes room for series like those of a block that is full.
    pub(crate) fn reserve_like(&mut self, full: &Self) {
        let bytes = full.texts.bytes.len();
        let texts = Texts::with_capacity(BLOCK, bytes + bytes / 16);
        self.texts = Arc::new(texts);
        self.ids.reserve_exact(BLOCK);
    }
}
