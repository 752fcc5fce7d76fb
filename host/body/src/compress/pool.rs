//! States that outlive the piece that they were made for.

use std::sync::{Mutex, PoisonError};

use super::CompressError;

/// States that are kept; two scrapers at a time are usual, and a state is up to 1.4 MB.
const KEPT: usize = 4;

/// What compresses one piece after the other; none knows of those before.
pub(super) trait State: Default {
    /// Appends a piece of a body.
    fn piece(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressError>;
}

/// Idle states. To set one up costs more than a small page: a third more time for gzip, and page faults for zstd.
#[derive(Debug)]
pub(super) struct Pool<T> {
    idle: Mutex<Vec<T>>,
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
        let lock = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = lock().pop();
        let mut state = idle.unwrap_or_default();
        let result = work(&mut state)?;
        let mut idle = lock();
        if idle.len() < KEPT {
            idle.push(state);
        }
        Ok(result)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}
