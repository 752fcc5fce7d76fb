//! States that outlive the body that they were made for.

use std::sync::{Arc, Mutex, PoisonError};

/// States that are kept; two scrapers at a time are usual, and a state is up to 1.4 MB.
const KEPT: usize = 4;

/// What can be made ready for another body.
pub(super) trait Reusable: Default {
    /// Forgets the body, whatever has become of it. `false` where that failed, and the state must go.
    fn reset(&mut self) -> bool;
}

/// Idle states. To set one up costs more than a small page: a third more time for gzip, and page faults for zstd.
#[derive(Debug, Default)]
pub(super) struct Pool<T> {
    idle: Mutex<Vec<T>>,
}

impl<T: Reusable> Pool<T> {
    /// An idle state, or a new one.
    pub(super) fn take(pool: &Arc<Self>) -> Pooled<T> {
        let idle = pool
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        Pooled {
            state: Some(idle.unwrap_or_default()),
            pool: Arc::clone(pool),
        }
    }

    fn put(&self, mut state: T) {
        if state.reset() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < KEPT {
                idle.push(state);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

/// A state in use; it returns when it is dropped.
#[derive(Debug)]
pub(super) struct Pooled<T: Reusable> {
    /// `None` only while it is dropped.
    state: Option<T>,
    pool: Arc<Pool<T>>,
}

impl<T: Reusable> Pooled<T> {
    pub(super) fn state(&mut self) -> &mut T {
        // It is there until the drop below, so this makes none; it only spares every caller the question.
        self.state.get_or_insert_default()
    }
}

impl<T: Reusable> Drop for Pooled<T> {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            self.pool.put(state);
        }
    }
}
