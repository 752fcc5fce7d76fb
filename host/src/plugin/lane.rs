//! Where calls go on that take long: threads that give way to all others, so that plugins that compute for seconds, however
//! many, leave the pages their processors.
//!
//! A call that a page waits for begins on the task that makes it, unless it is known to take long. When the epoch has
//! interrupted it, or it waits, it moves. What nobody waits for has threads of its own, so that pages need not queue behind
//! it. A call that goes on computing moves once more, and gets what nobody else wants.

use std::{
    future::{Future, poll_fn},
    panic::resume_unwind,
    pin::Pin,
    sync::OnceLock,
    task::Poll,
    thread,
    time::{Duration, Instant},
};

use tokio::{
    runtime::{Handle, Runtime},
    task::JoinHandle,
};

use crate::threads;

/// Threads for calls, from the first that comes to the end of the process.
struct Lane {
    name: &'static str,
    niceness: i32,
    threads: OnceLock<Option<Runtime>>,
}

/// A third of the time of others, for what somebody waits for.
static SLOW: Lane = Lane::new("meterbox-slow", 5);

/// A tenth of the time of others, for what nobody waits for.
static LATER: Lane = Lane::new("meterbox-later", 10);

/// A seventieth of the time of others, and woken threads need not wait for it.
static LAST: Lane = Lane::new("meterbox-last", 19);

/// How long a call computes before it goes to the last lane.
const PATIENCE: Duration = Duration::from_millis(100);

type Call<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How a call stands after its first step.
pub(super) enum Begun<T> {
    Over(T),
    /// It goes on whether anybody waits or not.
    Moved(JoinHandle<T>),
}

/// Takes the first step of a call here, and the others there.
pub(super) async fn begin<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
) -> Begun<T> {
    let lane = SLOW.handle();
    let mut call: Call<T> = Box::pin(call);
    let polled = poll_fn(|cx| {
        // Its timers belong where it may go on.
        let _entered = lane.enter();
        Poll::Ready(call.as_mut().poll(cx))
    });
    match polled.await {
        Poll::Ready(answer) => Begun::Over(answer),
        Poll::Pending => Begun::Moved(lane.spawn(go_on(call))),
    }
}

/// Does all of a call that somebody waits for, from its first step on away from the threads of the pages. `None` if it
/// panicked.
pub(super) async fn away<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    SLOW.all_of(call).await
}

/// Does all of a call that nobody waits for, likewise.
pub(super) async fn later<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    LATER.all_of(call).await
}

/// Takes further steps, as long as they do not add up to much, and has the rest done in the last lane.
async fn go_on<T: Send + 'static>(mut call: Call<T>) -> T {
    let mut computed = Duration::ZERO;
    let polled = poll_fn(|cx| {
        if computed >= PATIENCE {
            return Poll::Ready(None);
        }
        let begun = Instant::now();
        let polled = call.as_mut().poll(cx);
        computed += begun.elapsed();
        polled.map(Some)
    });
    match polled.await {
        Some(answer) => answer,
        None => {
            let rest = LAST.handle().spawn(call).await;
            rest.unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))
        }
    }
}

/// Does all of a call. `None` if it panicked.
pub(super) async fn run<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    match begin(call).await {
        Begun::Over(answer) => Some(answer),
        Begun::Moved(rest) => rest.await.ok(),
    }
}

impl Lane {
    const fn new(name: &'static str, niceness: i32) -> Self {
        Self {
            name,
            niceness,
            threads: OnceLock::new(),
        }
    }

    async fn all_of<T: Send + 'static>(
        &'static self,
        call: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        self.handle().spawn(go_on(Box::pin(call))).await.ok()
    }

    fn handle(&'static self) -> Handle {
        let threads = self.threads.get_or_init(|| {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            let threads = threads::that_give_way(self.name, self.niceness)
                // One processor is left to the pages altogether.
                .worker_threads((cores - 1).max(1))
                .build();
            threads
                .inspect_err(|error| tracing::warn!(%error, "no threads for slow plugins; they share those of the pages"))
                .ok()
        });
        threads
            .as_ref()
            .map_or_else(Handle::current, |threads| threads.handle().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> String {
        thread::current().name().unwrap_or_default().to_owned()
    }

    #[tokio::test]
    async fn a_call_moves_when_it_waits() {
        let here = name();
        assert_eq!(run(async { name() }).await, Some(here.clone()));
        let call = async {
            let first = name();
            tokio::task::yield_now().await;
            (first, name())
        };
        assert_eq!(run(call).await, Some((here, "meterbox-slow".to_owned())));
    }

    #[tokio::test]
    async fn a_call_can_be_away_from_the_beginning() {
        let names = (away(async { name() }).await, later(async { name() }).await);
        let (slow, later) = ("meterbox-slow", "meterbox-later");
        assert_eq!(names, (Some(slow.to_owned()), Some(later.to_owned())));
    }

    #[tokio::test]
    async fn a_call_that_goes_on_computing_moves_again() {
        let call = async {
            let mut names = Vec::new();
            while names.last().is_none_or(|last| last != "meterbox-last") {
                names.push(name());
                thread::sleep(PATIENCE / 4);
                tokio::task::yield_now().await;
            }
            names.dedup();
            names.split_off(1)
        };
        let moved = run(call).await;
        assert_eq!(
            moved.as_deref(),
            Some(&["meterbox-slow".to_owned(), "meterbox-last".to_owned()][..])
        );
    }

    #[tokio::test]
    async fn the_threads_give_way() {
        let niceness = || rustix::process::nice(0).expect("anybody may ask");
        let here = niceness();
        let call = async move {
            tokio::task::yield_now().await;
            niceness()
        };
        assert_eq!(run(call).await, Some((here + SLOW.niceness).min(19)));
    }

    #[tokio::test]
    async fn a_call_that_panics_is_none() {
        for steps in [1, 3] {
            let call = async move {
                for _ in 0..steps {
                    tokio::task::yield_now().await;
                    thread::sleep(PATIENCE);
                }
                assert!(name().is_empty(), "as it should");
            };
            assert_eq!(run(call).await, None);
        }
    }
}
