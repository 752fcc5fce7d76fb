//! A fault is a value: what went wrong in a call into a plugin, and whose fault it is.

use std::fmt;

use wasmtime::Trap;

/// What went wrong in one call into a plugin.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// The export that was called, such as `collect`.
    pub(crate) export: &'static str,
    /// One sentence, and the wasm backtrace if there is one.
    pub(crate) message: String,
}

/// The kinds of faults; each is a value of the `kind` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The plugin returned an error. Its instance goes on.
    Error,
    /// The guest trapped: a panic, an access out of bounds, an exhausted stack.
    Trap,
    /// The call took longer than the plugin's `timeout`.
    Deadline,
    /// The plugin does not keep to the contract.
    Contract,
}

impl FaultKind {
    pub(crate) const ALL: [Self; 4] = [Self::Error, Self::Trap, Self::Deadline, Self::Contract];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Trap => "trap",
            Self::Deadline => "deadline",
            Self::Contract => "contract",
        }
    }
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, export: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            export,
            message: message.into(),
        }
    }

    /// What wasmtime says of a call that did not return.
    pub(crate) fn from_call(export: &'static str, error: &wasmtime::Error) -> Self {
        let kind = match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => FaultKind::Deadline,
            _ => FaultKind::Trap,
        };
        Self::new(kind, export, format!("{error:#}"))
    }

    /// Whether the instance is lost.
    pub(crate) fn is_fatal(&self) -> bool {
        self.kind != FaultKind::Error
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            export, message, ..
        } = self;
        match self.kind {
            FaultKind::Error => write!(f, "{export} returned an error: {message}"),
            FaultKind::Trap => write!(f, "{export} trapped: {message}"),
            FaultKind::Deadline => write!(f, "{export} was stopped: {message}"),
            FaultKind::Contract => write!(f, "{export} broke the contract: {message}"),
        }
    }
}
