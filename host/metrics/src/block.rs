//! A run of series that stand next to each other on the page.
//!
//! A block has two halves: the texts, which never change once the block is made, and the column of values. Both are
//! shared with the pages that are being rendered, so that taking a page costs two reference counts for a block.

use std::sync::Arc;

use crate::{
    column::{Column, Shape},
    created::Created,
};

/// Series in a full block. Large enough that a block's share of the bookkeeping is nothing; small enough that copying
/// a column is: 8 KiB of numbers.
pub(crate) const BLOCK: usize = 1024;

/// Up to this length a text is copied at once.
const WINDOW: usize = 96;

/// The label texts of a block, one behind the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    /// Where each text ends.
    ends: Vec<u32>,
    created: Created,
}

impl Texts {
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

    /// Appends a text to `out`. Short ones, which is nearly all, are copied with what stands behind them and cut: moves of
    /// a fixed length are much cheaper than a call that has to look at it.
    #[inline]
    pub(crate) fn copy_to(&self, position: usize, out: &mut Vec<u8>) {
        let text = self.get(position);
        let start = self.ends[position] as usize - text.len();
        match self
            .bytes
            .get(start..)
            .and_then(<[u8]>::first_chunk::<WINDOW>)
        {
            Some(window) if text.len() <= WINDOW => {
                let end = out.len() + text.len();
                out.extend_from_slice(window);
                out.truncate(end);
            }
            _ => out.extend_from_slice(text),
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
    /// The series at each position; it is dead if the family knows another place for it.
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
                Self::Shared(column) => Self::Mine(Arc::unwrap_or_clone(column)),
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
        Self {
            texts: Arc::default(),
            column: Held::Mine(shape.column()),
            ids: Vec::new(),
            dead: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn text(&self, position: usize) -> &[u8] {
        self.texts.get(position)
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

    /// Appends a series of another block.
    pub(crate) fn push_from(&mut self, other: &Self, position: usize) {
        let created = other.texts.created(position);
        self.push_text(other.ids[position], other.text(position), created);
        self.column().push_from(other.column.get(), position);
    }

    /// Gives back the room that growing took in advance.
    pub(crate) fn shrink(&mut self) {
        let texts = Arc::make_mut(&mut self.texts);
        texts.bytes.shrink_to_fit();
        texts.ends.shrink_to_fit();
        texts.created.shrink_to_fit();
        self.ids.shrink_to_fit();
    }
}
