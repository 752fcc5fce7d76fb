//! Requests that wait, bounded by their bytes.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

use super::PushMetrics;

#[derive(Debug)]
pub(super) struct Queue {
    most: u64,
    waiting: Mutex<Waiting>,
    filled: Notify,
    metrics: PushMetrics,
}

#[derive(Debug, Default)]
struct Waiting {
    requests: VecDeque<Bytes>,
    bytes: u64,
    /// Since when requests are dropped one after the other: that is said once.
    is_overflowing: bool,
}

impl Queue {
    pub(super) fn new(most: u64, metrics: PushMetrics) -> Self {
        Self {
            most,
            waiting: Mutex::default(),
            filled: Notify::new(),
            metrics,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Behind all others. The oldest make room for it, as far as there is none.
    pub(super) fn put(&self, request: Bytes) {
        let mut waiting = self.lock();
        let size = request.len() as u64;
        let mut dropped = 0;
        while waiting.bytes + size > self.most
            && let Some(oldest) = waiting.requests.pop_front()
        {
            waiting.bytes -= oldest.len() as u64;
            dropped += 1;
        }
        waiting.bytes += size;
        waiting.requests.push_back(request);
        self.metrics.waiting(waiting.bytes);
        let overflows = dropped > 0 && !waiting.is_overflowing;
        waiting.is_overflowing |= dropped > 0;
        drop(waiting);
        self.metrics.dropped(dropped);
        if overflows {
            let remedy = "see why the receiver does not take them, or raise push.queue";
            tracing::error!(
                remedy,
                "the queue of pushed metrics is full; the oldest are dropped"
            );
        }
        self.filled.notify_one();
    }

    /// The oldest, when there is one. For one task alone.
    pub(super) async fn take(&self) -> Bytes {
        loop {
            {
                let mut waiting = self.lock();
                if let Some(request) = waiting.requests.pop_front() {
                    waiting.bytes -= request.len() as u64;
                    waiting.is_overflowing = false;
                    self.metrics.waiting(waiting.bytes);
                    return request;
                }
            }
            self.filled.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use meterbox_metrics::Registry;

    use super::*;

    fn queue(most: u64) -> Queue {
        Queue::new(
            most,
            PushMetrics::new(&Registry::default()).expect("metrics"),
        )
    }

    #[tokio::test]
    async fn the_oldest_comes_first_and_goes_first() {
        let queue = queue(3);
        for request in ["a", "b", "c", "dd"] {
            queue.put(request.into());
        }
        assert_eq!(queue.take().await, "c");
        assert_eq!(queue.take().await, "dd");
        queue.put("e".into());
        assert_eq!(queue.take().await, "e");
    }

    #[tokio::test]
    async fn a_request_that_is_larger_than_the_queue_is_not_lost() {
        let queue = queue(1);
        queue.put("aa".into());
        assert_eq!(queue.take().await, "aa");
    }

    #[tokio::test]
    async fn waits_for_the_next() {
        let queue = queue(9);
        let (taken, ()) = tokio::join!(queue.take(), async {
            tokio::task::yield_now().await;
            queue.put("a".into());
        });
        assert_eq!(taken, "a");
    }
}
