//! The body of a page as it is: a frame is made when the peer wants it.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{CHEAP, Frames, Given};

/// Cheap frames in a row before others get a turn, and hyper a reason to write out what it holds.
const TURN: u32 = 16;

pub(super) struct Plain {
    state: State,
    /// Cheap frames since others had a turn.
    in_a_row: u32,
}

#[derive(Default)]
enum State {
    /// Nobody works on it.
    Resting { pieces: Pieces, dear: bool },
    /// The next frame is being made, or waits.
    Ahead(JoinHandle<Made>),
    #[default]
    Ended,
}

/// A page on its way.
struct Pieces {
    /// Frames that are rendered already.
    rendered: [Option<Vec<u8>>; 2],
    frames: Frames,
}

/// A frame, and what the next one is made of.
struct Made {
    frame: Option<Vec<u8>>,
    dear: bool,
    pieces: Pieces,
}

impl Pieces {
    fn next(&mut self) -> Option<Vec<u8>> {
        if let Some(rendered) = self.rendered.iter_mut().find_map(Option::take) {
            return Some(rendered);
        }
        let mut frame = Vec::new();
        while frame.is_empty() {
            if !(self.frames)(&mut frame) {
                return None;
            }
        }
        Some(frame)
    }

    /// Makes the next frame, and says how dear it was.
    fn make(mut self) -> Made {
        let begun = Instant::now();
        let frame = self.next();
        Made {
            frame,
            dear: begun.elapsed() > CHEAP,
            pieces: self,
        }
    }
}

impl Plain {
    /// The page from its beginning, two frames of which are rendered already. `dear` is a guess about the first.
    pub(super) fn new(rendered: [Vec<u8>; 2], frames: Frames, dear: bool) -> Self {
        let rendered = rendered.map(|frame| (!frame.is_empty()).then_some(frame));
        Self {
            state: State::Resting {
                pieces: Pieces { rendered, frames },
                dear,
            },
            in_a_row: 0,
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Gives the frame out, and has the next one made meanwhile if that takes long.
    fn give(&mut self, made: Made) -> Given {
        let Made {
            frame,
            dear,
            pieces,
        } = made;
        let frame = frame?;
        self.state = if dear {
            State::Ahead(spawn_blocking(|| pieces.make()))
        } else {
            State::Resting { pieces, dear }
        };
        Some(Ok(Bytes::from(frame)))
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Given> {
        loop {
            match &mut self.state {
                State::Ended => return Poll::Ready(None),
                State::Ahead(ahead) => {
                    // A panic of an encoder ends the body with an error, so that the peer sees that it is not whole.
                    let made = ready!(Pin::new(ahead).poll(cx));
                    self.state = State::Ended;
                    self.in_a_row = 0;
                    return Poll::Ready(match made {
                        Ok(made) => self.give(made),
                        Err(crash) => Some(Err(crash.into())),
                    });
                }
                State::Resting { dear: false, .. } if self.in_a_row == TURN => {
                    self.in_a_row = 0;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                State::Resting { .. } => {
                    let State::Resting { pieces, dear } = mem::take(&mut self.state) else {
                        continue;
                    };
                    if !dear {
                        self.in_a_row += 1;
                        return Poll::Ready(self.give(pieces.make()));
                    }
                    self.state = State::Ahead(spawn_blocking(|| pieces.make()));
                }
            }
        }
    }
}
