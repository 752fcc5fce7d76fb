//! The order of the page, and what the page has of a family.

use std::{sync::Arc, time::Instant};

use super::Family;
use crate::{
    block::{Block, DEAD, Texts},
    column::Shape,
    encode::{Kept, STEP},
    order::{Sort, Step, Unsorted},
    page::PageFamily,
};

impl Family {
    /// Whether the blocks are in the order of the page.
    pub(crate) fn is_sorted(&self) -> bool {
        self.fresh.is_empty() && !self.has_dead && self.sorting.is_none()
    }

    /// The family for a page; it has to be sorted. The same as the last time, if nothing has changed.
    pub(crate) fn show(&mut self, now: Instant) -> Arc<PageFamily> {
        let lasts = |shown: &&Arc<PageFamily>| shown.until.is_none_or(|until| now < until);
        if let Some(shown) = self.shown.as_ref().filter(lasts) {
            return Arc::clone(shown);
        }
        let until = self.lasts_until(now);
        let Self { order, blocks, .. } = self;
        let slices = order.iter().map(|number| blocks[*number as usize].slice());
        let family = Arc::new(PageFamily {
            first: slices.collect(),
            others: Vec::new(),
            desc: Arc::clone(&self.desc),
            head: Arc::clone(&self.head),
            legacy_labels: self.template.is_legacy(),
            legacy_name: self.legacy_name,
            kept: Kept::default(),
            taken: now,
            until,
        });
        self.shown = Some(Arc::clone(&family));
        family
    }

    /// When its summaries forget something. Where there are so many that no text of them is kept, it is now: they are taken
    /// anew for every page.
    fn lasts_until(&self, now: Instant) -> Option<Instant> {
        if !matches!(self.shape, Shape::Summaries(_)) {
            return None;
        }
        if self.len() > STEP {
            return Some(now);
        }
        let blocks = self
            .order
            .iter()
            .map(|number| &self.blocks[*number as usize]);
        blocks.filter_map(|block| block.lasts_until(now)).min()
    }

    /// Sorts at once.
    pub(crate) fn sort(&mut self) {
        if let Some(unsorted) = self.begin_sort() {
            Sort::new(unsorted).for_each(|step| self.take_step(step));
            self.end_sort();
        }
    }

    /// Begins a sort if there is something to do; until its last step the family is not sorted, and no other sort may
    /// begin.
    pub(crate) fn begin_sort(&mut self) -> Option<Unsorted> {
        if self.fresh.is_empty() && !self.has_dead {
            return None;
        }
        // It would keep the texts that are copied.
        self.shown = None;
        self.has_dead = false;
        self.sorting = Some(Vec::new());
        // What is opened from now on goes into another block.
        let fresh = std::mem::take(&mut self.fresh);
        let sources = |numbers: &[u32]| {
            let source = |number: &u32| self.blocks[*number as usize].source(*number);
            numbers.iter().map(source).collect()
        };
        Some(Unsorted {
            sorted: sources(&self.order),
            fresh: sources(&fresh),
        })
    }

    /// Does a step of the sort.
    pub(crate) fn take_step(&mut self, step: Step) {
        let next = match step {
            Step::Keep(number) => number,
            Step::Make(texts, places) => self.take(texts, &places),
            Step::Release(number) => return self.release(number),
        };
        self.sorting.get_or_insert_default().push(next);
    }

    /// Ends the sort, all steps of which were taken.
    pub(crate) fn end_sort(&mut self) {
        self.order = self.sorting.take().unwrap_or_default();
    }

    /// A new block with the series of these places. Those that died since the sort began are dead in it.
    fn take(&mut self, texts: Texts, places: &[(u32, u32)]) -> u32 {
        let number = self.new_block();
        let mut block = Block::with_texts(texts, &self.shape);
        for (from, position) in places {
            let id = block.take_from(&mut self.blocks[*from as usize], *position as usize);
            if id == DEAD {
                self.has_dead = true;
            } else {
                let place = &mut self.places[id as usize];
                (place.block, place.position) = (number, block.len() as u32 - 1);
            }
        }
        self.blocks[number as usize] = block;
        number
    }
}
