//! How the series of a family come into the order of the page, in steps.
//!
//! Comparing label texts and copying them is most of the work, and needs no lock: texts never change. So a sort is
//! planned from what [`Family::begin_sort`] says, and carried out block by block, each of which
//! [`Family::take_step`] takes in a few microseconds. Whoever changes series goes on between the steps.
//!
//! [`Family::begin_sort`]: crate::family::Family::begin_sort
//! [`Family::take_step`]: crate::family::Family::take_step

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    block::{BLOCK, DEAD, Texts},
    labels,
};

/// A block as it was when the sort began.
#[derive(Debug)]
pub(crate) struct Source {
    /// The block's number.
    pub(crate) number: u32,
    pub(crate) texts: Arc<Texts>,
    /// The ids at each position, if some of them are dead.
    pub(crate) ids: Option<Vec<u32>>,
}

/// The blocks of a family that is to be sorted.
#[derive(Debug)]
pub(crate) struct Unsorted {
    pub(crate) sorted: Vec<Source>,
    /// What was opened since, as it came.
    pub(crate) fresh: Vec<Source>,
}

/// A series: the place of its block among the sources, and its position there.
type Place = (u32, u32);

/// What is left to do.
#[derive(Debug)]
pub(crate) struct Sort {
    sources: Vec<Source>,
    /// Last step first.
    steps: Vec<Plan>,
}

#[derive(Debug)]
enum Plan {
    Keep(u32),
    Make(Vec<Place>),
    Release(u32),
}

/// Something that a family does at once.
#[derive(Debug)]
pub(crate) enum Step {
    /// This block is next in the order of the page.
    Keep(u32),
    /// Next comes a new block with these texts, whose series are in these blocks, at these positions.
    Make(Texts, Vec<(u32, u32)>),
    /// This block has no series any more.
    Release(u32),
}

impl Sort {
    /// Takes the series of fresh blocks into the sorted ones, and drops dead ones. Only the blocks that this concerns are
    /// made anew.
    pub(crate) fn new(Unsorted { sorted, fresh }: Unsorted) -> Self {
        let first_fresh = sorted.len() as u32;
        let mut sources = sorted;
        sources.extend(fresh);
        let mut sort = Self {
            sources,
            steps: Vec::new(),
        };
        let sorted = 0..first_fresh;
        let fresh = first_fresh..sort.sources.len() as u32;
        let mut incoming: Vec<Place> = fresh.clone().flat_map(|source| sort.live(source)).collect();
        // Stable, because what was opened in order is then sorted at once.
        incoming.sort_by(|a, b| labels::compare(sort.text(*a), sort.text(*b)));
        let mut incoming = incoming.as_slice();
        for source in sorted {
            // Up to where the next block begins.
            let upto = if source + 1 == first_fresh {
                incoming.len()
            } else {
                let next = sort.text((source + 1, 0));
                incoming.partition_point(|new| labels::compare(sort.text(*new), next).is_lt())
            };
            let (new, rest) = incoming.split_at(upto);
            incoming = rest;
            if new.is_empty() && sort.sources[source as usize].ids.is_none() {
                sort.steps.push(Plan::Keep(source));
                continue;
            }
            let merged = sort.merge(sort.live(source), new);
            sort.place(&merged, first_fresh);
            sort.steps.push(Plan::Release(source));
        }
        // Without any sorted block everything is new.
        sort.place(incoming, first_fresh);
        let mut copied: BTreeSet<u32> = fresh.collect();
        for step in &sort.steps {
            if let Plan::Keep(source) = step {
                copied.remove(source);
            }
        }
        sort.steps.extend(copied.into_iter().map(Plan::Release));
        sort.steps.reverse();
        sort
    }

    /// Makes blocks of these series. Fresh blocks that come as they are, as those of a call that opened many series do, are
    /// not copied.
    fn place(&mut self, places: &[Place], first_fresh: u32) {
        let mut from = 0;
        let mut at = 0;
        while at < places.len() {
            let (source, first) = places[at];
            let len = self.sources[source as usize].texts.len();
            let whole = places[at..]
                .get(..len)
                .filter(|_| source >= first_fresh && first == 0 && len >= BLOCK / 2);
            let follows = |(position, place): (usize, &Place)| *place == (source, position as u32);
            if whole.is_some_and(|whole| whole.iter().enumerate().all(follows)) {
                self.make(&places[from..at]);
                self.steps.push(Plan::Keep(source));
                at += len;
                from = at;
            } else {
                at += 1;
            }
        }
        self.make(&places[from..]);
    }

    fn text(&self, (source, position): Place) -> &[u8] {
        self.sources[source as usize].texts.get(position as usize)
    }

    fn live(&self, source: u32) -> impl Iterator<Item = Place> {
        let Source { texts, ids, .. } = &self.sources[source as usize];
        let lives = |position: &usize| ids.as_ref().is_none_or(|ids| ids[*position] != DEAD);
        let positions = (0..texts.len()).filter(lives);
        positions.map(move |position| (source, position as u32))
    }

    /// Two sorted lists as one.
    fn merge(&self, old: impl Iterator<Item = Place>, new: &[Place]) -> Vec<Place> {
        let mut merged = Vec::with_capacity(BLOCK + new.len());
        let mut old = old.peekable();
        for new in new {
            let comes_first =
                |old: &Place| labels::compare(self.text(*old), self.text(*new)).is_lt();
            while let Some(old) = old.next_if(comes_first) {
                merged.push(old);
            }
            merged.push(*new);
        }
        merged.extend(old);
        merged
    }

