//! One instance's view of its scope: what a call sends is staged, and committed or discarded as a whole.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use crate::{
    desc::Kind,
    family::{Family, SeriesId, has_labels},
    labels::Template,
    scope::Scope,
};

/// Hands out series numbers to one instance and gathers what its current call changes.
#[derive(Debug)]
pub struct Session {
    scope: Arc<Scope>,
    handles: Vec<Handle>,
    /// The number under which a series was opened before.
    numbers: HashMap<(u32, SeriesId), u32>,
    staged: Staged,
}

/// What a series number stands for.
#[derive(Clone, Copy, Debug)]
struct Handle {
    family: u32,
    /// `None` until the call that opened a new series commits.
    series: Option<SeriesId>,
}

/// The changes of the current call, and how the families look with them.
#[derive(Debug, Default)]
struct Staged {
    changes: Vec<Change>,
    /// How many series the changes open.
    opened: usize,
    /// Series opened (the handle) or removed (`None`) in this call.
    overlay: HashMap<(u32, Box<[u8]>), Option<u32>>,
    /// Families cleared in this call.
    cleared: HashSet<u32>,
}

#[derive(Debug)]
enum Change {
    Open {
        handle: u32,
        text: Box<[u8]>,
    },
    Remove {
        family: u32,
        text: Box<[u8]>,
    },
    Clear {
        family: u32,
    },
    Columns {
        verb: Verb,
        handles: Vec<u32>,
        numbers: Vec<f64>,
    },
}

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
    Limit(String),
}

use InstrumentError::{InvalidValue, LabelCount, Limit, UnknownFamily, UnknownSeries, WrongKind};

impl Session {
    /// A view without any handle.
    pub fn new(scope: Arc<Scope>) -> Self {
        Self {
            scope,
            handles: Vec::new(),
            numbers: HashMap::new(),
            staged: Staged::default(),
        }
    }

    /// The number of the series with these label values, which is made if it is not there.
    pub fn open(&mut self, family: u32, values: &[String]) -> Result<u32, InstrumentError> {
        let scope = Arc::clone(&self.scope);
        let mut families = scope.lock();
        let entry = self.instrument(&mut families, family)?;
        let text = render(entry, values)?;
        let key = (family, text);
        match self.staged.overlay.get(&key) {
            Some(Some(handle)) => return Ok(*handle),
            // Removed in this call: a new one takes its place.
            Some(None) => {}
            None if self.staged.cleared.contains(&family) => {}
            None => {
                if let Some(series) = entry.find(&key.1) {
                    let known = self.numbers.get(&(family, series)).copied();
                    return known.map_or_else(|| self.handle(family, Some(series)), Ok);
                }
            }
        }
        let held: usize = families.iter().map(Family::len).sum();
        if held + self.staged.opened >= scope.max_series() {
            let limit = scope.max_series();
            return Err(Limit(format!(
                "the plugin's limit of {limit} series is used up"
            )));
        }
        let handle = self.handle(family, None)?;
        self.staged.opened += 1;
        self.staged.changes.push(Change::Open {
            handle,
            text: key.1.clone(),
        });
        self.staged.overlay.insert(key, Some(handle));
        Ok(handle)
    }

