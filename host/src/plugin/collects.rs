//! Who collects: scrapes that overlap share one call into the plugin.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::watch;

/// What a scrape may do itself; for a plugin that takes longer, to hand the call to another thread pays.
const CHEAP: Duration = Duration::from_micros(200);

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
            }),
            done: watch::Sender::new(done),
            dear: AtomicBool::new(false),
        })
    }

    /// Joins the collect that is under way, or is the first of the next.
    pub(crate) fn enter(self: &Arc<Self>) -> Role {
        let mut last = self.lock();
        if last.under_way {
            return Role::Join(self.join(last.number));
        }
        last.under_way = true;
        last.number += 1;
        Role::Lead(Lead {
            collects: Arc::clone(self),
            number: last.number,
            succeeded: false,
        })
    }

    /// Whether the last collect took so long that a scrape should not do it itself.
    pub(crate) fn is_dear(&self) -> bool {
        self.dear.load(Relaxed)
    }

    /// To wait for the collect of this number.
    pub(crate) fn join(&self, number: u64) -> Join {
        Join {
            done: self.done.subscribe(),
            number,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lead {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn finish(mut self, succeeded: bool, took: Duration) {
        self.succeeded = succeeded;
        self.collects.dear.store(took > CHEAP, Relaxed);
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

    #[tokio::test]
    async fn overlapping_scrapes_share_one_and_later_ones_do_not() {
        let collects = Collects::new();
        let first = lead(&collects);
        let (own, other) = (collects.join(first.number()), join(&collects));
        first.finish(true, Duration::ZERO);
        let second = lead(&collects);
        assert!(own.succeeded().await && other.succeeded().await);

        let other = join(&collects);
        drop(second);
        assert!(!other.succeeded().await, "whoever gives up has failed");
    }

    #[tokio::test]
    async fn what_takes_long_is_dear_until_it_does_not() {
        let collects = Collects::new();
        for (took, dear) in [(CHEAP * 2, true), (CHEAP / 2, false)] {
            lead(&collects).finish(true, took);
            assert_eq!(collects.is_dear(), dear);
        }
    }
}
