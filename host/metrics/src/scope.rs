//! A plugin's part of the registry.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::{
    desc::Desc,
    families::{Families, Locked},
    family::Family,
    order::Sort,
    plan::Heir,
    sample::{Sample, SampleError, SampleValue},
    session::Quota,
};

/// The families of one owner (a plugin), with all their series. It outlives the owner's instances.
#[derive(Debug)]
pub struct Scope {
    owner: String,
    prefix: String,
    const_labels: Vec<(String, String)>,
    /// As described, before the prefix.
    descs: Vec<Desc>,
    /// The same with the prefix.
    full_descs: Vec<Arc<Desc>>,
    /// Numbers of the families in the order of the page, which sorts them faster then.
    by_name: Vec<usize>,
    limits: ScopeLimits,
    /// Those of every scope that the owner has or had.
    families: Arc<Families>,
    /// Where this scope's are among them, by number.
    places: Vec<u32>,
    /// Found at run time; all of them are replaced at once.
    dynamic: Mutex<Vec<Family>>,
}

/// How often a page sorts what was opened while it sorted, before it sorts what is left under the lock.
const ROUNDS: usize = 3;

impl Scope {
    pub(crate) fn new(options: &ScopeOptions, descs: Vec<Desc>) -> Self {
        Self::with(options, descs, Arc::default(), |_, _| None)
    }

    /// A scope that no registry knows: what an owner does in it is seen by nobody.
    pub fn rehearsal(options: &ScopeOptions, descs: Vec<Desc>) -> Arc<Self> {
        Arc::new(Self::new(options, descs))
    }

    /// One that goes on with families of another; see [`Heir`].
    pub(crate) fn heir(options: &ScopeOptions, descs: Vec<Desc>, heir: &Heir) -> Self {
        let (old, rehearsal) = (&heir.of, heir.rehearsal.lock());
        Self::with(
            options,
            descs,
            Arc::clone(&old.families),
            |scope, number| {
                let desc = &scope.full_descs[number];
                let same = |other: &Arc<Desc>| {
                    other.name == desc.name
                        && other.kind == desc.kind
                        && other.label_names == desc.label_names
                };
                let found = old.full_descs.iter().position(same)?;
                let stays = scope.const_labels == old.const_labels
                    && old.lock()[found].is_instrumented()
                    && rehearsal.len() > number
                    && !rehearsal[number].is_sampled();
                stays.then(|| old.families.share(old.places[found]))
            },
        )
    }

    /// `shared` gives the place of a family that is there already, by its number.
    fn with(
        options: &ScopeOptions,
        descs: Vec<Desc>,
        families: Arc<Families>,
        shared: impl Fn(&Self, usize) -> Option<u32>,
    ) -> Self {
        let mut const_labels = options.const_labels.clone();
        const_labels.sort();
        let full = |desc: &Desc| {
            Arc::new(Desc {
                name: format!("{}{}", options.prefix, desc.name),
                ..desc.clone()
            })
        };
        let mut scope = Self {
            owner: options.owner.clone(),
            prefix: options.prefix.clone(),
            full_descs: descs.iter().map(full).collect(),
            families,
            places: Vec::with_capacity(descs.len()),
            by_name: (0..descs.len()).collect(),
            dynamic: Mutex::default(),
            const_labels,
            descs,
            limits: options.limits,
        };
        for number in 0..scope.descs.len() {
            let place = shared(&scope, number).unwrap_or_else(|| {
                let desc = Arc::clone(&scope.full_descs[number]);
                scope.families.add(Family::new(desc, &scope.const_labels))
            });
            scope.places.push(place);
        }
        let descs = &scope.full_descs;
        let by_name = |a: &usize, b: &usize| descs[*a].name.cmp(&descs[*b].name);
        scope.by_name.sort_by(by_name);
        scope
    }

    /// Families that it goes on with get its help texts and units.
    pub(crate) fn inherit(&self) {
        let mut families = self.lock();
        for (number, desc) in self.full_descs.iter().enumerate() {
            families[number].describe(desc);
        }
    }

