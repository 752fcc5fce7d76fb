//! One instance's view of its scope: what a call sends is staged, and committed or discarded as a whole.

mod handles;
mod staged;

use std::{cmp::Ordering, fmt, sync::Arc, time::Instant};

use self::{
    handles::{Handle, Handles},
    staged::{Change, Columns, Now, Staged},
};
use crate::{
    column::Values,
    desc::Kind,
    exemplar::Exemplar,
    families::Locked,
    family::{Family, SeriesId},
    labels::{self, Template},
    scope::Scope,
};

/// Hands out series numbers to one instance and gathers what its current call changes.
#[derive(Debug)]
pub struct Session {
    scope: Arc<Scope>,
    handles: Handles,
    /// By family and by the id of a series: under which number it, or one that had the id before, was opened; or
    /// [`NO_NUMBER`].
    numbers: Vec<Vec<u32>>,
    staged: Staged,
    /// Label text that is being looked up.
    text: Vec<u8>,
}

/// So many exemplars may be attached in one call at least, however few series there may be: the last of them stay.
const MIN_EXEMPLARS: usize = 65_536;

/// A number that is never given.
const NO_NUMBER: u32 = u32::MAX;

/// What to do with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Counter, gauge, untyped.
    Add,
    /// Gauge, untyped.
    Set,
    /// Histogram, summary.
    Observe,
}

impl Verb {
    fn fits(self, kind: &Kind) -> bool {
        match self {
            Self::Add => matches!(kind, Kind::Counter | Kind::Gauge | Kind::Untyped),
            Self::Set => matches!(kind, Kind::Gauge | Kind::Untyped),
            Self::Observe => !kind.is_number(),
        }
    }
}

/// Why a change was not accepted. Nothing of the refused change was done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InstrumentError {
    /// No family of this number.
    #[error("there is no such family")]
    UnknownFamily,
    /// Not a number that was handed out.
    #[error("there is no such series")]
    UnknownSeries,
    /// The kind has no such verb, or the family reports by samples.
    #[error("the family does not take this kind of change")]
    WrongKind,
    /// Label values and names, or two columns, differ in length.
    #[error("inconsistent label cardinality or column length")]
    LabelCount,
    /// A number or a name that cannot be.
    #[error("{0}")]
    InvalidValue(String),
    /// A quota is used up.
    #[error("{0}")]
    Limit(Quota),
}

/// What an owner has only so much of; see [`ScopeOptions`](crate::ScopeOptions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Series that are there at a time.
    Series,
    /// Numbers of living series that one session holds.
    Handles,
    /// Exemplars of one call: as many as series.
    Exemplars,
    /// Bytes of the label values of one series.
    LabelBytes,
    /// Buckets or quantiles of one sample.
    Buckets,
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Series => "the plugin has as many series as it may",
            Self::Handles => "the instance holds as many series open as it may",
            Self::Exemplars => {
                "the call has attached as many exemplars as the plugin may have series"
            }
            Self::LabelBytes => "the label values are longer than they may be",
            Self::Buckets => "there are more buckets or quantiles than there may be",
        })
    }
}

use InstrumentError::{InvalidValue, LabelCount, Limit, UnknownFamily, WrongKind};

impl Session {
    /// A view without any handle.
    pub fn new(scope: Arc<Scope>) -> Self {
        Self {
            scope,
            handles: Handles::default(),
            numbers: Vec::new(),
            staged: Staged::default(),
            text: Vec::new(),
        }
    }

    /// The number of the series with these label values, which is made if it is not there.
    pub fn open(&mut self, family: u32, values: &[String]) -> Result<u32, InstrumentError> {
        let scope = Arc::clone(&self.scope);
        if values.iter().map(String::len).sum::<usize>() > scope.limits().max_label_bytes {
            return Err(Limit(Quota::LabelBytes));
        }
        let mut families = scope.lock();
        let entry = instrument(&mut families, family)?;
        render(entry, values, &mut self.text)?;
        match self.staged.get(family, &self.text) {
            Some(Now::Opened(handle)) => return Ok(handle),
            // A new one takes its place.
            Some(Now::Removed) => {}
            None => {
                if let Some(series) = entry.find(&self.text) {
                    let known = self.number(family, series);
                    return known.map_or_else(|| self.handle(&families, family, Some(series)), Ok);
                }
            }
        }
        let count = || families.iter().map(Family::len).sum();
        let held = *self.staged.held.get_or_insert_with(count);
        if held + self.staged.opened >= scope.limits().max_series {
            return Err(Limit(Quota::Series));
        }
        let handle = self.handle(&families, family, None)?;
        self.staged.open(family, &self.text, handle);
        Ok(handle)
    }

