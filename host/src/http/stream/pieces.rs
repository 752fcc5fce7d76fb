//! Frames of a page → pieces of a body.

use std::{fmt, time::Instant};

use super::{CHEAP, Frames};
use crate::http::compress::{CompressError, Stream};

/// Compressed bytes that make a piece. Several frames of the page go into it, which spreads the price of the hop.
const PIECE: usize = 64 << 10;

/// A page on its way: frames in, pieces for the wire out.
pub(super) struct Pieces {
    /// Frames that are rendered already.
    rendered: [Option<Vec<u8>>; 2],
    frames: Frames,
    stream: Option<Stream>,
    ended: bool,
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pieces")
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

impl Pieces {
    /// The page from its beginning, two frames of which are rendered already.
    pub(super) fn new(rendered: [Vec<u8>; 2], frames: Frames, stream: Option<Stream>) -> Self {
        Self {
            rendered: rendered.map(Some),
            frames,
            stream,
            ended: false,
        }
    }

    fn frame(&mut self) -> Option<Vec<u8>> {
        let rendered = self.rendered.iter_mut().find_map(Option::take);
        rendered.or_else(|| self.frames.next())
    }

    /// The next piece, never an empty one; `None` after the last.
    fn next(&mut self) -> Result<Option<Vec<u8>>, CompressError> {
        let mut out = Vec::new();
        let enough = if self.stream.is_some() { PIECE } else { 1 };
        while !self.ended && out.len() < enough {
            let frame = self.frame();
            self.ended = frame.is_none();
            match (&mut self.stream, frame) {
                (None, Some(frame)) => out = frame,
                (None, None) => {}
                (Some(stream), Some(frame)) => stream.write(&frame, &mut out)?,
                (Some(stream), None) => stream.finish(&[], &mut out)?,
            }
        }
        Ok((!out.is_empty()).then_some(out))
    }

    /// Makes the next piece, and says how dear it was.
    pub(super) fn make(mut self: Box<Self>) -> Made {
        let begun = Instant::now();
        let piece = self.next();
        Made {
            piece,
            dear: begun.elapsed() > CHEAP,
            pieces: self,
        }
    }
}

/// A piece, and what the next one is made of.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) piece: Result<Option<Vec<u8>>, CompressError>,
    pub(super) dear: bool,
    pub(super) pieces: Box<Pieces>,
}
