//! A fault is a value: what went wrong in a call into a plugin, whose fault it is, and what can be done about it.

use std::{any::Any, fmt, time::SystemTime};

use wasmtime::{Trap, WasmBacktrace};

use super::meter::{Exceeded, Meter};
use crate::limits::{Limit, Limits};

/// What went wrong in one call into a plugin.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fault {
    /// What sort of fault it is.
    pub kind: FaultKind,
    /// When it was noticed.
    pub time: SystemTime,
    /// The export that was called, such as `collect`; `instantiate` for the start of a new instance.
    pub export: &'static str,
    /// One sentence. What the plugin had a hand in is escaped.
    pub message: String,
    /// Functions of the guest, the innermost first, as its name section calls them; at most 20.
    pub backtrace: Vec<String>,
    /// The limit that was met, if it was one.
    pub limit: Option<Limit>,
}

/// The kinds of faults; each is a value of the `kind` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The plugin returned an error. Its instance goes on.
    Error,
    /// The guest trapped: a panic, an access out of bounds, an exhausted stack.
    Trap,
    /// The call took longer than it may.
    Deadline,
    /// The call used more processor time than it may.
    Cpu,
    /// The instance wanted more memory, tables or resources than it may have, and did not bear the refusal.
    Memory,
    /// The plugin gave more than the host takes.
    Output,
    /// The call called the host more often than it may.
    Calls,
    /// The plugin does not keep to the contract.
    Contract,
    /// The host itself failed.
    Host,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Error,
        Self::Trap,
        Self::Deadline,
        Self::Cpu,
        Self::Memory,
        Self::Output,
        Self::Calls,
        Self::Contract,
        Self::Host,
    ];

    /// One word, as in metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Trap => "trap",
            Self::Deadline => "deadline",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Output => "output",
            Self::Calls => "calls",
            Self::Contract => "contract",
            Self::Host => "host",
        }
    }

    /// What it means to exceed a limit.
    fn of(limit: Limit) -> Self {
        match limit {
            Limit::Timeout | Limit::StartTimeout => Self::Deadline,
            Limit::Cpu => Self::Cpu,
            Limit::HostCalls => Self::Calls,
            Limit::Stack => Self::Trap,
            Limit::Memory
            | Limit::TableElements
            | Limit::CoreInstances
            | Limit::Memories
            | Limit::Tables
            | Limit::Resources => Self::Memory,
            _ => Self::Output,
        }
    }
}

/// How wasmtime words what it has no type for. Checked against it by the hostile guests in `tests/`.
const WORDS: [(&str, Limit); 7] = [
    (
        "fuel allocated for hostcalls has been exhausted",
        Limit::CallBytes,
    ),
    ("store handle limit exceeded", Limit::Resources),
    ("resource table has no free keys", Limit::Resources),
    (
        "resource limit exceeded: instance count",
        Limit::CoreInstances,
    ),
    ("resource limit exceeded: memory count", Limit::Memories),
    ("resource limit exceeded: table count", Limit::Tables),
    ("exceeds table limits", Limit::TableElements),
];

/// What comes from the plugin may be of any length. In characters.
const LONGEST_TEXT: usize = 1000;
const LONGEST_NAME: usize = 200;

