//! The numbers that one instance was given. A number is never given twice; what is dead is forgotten, so that series may come
//! and go for ever.

use super::{InstrumentError, Quota};
use crate::{
    families::Locked,
    family::SeriesId,
    session::InstrumentError::{Limit, UnknownSeries},
};

/// What a series number stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle {
    pub(super) family: u32,
    /// `None` until the call that opened a new series commits.
    pub(super) series: Option<SeriesId>,
}

/// All numbers so far, in pages of which those without a living series take no memory.
#[derive(Debug, Default)]
pub(super) struct Handles {
    pages: Vec<Option<Box<Page>>>,
    /// The number that is given next.
    next: u32,
    /// How many are held, and how many before the dead among them are looked for.
    held: usize,
    enough: usize,
    /// Whether they were looked for in this call: it can have made no others dead.
    swept: bool,
}

#[derive(Debug, Default)]
struct Page {
    /// Places in the page, ascending; empty if they are 0, 1, 2 and so on.
    places: Vec<u16>,
    handles: Vec<Handle>,
}

const PAGE_BITS: u32 = 12;
const PAGE: u32 = 1 << PAGE_BITS;

/// Fewer than this are not worth a look.
const FEW: usize = 1024;

impl Handles {
    /// `None` if it is dead and forgotten; an error if it was never given.
    pub(super) fn get(&self, number: u32) -> Result<Option<Handle>, InstrumentError> {
        if number < self.next {
            Ok(self.find(number))
        } else {
            Err(UnknownSeries)
        }
    }

    pub(super) fn find(&self, number: u32) -> Option<Handle> {
        let page = self.pages.get((number >> PAGE_BITS) as usize)?.as_ref()?;
        page.handles.get(page.position(number)?).copied()
    }

    /// Says which series a number got.
    pub(super) fn settle(&mut self, number: u32, series: SeriesId) {
        let page = self.pages.get_mut((number >> PAGE_BITS) as usize);
        if let Some(Some(page)) = page
            && let Some(position) = page.position(number)
            && let Some(handle) = page.handles.get_mut(position)
        {
            handle.series = Some(series);
        }
    }

    /// Gives a number, if the instance holds fewer than `most` of living series. `families` say which those are.
    pub(super) fn give(
        &mut self,
        handle: Handle,
        families: &Locked<'_>,
        most: usize,
    ) -> Result<u32, InstrumentError> {
        if self.held >= most.min(self.enough.max(FEW)) && !self.swept {
            self.sweep(families);
        }
        let number = self.next;
        let after = number.checked_add(1);
        let (Some(after), true) = (after, self.held < most) else {
            return Err(Limit(Quota::Handles));
        };
        self.next = after;
        self.held += 1;
        if number.is_multiple_of(PAGE) {
            self.pages.push(None);
        }
        if let Some(last) = self.pages.last_mut() {
            last.get_or_insert_default().push(number, handle);
        }
        Ok(number)
    }

    /// A call is over: what it removed is dead.
    pub(super) fn call_is_over(&mut self) {
        self.swept = false;
    }

    /// Forgets what is dead.
    fn sweep(&mut self, families: &Locked<'_>) {
        let lives = |handle: &Handle| {
            let located = |series| families[handle.family as usize].locate(series);
            handle.series.is_none_or(|series| located(series).is_some())
        };
        self.held = 0;
        for slot in &mut self.pages {
            if let Some(page) = slot {
                page.retain(lives);
                self.held += page.handles.len();
                if page.handles.is_empty() {
                    *slot = None;
                }
            }
        }
        self.enough = 2 * self.held;
        self.swept = true;
    }
}

impl Page {
    fn push(&mut self, number: u32, handle: Handle) {
        let place = (number % PAGE) as u16;
        if !self.places.is_empty() || self.handles.len() != usize::from(place) {
            self.places.push(place);
        }
        self.handles.push(handle);
    }

    /// Where its handle is, if it has one.
    fn position(&self, number: u32) -> Option<usize> {
        let place = (number % PAGE) as u16;
        if self.places.is_empty() {
            return Some(place.into());
        }
        self.places.binary_search(&place).ok()
    }

    fn retain(&mut self, lives: impl Fn(&Handle) -> bool) {
        if self.handles.iter().all(&lives) {
            return;
        }
        let all = self.handles.iter().enumerate();
        let kept = all.filter(|(_, handle)| lives(handle)).map(|(at, handle)| {
            let place = self.places.get(at).copied();
            (place.unwrap_or(at as u16), *handle)
        });
        (self.places, self.handles) = kept.unzip();
    }
}
