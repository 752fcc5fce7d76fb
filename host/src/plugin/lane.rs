//! Where calls go on that take long: threads that give way to all others, so that plugins that compute for seconds, however
//! many, leave the pages their processors.
//!
//! A call begins on the task that makes it. When the epoch has interrupted it, or it waits, it moves.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::OnceLock,
    task::Poll,
    thread,
};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::JoinHandle,
};

/// The nice value of the threads, as far as the process has not a higher one itself: a third of the time of others.
const NICENESS: i32 = 5;

/// The threads of the process, from the first call that takes long to its end.
static THREADS: OnceLock<Option<Runtime>> = OnceLock::new();

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
    let lane = handle();
    let mut call: Pin<Box<_>> = Box::pin(call);
    let polled = poll_fn(|cx| {
        // Its timers belong where it may go on.
        let _entered = lane.enter();
        Poll::Ready(call.as_mut().poll(cx))
    });
    match polled.await {
        Poll::Ready(answer) => Begun::Over(answer),
        Poll::Pending => Begun::Moved(lane.spawn(call)),
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

fn handle() -> Handle {
    let threads = THREADS.get_or_init(|| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = Builder::new_multi_thread()
            .worker_threads(cores)
            .thread_name("meterbox-slow")
            .on_thread_start(give_way)
            .enable_all()
            .build();
        threads
            .inspect_err(|error| tracing::warn!(%error, "no threads for slow plugins; they share those of the pages"))
            .ok()
    });
    threads
        .as_ref()
        .map_or_else(Handle::current, |threads| threads.handle().clone())
}

/// On Linux a thread has a nice value of its own. If the system refuses, it runs as others do.
fn give_way() {
    let _ = rustix::process::nice(NICENESS);
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
    async fn the_threads_give_way() {
        let niceness = || rustix::process::nice(0).expect("anybody may ask");
        let here = niceness();
        let call = async move {
            tokio::task::yield_now().await;
            niceness()
        };
        assert_eq!(run(call).await, Some((here + NICENESS).min(19)));
    }

    #[tokio::test]
    async fn a_call_that_panics_is_none() {
        let call = async {
            tokio::task::yield_now().await;
            assert!(name().is_empty(), "as it should");
        };
        assert_eq!(run(call).await, None);
    }
}
