//! Where the next series of a family stand.

use std::{cmp::Ordering, ops::Range};

use crate::{block::Slice, labels, page::PageFamily};

/// Series that are rendered before the length of a piece is looked at. The text of a family that has no more may be kept.
pub(crate) const STEP: usize = 64;

/// Block and position for each owner, and whose turn it is. The room is used again for the next family.
#[derive(Debug, Default)]
pub(super) struct Places {
    cursors: Vec<Cursor>,
    /// Owners that have series left; the one whose next series comes first is the last.
    turns: Vec<usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    block: usize,
    position: usize,
}

impl Places {
    /// Before the first series of a family.
    pub(super) fn begin(&mut self, family: &PageFamily) {
        self.cursors.clear();
        self.cursors.resize(family.owners(), Cursor::default());
        self.turns.clear();
        let cursors = &self.cursors;
        let left =
            (0..cursors.len()).filter(|owner| cursors[*owner].slice(family, *owner).is_some());
        self.turns.extend(left);
        self.turns
            .sort_unstable_by(|a, b| order(cursors, family, *b, *a));
    }

    /// The next series, some of one block.
    pub(super) fn next<'a>(&self, family: &'a PageFamily) -> Option<(&'a Slice, Range<usize>)> {
        let owner = *self.turns.last()?;
        let cursor = self.cursors[owner];
        let slice = cursor.slice(family, owner)?;
        let most = if self.cursors.len() == 1 { STEP } else { 1 };
        let end = (cursor.position + most).min(slice.texts.len());
        Some((slice, cursor.position..end))
    }

    /// Goes on behind these series, which were the next ones.
    pub(super) fn advance(&mut self, family: &PageFamily, slice: &Slice, range: &Range<usize>) {
        let Some(owner) = self.turns.pop() else {
            return;
        };
        let cursor = &mut self.cursors[owner];
        cursor.position = range.end;
        if cursor.position == slice.texts.len() {
            cursor.block += 1;
            cursor.position = 0;
        }
        if cursor.slice(family, owner).is_some() {
            let cursors = &self.cursors;
            let comes_later = |other: &usize| order(cursors, family, *other, owner).is_gt();
            let place = self.turns.partition_point(comes_later);
            self.turns.insert(place, owner);
        }
    }
}

impl Cursor {
    fn slice(self, family: &PageFamily, owner: usize) -> Option<&Slice> {
        family.owner(owner).get(self.block)
    }
}

/// Whose next series comes first. Of equal ones that of the owner who registered first does.
fn order(cursors: &[Cursor], family: &PageFamily, a: usize, b: usize) -> Ordering {
    let text = |owner: usize| {
        let cursor = cursors[owner];
        let slice = cursor.slice(family, owner)?;
        Some(slice.texts.get(cursor.position))
    };
    match (text(a), text(b)) {
        (Some(first), Some(other)) => labels::compare(first, other).then(a.cmp(&b)),
        (first, other) => first.cmp(&other),
    }
}
