//! The body of a metrics page: small ones whole, with their length; large ones in pieces that are made while the peer
//! takes them, so that a response holds a few at a time however large the page is.
//!
//! Who makes a piece was measured, with pieces of 128 KiB to a reader on loopback, on two cores. A hop to another thread
//! and back costs about 40 µs. A piece of plain text costs about as much, so to hop for it makes a page of six pieces take
//! 0.6 ms instead of 0.36, and frees nobody: the write of the same piece takes as long, on the same thread. So each plain
//! frame tells how long it took, and decides about the next: a cheap one is made on the spot when the peer wants it, a
//! dear one on a thread for blocking work, ahead, while the one before it is written. Pieces that are compressed are
//! always made on such threads, several at a time: made on the runtime's threads, four scrapes of a million series delay
//! a small request beside them by 9 ms in the median. No thread ever waits for a peer.

mod coded;
mod making;
mod plain;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body::Frame;

use self::{coded::Coded, plain::Plain};
use crate::{
    BoxError,
    coding::Coding,
    compress::{CompressError, Compressors, Method},
};

/// What may be made on the runtime's threads at one go: a few times what a hop to another thread costs.
const CHEAP: Duration = Duration::from_micros(100);

/// A page that is being rendered: appends the next frame, or says `false` where there is none left.
pub type Frames = Box<dyn FnMut(&mut Vec<u8>) -> bool + Send>;

/// Data of a body, or its end.
type Given = Option<Result<Bytes, BoxError>>;

/// A page, as far as had to be rendered to know which of the two it is.
#[derive(Debug)]
pub enum PageBody {
    /// All of it.
    Whole(Bytes),
    /// It is longer than a frame.
    Streamed(StreamBody),
}

impl PageBody {
    /// Renders the first frame, and the second to know whether there is one. `of_lines`: whether the page is text.
    ///
    /// # Errors
    ///
    /// The page is small, and its compressor failed.
    pub fn begin(
        mut frames: Frames,
        coding: Coding,
        of_lines: bool,
        compressors: &Compressors,
    ) -> Result<Self, CompressError> {
        let method = Method::of(coding, of_lines);
        let begun = Instant::now();
        let mut first = Vec::new();
        let has_first = frames(&mut first);
        let took = begun.elapsed();
        let mut second = Vec::new();
        let has_second = has_first && frames(&mut second);
        let kind = match (method, has_second) {
            (None, false) => return Ok(Self::Whole(first.into())),
            (Some(method), false) => {
                return Ok(Self::Whole(compressors.whole(method, &first)?.into()));
            }
            (None, true) => Kind::Plain(Plain::new([first, second], frames, took > CHEAP)),
            (Some(method), true) => {
                first.append(&mut second);
                Kind::Coded(Coded::new(first, frames, method, compressors))
            }
        };
        Ok(Self::Streamed(StreamBody { kind }))
    }
}

/// The body of a page that is longer than one frame. It does nothing before it is asked for data; dropped, it makes no
/// more than the pieces that are being made.
pub struct StreamBody {
    kind: Kind,
}

enum Kind {
    Plain(Plain),
    Coded(Coded),
}

impl fmt::Debug for StreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamBody").finish_non_exhaustive()
    }
}

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let given = match &mut self.get_mut().kind {
            Kind::Plain(plain) => plain.poll(cx),
            Kind::Coded(coded) => coded.poll(cx),
        };
        given.map(|given| given.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Plain(plain) => plain.is_ended(),
            Kind::Coded(coded) => coded.is_ended(),
        }
    }
}
