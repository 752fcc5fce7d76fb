//! What became of a plugin's calls: its state and its last faults, for metrics, logs and pages.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::recovery::PluginState;
use crate::{
    engine::{Fault, FaultKind, Identity},
    own::PluginMetrics,
};

/// How many faults are kept.
const KEPT: usize = 16;

#[derive(Debug)]
pub(super) struct Journal {
    identity: Arc<Identity>,
    metrics: PluginMetrics,
    entries: Mutex<Entries>,
}

#[derive(Debug)]
struct Entries {
    state: PluginState,
    /// When the next instance is due, where there is none.
    due: Option<Instant>,
    faults: VecDeque<Fault>,
}

impl Journal {
    pub(super) fn new(identity: Arc<Identity>, metrics: PluginMetrics) -> Self {
        Self {
            identity,
            metrics,
            entries: Mutex::new(Entries {
                state: PluginState::Running,
                due: None,
                faults: VecDeque::with_capacity(KEPT),
            }),
        }
    }

    pub(super) fn state(&self) -> PluginState {
        self.lock().state
    }

    /// The state, and when the next instance is due, where there is none.
    pub(super) fn state_until(&self) -> (PluginState, Option<Instant>) {
        let entries = self.lock();
        (entries.state, entries.due)
    }

    pub(super) fn set_state(&self, state: PluginState, due: Option<Instant>) {
        let mut entries = self.lock();
        (entries.state, entries.due) = (state, due);
    }

    /// The last faults, the newest first.
    pub(super) fn faults(&self) -> Vec<Fault> {
        self.lock().faults.iter().rev().cloned().collect()
    }

    /// Counts a fault, keeps it, and writes one line of log with what to do about it.
    pub(super) fn fault(&self, fault: Fault) {
        self.metrics.fault(fault.kind);
        if self.may_log(&fault) {
            let plugin = self.identity.name.as_str();
            let (kind, export) = (fault.kind.label(), fault.export);
            let remedy = fault.remedy(plugin);
            // The innermost function first, as in any backtrace.
            let backtrace = (!fault.backtrace.is_empty()).then(|| fault.backtrace.join(" < "));
            tracing::warn!(plugin, export, kind, error = %fault, backtrace, remedy, "a call into a plugin failed");
        }
        let mut entries = self.lock();
        if entries.faults.len() == KEPT {
            entries.faults.pop_front();
        }
        entries.faults.push_back(fault);
    }

    /// What costs the plugin an instance is bounded by the pauses between them. The rest it writes on its own account.
    fn may_log(&self, fault: &Fault) -> bool {
        let bounded = fault.kind != FaultKind::Error && fault.export != super::route::EXPORT;
        let bytes = fault.message.len();
        bounded || self.identity.log.take(bytes, Instant::now()).is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