    /// Whether both are scopes of one owner, be it one after the other.
    pub(crate) fn is_of_same_owner(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.families, &other.families)
    }

    /// Who owns these families.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// What the owner described, before the prefix.
    pub fn descs(&self) -> &[Desc] {
        &self.descs
    }

    /// What the owner described, with the prefix.
    pub(crate) fn full_descs(&self) -> &[Arc<Desc>] {
        &self.full_descs
    }

    /// Numbers of the families in the order of the page.
    pub(crate) fn by_name(&self) -> &[usize] {
        &self.by_name
    }

    /// Put before every family name.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Constant labels, sorted by name.
    pub(crate) fn const_labels(&self) -> &[(String, String)] {
        &self.const_labels
    }

    pub(crate) fn limits(&self) -> &ScopeLimits {
        &self.limits
    }

    /// How many series there are.
    pub fn series(&self) -> usize {
        let dynamic: usize = self.lock_dynamic().iter().map(Family::len).sum();
        self.described_series() + dynamic
    }

    /// How many series there are of families that were described.
    pub(crate) fn described_series(&self) -> usize {
        self.lock().iter().map(Family::len).sum()
    }

    /// How many families there are that were found at run time; see [`Registry::replace_dynamic`].
    ///
    /// [`Registry::replace_dynamic`]: crate::Registry::replace_dynamic
    pub fn dynamic_families(&self) -> usize {
        self.lock_dynamic().len()
    }

    /// Replaces what the sampled families held by these samples (pairs of family number and sample). A family that is
    /// not among them is empty afterwards; one with a bad sample is empty too, and is in what returns.
    pub fn replace_samples(
        &self,
        mut samples: Vec<(u32, Sample)>,
        now: Instant,
    ) -> Vec<(Option<u32>, SampleError)> {
        let mut families = self.lock();
        // Most collectors go from family to family. The sort is stable.
        if !samples.is_sorted_by_key(|(family, _)| *family) {
            samples.sort_by_key(|(family, _)| *family);
        }
        let mut samples = samples.into_iter();
        let mut errors = Vec::new();
        let mut room = self.limits.max_series;
        for number in 0..self.places.len() {
            let family = &mut families[number];
            let number = number as u32;
            let waiting = samples.as_slice().iter();
            let count = waiting.take_while(|(family, _)| *family == number).count();
            if count > 0 {
                let mut fit = Ok(());
                for (_, sample) in &samples.as_slice()[..count] {
                    fit = fit.and_then(|()| self.limits.check(&family.desc, sample));
                }
                if fit.is_err() && family.is_sampled() {
                    family.clear();
                }
                let mut run = samples.by_ref().take(count).map(|(_, sample)| sample);
                if let Err(error) = fit.and_then(|()| family.replace(&mut run, now, room)) {
                    errors.push((Some(number), error));
                }
                // What is left behind an error.
                run.for_each(drop);
            } else if family.is_sampled() {
                family.clear();
            }
            room = room.saturating_sub(family.len());
        }
        // Once is enough to say it.
        if let Some((family, _)) = samples.next() {
            errors.push((None, SampleError::UnknownFamily(family)));
        }
        errors
    }

    /// The families in the order of the page, locked. Sorting is done before, with the lock free between its steps: updates
    /// go on meanwhile.
    pub(crate) fn lock_sorted(&self) -> Locked<'_> {
        let families = self.lock();
        if families.iter().all(Family::is_sorted) {
            return families;
        }
        drop(families);
        let sorting = self.families.sorting.lock();
        let _alone = sorting.unwrap_or_else(PoisonError::into_inner);
        for _ in 0..ROUNDS {
            let families = self.lock();
            let is_unsorted = |family: &(usize, &Family)| !family.1.is_sorted();
            let unsorted = families.iter().enumerate().filter(is_unsorted);
            let unsorted: Vec<usize> = unsorted.map(|(number, _)| number).collect();
            if unsorted.is_empty() {
                return families;
            }
            drop(families);
            unsorted.into_iter().for_each(|number| self.sort(number));
        }
        // Somebody opens series as fast as they can be sorted.
        let mut families = self.lock();
        (0..families.len()).for_each(|number| families[number].sort());
        families
    }

    fn sort(&self, number: usize) {
        let Some(unsorted) = self.lock()[number].begin_sort() else {
            return;
        };
        for step in Sort::new(unsorted) {
            self.lock()[number].take_step(step);
        }
        self.lock()[number].end_sort();
    }

    pub(crate) fn lock(&self) -> Locked<'_> {
        self.families.lock(&self.places)
    }

    pub(crate) fn lock_dynamic(&self) -> MutexGuard<'_, Vec<Family>> {
        self.dynamic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        self.families.release(&self.places);
    }
}

/// How an owner's families are put into the registry.
#[derive(Clone, Debug)]
pub struct ScopeOptions {
    /// The name of the owner, for messages.
    pub owner: String,
    /// Put before every family name; may be empty.
    pub prefix: String,
    /// Labels that every series gets.
    pub const_labels: Vec<(String, String)>,
    /// How much the owner may have.
    pub limits: ScopeLimits,
}

/// How much an owner may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeLimits {
    /// Series at a time.
    pub max_series: usize,
    /// Living series that one session has numbers of.
    pub max_handles: usize,
    /// Bytes of the label values of one series.
    pub max_label_bytes: usize,
    /// Buckets of a native histogram, and quantiles of a summary, that were made elsewhere.
    pub max_buckets: usize,
}

impl Default for ScopeLimits {
    /// A million series; nothing else is limited.
    fn default() -> Self {
        Self {
            max_series: 1_000_000,
            max_handles: usize::MAX,
            max_label_bytes: usize::MAX,
            max_buckets: usize::MAX,
        }
    }
}

impl ScopeLimits {
    pub(crate) fn check(&self, desc: &Desc, sample: &Sample) -> Result<(), SampleError> {
        let refuse = |limit| {
            let name = desc.name.clone();
            Err(SampleError::Limit { name, limit })
        };
        let labels = sample.label_values.iter().map(String::len);
        if labels.sum::<usize>() > self.max_label_bytes {
            return refuse(Quota::LabelBytes);
        }
        let buckets = match &sample.value {
            SampleValue::NativeHistogram(value) => {
                // Spans may be empty, and are kept all the same.
                let spans = value.negative_spans.len() + value.positive_spans.len();
                spans.max(value.negative_counts.len() + value.positive_counts.len())
            }
            SampleValue::Summary(value) => value.quantiles.len(),
            // As many as the family has bounds, or it is refused.
            SampleValue::Histogram(_) | SampleValue::Number(_) => 0,
        };
        if buckets > self.max_buckets {
            return refuse(Quota::Buckets);
        }
        Ok(())
    }
}

impl ScopeOptions {
    /// No prefix, no constant labels, the default limits.
    pub fn new(owner: impl Into<String>) -> Self {
        Self {
            owner: owner.into(),
            prefix: String::new(),
            const_labels: Vec::new(),
            limits: ScopeLimits::default(),
        }
    }
}
