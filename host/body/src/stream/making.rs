//! How pieces of a page are made: one thread after the other renders the text of the next one, and compresses it while
//! the next thread renders.
//!
//! Each page has a thread as long as its peer is not behind; a page gets more as long as there are idle cores. So eight
//! large pages at once are compressed by eight threads, and one by as many as the machine has cores. No thread waits for a
//! peer: when the window is full they leave, and are called again when there is room.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use meterbox_metrics::gzip::Sum;
use tokio::{sync::mpsc::UnboundedSender, task::spawn_blocking};

use super::Frames;
use crate::{
    BoxError,
    compress::{CompressError, Compressors, Joint, Method},
};

/// Text that makes a piece. The first ones are shorter, so that a page of a megabyte is shared out evenly.
const SHORT: usize = 128 << 10;
pub(super) const LONG: usize = 256 << 10;
const SHORT_ONES: usize = 8;

/// Pieces that are made or wait for the peer, for each core.
pub(super) const WINDOW: usize = 3;

/// A page that is being made.
pub(super) struct Making {
    source: Mutex<Source>,
    progress: Mutex<Progress>,
    method: Method,
    compressors: Compressors,
    made: UnboundedSender<Made>,
}

/// What is not rendered yet.
struct Source {
    /// Text that is rendered already.
    rendered: Vec<u8>,
    frames: Frames,
    /// The place of the next piece.
    next: usize,
}

#[derive(Default)]
struct Progress {
    /// Pieces that are being made, or are made and not given out.
    ahead: usize,
    workers: usize,
    /// Nothing is left to begin, or nobody wants it.
    ended: bool,
}

/// What a worker says.
pub(super) enum Made {
    /// A piece, and its place.
    Piece(usize, Piece),
    /// There are so many.
    All(usize),
    Failed(BoxError),
}

pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    pub(super) sum: Sum,
}

impl Making {
    pub(super) fn new(
        rendered: Vec<u8>,
        frames: Frames,
        method: Method,
        compressors: &Compressors,
        made: UnboundedSender<Made>,
    ) -> Arc<Self> {
        Arc::new(Self {
            source: Mutex::new(Source {
                rendered,
                frames,
                next: 0,
            }),
            progress: Mutex::default(),
            method,
            compressors: compressors.clone(),
            made,
        })
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A piece was given out.
    pub(super) fn given(self: &Arc<Self>) {
        self.progress().ahead -= 1;
        self.hire();
    }

    /// Nobody wants the rest: every thread leaves when its piece is made.
    pub(super) fn abandon(&self) {
        self.progress().ended = true;
    }

    /// Calls threads, as far as there is something for them to do.
    pub(super) fn hire(self: &Arc<Self>) {
        let mut progress = self.progress();
        while progress.has_room(self.compressors.cores())
            && (progress.workers == 0
                || self.busy().load(Ordering::Relaxed) < self.compressors.cores())
        {
            progress.workers += 1;
            let worker = Worker::new(self);
            spawn_blocking(move || worker.work());
        }
    }

    fn busy(&self) -> &AtomicUsize {
        self.compressors.busy()
    }
}

impl Progress {
    /// Whether one more thread would find something to do.
    fn has_room(&self, cores: usize) -> bool {
        !self.ended && self.workers < cores && self.ahead + self.workers < WINDOW * cores
    }

    /// Begins a piece, or takes leave.
    fn begin(&mut self, busy: usize, cores: usize) -> bool {
        let is_needed = self.workers == 1 || busy <= cores;
        let begins = is_needed && !self.ended && self.ahead < WINDOW * cores;
        if begins {
            self.ahead += 1;
        } else {
            self.workers -= 1;
        }
        begins
    }
}

/// A thread at work.
struct Worker(Arc<Making>);

impl Worker {
    fn new(making: &Arc<Making>) -> Self {
        making.busy().fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(making))
    }

    fn work(self) {
        let making = &*self.0;
        let work = making.compressors.with_text(|text| {
            while let Some(place) = self.render(text) {
                let piece = self.compress(place, text)?;
                // An error here means that nobody listens any more.
                let _ = making.made.send(Made::Piece(place, piece));
            }
            Ok::<_, CompressError>(())
        });
        if let Err(error) = work {
            making.abandon();
            let _ = making.made.send(Made::Failed(error.into()));
        }
    }

    /// Puts the next piece into `text`; `None` where there is nothing to do any more.
    fn render(&self, text: &mut Vec<u8>) -> Option<usize> {
        let making = &*self.0;
        // Poisoned by a panic, of which that thread tells.
        let mut source = making.source.lock().ok()?;
        let busy = making.busy().load(Ordering::Relaxed);
        if !making.progress().begin(busy, making.compressors.cores()) {
            return None;
        }
        let place = source.next;
        let enough = if place < SHORT_ONES { SHORT } else { LONG };
        text.clear();
        text.append(&mut source.rendered);
        let mut more = true;
        while more && text.len() < enough {
            more = (source.frames)(text);
        }
        let is_piece = !text.is_empty();
        source.next += usize::from(is_piece);
        if !more {
            making.abandon();
            let _ = making.made.send(Made::All(source.next));
        }
        is_piece.then_some(place)
    }

    fn compress(&self, place: usize, text: &[u8]) -> Result<Piece, CompressError> {
        let making = &*self.0;
        let mut bytes = Vec::with_capacity(text.len() / 8);
        if place == 0 {
            bytes.extend_from_slice(Joint::head(making.method));
        }
        making.compressors.piece(making.method, text, &mut bytes)?;
        Ok(Piece {
            bytes,
            sum: Joint::sum_of(making.method, text),
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.busy().fetch_sub(1, Ordering::Relaxed);
        // A panic of an encoder ends the body with an error, so that the peer sees that it is not whole.
        if thread::panicking() {
            self.0.abandon();
            let error = "a piece of the page could not be rendered";
            let _ = self.0.made.send(Made::Failed(error.into()));
        }
    }
}