impl Fault {
    pub(crate) fn new(kind: FaultKind, export: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            time: SystemTime::now(),
            export,
            message: message.into(),
            backtrace: Vec::new(),
            limit: None,
        }
    }

    /// The plugin returned an error.
    pub(crate) fn said(export: &'static str, text: &str) -> Self {
        Self::new(FaultKind::Error, export, escape(text, LONGEST_TEXT))
    }

    /// The host panicked.
    pub(crate) fn panic(export: &'static str, payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let text = escape(text.unwrap_or("it does not say why"), LONGEST_TEXT);
        Self::new(FaultKind::Host, export, text)
    }

    /// A limit was exceeded.
    pub(crate) fn limit(limit: Limit, export: &'static str, limits: &Limits) -> Self {
        let allowed = limit.show(limits);
        Self {
            limit: Some(limit),
            ..Self::new(
                FaultKind::of(limit),
                export,
                format!("{} ({limit} = {allowed})", exceeded(limit)),
            )
        }
    }

    /// What wasmtime says of a call that did not return.
    pub(crate) fn from_call(
        export: &'static str,
        error: &wasmtime::Error,
        meter: &Meter,
        limits: &Limits,
    ) -> Self {
        let trap = error.downcast_ref::<Trap>();
        let cause = escape(&error.root_cause().to_string(), LONGEST_TEXT);
        let limit = match trap {
            Some(Trap::Interrupt) => meter.stopped(),
            Some(Trap::StackOverflow) => Some(Limit::Stack),
            _ => error
                .downcast_ref()
                .map(|Exceeded(limit)| *limit)
                .or_else(|| {
                    let words = WORDS.iter().find(|(words, _)| cause.contains(words));
                    words.map(|(_, limit)| *limit)
                })
                .or(meter.refused()),
        };
        let mut fault = match limit {
            Some(limit) => Self::limit(limit, export, limits),
            None => Self::new(FaultKind::Trap, export, &cause),
        };
        if limit.is_some_and(|limit| meter.refused() == Some(limit)) {
            fault.message = format!("{}, and then: {cause}", fault.message);
        }
        fault.backtrace = backtrace(error);
        fault
    }

    /// Whether the instance is lost.
    pub(crate) fn is_fatal(&self) -> bool {
        self.kind != FaultKind::Error
    }

    /// What to do about it.
    pub fn remedy(&self, plugin: &str) -> String {
        match (self.limit, self.kind) {
            (Some(limit), _) => limit.remedy(plugin),
            (None, FaultKind::Error) => "see what the plugin says".to_owned(),
            (None, FaultKind::Host) => "report it to the developers of Meterbox".to_owned(),
            (None, _) => "report it to the plugin's author".to_owned(),
        }
    }
}

/// What happened, without the figure.
fn exceeded(limit: Limit) -> &'static str {
    match limit {
        Limit::Timeout => "it took longer than the plugin's timeout",
        Limit::StartTimeout => "the instance took longer to start than it may",
        Limit::Cpu => "it used more processor time than it may",
        Limit::HostCalls => "it called the host more often than it may",
        Limit::CallBytes => "it handed more bytes to the host than it may",
        Limit::TextBytes => "it returned more bytes of text than it may",
        Limit::Samples => "it returned more samples than it may",
        Limit::Memory => "the instance was refused more memory",
        Limit::TableElements => "the instance was refused more table elements",
        Limit::CoreInstances => "it consists of more core instances than it may",
        Limit::Memories => "it has more memories than it may",
        Limit::Tables => "it has more tables than it may",
        Limit::Stack => "it used up its stack",
        Limit::Resources => "it holds more resources than it may",
        Limit::Families => "it describes more families than it may",
        Limit::Labels => "it describes a family with more labels than it may",
        Limit::DescBytes => "it describes a family with longer texts than it may",
        Limit::Buckets => "it describes a family with more buckets than it may",
        Limit::ResponseBytes => "its response is larger than it may be",
        _ => "it used up a limit",
    }
}

fn backtrace(error: &wasmtime::Error) -> Vec<String> {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    let frames = trace.frames().iter().take(20);
    frames
        .map(|frame| match frame.func_name() {
            Some(name) => escape(name, LONGEST_NAME),
            None => format!("function {}", frame.func_index()),
        })
        .collect()
}

/// One line that drives no terminal and fills no disk.
fn escape(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    // Quotes are no danger, and are hard to read when they are escaped.
    let escaped = short.chars().map(|c| {
        if c == '"' || c == '\'' {
            c.to_string()
        } else {
            c.escape_debug().to_string()
        }
    });
    escaped.collect()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            export, message, ..
        } = self;
        match self.kind {
            FaultKind::Error => write!(f, "{export} returned an error: {message}"),
            FaultKind::Trap => write!(f, "{export} trapped: {message}"),
            FaultKind::Contract => write!(f, "{export} broke the contract: {message}"),
            FaultKind::Host => write!(f, "the host failed in {export}: {message}"),
            _ => write!(f, "{export} was stopped: {message}"),
        }
    }
}
