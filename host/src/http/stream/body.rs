//! The body that makes its pieces while the peer takes them.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::Frame;
use tokio::task::{JoinHandle, spawn_blocking};

use super::pieces::{Made, Pieces};
use crate::host::BoxError;

/// Cheap pieces in a row before others get a turn, and hyper a reason to write out what it holds.
const TURN: u32 = 4;

/// The body of a page that is longer than one frame. It does nothing before it is asked for data; dropped, it makes no
/// more than the piece that is being made.
#[derive(Debug)]
pub(in crate::http) struct StreamBody {
    state: State,
    /// Cheap pieces since others had a turn.
    in_a_row: u32,
}

#[derive(Debug, Default)]
enum State {
    /// Nobody works on it.
    Resting { pieces: Box<Pieces>, dear: bool },
    /// The next piece is being made, or waits.
    Ahead(JoinHandle<Made>),
    #[default]
    Ended,
}

impl StreamBody {
    /// A body of these pieces. `dear` is a guess about the first.
    pub(super) fn new(pieces: Box<Pieces>, dear: bool) -> Self {
        Self {
            state: State::Resting { pieces, dear },
            in_a_row: 0,
        }
    }

    /// Gives the piece out, and has the next one made meanwhile if that takes long.
    fn give(&mut self, made: Made) -> Option<Result<Frame<Bytes>, BoxError>> {
        let Made {
            piece,
            dear,
            pieces,
        } = made;
        let piece = piece.map_err(BoxError::from).transpose()?;
        if piece.is_ok() {
            self.state = if dear {
                State::Ahead(spawn_blocking(|| pieces.make()))
            } else {
                State::Resting { pieces, dear }
            };
        }
        Some(piece.map(|piece| Frame::data(piece.into())))
    }
}

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            match &mut this.state {
                State::Ended => return Poll::Ready(None),
                State::Ahead(ahead) => {
                    // A panic of an encoder ends the body with an error, so that the peer sees that it is not whole.
                    let made = ready!(Pin::new(ahead).poll(cx));
                    this.state = State::Ended;
                    this.in_a_row = 0;
                    return Poll::Ready(match made {
                        Ok(made) => this.give(made),
                        Err(crash) => Some(Err(crash.into())),
                    });
                }
                State::Resting { dear: false, .. } if this.in_a_row == TURN => {
                    this.in_a_row = 0;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                State::Resting { .. } => {
                    let State::Resting { pieces, dear } = mem::take(&mut this.state) else {
                        continue;
                    };
                    if !dear {
                        this.in_a_row += 1;
                        return Poll::Ready(this.give(pieces.make()));
                    }
                    this.state = State::Ahead(spawn_blocking(|| pieces.make()));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Ended)
    }
}