    /// Deletes a series; whether it was there.
    pub fn remove(&mut self, family: u32, values: &[String]) -> Result<bool, InstrumentError> {
        let scope = Arc::clone(&self.scope);
        let mut families = scope.lock();
        let entry = instrument(&mut families, family)?;
        render(entry, values, &mut self.text)?;
        let there = match self.staged.get(family, &self.text) {
            Some(now) => now != Now::Removed,
            None => entry.find(&self.text).is_some(),
        };
        if there {
            self.staged.remove(family, &self.text);
        }
        Ok(there)
    }

    /// Deletes every series that has all of these labels; how many there were.
    pub fn remove_matching(
        &mut self,
        family: u32,
        labels: &[(String, String)],
    ) -> Result<u32, InstrumentError> {
        let scope = Arc::clone(&self.scope);
        let mut families = scope.lock();
        let entry = instrument(&mut families, family)?;
        let names = &entry.desc.label_names;
        if let Some((name, _)) = labels.iter().find(|(name, _)| !names.contains(name)) {
            return Err(InvalidValue(format!(
                "{name:?} is no label of {:?}",
                entry.desc.name
            )));
        }
        let wanted: Vec<_> = labels
            .iter()
            .map(|(name, value)| Template::matcher(name, value))
            .collect();
        let opened = self.staged.opened_in(family);
        let untouched = |text: &&[u8]| self.staged.get(family, text).is_none();
        let doomed: Vec<Vec<u8>> = opened
            .filter(|text| labels::has_all(text, &wanted))
            .chain(entry.matching(&wanted).filter(untouched))
            .map(<[u8]>::to_vec)
            .collect();
        for text in &doomed {
            self.staged.remove(family, text);
        }
        Ok(doomed.len() as u32)
    }

    /// Deletes every series of a family.
    pub fn clear(&mut self, family: u32) -> Result<(), InstrumentError> {
        instrument(&mut self.scope.lock(), family)?;
        self.staged.clear(family);
        Ok(())
    }

    /// Does `verb` to each series with the number at the same place.
    pub fn update(
        &mut self,
        verb: Verb,
        handles: Vec<u32>,
        numbers: Vec<f64>,
    ) -> Result<(), InstrumentError> {
        if handles.len() != numbers.len() {
            return Err(LabelCount);
        }
        let scope = Arc::clone(&self.scope);
        let families = scope.lock();
        // Most columns are of one family for long.
        let mut last = None;
        for (handle, number) in handles.iter().zip(&numbers) {
            // Whatever is sent to the dead goes unseen.
            let Some(handle) = self.handles.get(*handle)? else {
                continue;
            };
            let is_counter = match last {
                Some((family, is_counter)) if family == handle.family => is_counter,
                _ => {
                    let kind = &families[handle.family as usize].desc.kind;
                    if !verb.fits(kind) {
                        return Err(WrongKind);
                    }
                    last = Some((handle.family, *kind == Kind::Counter));
                    *kind == Kind::Counter
                }
            };
            if is_counter && !(*number >= 0.0) {
                return Err(InvalidValue(format!(
                    "counter {:?} cannot decrease in value, nor grow by {number}",
                    families[handle.family as usize].desc.name
                )));
            }
        }
        if !handles.is_empty() {
            self.staged.changes.push(Change::Columns(Box::new(Columns {
                verb,
                handles,
                numbers,
            })));
        }
        Ok(())
    }

    /// Attaches an exemplar to a series: the last one of its counter, or of the bucket that holds its value. The scope
    /// holds as many as it may have series; beyond that one can only take the place of another.
    pub fn attach(&mut self, handle: u32, exemplar: Exemplar) -> Result<(), InstrumentError> {
        let scope = Arc::clone(&self.scope);
        let families = scope.lock();
        let Some(known) = self.handles.get(handle)? else {
            return Ok(());
        };
        let kind = &families[known.family as usize].desc.kind;
        if !matches!(kind, Kind::Counter | Kind::Histogram(_)) {
            return Err(WrongKind);
        }
        let limit = scope.limits().max_series.max(MIN_EXEMPLARS);
        if self.staged.exemplars >= limit {
            return Err(Limit(Quota::Exemplars));
        }
        self.staged.exemplars += 1;
        let change = Change::Exemplar(handle, Box::new(exemplar));
        self.staged.changes.push(change);
        Ok(())
    }

