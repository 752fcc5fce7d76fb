//! Something on disk as it is now, read by one thread at a time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use tokio::sync;

use super::WebConfigError;

/// What came of reading.
pub(super) type Reading<T> = Result<Arc<T>, Arc<WebConfigError>>;

/// The last reading. Whoever asks gets one that began after it asked, so that a change on disk is never overlooked; those who
/// ask meanwhile share the next one. A disk that hangs holds one thread, whoever gave up waiting.
#[derive(Debug)]
pub(super) struct Latest<T> {
    last: Arc<sync::Mutex<Option<Last<T>>>>,
    /// The last complaint in the log, until a reading was good again.
    told: Arc<Mutex<Option<String>>>,
}

#[derive(Debug)]
struct Last<T> {
    began: Instant,
    reading: Reading<T>,
}

impl<T: Send + Sync + 'static> Latest<T> {
    pub(super) fn new() -> Self {
        Self {
            last: Arc::default(),
            told: Arc::default(),
        }
    }

    /// Reads again. `read` is given the last good reading, to be returned if nothing changed.
    pub(super) async fn get(
        &self,
        read: impl FnOnce(Option<&Arc<T>>) -> Reading<T> + Send + 'static,
    ) -> Reading<T> {
        let asked = Instant::now();
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if let Some(last) = last.as_ref().filter(|last| last.began >= asked) {
            return last.reading.clone();
        }
        let told = Arc::clone(&self.told);
        let reading = tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            let before = last.as_ref().and_then(|last| last.reading.as_ref().ok());
            let reading = read(before);
            tell(&told, &reading);
            *last = Some(Last {
                began,
                reading: reading.clone(),
            });
            reading
        });
        match reading.await {
            Ok(reading) => reading,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// Once for each trouble, since every request meets it again.
fn tell<T>(told: &Mutex<Option<String>>, reading: &Reading<T>) {
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    match reading {
        Ok(_) => {
            if told.take().is_some() {
                tracing::info!("the web config file can be used again");
            }
        }
        Err(error) => {
            let error = error.whole();
            if told.as_ref() != Some(&error) {
                tracing::error!(error, "the web config file cannot be used any more");
                *told = Some(error);
            }
        }
    }
}
