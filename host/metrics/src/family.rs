//! The live series of one family.

use std::{hash::BuildHasher, time::Instant};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::{
    desc::{Desc, Kind},
    labels::{self, Template},
    sample::{self, Sample, SampleError, SampleValue},
    values::Values,
};

/// A family and its series. A series lives in a slot; slots are used again, told apart by their generation.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) desc: Desc,
    pub(crate) template: Template,
    pub(crate) values: Values,
    source: Source,
    slots: Vec<Slot>,
    /// From label text to slot.
    index: HashTable<u32>,
    hasher: RandomState,
    /// Slots in the order of the page, as far as `sorted`; what was opened since stands unsorted behind.
    order: Vec<u32>,
    sorted: usize,
    /// Slots whose series was removed since `order` was made: not to be used again before it is made anew.
    removed: Vec<u32>,
    free: Vec<u32>,
    /// By slot; empty while no sample has brought one.
    timestamps: Vec<Option<i64>>,
}

/// Who writes into a family; whoever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Nobody,
    Instruments,
    Samples,
}

#[derive(Debug)]
struct Slot {
    /// Label text; kept until the slot is used again.
    text: Box<[u8]>,
    generation: u32,
    live: bool,
    /// Used while samples replace each other: whether this one was there.
    seen: bool,
}

/// A series that is or was in a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SeriesId {
    slot: u32,
    generation: u32,
}

impl Family {
    pub(crate) fn new(desc: Desc, const_labels: &[(String, String)]) -> Self {
        Self {
            template: Template::new(&desc, const_labels),
            values: Values::instruments(&desc),
            desc,
            source: Source::Nobody,
            slots: Vec::new(),
            index: HashTable::new(),
            hasher: RandomState::default(),
            order: Vec::new(),
            sorted: 0,
            removed: Vec::new(),
            free: Vec::new(),
            timestamps: Vec::new(),
        }
    }

    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether collectors, not instruments, write into this family.
    pub(crate) fn is_sampled(&self) -> bool {
        self.source == Source::Samples
    }

    /// Claims the family for instruments; false if samples have it.
    pub(crate) fn claim_for_instruments(&mut self) -> bool {
        if self.source == Source::Nobody {
            self.source = Source::Instruments;
        }
        self.source == Source::Instruments
    }

    pub(crate) fn find(&self, text: &[u8]) -> Option<SeriesId> {
        let slot = *self
            .index
            .find(self.hash(text), |slot| self.text(*slot) == text)?;
        Some(SeriesId {
            slot,
            generation: self.slots[slot as usize].generation,
        })
    }

    pub(crate) fn open(&mut self, text: &[u8], now: Instant) -> SeriesId {
        self.find(text).unwrap_or_else(|| self.insert(text, now))
    }

    fn insert(&mut self, text: &[u8], now: Instant) -> SeriesId {
        let initial = if self.desc.kind == Kind::Info {
            1.0
        } else {
            0.0
        };
        let text: Box<[u8]> = text.into();
        let slot = match self.free.pop() {
            Some(slot) => {
                self.values.reset(slot as usize, initial, now);
                let entry = &mut self.slots[slot as usize];
                entry.text = text;
                entry.live = true;
                slot
            }
            None => {
                self.values.push(initial, now);
                self.slots.push(Slot {
                    text,
                    generation: 0,
                    live: true,
                    seen: false,
                });
                (self.slots.len() - 1) as u32
            }
        };
        let hash = self.hash(self.text(slot));
        let Self {
            index,
            slots,
            hasher,
            ..
        } = self;
        index.insert_unique(hash, slot, |slot| {
            hasher.hash_one(&slots[*slot as usize].text)
        });
        self.order.push(slot);
        SeriesId {
            slot,
            generation: self.slots[slot as usize].generation,
        }
    }

    pub(crate) fn remove(&mut self, text: &[u8]) -> bool {
        let hash = self.hash(text);
        let Self { index, slots, .. } = self;
        let Ok(entry) = index.find_entry(hash, |slot| *slots[*slot as usize].text == *text) else {
            return false;
        };
        let (slot, _) = entry.remove();
        self.retire(slot);
        true
    }

    pub(crate) fn clear(&mut self) {
        for slot in std::mem::take(&mut self.index) {
            self.retire(slot);
        }
    }

    fn retire(&mut self, slot: u32) {
        let entry = &mut self.slots[slot as usize];
        entry.live = false;
        entry.generation = entry.generation.wrapping_add(1);
        self.removed.push(slot);
        if let Some(timestamp) = self.timestamps.get_mut(slot as usize) {
            *timestamp = None;
        }
        // A family that is never scraped must not grow with every series that comes and goes.
        if self.removed.len() > 1024 + self.len() {
            self.sort();
        }
    }

