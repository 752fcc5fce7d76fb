//! Which lines of a family belong to the same metric.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::{HashTable, hash_table::Entry};

use super::{
    kind::Format,
    model::{Label, ParsedFamily},
};

/// The metrics of the family that is being read. Keys are hashed with a random seed, because pages come from strangers.
#[derive(Debug, Default)]
pub(super) struct Identities {
    hasher: RandomState,
    table: HashTable<Metric>,
    /// Of metrics that came by [`Identities::follow`].
    hashes: Vec<u64>,
}

#[derive(Debug)]
struct Metric {
    hash: u64,
    /// Its latest line, by which its labels are known.
    row: u32,
}

impl Identities {
    /// Forgets everything for the next family.
    pub(super) fn clear(&mut self) {
        // Clearing costs as much as the largest family ever held, which many small ones should not pay again and again.
        if self.table.capacity() > 256 {
            self.table = HashTable::new();
        } else if !self.table.is_empty() {
            self.table.clear();
        }
        self.hashes.clear();
    }

    /// Notes that the next row of the family has these labels. Returns the latest row of the same metric so far.
    pub(super) fn enter(&mut self, family: &ParsedFamily<'_>, labels: &[Label<'_>]) -> Option<u32> {
        let hash = self.hash(family, labels);
        self.insert(family, labels, hash, family.rows.len() as u32)
    }

    /// As [`Self::enter`], for families whose metrics have their lines together: looks at the row just before only. Whether
    /// the metric came even earlier is for [`Self::repeated`] to say, at a third of the cost since it asks for all rows at
    /// once.
    pub(super) fn follow(
        &mut self,
        family: &ParsedFamily<'_>,
        labels: &[Label<'_>],
    ) -> Option<u32> {
        let hash = self.hash(family, labels);
        if self.hashes.last() == Some(&hash)
            && let Some(last) = family.rows.last()
            && same(family.row_labels(last), labels, own_label(family))
        {
            return Some(family.rows.len() as u32 - 1);
        }
        self.hashes.push(hash);
        None
    }

    /// Among rows that came by [`Self::follow`], the first whose metric had come before, but not just before.
    pub(super) fn repeated(&mut self, family: &ParsedFamily<'_>) -> Option<u32> {
        self.hashes.sort_unstable();
        self.hashes.windows(2).find(|pair| pair[0] == pair[1])?;
        // Two metrics may share a hash without being the same.
        (0..).zip(&family.rows).find_map(|(place, row)| {
            let labels = family.row_labels(row);
            let hash = self.hash(family, labels);
            let before = self.insert(family, labels, hash, place)?;
            (before + 1 != place).then_some(place)
        })
    }

    fn insert(
        &mut self,
        family: &ParsedFamily<'_>,
        labels: &[Label<'_>],
        hash: u64,
        row: u32,
    ) -> Option<u32> {
        let own = own_label(family);
        let is_same = |metric: &Metric| {
            let before = &family.rows[metric.row as usize];
            metric.hash == hash && same(family.row_labels(before), labels, own)
        };
        match self.table.entry(hash, is_same, |metric| metric.hash) {
            Entry::Occupied(mut metric) => Some(std::mem::replace(&mut metric.get_mut().row, row)),
            Entry::Vacant(place) => {
                place.insert(Metric { hash, row });
                None
            }
        }
    }

    /// Addition makes the order of labels irrelevant.
    fn hash(&self, family: &ParsedFamily<'_>, labels: &[Label<'_>]) -> u64 {
        identifying(labels, own_label(family)).fold(0, |sum, label| {
            let hash = match family.format {
                // There is only one way to write a label, so that nothing needs to be unescaped.
                Format::Text => self.hasher.hash_one((label.raw_name, label.raw_value)),
                Format::OpenMetrics => self.hasher.hash_one((label.name(), label.value())),
            };
            sum.wrapping_add(hash)
        })
    }
}

/// The label that tells the lines of one metric apart.
fn own_label<'f>(family: &'f ParsedFamily<'_>) -> Option<&'f str> {
    family.kind.own_label(&family.name)
}

/// The labels that identify a metric: to Prometheus, an empty label is none.
fn identifying<'f, 'a>(
    labels: &'f [Label<'a>],
    own: Option<&str>,
) -> impl Iterator<Item = &'f Label<'a>> {
    labels.iter().filter(move |label| {
        !label.raw_value.is_empty() && !own.is_some_and(|own| label.is_named(own))
    })
}

fn same(a: &[Label<'_>], b: &[Label<'_>], own: Option<&str>) -> bool {
    if identifying(a, own).eq(identifying(b, own)) {
        return true;
    }
    let sorted = |labels| {
        let pairs = identifying(labels, own).map(|label| (label.name(), label.value()));
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort_unstable();
        pairs
    };
    sorted(a) == sorted(b)
}
