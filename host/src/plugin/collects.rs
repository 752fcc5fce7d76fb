//! Who collects: scrapes that overlap share one call into the plugin.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::status::Collected;

/// Processor time of what a scrape may do itself; if a call takes more, to hand it to another thread pays.
pub(super) const CHEAP: Duration = Duration::from_micros(200);

/// How many collects are remembered, for pages.
const KEPT: usize = 60;

/// A collect that fails after this long has had pages wait in vain. That is remembered for a while, in which they wait for
/// twice the longest collect that succeeded, and this margin.
const IN_VAIN: Duration = Duration::from_millis(100);
const REMEMBERED: Duration = Duration::from_secs(600);
const MARGIN: Duration = Duration::from_millis(50);

/// The collects of one plugin, which are numbered.
#[derive(Debug)]
pub(crate) struct Collects {
    last: Mutex<Last>,
    done: watch::Sender<Done>,
    dear: AtomicBool,
}

#[derive(Debug)]
struct Last {
    number: u64,
    under_way: bool,
    since: Instant,
    /// The longest that succeeded, and when scrapes last waited long for one that then failed.
    longest: Duration,
    in_vain: Option<Instant>,
    past: Past,
}

/// What is over.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    /// When the last one ended.
    pub(crate) ended: Option<Instant>,
    /// The newest last.
    pub(crate) collects: VecDeque<Collected>,
}

#[derive(Clone, Copy, Debug)]
struct Done {
    number: u64,
    succeeded: bool,
}

/// What a scrape has to do with the collect that serves it.
#[derive(Debug)]
pub(crate) enum Role {
    /// Make the call.
    Lead(Lead),
    /// Wait for who makes it.
    Join(Join),
}

/// The duty to say how the collect ended; dropped, it says that it failed.
#[derive(Debug)]
pub(crate) struct Lead {
    collects: Arc<Collects>,
    number: u64,
    succeeded: bool,
}

/// A collect that is under way.
#[derive(Debug)]
pub(crate) struct Join {
    done: watch::Receiver<Done>,
    number: u64,
    due: Option<Instant>,
}

impl Collects {
    pub(crate) fn new() -> Arc<Self> {
        let done = Done {
            number: 0,
            succeeded: false,
        };
        Arc::new(Self {
            last: Mutex::new(Last {
                number: 0,
                under_way: false,
                since: Instant::now(),
                longest: Duration::ZERO,
                in_vain: None,
                past: Past {
                    ended: None,
                    collects: VecDeque::with_capacity(KEPT),
                },
            }),
            done: watch::Sender::new(done),
            dear: AtomicBool::new(false),
        })
    }

    /// Joins the collect that is under way, or is the first of the next.
    pub(crate) fn enter(self: &Arc<Self>) -> Role {
        let mut last = self.lock();
        if last.under_way {
            return Role::Join(self.joined(last.number, &last));
        }
        last.under_way = true;
        last.since = Instant::now();
        last.number += 1;
        Role::Lead(Lead {
            collects: Arc::clone(self),
            number: last.number,
            succeeded: false,
        })
    }

    /// Whether the last collect cost so much that a scrape should not do it itself.
    pub(crate) fn is_dear(&self) -> bool {
        self.dear.load(Relaxed)
    }

    /// The last collects.
    pub(crate) fn past(&self) -> Past {
        self.lock().past.clone()
    }

    /// To wait for the collect of this number.
    pub(crate) fn join(&self, number: u64) -> Join {
        self.joined(number, &self.lock())
    }