    /// Whether the series is still this family's; updates to a dead one go unseen.
    pub(crate) fn slot(&self, id: SeriesId) -> Option<usize> {
        let slot = &self.slots[id.slot as usize];
        (slot.live && slot.generation == id.generation).then_some(id.slot as usize)
    }

    /// Label texts of the series that have all of these labels.
    pub(crate) fn matching<'a>(
        &'a self,
        labels: &'a [Vec<u8>],
    ) -> impl Iterator<Item = &'a [u8]> + 'a {
        let texts = self.index.iter().map(|slot| self.text(*slot));
        texts.filter(move |text| has_labels(text, labels))
    }

    /// Replaces all series by these samples, or removes all and says why not.
    pub(crate) fn replace(
        &mut self,
        samples: Vec<Sample>,
        now: Instant,
        limit: usize,
    ) -> Result<(), SampleError> {
        let outcome = self.try_replace(samples, now, limit);
        if outcome.is_err() && self.is_sampled() {
            self.clear();
        }
        outcome
    }

    fn try_replace(
        &mut self,
        samples: Vec<Sample>,
        now: Instant,
        limit: usize,
    ) -> Result<(), SampleError> {
        match self.source {
            Source::Instruments => {
                return Err(SampleError::Mixed {
                    name: self.desc.name.clone(),
                });
            }
            Source::Nobody => {
                self.source = Source::Samples;
                self.values = Values::samples(&self.desc);
            }
            Source::Samples => {}
        }
        if samples.len() > limit {
            return Err(SampleError::SeriesLimit {
                name: self.desc.name.clone(),
                limit,
            });
        }
        self.slots.iter_mut().for_each(|slot| slot.seen = false);
        let mut text = Vec::new();
        for sample in samples {
            sample::check(&self.desc, &sample)?;
            text.clear();
            self.template.render(&sample.label_values, &mut text);
            let slot = self.open(&text, now).slot as usize;
            if std::mem::replace(&mut self.slots[slot].seen, true) {
                return Err(SampleError::Duplicate {
                    name: self.desc.name.clone(),
                    labels: String::from_utf8_lossy(&text).into_owned(),
                });
            }
            self.write(slot, sample);
        }
        let Self { index, slots, .. } = self;
        let gone: Vec<u32> = index
            .extract_if(|slot| !slots[*slot as usize].seen)
            .collect();
        gone.into_iter().for_each(|slot| self.retire(slot));
        Ok(())
    }

    fn write(&mut self, slot: usize, sample: Sample) {
        match (&mut self.values, sample.value) {
            (Values::Numbers(numbers), SampleValue::Number(number)) => numbers[slot] = number,
            (Values::HistogramSamples(all), SampleValue::Histogram(value)) => all[slot] = value,
            (Values::SummarySamples(all), SampleValue::Summary(value)) => all[slot] = value,
            // The check before has seen to it.
            _ => {}
        }
        if sample.timestamp_ms.is_some() || !self.timestamps.is_empty() {
            if self.timestamps.len() <= slot {
                self.timestamps.resize(slot + 1, None);
            }
            self.timestamps[slot] = sample.timestamp_ms;
        }
    }

    /// Brings `order` up to date: sorts what was opened since, and merges it in.
    pub(crate) fn sort(&mut self) {
        if !self.removed.is_empty() {
            let mut kept = 0;
            let (slots, sorted) = (&self.slots, self.sorted);
            let mut place = 0;
            self.order.retain(|slot| {
                let live = slots[*slot as usize].live;
                kept += usize::from(live && place < sorted);
                place += 1;
                live
            });
            self.sorted = kept;
            self.free.append(&mut self.removed);
        }
        if self.sorted < self.order.len() {
            let slots = &self.slots;
            // Two sorted runs, or one and a short unsorted rest: the stable sort finds the runs.
            self.order.sort_by(|a, b| {
                labels::compare(&slots[*a as usize].text, &slots[*b as usize].text)
            });
            self.sorted = self.order.len();
        }
    }

    /// Slots in the order of the page, as of the last [`Family::sort`].
    pub(crate) fn order(&self) -> &[u32] {
        &self.order
    }

    /// The label text of a slot.
    pub(crate) fn text(&self, slot: u32) -> &[u8] {
        &self.slots[slot as usize].text
    }

    pub(crate) fn timestamp(&self, slot: u32) -> Option<i64> {
        self.timestamps.get(slot as usize).copied().flatten()
    }

    fn hash(&self, text: &[u8]) -> u64 {
        self.hasher.hash_one(text)
    }
}

/// Whether a label text contains all of these labels.
pub(crate) fn has_labels(text: &[u8], labels: &[Vec<u8>]) -> bool {
    labels
        .iter()
        .all(|wanted| labels::split(text).any(|label| label == wanted.as_slice()))
}
