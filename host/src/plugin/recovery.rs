//! When a plugin gets its next instance after one was lost. Pure: it is told what happens, and when.
//!
//! The first instance that is lost is replaced at once. From then on there are pauses that double, and after too many losses
//! a long one, the quarantine. An instance that lives for a while forgives what was before. Processor time that a lost call
//! took is paid back: nine times as long there is no next instance, so that faults cost a tenth of a processor at most.

use std::time::{Duration, Instant};

use crate::limits::Limits;

/// How many times the processor time of a lost call the pause after it is at least.
const PAID_BACK: u32 = 9;

/// A call that took less is not worth a pause.
const FREE: Duration = Duration::from_millis(20);

/// How a plugin is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PluginState {
    /// It has an instance, or gets one at once.
    Running,
    /// It lost several instances and waits for the next one.
    Waiting,
    /// It lost too many instances, and is tried again once in a long while.
    Quarantined,
}

impl PluginState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Running, Self::Waiting, Self::Quarantined];

    /// One word, as in metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Quarantined => "quarantined",
        }
    }
}

/// The account of instances lost.
#[derive(Debug)]
pub(super) struct Recovery {
    pause: Duration,
    longest_pause: Duration,
    quarantine_after: usize,
    quarantine: Duration,
    forgive_after: Duration,
    /// How many were lost in a row.
    lost: usize,
    /// Since when there is an instance.
    since: Option<Instant>,
}

impl Recovery {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            pause: limits.restart_pause,
            longest_pause: limits.restart_pause_max,
            quarantine_after: limits.quarantine_after,
            quarantine: limits.quarantine,
            forgive_after: limits.forgive_after,
            lost: 0,
            since: None,
        }
    }

    /// There is an instance.
    pub(super) fn started(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// An instance was lost in a call that took `cpu` of processor time, or could not be made. `chance` is a number between
    /// 0 and 1.
    pub(super) fn lost(
        &mut self,
        now: Instant,
        cpu: Duration,
        chance: f64,
    ) -> (PluginState, Duration) {
        let lived = self.since.take().map(|since| now - since);
        if lived.is_some_and(|lived| lived >= self.forgive_after) {
            self.lost = 0;
        }
        self.lost = self.lost.saturating_add(1);
        if self.lost >= self.quarantine_after.max(1) {
            return (PluginState::Quarantined, spread(self.quarantine, chance));
        }
        let doubled = match self.lost - 1 {
            0 => Duration::ZERO,
            doublings => self.pause.saturating_mul(1 << (doublings - 1).min(31)),
        };
        let owed = if cpu < FREE {
            Duration::ZERO
        } else {
            cpu.saturating_mul(PAID_BACK)
        };
        let pause = doubled.max(owed).min(self.longest_pause);
        if pause.is_zero() {
            return (PluginState::Running, pause);
        }
        (PluginState::Waiting, spread(pause, chance))
    }
}

/// Up to a quarter less, so that plugins that fell together do not rise together.
fn spread(pause: Duration, chance: f64) -> Duration {
    pause.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 4.0)
}

#[cfg(test)]
mod tests {
    use super::{PluginState::*, *};

    const SECOND: Duration = Duration::from_secs(1);
    const NONE: Duration = Duration::ZERO;

    fn recovery() -> Recovery {
        Recovery::new(&Limits {
            restart_pause: SECOND,
            restart_pause_max: 5 * SECOND,
            quarantine_after: 6,
            quarantine: 100 * SECOND,
            forgive_after: 30 * SECOND,
            ..Limits::default()
        })
    }

    #[test]
    fn pauses_double_and_end_in_quarantine() {
        let (mut recovery, now) = (recovery(), Instant::now());
        let wanted = [
            (Running, 0),
            (Waiting, 1),
            (Waiting, 2),
            (Waiting, 4),
            (Waiting, 5),
            (Quarantined, 100),
            (Quarantined, 100),
        ];
        for (state, seconds) in wanted {
            recovery.started(now);
            assert_eq!(recovery.lost(now, NONE, 0.0), (state, seconds * SECOND));
        }
    }

    #[test]
    fn a_while_of_health_forgives() {
        let (mut recovery, now) = (recovery(), Instant::now());
        for _ in 0..8 {
            recovery.started(now);
            recovery.lost(now, NONE, 0.0);
        }
        recovery.started(now);
        let (state, _) = recovery.lost(now + 29 * SECOND, NONE, 0.0);
        assert_eq!(state, Quarantined);
        recovery.started(now);
        let again = recovery.lost(now + 30 * SECOND, NONE, 0.0);
        assert_eq!(again, (Running, Duration::ZERO));
    }

    #[test]
    fn processor_time_is_paid_back() {
        let (mut recovery, now) = (recovery(), Instant::now());
        let mut lost = |cpu| recovery.lost(now, Duration::from_millis(cpu), 0.0);
        assert_eq!(lost(19), (Running, NONE));
        assert_eq!(lost(19), (Waiting, SECOND));
        assert_eq!(lost(20), (Waiting, 2 * SECOND));
        assert_eq!(lost(500), (Waiting, Duration::from_millis(4500)));
        assert_eq!(lost(2000), (Waiting, 5 * SECOND), "the longest there is");
    }

    #[test]
    fn processor_time_makes_the_first_pause() {
        let cpu = Duration::from_millis(100);
        let lost = recovery().lost(Instant::now(), cpu, 0.0);
        assert_eq!(lost, (Waiting, 9 * cpu));
    }

    /// Between two attempts there is no instance that could live long.
    #[test]
    fn a_long_pause_is_no_health() {
        let (mut recovery, mut now) = (recovery(), Instant::now());
        recovery.started(now);
        for _ in 0..6 {
            recovery.lost(now, NONE, 0.0);
            now += 1000 * SECOND;
        }
        assert_eq!(recovery.lost(now, NONE, 0.0).0, Quarantined);
    }

    #[test]
    fn chance_spreads_by_a_quarter_at_most() {
        let pauses = [0.0, 0.5, 1.0].map(|chance| spread(SECOND, chance).as_millis());
        assert_eq!(pauses, [1000, 875, 750]);
    }

    #[test]
    fn never_overflows() {
        let mut recovery = Recovery::new(&Limits {
            restart_pause: Duration::from_secs(86400),
            restart_pause_max: Duration::from_secs(86400),
            quarantine_after: usize::MAX,
            ..Limits::default()
        });
        for _ in 0..100 {
            recovery.lost(Instant::now(), NONE, 1.0);
        }
    }
}
