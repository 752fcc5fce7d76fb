//! The live series of one family.

mod samples;
mod sorted;

use std::{
    hash::BuildHasher,
    num::NonZeroU32,
    sync::{Arc, OnceLock},
    time::Instant,
};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::{
    block::{BLOCK, Block},
    column::{Column, Shape},
    created::Clock,
    desc::Desc,
    encode::Head,
    exemplar::Exemplar,
    labels::{self, Template},
    name::is_legacy_metric_name,
    page::PageFamily,
};

/// A family and its series. A series has an id, which is used again after it, told apart by a generation; where it
/// stands changes as others come and go.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) desc: Arc<Desc>,
    pub(crate) head: Arc<OnceLock<Head>>,
    pub(crate) template: Template,
    /// Whether its name needs no quotes.
    legacy_name: bool,
    shape: Shape,
    source: Source,
    clock: Clock,
    /// By block number. Those in `order` are sorted, and so are the series within; those in `fresh` hold what was opened
    /// since, as it came.
    blocks: Vec<Block>,
    order: Vec<u32>,
    fresh: Vec<u32>,
    /// The order that a sort has made so far, while one is under way.
    sorting: Option<Vec<u32>>,
    /// Numbers of blocks that are empty and in no list.
    spare: Vec<u32>,
    /// By id.
    places: Vec<Place>,
    free: Vec<u32>,
    /// From label text to id.
    index: HashTable<u32>,
    hasher: RandomState,
    /// Whether any block has dead series.
    has_dead: bool,
    /// By id, for samples: the last round in which the series was there.
    seen: Vec<u32>,
    round: u32,
    /// What the last page has of it, until something changes.
    shown: Option<Arc<PageFamily>>,
}

/// Who writes into a family; whoever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Nobody,
    Instruments,
    Samples,
}

/// Where a series stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    block: u32,
    position: u32,
    /// Grows with every series that had this id.
    generation: NonZeroU32,
}

/// A block number that no block has: the id is free.
const NOWHERE: u32 = u32::MAX;

/// A series that is or was in a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SeriesId {
    id: u32,
    /// Never 0, so that an id that may be missing takes no more room.
    generation: NonZeroU32,
}

impl SeriesId {
    /// Small, and unique among the live series of a family.
    pub(crate) fn index(self) -> usize {
        self.id as usize
    }
}

