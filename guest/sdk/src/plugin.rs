//! The one plugin of a module, and how the host's calls reach it.

use std::cell::RefCell;
use std::fmt::Display;
use std::marker::PhantomData;
use std::rc::Rc;
use std::thread::LocalKey;

use crate::Result;
use crate::bindings::collector::meterbox::plugin::metric_types::Desc;
use crate::ledger::Ledger;

/// The cell that [`export!`](crate::export) makes for a plugin.
pub type Cell<P> = RefCell<Option<Running<P>>>;

const NAME: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// Name and version of this crate, for the module.
pub const SDK: [u8; NAME.len()] = match NAME.as_bytes().first_chunk() {
    Some(name) => *name,
    None => panic!("it is as long as it is"),
};

const NOT_DESCRIBED: &str = "the plugin has not been described yet";

/// Implemented by [`export!`](crate::export).
pub trait Plugin: Sized + 'static {
    fn cell() -> &'static LocalKey<Cell<Self>>;
}

/// A plugin that `describe` has made, with its books.
pub struct Running<P> {
    plugin: P,
    ledger: Option<Rc<Ledger>>,
    probe_descs: Vec<Desc>,
}

/// Implements the exports of a hook for the plugin `P`.
pub struct Exports<P>(PhantomData<P>);

impl<P: Plugin> Exports<P> {
    pub(crate) fn start(plugin: P, ledger: Option<Rc<Ledger>>, probe_descs: Vec<Desc>) {
        P::cell().set(Some(Running {
            plugin,
            ledger,
            probe_descs,
        }));
    }

    /// The families of probes. Asked before the host has taken the others, so nothing can be sent yet.
    pub(crate) fn probe_descs() -> Result<Vec<Desc>, String> {
        P::cell().with_borrow(|cell| {
            let running = cell.as_ref().ok_or(NOT_DESCRIBED)?;
            Ok(running.probe_descs.clone())
        })
    }

    /// Calls a hook, then sends what it counted, be it that it failed.
    pub(crate) fn call<R>(hook: impl FnOnce(&mut P) -> Result<R>) -> Result<R, String> {
        P::cell().with_borrow_mut(|cell| {
            let Some(Running { plugin, ledger, .. }) = cell else {
                return Err(NOT_DESCRIBED.into());
            };
            let Some(ledger) = ledger else {
                return hook(plugin).map_err(text);
            };
            // That the host calls again means that it has taken the families.
            ledger.connect();
            let result = hook(plugin).map_err(text);
            let sent = ledger.settle();
            result.and_then(|value| sent.map(|()| value))
        })
    }
}

pub(crate) fn text(error: impl Display) -> String {
    error.to_string()
}