    fn make(&mut self, places: &[Place]) {
        // Even parts: a block that just overflowed leaves two with room for more.
        let parts = places.len().div_ceil(BLOCK).max(1);
        let parts = places.chunks(places.len().div_ceil(parts).max(1));
        self.steps
            .extend(parts.map(|part| Plan::Make(part.to_vec())));
    }
}

impl Iterator for Sort {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let number = |sort: &Self, source: u32| sort.sources[source as usize].number;
        Some(match self.steps.pop()? {
            Plan::Keep(source) => Step::Keep(number(self, source)),
            Plan::Make(places) => {
                let bytes = places.iter().map(|place| self.text(*place).len()).sum();
                let mut texts = Texts::with_capacity(places.len(), bytes);
                for (source, position) in &places {
                    let from = &self.sources[*source as usize].texts;
                    texts.push_from(from, *position as usize);
                }
                let numbered = |(source, position)| (number(self, source), position);
                Step::Make(texts, places.into_iter().map(numbered).collect())
            }
            Plan::Release(source) => {
                // The last step of its texts too.
                let source = &mut self.sources[source as usize];
                source.texts = Arc::default();
                Step::Release(source.number)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Instant};

    use super::*;
    use crate::{
        column::Values,
        desc::{Desc, Kind},
        family::Family,
    };

    /// A family, and what it should hold.
    struct Both {
        family: Family,
        model: BTreeMap<Vec<u8>, f64>,
    }

    impl Both {
        fn open(&mut self, number: u32) {
            let text = text(number);
            self.family.open(&text, Instant::now());
            self.model.insert(text, 0.0);
        }

        fn remove(&mut self, number: u32) {
            let text = text(number);
            self.family.remove(&text);
            self.model.remove(&text);
        }

        fn set(&mut self, number: u32, value: f64) {
            let text = text(number);
            let series = self.family.find(&text).expect("an open series");
            let (block, position) = self.family.locate(series).expect("its place");
            if let Values::Numbers(all) = &mut self.family.column(block).0.values {
                all[position] = value;
            }
            self.model.insert(text, value);
        }

        /// Sorts, and calls `change` before each step with its place.
        fn sort(&mut self, change: impl Fn(&mut Self, usize)) {
            let sort = Sort::new(self.family.begin_sort().expect("something to sort"));
            for (place, step) in sort.enumerate() {
                assert!(!self.family.is_sorted());
                change(self, place);
                self.family.take_step(step);
            }
            self.family.end_sort();
        }

        fn check(&mut self) {
            assert!(self.family.is_sorted());
            let mut page = Vec::new();
            for slice in self.family.show(Instant::now()).slices() {
                let Values::Numbers(all) = &slice.column.values else {
                    panic!("numbers")
                };
                let texts = (0..slice.texts.len()).map(|place| slice.texts.get(place).to_vec());
                page.extend(texts.zip(all.iter().copied()));
            }
            assert_eq!(page.len(), self.family.len());
            assert_eq!(page, Vec::from_iter(self.model.clone()));
        }
    }

    fn text(number: u32) -> Vec<u8> {
        format!("a=\"{number:06}\"").into_bytes()
    }

    #[test]
    fn blocks_that_came_in_order_are_kept() {
        let mut family = Family::new(Desc::new("x", "", Kind::Gauge).with_labels(["a"]), &[]);
        let kept = |family: &mut Family| {
            let sort = Sort::new(family.begin_sort().expect("something to sort"));
            let steps: Vec<Step> = sort.collect();
            let is_kept = |step: &&Step| matches!(step, Step::Keep(_));
            let kept = steps.iter().filter(is_kept).count();
            steps.into_iter().for_each(|step| family.take_step(step));
            family.end_sort();
            kept
        };
        let open = |family: &mut Family, numbers: &mut dyn Iterator<Item = u32>| {
            numbers.for_each(|number| {
                family.open(&text(number), Instant::now());
            });
        };
        open(&mut family, &mut (0..2 * BLOCK as u32));
        assert_eq!(kept(&mut family), 2);
        // Behind the last one, which alone is made anew.
        open(&mut family, &mut (10_000..10_000 + BLOCK as u32));
        assert_eq!(kept(&mut family), 2);
        open(
            &mut family,
            &mut (0..BLOCK as u32).map(|number| 30_000 - number),
        );
        assert_eq!(kept(&mut family), 2);
        let page = family.show(Instant::now());
        let texts = page
            .slices()
            .flat_map(|slice| (0..slice.texts.len()).map(|position| slice.texts.get(position)));
        assert!(texts.is_sorted());
        assert_eq!(family.len(), 4 * BLOCK);
    }

    #[test]
    fn series_change_come_and_go_between_the_steps() {
        let desc = Desc::new("x", "", Kind::Gauge).with_labels(["a"]);
        let mut both = Both {
            family: Family::new(desc, &[]),
            model: BTreeMap::new(),
        };
        // Every second one, in no order.
        (0..5000).for_each(|n| both.open(n * 7919 % 5000 * 2));
        both.sort(|both, place| {
            let place = place as u32;
            both.remove(2 * place);
            both.remove(2 * (4999 - place));
            both.open(2 * place + 1);
            both.set(5000 - 20 * place, f64::from(place));
        });
        // What came and went meanwhile is next.
        both.sort(|_, _| ());
        both.check();
        // Some blocks stay, some get others in between, one loses all.
        (3000..3100).for_each(|n| both.open(2 * n + 1));
        (0..1500).for_each(|n| both.remove(2 * n));
        both.sort(|both, place| both.set(6001 + 2 * place as u32, 0.5));
        both.check();
        let none: Vec<u32> = (0..5000).map(|n| 2 * n).collect();
        none.iter().for_each(|n| both.remove(*n));
        both.family.sort();
        both.check();
        both.family.clear();
        both.model.clear();
        both.family.sort();
        both.check();
    }
}