impl Family {
    pub(crate) fn new(desc: impl Into<Arc<Desc>>, const_labels: &[(String, String)]) -> Self {
        let desc = desc.into();
        Self {
            template: Template::new(&desc, const_labels),
            legacy_name: is_legacy_metric_name(&desc.name),
            shape: Shape::instruments(&desc),
            desc,
            head: Arc::default(),
            source: Source::Nobody,
            clock: Clock::default(),
            blocks: Vec::new(),
            order: Vec::new(),
            fresh: Vec::new(),
            sorting: None,
            spare: Vec::new(),
            places: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: RandomState::default(),
            has_dead: false,
            seen: Vec::new(),
            round: 0,
            shown: None,
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

    /// Whether instruments, not collectors, write into this family.
    pub(crate) fn is_instrumented(&self) -> bool {
        self.source == Source::Instruments
    }

    /// Changes help and unit; all else of this description is as before.
    pub(crate) fn describe(&mut self, desc: &Arc<Desc>) {
        if *self.desc != **desc {
            self.desc = Arc::clone(desc);
            self.head = Arc::default();
            self.shown = None;
        }
    }

    /// Claims the family for instruments; false if samples have it.
    pub(crate) fn claim_for_instruments(&mut self) -> bool {
        if self.source == Source::Nobody {
            self.source = Source::Instruments;
        }
        self.source == Source::Instruments
    }

    // === one series ===

    pub(crate) fn find(&self, text: &[u8]) -> Option<SeriesId> {
        let id = *self
            .index
            .find(self.hasher.hash_one(text), |id| self.text(*id) == text)?;
        Some(SeriesId {
            id,
            generation: self.places[id as usize].generation,
        })
    }

    pub(crate) fn open(&mut self, text: &[u8], now: Instant) -> SeriesId {
        self.find(text).unwrap_or_else(|| self.insert(text, now))
    }

    fn insert(&mut self, text: &[u8], now: Instant) -> SeriesId {
        let number = self.open_block();
        let id = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place {
                block: NOWHERE,
                position: 0,
                generation: NonZeroU32::MIN,
            });
            (self.places.len() - 1) as u32
        });
        // Of a sample its collector knows when it began, and nobody else.
        let counts = self.desc.kind.has_created() && !self.is_sampled();
        let created = counts.then(|| self.clock.millis(now));
        let block = &mut self.blocks[number as usize];
        block.push_text(id, text, created);
        block.column().push(&self.shape, now);
        let position = block.len() as u32 - 1;
        let place = &mut self.places[id as usize];
        (place.block, place.position) = (number, position);
        let generation = place.generation;
        let Self {
            index,
            places,
            blocks,
            hasher,
            ..
        } = self;
        index.insert_unique(hasher.hash_one(text), id, |id| {
            let place = places[*id as usize];
            hasher.hash_one(blocks[place.block as usize].text(place.position as usize))
        });
        SeriesId { id, generation }
    }

    pub(crate) fn remove(&mut self, text: &[u8]) -> bool {
        let hash = self.hasher.hash_one(text);
        let Self {
            index,
            places,
            blocks,
            ..
        } = self;
        let Ok(entry) = index.find_entry(hash, |id| {
            let place = places[*id as usize];
            blocks[place.block as usize].text(place.position as usize) == text
        }) else {
            return false;
        };
        let (id, _) = entry.remove();
        self.retire(id);
        true
    }

    pub(crate) fn clear(&mut self) {
        for id in std::mem::take(&mut self.index) {
            self.retire(id);
        }
    }

    fn retire(&mut self, id: u32) {
        let place = &mut self.places[id as usize];
        let number = std::mem::replace(&mut place.block, NOWHERE);
        let position = place.position as usize;
        // An id whose generations are used up is not used again: the dead stay dead.
        if let Some(next) = place.generation.checked_add(1) {
            place.generation = next;
            self.free.push(id);
        }
        let block = &mut self.blocks[number as usize];
        block.retire(position);
        if block.exemplars() > 0 {
            self.shown = None;
            block.column().exemplars.remove(position);
        }
        self.has_dead = true;
        // A family that is never scraped must not grow with every series that comes and goes.
        let idle = self.fresh.len() > 2 && self.fresh.len() * BLOCK > 2 * (self.len() + BLOCK);
        if idle && self.sorting.is_none() {
            self.sort();
        }
    }

    /// Where a series stands, if it is still this family's; updates to a dead one go unseen.
    pub(crate) fn locate(&self, series: SeriesId) -> Option<(u32, usize)> {
        let place = self.places[series.id as usize];
        let lives = place.block != NOWHERE && place.generation == series.generation;
        lives.then_some((place.block, place.position as usize))
    }

    /// The column of a block, to change it, and what it is made of.
    pub(crate) fn column(&mut self, block: u32) -> (&mut Column, &Shape) {
        // First of all, so that the column does not have to be copied.
        self.shown = None;
        (self.blocks[block as usize].column(), &self.shape)
    }

    /// Attaches an exemplar to a series, if it is still there. `room` is for how many more there is.
    pub(crate) fn attach(
        &mut self,
        series: SeriesId,
        mut exemplar: Exemplar,
        now: Instant,
        room: &mut usize,
    ) {
        let Some((block, position)) = self.locate(series) else {
            return;
        };
        if exemplar.timestamp_ms.is_none() {
            exemplar.timestamp_ms = Some(self.clock.millis(now));
        }
        let (column, shape) = self.column(block);
        column.attach(shape, position, exemplar, room);
    }

    /// How many exemplars there are.
    pub(crate) fn exemplars(&self) -> usize {
        self.blocks.iter().map(Block::exemplars).sum()
    }

    fn text(&self, id: u32) -> &[u8] {
        let place = self.places[id as usize];
        self.blocks[place.block as usize].text(place.position as usize)
    }

    /// Label texts of the series that have all of these labels.
    pub(crate) fn matching<'a>(
        &'a self,
        labels: &'a [Vec<u8>],
    ) -> impl Iterator<Item = &'a [u8]> + 'a {
        let texts = self.index.iter().map(|id| self.text(*id));
        texts.filter(move |text| labels::has_all(text, labels))
    }

    // === blocks ===

    /// The block that takes what is opened.
    fn open_block(&mut self) -> u32 {
        let last = self.fresh.last().copied();
        let full = match last {
            Some(last) if self.blocks[last as usize].len() < BLOCK => return last,
            last => last,
        };
        let number = self.new_block();
        self.fresh.push(number);
        if let Some(full) = full {
            let mut block = Block::new(&self.shape);
            block.reserve_like(&self.blocks[full as usize]);
            self.blocks[number as usize] = block;
        }
        number
    }

    fn new_block(&mut self) -> u32 {
        self.spare.pop().unwrap_or_else(|| {
            self.blocks.push(Block::new(&self.shape));
            self.blocks.len() as u32 - 1
        })
    }

    fn release(&mut self, number: u32) {
        self.blocks[number as usize] = Block::new(&self.shape);
        self.spare.push(number);
    }
}
