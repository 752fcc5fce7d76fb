//! States that outlive the piece that they were made for.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
};

use super::CompressError;

/// States that are kept; two scrapers at a time are usual, and a state is up to 1.4 MB.
const KEPT: usize = 4;

/// What compresses one piece after the other; none knows of those before.
pub(super) trait State: Default {
    /// Appends a piece of a body.
    fn piece(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressError>;
}

/// Idle states. To set one up costs more than a small page: a third more time for gzip, and page faults for zstd. Each
/// is kept with the thread that it worked for, in whose core's cache it may still be.
#[derive(Debug)]
pub(super) struct Pool<T> {
    idle: Mutex<Vec<(ThreadId, T)>>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self {
            idle: Mutex::default(),
        }
    }
}

impl<T: Default> Pool<T> {
    /// Works with an idle state, or a new one. One that fails, or that a panic left somewhere, is not kept.
    pub(super) fn with<R, E>(&self, work: impl FnOnce(&mut T) -> Result<R, E>) -> Result<R, E> {
        let me = thread::current().id();
        let mut state = self.take(me).unwrap_or_default();
        let result = work(&mut state)?;
        let mut idle = self.lock();
        if idle.len() < KEPT {
            idle.push((me, state));
        }
        Ok(result)
    }

    /// The state that this thread had last, or another.
    fn take(&self, thread: ThreadId) -> Option<T> {
        let mut idle = self.lock();
        let own = idle.iter().rposition(|(owner, _)| *owner == thread);
        let place = own.or(idle.len().checked_sub(1))?;
        Some(idle.swap_remove(place).1)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(ThreadId, T)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}
