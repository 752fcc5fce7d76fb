//! A page: everything that is to be rendered, as it was at one moment. It holds no lock, so it can be rendered at
//! whatever pace the reader takes.

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use crate::{
    block::Slice,
    desc::Desc,
    encode::{Escaping, Format, Frames, Head},
    family::Family,
};

/// Families ascending by name, with their series. A clone shares them.
#[derive(Clone, Debug)]
pub struct Page {
    pub(crate) families: Arc<Vec<PageFamily>>,
    /// When the page was taken.
    pub(crate) now: Instant,
    pub(crate) created_lines: bool,
}

/// One family on a page.
#[derive(Clone, Debug)]
pub(crate) struct PageFamily {
    pub(crate) desc: Arc<Desc>,
    pub(crate) head: Arc<OnceLock<Head>>,
    /// One list of blocks for each owner. One owner is the rule; several are instances of one plugin with different
    /// constant labels, whose series have to be merged.
    pub(crate) owners: Vec<Vec<Slice>>,
    /// Whether no label name needs quotes.
    pub(crate) legacy_labels: bool,
}

impl PageFamily {
    pub(crate) fn new(family: &mut Family) -> Self {
        Self {
            desc: Arc::clone(&family.desc),
            head: Arc::clone(&family.head),
            owners: vec![family.slices()],
            legacy_labels: family.template.is_legacy(),
        }
    }
}

impl PageFamily {
    /// What the text format writes of it again and again.
    pub(crate) fn head(&self) -> &Head {
        self.head.get_or_init(|| Head::new(&self.desc))
    }

    /// How many series it has.
    pub(crate) fn len(&self) -> usize {
        self.owners
            .iter()
            .flatten()
            .map(|slice| slice.texts.len())
            .sum()
    }
}

impl Page {
    /// Merges families of all owners; those that come first win where they cannot be merged.
    pub(crate) fn new(natives: Vec<PageFamily>, scoped: Vec<PageFamily>, now: Instant) -> Self {
        let tagged = natives.into_iter().map(|family| (true, family));
        let mut all: Vec<_> = tagged
            .chain(scoped.into_iter().map(|family| (false, family)))
            .collect();
        // Stable, so native code stays first among equals.
        all.sort_by(|a, b| a.1.desc.name.cmp(&b.1.desc.name));
        let mut families: Vec<PageFamily> = Vec::with_capacity(all.len());
        let mut last_is_native = false;
        for (is_native, family) in all {
            match families
                .last_mut()
                .filter(|last| last.desc.name == family.desc.name)
            {
                // Native families of one name differ in their label names, and stay in the order in which they came.
                Some(last) if is_native => {
                    last.legacy_labels &= family.legacy_labels;
                    last.owners[0].extend(family.owners.into_iter().flatten());
                }
                Some(_) if last_is_native => {}
                Some(last) => {
                    last.legacy_labels &= family.legacy_labels;
                    last.owners.extend(family.owners);
                }
                None => {
                    last_is_native = is_native;
                    families.push(family);
                }
            }
        }
        Self {
            families: Arc::new(families),
            now,
            created_lines: true,
        }
    }

    /// Whether OpenMetrics has a `_created` line for every counter, histogram and summary whose time is known, as it
    /// has unless this says no. Some readers take each for one more series.
    #[must_use]
    pub fn with_created_lines(self, created_lines: bool) -> Self {
        Self {
            created_lines,
            ..self
        }
    }

    /// The family of this name.
    pub(crate) fn find(&self, name: &str) -> Option<&PageFamily> {
        let by_name = |family: &PageFamily| family.desc.name.as_str().cmp(name);
        let place = self.families.binary_search_by(by_name).ok()?;
        self.families.get(place)
    }

    /// Keeps only the families whose name `keep` says yes to.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        Arc::make_mut(&mut self.families).retain(|family| keep(&family.desc.name));
    }

    /// The page in a wire format, in pieces that are made as they are asked for.
    pub fn frames(&self, format: Format, escaping: Escaping) -> Frames {
        Frames::new(self.clone(), format, escaping)
    }

    /// The page in a wire format, in one piece.
    pub fn to_bytes(&self, format: Format, escaping: Escaping) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.frames(format, escaping)
            .for_each(|frame| bytes.extend_from_slice(&frame));
        bytes
    }
}
