//! Threads on which one plugin waits for its files.
//!
//! A call into a file system that hangs (a server that is gone, a FUSE program that does not answer) can be given up, but its
//! thread waits on for as long as the system does. So a plugin that is granted folders has threads of its own, and no more
//! than these: what hangs costs it its files, and others nothing.

use std::{io, time::Instant};

use tokio::{
    runtime::{Handle, Runtime},
    time::timeout_at,
};

use crate::threads;

/// How many calls of a plugin can wait for files at a time, those that were given up included.
const MOST: usize = 8;

/// A third of the time of others, as for any call that takes long.
const NICENESS: i32 = 5;

#[derive(Debug)]
pub(crate) struct Disk {
    /// `None` once it is dropped.
    threads: Option<Runtime>,
    handle: Handle,
}

impl Disk {
    pub(super) fn new() -> io::Result<Self> {
        let threads = threads::that_give_way("meterbox-files", NICENESS)
            .worker_threads(1)
            .max_blocking_threads(MOST)
            .build()?;
        Ok(Self {
            handle: threads.handle().clone(),
            threads: Some(threads),
        })
    }

    /// What wasmtime hands to threads for blocking work goes to these where this is entered.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Does what may hang. `None` if that takes until the deadline, or panics: if it has not begun it never will.
    pub(crate) async fn wait<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let mut work = self.handle.spawn_blocking(work);
        let waited = timeout_at(deadline.into(), &mut work).await;
        work.abort();
        waited.ok()?.ok()
    }

    /// Drops what may hang when it is dropped, as files do.
    pub(crate) fn let_go<T: Send + 'static>(&self, files: T) {
        self.handle.spawn_blocking(move || drop(files));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            // Whatever still hangs.
            threads.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use super::*;

    #[tokio::test]
    async fn what_hangs_takes_threads_of_its_plugin_alone() {
        let (disk, other) = (Disk::new().expect("threads"), Disk::new().expect("threads"));
        let (release, hangs) = mpsc::channel::<()>();
        let hangs = std::sync::Arc::new(std::sync::Mutex::new(hangs));
        let soon = || Instant::now() + Duration::from_millis(20);
        for _ in 0..MOST {
            let hangs = std::sync::Arc::clone(&hangs);
            let hang = move || drop(hangs.lock().map(|hangs| hangs.recv()));
            assert_eq!(disk.wait(soon(), hang).await, None);
        }
        let (begin, begun) = mpsc::channel();
        assert_eq!(
            disk.wait(soon(), move || begin.send(()).is_ok()).await,
            None
        );
        let patience = Instant::now() + Duration::from_secs(60);
        let name = || thread::current().name().map(str::to_owned);
        let named = other.wait(patience, name).await.flatten();
        assert_eq!(named.as_deref(), Some("meterbox-files"));
        drop(release);
        assert_eq!(disk.wait(patience, || ()).await, Some(()));
        assert!(begun.try_recv().is_err(), "it was given up before it began");
    }

    #[tokio::test]
    async fn its_end_does_not_wait_for_what_hangs() {
        let disk = Disk::new().expect("threads");
        let (release, hangs) = mpsc::channel::<()>();
        disk.let_go(Hangs(hangs));
        drop(disk);
        drop(release);
    }

    struct Hangs(mpsc::Receiver<()>);

    impl Drop for Hangs {
        fn drop(&mut self) {
            let _ = self.0.recv();
        }
    }
}
