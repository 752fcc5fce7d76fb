//! Standard output and standard error of a guest: lines of its log.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use tokio::io::{AsyncWrite, sink};
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

use super::log;
use crate::engine::{Identity, bindings::log::Level};

/// Bytes that a guest may write at a time.
const MOST_AT_ONCE: usize = 64 << 10;

/// One of the two streams of one instance. All handles to it add to the same line.
pub(crate) struct Stdio(Arc<Mutex<Line>>);

/// A line that is not at its end yet.
struct Line {
    identity: Arc<Identity>,
    level: Level,
    stream: &'static str,
    text: Vec<u8>,
    /// Bytes beyond what a line may have.
    cut: usize,
}

impl Stdio {
    pub(crate) fn stdout(identity: Arc<Identity>) -> Self {
        Self::new(identity, Level::Info, "stdout")
    }

    pub(crate) fn stderr(identity: Arc<Identity>) -> Self {
        Self::new(identity, Level::Warn, "stderr")
    }

    fn new(identity: Arc<Identity>, level: Level, stream: &'static str) -> Self {
        Self(Arc::new(Mutex::new(Line {
            identity,
            level,
            stream,
            text: Vec::new(),
            cut: 0,
        })))
    }
}

impl Line {
    fn write(&mut self, bytes: &[u8]) {
        let mut parts = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            let room = self.identity.limits.log_line_bytes - self.text.len();
            let (kept, cut) = part.split_at(part.len().min(room));
            self.text.extend_from_slice(kept);
            self.cut += cut.len();
            if parts.peek().is_some() {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        let text = mem::take(&mut self.text);
        let text = String::from_utf8_lossy(&text);
        let cut = mem::take(&mut self.cut);
        log::line(
            &self.identity,
            self.level,
            text.trim_end_matches('\r'),
            cut,
            Some(self.stream),
        );
    }
}

/// What an instance wrote without an end of line is not lost with it.
impl Drop for Line {
    fn drop(&mut self) {
        if !self.text.is_empty() {
            self.end();
        }
    }
}

impl IsTerminal for Stdio {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stdio {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // WASI 0.3 asks for this one, which is not linked.
        Box::new(sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Self(Arc::clone(&self.0)))
    }
}

impl OutputStream for Stdio {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MOST_AT_ONCE)
    }
}

#[async_trait]
impl Pollable for Stdio {
    async fn ready(&mut self) {}
}