    /// Deletes a series; whether it was there.
    pub fn remove(&mut self, family: u32, values: &[String]) -> Result<bool, InstrumentError> {
        let scope = Arc::clone(&self.scope);
        let mut families = scope.lock();
        let entry = self.instrument(&mut families, family)?;
        let text = render(entry, values)?;
        let key = (family, text);
        let there = match self.staged.overlay.get(&key) {
            Some(state) => state.is_some(),
            None => !self.staged.cleared.contains(&family) && entry.find(&key.1).is_some(),
        };
        if there {
            self.staged.remove(key);
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
        let entry = self.instrument(&mut families, family)?;
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
        let staged = &self.staged;
        let mut doomed: Vec<(u32, Box<[u8]>)> = Vec::new();
        for ((of, text), state) in &staged.overlay {
            if *of == family && state.is_some() && has_labels(text, &wanted) {
                doomed.push((family, text.clone()));
            }
        }
        if !staged.cleared.contains(&family) {
            for text in entry.matching(&wanted) {
                let key = (family, Box::from(text));
                if !staged.overlay.contains_key(&key) {
                    doomed.push(key);
                }
            }
        }
        let count = doomed.len() as u32;
        doomed.into_iter().for_each(|key| self.staged.remove(key));
        Ok(count)
    }

    /// Deletes every series of a family.
    pub fn clear(&mut self, family: u32) -> Result<(), InstrumentError> {
        let scope = Arc::clone(&self.scope);
        self.instrument(&mut scope.lock(), family)?;
        self.staged.overlay.retain(|(of, _), _| *of != family);
        self.staged.cleared.insert(family);
        self.staged.changes.push(Change::Clear { family });
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
        for (handle, number) in handles.iter().zip(&numbers) {
            let handle = self.handles.get(*handle as usize).ok_or(UnknownSeries)?;
            let desc = &families[handle.family as usize].desc;
            if !verb.fits(&desc.kind) {
                return Err(WrongKind);
            }
            if desc.kind == Kind::Counter && !(*number >= 0.0) {
                return Err(InvalidValue(format!(
                    "counter {:?} cannot decrease in value, nor grow by {number}",
                    desc.name
                )));
            }
        }
        if !handles.is_empty() {
            self.staged.changes.push(Change::Columns {
                verb,
                handles,
                numbers,
            });
        }
        Ok(())
    }

    /// Makes what was staged real, all at once.
    pub fn commit(&mut self, now: Instant) {
        let Staged { changes, .. } = std::mem::take(&mut self.staged);
        if changes.is_empty() {
            return;
        }
        let scope = Arc::clone(&self.scope);
        let mut families = scope.lock();
        for change in changes {
            match change {
                Change::Open { handle, text } => {
                    let entry = &mut self.handles[handle as usize];
                    let series = families[entry.family as usize].open(&text, now);
                    entry.series = Some(series);
                    self.numbers.insert((entry.family, series), handle);
                }
                Change::Remove { family, text } => {
                    families[family as usize].remove(&text);
                }
                Change::Clear { family } => families[family as usize].clear(),
                Change::Columns {
                    verb,
                    handles,
                    numbers,
                } => {
                    for (handle, number) in handles.into_iter().zip(numbers) {
                        let Handle { family, series } = self.handles[handle as usize];
                        let family = &mut families[family as usize];
                        let Some(slot) = series.and_then(|series| family.slot(series)) else {
                            continue;
                        };
                        match verb {
                            Verb::Add => family.values.add(slot, number),
                            Verb::Set => family.values.set(slot, number),
                            Verb::Observe => family.values.observe(slot, number, now),
                        }
                    }
                }
            }
        }
    }

    fn instrument<'a>(
        &self,
        families: &'a mut [Family],
        family: u32,
    ) -> Result<&'a mut Family, InstrumentError> {
        let entry = families.get_mut(family as usize).ok_or(UnknownFamily)?;
        if entry.claim_for_instruments() {
            Ok(entry)
        } else {
            Err(WrongKind)
        }
    }

    fn handle(&mut self, family: u32, series: Option<SeriesId>) -> Result<u32, InstrumentError> {
        let number = u32::try_from(self.handles.len())
            .map_err(|_| Limit("no more series numbers in this instance".to_owned()))?;
        self.handles.push(Handle { family, series });
        if let Some(series) = series {
            self.numbers.insert((family, series), number);
        }
        Ok(number)
    }
}

impl Staged {
    fn remove(&mut self, key: (u32, Box<[u8]>)) {
        self.changes.push(Change::Remove {
            family: key.0,
            text: key.1.clone(),
        });
        self.overlay.insert(key, None);
    }
}

fn render(family: &Family, values: &[String]) -> Result<Box<[u8]>, InstrumentError> {
    if values.len() != family.desc.label_names.len() {
        return Err(LabelCount);
    }
    let mut text = Vec::new();
    family.template.render(values, &mut text);
    Ok(text.into())
}