    /// Makes what was staged real, all at once.
    pub fn commit(&mut self, now: Instant) {
        self.handles.call_is_over();
        let mut staged = std::mem::take(&mut self.staged);
        if staged.changes.is_empty() {
            return;
        }
        let changes = self.in_order(&mut staged);
        let scope = Arc::clone(&self.scope);
        let mut families = scope.lock();
        let mut room = 0;
        if staged.exemplars > 0 {
            let held = families.iter().map(Family::exemplars).sum();
            room = scope.limits().max_series.saturating_sub(held);
        }
        for change in changes {
            match change {
                Change::Open(handle, text) => {
                    let Some(Handle { family, .. }) = self.handles.find(handle) else {
                        continue;
                    };
                    let series = families[family as usize].open(staged.text(&text), now);
                    self.handles.settle(handle, series);
                    self.remember(family, series, handle);
                }
                Change::Remove(family, text) => {
                    families[family as usize].remove(staged.text(&text));
                }
                Change::Clear(family) => families[family as usize].clear(),
                Change::Exemplar(handle, exemplar) => {
                    if let Some(Handle {
                        family,
                        series: Some(series),
                    }) = self.handles.find(handle)
                    {
                        families[family as usize].attach(series, *exemplar, now, &mut room);
                    }
                }
                Change::Columns(columns) => {
                    let Columns {
                        verb,
                        handles,
                        numbers,
                    } = *columns;
                    self.apply(&mut families, verb, &handles, &numbers, now);
                }
            }
        }
    }

    /// The changes, with what is opened first and in the order of the page, so that a page that comes after many need not
    /// sort them and copy their texts. As they came if series are removed as well, where that could make a difference.
    fn in_order(&self, staged: &mut Staged) -> Vec<Change> {
        let mut changes = std::mem::take(&mut staged.changes);
        let is_removal = |change: &Change| matches!(change, Change::Remove(..) | Change::Clear(_));
        if staged.opened > 1 && !changes.iter().any(is_removal) {
            let family = |handle| self.handles.find(handle).map(|handle| handle.family);
            changes.sort_by(|a, b| match (a, b) {
                (Change::Open(a, one), Change::Open(b, other)) => {
                    let texts = || labels::compare(staged.text(one), staged.text(other));
                    family(*a).cmp(&family(*b)).then_with(texts)
                }
                (Change::Open(..), _) => Ordering::Less,
                (_, Change::Open(..)) => Ordering::Greater,
                _ => Ordering::Equal,
            });
        }
        changes
    }

    fn apply(
        &self,
        families: &mut Locked<'_>,
        verb: Verb,
        handles: &[u32],
        numbers: &[f64],
        now: Instant,
    ) {
        for (handle, number) in handles.iter().zip(numbers) {
            let Some(Handle {
                family,
                series: Some(series),
            }) = self.handles.find(*handle)
            else {
                continue;
            };
            let family = &mut families[family as usize];
            let Some((block, position)) = family.locate(series) else {
                continue;
            };
            let (column, shape) = family.column(block);
            match (verb, &mut column.values) {
                (Verb::Add, Values::Numbers(all)) => all[position] += number,
                (Verb::Set, Values::Numbers(all)) => all[position] = *number,
                // Whether the verb fits was seen to when it was staged.
                _ => column.observe(shape, position, *number, now),
            }
        }
    }

    fn handle(
        &mut self,
        families: &Locked<'_>,
        family: u32,
        series: Option<SeriesId>,
    ) -> Result<u32, InstrumentError> {
        let most = self.scope.limits().max_handles;
        let number = self
            .handles
            .give(Handle { family, series }, families, most)?;
        if let Some(series) = series {
            self.remember(family, series, number);
        }
        Ok(number)
    }

    /// The number that a series was opened under before.
    fn number(&self, family: u32, series: SeriesId) -> Option<u32> {
        let number = *self.numbers.get(family as usize)?.get(series.index())?;
        let known = self.handles.find(number)?;
        (known.series == Some(series)).then_some(number)
    }

    fn remember(&mut self, family: u32, series: SeriesId, number: u32) {
        let (family, index) = (family as usize, series.index());
        if self.numbers.len() <= family {
            self.numbers.resize_with(family + 1, Vec::new);
        }
        let numbers = &mut self.numbers[family];
        if numbers.len() <= index {
            numbers.resize(index + 1, NO_NUMBER);
        }
        numbers[index] = number;
    }
}

fn instrument<'a>(
    families: &'a mut Locked<'_>,
    family: u32,
) -> Result<&'a mut Family, InstrumentError> {
    let entry = families.get_mut(family as usize).ok_or(UnknownFamily)?;
    if entry.claim_for_instruments() {
        Ok(entry)
    } else {
        Err(WrongKind)
    }
}

fn render(family: &Family, values: &[String], text: &mut Vec<u8>) -> Result<(), InstrumentError> {
    if values.len() != family.desc.label_names.len() {
        return Err(LabelCount);
    }
    text.clear();
    family.template.render(values, text);
    Ok(())
}
