//! The changes of the current call, and how the families look with them.

use std::{collections::HashSet, hash::BuildHasher, ops::Range};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::Verb;
use crate::exemplar::Exemplar;

/// What a call has changed so far. Texts lie one behind the other in a single buffer: a call may open a million series,
/// and what it took for that is given back at once.
#[derive(Debug, Default)]
pub(super) struct Staged {
    pub(super) changes: Vec<Change>,
    texts: Vec<u8>,
    /// Series opened or removed in this call.
    overlay: HashTable<Entry>,
    hasher: RandomState,
    /// Families cleared in this call.
    cleared: HashSet<u32>,
    /// How many series the scope held when the first was opened, and how many were opened since.
    pub(super) held: Option<usize>,
    pub(super) opened: usize,
    /// How many exemplars were attached.
    pub(super) exemplars: usize,
}

#[derive(Debug)]
pub(super) enum Change {
    /// The handle, and the place of its text.
    Open(u32, Range<usize>),
    /// The family, and the place of the text.
    Remove(u32, Range<usize>),
    /// The family.
    Clear(u32),
    Columns(Box<Columns>),
    /// The handle.
    Exemplar(u32, Box<Exemplar>),
}

/// Two columns of a call.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) verb: Verb,
    pub(super) handles: Vec<u32>,
    pub(super) numbers: Vec<f64>,
}

#[derive(Debug)]
struct Entry {
    family: u32,
    text: Range<usize>,
    now: Now,
}

/// What a call made of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Now {
    /// Opened under this handle.
    Opened(u32),
    Removed,
}

impl Staged {
    /// What this call made of a series; `None` if nothing.
    pub(super) fn get(&self, family: u32, text: &[u8]) -> Option<Now> {
        let found = self.overlay.find(self.hash(family, text), |entry| {
            self.is(entry, family, text)
        });
        match found {
            Some(entry) => Some(entry.now),
            None => self.cleared.contains(&family).then_some(Now::Removed),
        }
    }

    pub(super) fn open(&mut self, family: u32, text: &[u8], handle: u32) {
        let range = self.put(family, text, Now::Opened(handle));
        self.opened += 1;
        self.changes.push(Change::Open(handle, range));
    }

    pub(super) fn remove(&mut self, family: u32, text: &[u8]) {
        let range = self.put(family, text, Now::Removed);
        self.changes.push(Change::Remove(family, range));
    }

    pub(super) fn clear(&mut self, family: u32) {
        self.overlay.retain(|entry| entry.family != family);
        self.cleared.insert(family);
        self.changes.push(Change::Clear(family));
    }

    /// Texts of the series that this call has opened in a family.
    pub(super) fn opened_in(&self, family: u32) -> impl Iterator<Item = &[u8]> {
        let opened = move |entry: &&Entry| entry.family == family && entry.now != Now::Removed;
        self.overlay
            .iter()
            .filter(opened)
            .map(|entry| self.text(&entry.text))
    }

    pub(super) fn text(&self, range: &Range<usize>) -> &[u8] {
        &self.texts[range.clone()]
    }

    fn put(&mut self, family: u32, text: &[u8], now: Now) -> Range<usize> {
        let hash = self.hash(family, text);
        let Self {
            overlay,
            texts,
            hasher,
            ..
        } = self;
        let same = |entry: &Entry| entry.family == family && texts[entry.text.clone()] == *text;
        if let Some(entry) = overlay.find_mut(hash, same) {
            entry.now = now;
            return entry.text.clone();
        }
        let start = texts.len();
        texts.extend_from_slice(text);
        let range = start..texts.len();
        let entry = Entry {
            family,
            text: range.clone(),
            now,
        };
        overlay.insert_unique(hash, entry, |entry| {
            hasher.hash_one((entry.family, &texts[entry.text.clone()]))
        });
        range
    }

    fn is(&self, entry: &Entry, family: u32, text: &[u8]) -> bool {
        entry.family == family && self.text(&entry.text) == text
    }

    fn hash(&self, family: u32, text: &[u8]) -> u64 {
        self.hasher.hash_one((family, text))
    }
}
