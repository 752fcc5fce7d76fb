//! How much processor time a call has used, whoever else the machine serves meanwhile.

use std::{
    cell::Cell,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

/// The clock of one call, which may be polled on one thread after the other.
#[derive(Debug, Default)]
pub(crate) struct CpuClock {
    /// Nanoseconds of the polls that are over.
    before: AtomicU64,
    /// What the thread's own clock said when the poll under way began.
    since: AtomicU64,
}

impl CpuClock {
    /// What was used until now. To be asked within a poll, on its thread.
    pub(crate) fn running(&self) -> Duration {
        let poll = thread_nanos().saturating_sub(self.since.load(Relaxed));
        Duration::from_nanos(self.before.load(Relaxed) + poll)
    }

    /// What the polls took that are over.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.before.load(Relaxed))
    }

    pub(crate) fn reset(&self) {
        self.before.store(0, Relaxed);
    }
}

/// A call whose polls a clock adds up.
pub(crate) struct Metered<F> {
    call: Pin<Box<F>>,
    clock: Arc<CpuClock>,
}

impl<F: Future> Metered<F> {
    pub(crate) fn new(call: F, clock: Arc<CpuClock>) -> Self {
        Self {
            call: Box::pin(call),
            clock,
        }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let start = begin_nanos();
        self.clock.since.store(start, Relaxed);
        let polled = self.call.as_mut().poll(context);
        let took = end_nanos().saturating_sub(start);
        self.clock.before.fetch_add(took, Relaxed);
        polled
    }
}

thread_local! {
    /// When a poll last ended here, and what the thread's clock said.
    static LAST: Cell<Option<(Instant, u64)>> = const { Cell::new(None) };
}

/// So shortly after the end of a poll the thread's clock need not be asked again: it is a system call, and has gone on by as
/// much as the wall clock, but for what other threads had of it.
const RECENT: Duration = Duration::from_micros(20);

fn begin_nanos() -> u64 {
    if let Some((then, nanos)) = LAST.get() {
        let since = then.elapsed();
        if since < RECENT {
            return nanos + since.as_nanos() as u64;
        }
    }
    thread_nanos()
}

fn end_nanos() -> u64 {
    let nanos = thread_nanos();
    LAST.set(Some((Instant::now(), nanos)));
    nanos
}

fn thread_nanos() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn counts_work_and_not_waiting() {
        let clock = Arc::new(CpuClock::default());
        let call = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let start = Instant::now();
            while clock.running() < Duration::from_millis(20) {
                assert!(start.elapsed() < Duration::from_secs(60), "it stands still");
            }
        };
        Metered::new(call, Arc::clone(&clock)).await;
        let used = clock.used();
        assert!(used >= Duration::from_millis(20), "{used:?}");
        assert!(used < Duration::from_millis(50), "{used:?}");
        clock.reset();
        assert_eq!(clock.used(), Duration::ZERO);
    }
}
