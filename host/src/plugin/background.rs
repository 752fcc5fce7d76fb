//! Collects at an interval of the operator's choice, instead of at every scrape.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use meterbox_metrics::Gauge;
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::{
    collects::{Collects, Role},
    lane,
    worker::{self, Worker, chance},
};
use crate::imports::meminfo::Reading;

/// The number of the first collect, which scrapes that come before its end wait for.
pub(super) const FIRST: u64 = 1;

const NONE: u8 = 0;
const FAILED: u8 = 1;
const SUCCEEDED: u8 = 2;

/// How the last collect ended, and when.
#[derive(Debug)]
pub(super) struct Background {
    every: Duration,
    last: AtomicU8,
    stamp: Gauge,
}

impl Background {
    pub(super) fn new(every: Duration, stamp: Gauge) -> Self {
        Self {
            every,
            last: AtomicU8::new(NONE),
            stamp,
        }
    }

    /// Whether the last collect succeeded; `None` before there was one.
    pub(super) fn last(&self) -> Option<bool> {
        match self.last.load(Relaxed) {
            NONE => None,
            last => Some(last == SUCCEEDED),
        }
    }

    /// Collects at once, and from then on at the interval, until it is stopped. When within the interval is left to chance,
    /// so that plugins that start together do not work together.
    pub(super) async fn run(
        self: Arc<Self>,
        worker: Arc<Mutex<Worker>>,
        collects: Arc<Collects>,
        mut stop: watch::Receiver<bool>,
    ) {
        let phase = self.every.mul_f64(chance());
        let mut due = interval_at(Instant::now() + phase, self.every);
        due.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            // Nobody else leads.
            if let Role::Lead(lead) = collects.enter() {
                let worker = Arc::clone(&worker).lock_owned();
                let call = async move {
                    worker::collect(worker.await, Arc::new(Reading::default()), lead).await
                };
                let succeeded = lane::later(call).await.unwrap_or(false);
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                self.stamp.set(since.unwrap_or_default().as_secs_f64());
                let last = if succeeded { SUCCEEDED } else { FAILED };
                self.last.store(last, Relaxed);
            }
            tokio::select! {
                _ = due.tick() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }
}
