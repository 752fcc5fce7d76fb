//! A page: everything that is to be rendered, as it was at one moment. It holds no lock, so it can be rendered at
//! whatever pace the reader takes.

use std::{
    cmp::Ordering,
    sync::{Arc, OnceLock},
    time::Instant,
};

use crate::{
    block::Slice,
    desc::Desc,
    encode::{Escaping, Format, Frames, Head, Kept},
};

/// Families ascending by name, with their series. A clone shares them.
#[derive(Clone, Debug)]
pub struct Page {
    pub(crate) families: Arc<Vec<Arc<PageFamily>>>,
    pub(crate) created_lines: bool,
}

/// One family on a page.
#[derive(Clone, Debug)]
pub(crate) struct PageFamily {
    pub(crate) desc: Arc<Desc>,
    pub(crate) head: Arc<OnceLock<Head>>,
    /// The blocks of its first owner. One owner is the rule.
    pub(crate) first: Vec<Slice>,
    /// Those of others: instances of one plugin with different constant labels, whose series have to be merged.
    pub(crate) others: Vec<Vec<Slice>>,
    /// Whether no label name needs quotes.
    pub(crate) legacy_labels: bool,
    /// Whether its own name needs none.
    pub(crate) legacy_name: bool,
    /// Text of it, if pages before had the same.
    pub(crate) kept: Kept,
    /// When it was taken; decides what its summaries have forgotten.
    pub(crate) taken: Instant,
    /// When they forget more, if they ever do. Pages from then on take it anew.
    pub(crate) until: Option<Instant>,
}

impl PageFamily {
    /// What the text format writes of it again and again.
    pub(crate) fn head(&self) -> &Head {
        self.head.get_or_init(|| Head::new(&self.desc))
    }

    /// How many series it has.
    pub(crate) fn len(&self) -> usize {
        self.slices().map(|slice| slice.texts.len()).sum()
    }

    /// How many owners it has.
    pub(crate) fn owners(&self) -> usize {
        1 + self.others.len()
    }

    /// The blocks of one of them.
    pub(crate) fn owner(&self, number: usize) -> &[Slice] {
        match number.checked_sub(1) {
            None => &self.first,
            Some(other) => &self.others[other],
        }
    }

    /// The blocks of all of them.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &Slice> {
        self.first.iter().chain(self.others.iter().flatten())
    }
}

impl Page {
    /// Merges families of all owners; native code wins where they cannot be merged.
    pub(crate) fn new(natives: Vec<Arc<PageFamily>>, scoped: Vec<Arc<PageFamily>>) -> Self {
        let mut families = merge(scoped, |first, next| first.others.push(next.first.clone()));
        if !natives.is_empty() {
            // Those of one name differ in their label names, and stay in the order in which they came.
            let natives = merge(natives, |first, next| {
                first.first.extend_from_slice(&next.first);
            });
            families.retain(|family| {
                natives
                    .binary_search_by(|native| by_name(native, family))
                    .is_err()
            });
            families.extend(natives);
            families.sort_by(by_name);
        }
        Self {
            families: Arc::new(families),
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

    /// Whether there is a family that is called `base` with this suffix.
    pub(crate) fn has(&self, base: &str, suffix: &str) -> bool {
        let by_name = |family: &Arc<PageFamily>| {
            let name = family.desc.name.as_bytes();
            let (head, tail) = name.split_at(base.len().min(name.len()));
            head.cmp(base.as_bytes())
                .then_with(|| tail.cmp(suffix.as_bytes()))
        };
        self.families.binary_search_by(by_name).is_ok()
    }

    /// Keeps only the families whose name `keep` says yes to.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        Arc::make_mut(&mut self.families).retain(|family| keep(&family.desc.name));
    }

    /// The page in a wire format, in pieces that are made as they are asked for.
    pub fn frames(&self, format: Format, escaping: Escaping) -> Frames {
        Frames::new(self.clone(), format, escaping)
    }

    /// The page for a system that is pushed to: each piece is a `prometheus.WriteRequest` of remote write 1.0, not yet
    /// compressed. `labels` are put on every series that has not its own of that name; `timestamp_ms`, in milliseconds since
    /// 1970, is when samples were taken that do not say. Names are escaped with underscores. Native histograms have their
    /// classic buckets, or count and sum alone.
    pub fn write_requests(&self, labels: Vec<(String, String)>, timestamp_ms: i64) -> Frames {
        Frames::write_requests(self.clone(), labels, timestamp_ms)
    }

    /// The page in a wire format, in one piece.
    pub fn to_bytes(&self, format: Format, escaping: Escaping) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.frames(format, escaping)
            .for_each(|frame| bytes.extend_from_slice(&frame));
        bytes
    }
}

/// Sorts families by name, and makes one of those that have the same; equal ones come in the order in which they were.
fn merge(
    mut families: Vec<Arc<PageFamily>>,
    join: impl Fn(&mut PageFamily, &PageFamily),
) -> Vec<Arc<PageFamily>> {
    families.sort_by(by_name);
    families.dedup_by(|next, first| {
        let is_same = next.desc.name == first.desc.name;
        if is_same {
            let first = Arc::make_mut(first);
            first.legacy_labels &= next.legacy_labels;
            join(first, next);
        }
        is_same
    });
    families
}

fn by_name(a: &Arc<PageFamily>, b: &Arc<PageFamily>) -> Ordering {
    a.desc.name.cmp(&b.desc.name)
}
