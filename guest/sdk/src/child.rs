//! One series as this instance sees it: what was counted and not yet sent.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use crate::Exemplar;
use crate::host::Attach;
use crate::labels;
use crate::ledger::{Event, Ledger};

/// Nothing to send.
const CLEAN: u32 = u32::MAX;
/// On the list of changed children.
const CHANGED: u32 = u32::MAX - 2;
/// Deleted. A dead child is never listed again, so what its holders still count goes nowhere.
const DEAD: u32 = u32::MAX - 1;

/// A series and its pending change. Handles share it.
pub struct Child {
    ledger: Rc<Ledger>,
    family: u32,
    /// See [`labels`].
    key: Rc<[u8]>,
    /// The host's number, once opened.
    series: Cell<Option<u32>>,
    /// The place among the observing children, or one of the constants above.
    mark: Cell<u32>,
    pending: Cell<f64>,
    /// Increments by 1 that add to `pending`. A loop of integer additions is four times as fast.
    ones: Cell<u64>,
    /// `pending` replaces the value rather than being added to it.
    is_set: Cell<bool>,
}

/// What a counter or gauge has to tell the host.
#[derive(Debug, PartialEq)]
pub(crate) enum Change {
    Add(f64),
    Set(f64),
}

impl Child {
    /// A new child, which the ledger opens at the end of the call.
    pub(crate) fn new(ledger: &Rc<Ledger>, family: u32, key: Rc<[u8]>) -> Rc<Self> {
        let child = Rc::new(Self {
            ledger: Rc::clone(ledger),
            family,
            key,
            series: Cell::new(None),
            mark: Cell::new(CLEAN),
            pending: Cell::new(0.0),
            ones: Cell::new(0),
            is_set: Cell::new(false),
        });
        ledger.enroll(&child);
        child
    }

    #[inline]
    pub(crate) fn add(self: &Rc<Self>, by: f64) {
        self.touch();
        self.pending.set(self.pending.get() + by);
    }

    /// The hot path of counters: a comparison and an addition. Not for children that are [`set`](Self::set).
    #[inline]
    pub(crate) fn inc(self: &Rc<Self>) {
        self.touch();
        self.ones.set(self.ones.get() + 1);
    }

    #[inline]
    pub(crate) fn set(self: &Rc<Self>, to: f64) {
        self.touch();
        self.pending.set(to);
        self.is_set.set(true);
    }

    #[inline]
    pub(crate) fn observe(self: &Rc<Self>, value: f64) {
        match self.mark.get() {
            DEAD => return,
            CLEAN => self.mark.set(self.ledger.list_observing(self)),
            _ => {}
        }
        self.ledger.observe(self.mark.get(), value);
    }

    /// Keeps an exemplar until the end of the call.
    #[cold]
    pub(crate) fn attach(self: &Rc<Self>, value: f64, exemplar: Exemplar, attach: Attach) {
        if !self.is_dead() {
            self.ledger.attach(Event {
                child: Rc::clone(self),
                value,
                exemplar,
                attach,
            });
        }
    }

    /// Lists the child, the first time since it was last sent.
    #[inline]
    fn touch(self: &Rc<Self>) {
        if self.mark.get() == CLEAN {
            self.ledger.list_changed(self);
            self.mark.set(CHANGED);
        }
    }

    /// Ends the child: nothing that its holders do reaches the host any more.
    pub(crate) fn kill(&self) {
        self.mark.set(DEAD);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.mark.get() == DEAD
    }

    /// Takes the child off its list, unless it died there.
    pub(crate) fn unlist(&self) -> bool {
        let alive = !self.is_dead();
        if alive {
            self.mark.set(CLEAN);
        }
        alive
    }

    /// The pending change, which is forgotten here.
    pub(crate) fn take_change(&self) -> Change {
        let number = self.pending.take() + self.ones.take() as f64;
        if self.is_set.take() {
            Change::Set(number)
        } else {
            Change::Add(number)
        }
    }

    pub(crate) fn family(&self) -> u32 {
        self.family
    }

    pub(crate) fn labels(&self) -> Vec<&str> {
        labels::split(&self.key)
    }

    pub(crate) fn series(&self) -> Option<u32> {
        self.series.get()
    }

    pub(crate) fn opened(&self, series: u32) {
        self.series.set(Some(series));
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("family", &self.family)
            .field("labels", &self.labels())
            .field("series", &self.series)
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}