    fn joined(&self, number: u64, last: &Last) -> Join {
        let wary = last.in_vain.is_some_and(|at| at.elapsed() < REMEMBERED);
        let patience = match last.longest {
            Duration::ZERO => Duration::ZERO,
            longest => 2 * longest + MARGIN,
        };
        Join {
            done: self.done.subscribe(),
            number,
            due: wary.then(|| last.since + patience),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Past {
    fn add(&mut self, collected: Collected) {
        self.ended = Some(Instant::now());
        if self.collects.len() == KEPT {
            self.collects.pop_front();
        }
        self.collects.push_back(collected);
    }
}

impl Lead {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The plugin was called, and this came of it; `cost` is its processor time.
    pub(crate) fn finish(self, success: bool, duration: Duration, cost: Duration) {
        self.collects.dear.store(cost > CHEAP, Relaxed);
        let collected = Collected { duration, success };
        self.end(success, duration, |past| past.add(collected));
    }

    /// It failed, for there was no instance to call.
    pub(crate) fn finish_without_call(self) {
        self.end(false, Duration::ZERO, |_| {});
    }

    fn end(mut self, succeeded: bool, took: Duration, remember: impl FnOnce(&mut Past)) {
        self.succeeded = succeeded;
        let mut last = self.collects.lock();
        remember(&mut last.past);
        if succeeded {
            last.longest = last.longest.max(took);
        } else if last.since.elapsed() > IN_VAIN {
            // Also if it waited for a tick.
            last.in_vain = Some(Instant::now());
        }
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        let Self {
            number, succeeded, ..
        } = *self;
        self.collects.lock().under_way = false;
        // Where nobody waits this wakes nobody.
        self.collects.done.send_replace(Done { number, succeeded });
    }
}

impl Join {
    /// When a page should go without it: after what it has ever needed and a good deal more, if the plugin has had pages wait
    /// in vain lately; at once if it has done nothing else.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Waits until it is over; whether it succeeded.
    pub(crate) async fn succeeded(mut self) -> bool {
        let is_over = |done: &Done| done.number >= self.number;
        // An error: the plugin is gone.
        self.done
            .wait_for(is_over)
            .await
            .is_ok_and(|done| done.succeeded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(collects: &Arc<Collects>) -> Lead {
        match collects.enter() {
            Role::Lead(lead) => lead,
            Role::Join(_) => panic!("a collect is under way"),
        }
    }

    fn join(collects: &Arc<Collects>) -> Join {
        match collects.enter() {
            Role::Join(join) => join,
            Role::Lead(_) => panic!("no collect is under way"),
        }
    }

    #[test]
    fn the_last_ones_are_remembered() {
        let collects = Collects::new();
        lead(&collects).finish_without_call();
        assert!(collects.past().ended.is_none());
        let before = Instant::now();
        for number in 0..KEPT as u64 + 2 {
            let took = Duration::from_micros(number);
            lead(&collects).finish(number.is_multiple_of(2), took, took);
        }
        let Past { ended, collects } = collects.past();
        assert!(ended.is_some_and(|ended| ended >= before));
        assert_eq!(collects.len(), KEPT);
        let ends = [collects.front(), collects.back()].map(|collected| {
            collected.map(|collected| (collected.duration.as_micros(), collected.success))
        });
        assert_eq!(ends, [Some((2, true)), Some((61, false))]);
    }

    #[tokio::test]
    async fn overlapping_scrapes_share_one_and_later_ones_do_not() {
        let collects = Collects::new();
        let first = lead(&collects);
        let (own, other) = (collects.join(first.number()), join(&collects));
        first.finish(true, Duration::ZERO, Duration::ZERO);
        let second = lead(&collects);
        assert!(own.succeeded().await && other.succeeded().await);

        let other = join(&collects);
        drop(second);
        assert!(!other.succeeded().await, "whoever gives up has failed");
    }

    #[tokio::test]
    async fn who_had_pages_wait_in_vain_is_waited_for_no_longer_than_it_needs() {
        let collects = Collects::new();
        let patience = |collects: &Arc<Collects>| {
            let lead = lead(collects);
            let due = join(collects).due();
            let since = collects.lock().since;
            drop(lead);
            due.map(|due| due - since)
        };
        let second = Duration::from_secs(1);
        assert_eq!(patience(&collects), None);
        lead(&collects).finish(false, Duration::ZERO, Duration::ZERO);
        assert_eq!(patience(&collects), None);
        let late = lead(&collects);
        collects.lock().since -= 2 * IN_VAIN;
        late.finish(false, Duration::ZERO, Duration::ZERO);
        assert_eq!(patience(&collects), Some(Duration::ZERO));
        lead(&collects).finish(true, 2 * second, Duration::ZERO);
        lead(&collects).finish(true, second, Duration::ZERO);
        assert_eq!(patience(&collects), Some(4 * second + MARGIN));
        collects.lock().in_vain = Instant::now().checked_sub(REMEMBERED);
        assert_eq!(patience(&collects), None);
    }

    #[tokio::test]
    async fn what_computes_for_long_is_dear_until_it_does_not() {
        let collects = Collects::new();
        for (cost, dear) in [(CHEAP * 2, true), (CHEAP / 2, false)] {
            lead(&collects).finish(true, CHEAP * 4, cost);
            assert_eq!(collects.is_dear(), dear);
        }
    }
}
