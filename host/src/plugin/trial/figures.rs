//! What a trial shows: its page, what it took, and which limits it met.

use std::{cell::RefCell, collections::HashSet, time::Duration};

use meterbox_metrics::{Desc, Page, View};

use super::Trial;
use crate::{limits::Limit, own::WATCHED};

/// How long each step of the start took.
#[derive(Clone, Copy, Debug, Default)]
pub struct StartTimes {
    /// Reading, compiling and linking the file.
    pub load: Duration,
    /// Making the first instance, and asking what it wants.
    pub instantiate: Duration,
    /// The call of `describe`.
    pub describe: Duration,
    /// The calls of `init` and `interval-ms`, if the plugin has them.
    pub init: Duration,
}

/// What a plugin takes of one of its limits.
#[derive(Clone, Copy, Debug)]
pub struct LimitUse {
    /// The limit.
    pub limit: Limit,
    /// The most that a call, an instance or the metrics took: seconds, bytes or a number.
    pub used: f64,
    /// What it may take, in the same unit.
    pub most: f64,
}

impl Trial {
    pub(super) fn measure(&mut self) {
        let usage = &self.template.identity().usage;
        for (most, limit) in self.most.iter_mut().zip(WATCHED) {
            let used = match limit {
                Limit::Series => self.scope.series() as f64,
                Limit::Cpu => usage.used(limit) as f64 / 1e9,
                _ => usage.used(limit) as f64,
            };
            *most = most.max(used);
        }
    }

    /// The plugin's families as they are now, without the host's own. After a collect that failed they are those of
    /// instruments, as on a page that is served.
    pub fn page(&self) -> Page {
        let view = match self.failed {
            true => View::Instruments,
            false => View::All,
        };
        let mut page = self.registry.page(|_| view);
        page.retain(|name| !self.own.contains(name));
        page
    }

    /// What the plugin described, before the prefix.
    pub fn families(&self) -> &[Desc] {
        self.scope.descs()
    }

    /// How often it wants to be ticked; `None` without a schedule.
    pub fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// How long the start took.
    pub fn start_times(&self) -> StartTimes {
        self.times
    }

    /// How many instances were made in place of one that was lost.
    pub fn restarts(&self) -> usize {
        self.restarts
    }

    /// How many series the host holds for it.
    pub fn series(&self) -> usize {
        self.scope.series()
    }

    /// Bytes of linear memory of the instance that made the last call.
    pub fn memory(&self) -> u64 {
        self.template.identity().usage.used(Limit::Memory)
    }

    /// Processor time of all calls.
    pub fn cpu(&self) -> Duration {
        self.template.identity().usage.cpu()
    }

    /// Log lines that exceeded its limits and were dropped.
    pub fn log_lines_dropped(&self) -> u64 {
        self.template.identity().log.dropped()
    }

    /// What it takes of those limits whose use can be watched.
    pub fn limits_used(&self) -> Vec<LimitUse> {
        let limits = &self.template.identity().limits;
        let all = WATCHED.into_iter().zip(self.most);
        all.map(|(limit, used)| LimitUse {
            limit,
            used,
            most: limits.get(limit),
        })
        .collect()
    }

    /// The limits that it met, and how often.
    pub fn limits_met(&self) -> Vec<(Limit, u64)> {
        let usage = &self.template.identity().usage;
        let met = Limit::ALL.iter();
        met.map(|limit| (*limit, usage.denied(*limit)))
            .filter(|(_, times)| *times > 0)
            .collect()
    }
}

/// What is on a page.
pub(super) fn names(mut page: Page) -> HashSet<String> {
    let names = RefCell::new(HashSet::new());
    page.retain(|name| !names.borrow_mut().insert(name.to_owned()));
    names.into_inner()
}
