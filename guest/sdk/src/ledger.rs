//! What this instance counted and has not sent yet.
//!
//! An increment stays inside the plugin: it changes a number in its [`Child`] and, the first time, puts the child on
//! a list. At the end of each exported call the ledger opens what is new and sends one column for each verb. What the
//! host refuses is lost; the first refusal becomes the error of the call, and the rest is sent all the same.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::Exemplar;
use crate::child::{Change, Child};
use crate::columns::{BATCH, Columns};
use crate::host::{Attach, Host, InstrumentError, reason};

#[cfg(test)]
mod tests;

/// The books of one instance, shared by its registry and all its children.
pub(crate) struct Ledger {
    host: Box<dyn Host>,
    /// Set once `describe` has returned: before that the host knows no family.
    connected: Cell<bool>,
    unopened: RefCell<Vec<Rc<Child>>>,
    changed: RefCell<Vec<Rc<Child>>>,
    observing: RefCell<Vec<Rc<Child>>>,
    /// In place of a series stands a place in `observing`.
    observations: RefCell<Columns>,
    events: RefCell<Vec<Event>>,
    refusal: RefCell<Option<String>>,
}

/// An exemplar that waits.
pub(crate) struct Event {
    pub(crate) child: Rc<Child>,
    pub(crate) value: f64,
    pub(crate) exemplar: Exemplar,
    /// How the host gets it.
    pub(crate) attach: Attach,
}

/// So many exemplars wait at most; they are larger than numbers.
const EVENTS: usize = 1024;

impl Ledger {
    pub(crate) fn new(host: impl Host + 'static) -> Rc<Self> {
        Rc::new(Self {
            host: Box::new(host),
            connected: Cell::new(false),
            unopened: RefCell::default(),
            changed: RefCell::default(),
            observing: RefCell::default(),
            observations: RefCell::default(),
            events: RefCell::default(),
            refusal: RefCell::default(),
        })
    }

    /// From now on the host knows the families.
    pub(crate) fn connect(&self) {
        self.connected.set(true);
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected.get()
    }

    /// Sends everything and says what was refused since the last time.
    pub(crate) fn settle(&self) -> Result<(), String> {
        self.send();
        self.refusal.take().map_or(Ok(()), Err)
    }

    // === for children ===

    pub(crate) fn enroll(&self, child: &Rc<Child>) {
        self.unopened.borrow_mut().push(Rc::clone(child));
    }

    #[cold]
    pub(crate) fn list_changed(&self, child: &Rc<Child>) {
        self.changed.borrow_mut().push(Rc::clone(child));
    }

    /// Returns the child's place.
    #[cold]
    pub(crate) fn list_observing(&self, child: &Rc<Child>) -> u32 {
        let mut observing = self.observing.borrow_mut();
        observing.push(Rc::clone(child));
        observing.len() as u32 - 1
    }

    pub(crate) fn observe(&self, place: u32, value: f64) {
        let waiting = self.observations.borrow_mut().push(place, value);
        if waiting >= BATCH && self.is_connected() {
            self.send();
        }
    }

    pub(crate) fn attach(&self, event: Event) {
        self.events.borrow_mut().push(event);
        if self.events.borrow().len() >= EVENTS && self.is_connected() {
            self.send();
        }
    }

    // === for vectors ===

    /// Opens what is new, so that the host can count it.
    pub(crate) fn open_new(&self) {
        for child in self.unopened.take() {
            if !child.is_dead() {
                self.number(&child);
            }
        }
    }

    pub(crate) fn remove(&self, family: u32, labels: &[&str]) -> bool {
        self.is_connected()
            && self
                .accept("delete", self.host.remove(family, labels))
                .unwrap_or_default()
    }

    pub(crate) fn remove_matching(&self, family: u32, labels: &[(&str, &str)]) -> u32 {
        if !self.is_connected() {
            return 0;
        }
        self.accept("delete", self.host.remove_matching(family, labels))
            .unwrap_or_default()
    }

    pub(crate) fn clear(&self, family: u32) {
        if self.is_connected() {
            self.accept("reset", self.host.clear(family));
        }
    }

    // === sending ===

    fn send(&self) {
        self.open_new();
        self.send_changes();
        self.send_observations();
        self.send_exemplars();
    }

    fn send_changes(&self) {
        let mut changed = self.changed.take();
        let mut adds = Columns::default();
        let mut sets = Columns::default();
        for child in changed.drain(..).filter(|child| child.unlist()) {
            let change = child.take_change();
            let Some(series) = self.number(&child) else {
                continue;
            };
            match change {
                Change::Add(by) => adds.push(series, by),
                Change::Set(to) => sets.push(series, to),
            };
        }
        // The list keeps its capacity: what changed in this call will likely change in the next.
        self.changed.replace(changed);
        adds.drain(|series, by| self.accept("add", self.host.add(series, by)));
        sets.drain(|series, to| self.accept("set", self.host.set(series, to)));
    }

    fn send_observations(&self) {
        let mut observing = self.observing.take();
        let numbers: Vec<Option<u32>> = observing
            .drain(..)
            .map(|child| {
                if child.unlist() {
                    self.number(&child)
                } else {
                    None
                }
            })
            .collect();
        self.observing.replace(observing);

        let mut observations = self.observations.borrow_mut();
        observations.translate(|place| numbers[place as usize]);
        observations
            .drain(|series, values| self.accept("observe", self.host.observe(series, values)));
    }

    /// In their order: of two that belong to one bucket the last one stays.
    fn send_exemplars(&self) {
        for event in self.events.take() {
            if !event.child.is_dead()
                && let Some(series) = self.number(&event.child)
            {
                let answer = (event.attach)(series, event.value, &event.exemplar);
                self.accept("exemplar", answer);
            }
        }
    }

    /// The child's number at the host, which is asked for it if need be.
    fn number(&self, child: &Child) -> Option<u32> {
        if child.series().is_none() {
            let opened = self.host.open(child.family(), &child.labels());
            child.opened(self.accept("open", opened)?);
        }
        child.series()
    }

    /// Keeps the first refusal for the end of the call.
    fn accept<T>(&self, verb: &str, answer: Result<T, InstrumentError>) -> Option<T> {
        answer
            .map_err(|error| {
                self.refusal
                    .borrow_mut()
                    .get_or_insert_with(|| format!("{verb}: {}", reason(&error)));
            })
            .ok()
    }
}
