//! The body of a compressed page: pieces are made on several threads, and given out in their order.

use std::{
    collections::BTreeMap,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{
    Frames, Given,
    making::{Made, Making, Piece},
};
use crate::compress::{Compressors, Joint, Method};

pub(super) struct Coded {
    making: Arc<Making>,
    made: UnboundedReceiver<Made>,
    /// Pieces that are not given out yet, by their place in the page.
    waiting: BTreeMap<usize, Piece>,
    /// The place that is next, and how many there are, once that is known.
    next: usize,
    total: Option<usize>,
    /// None after the end.
    joint: Option<Joint>,
}

impl Coded {
    /// The page from its beginning, `rendered` of which is rendered already.
    pub(super) fn new(
        rendered: Vec<u8>,
        frames: Frames,
        method: Method,
        compressors: &Compressors,
    ) -> Self {
        // What is in it is bounded by the window.
        let (sender, made) = unbounded_channel();
        Self {
            making: Making::new(rendered, frames, method, compressors, sender),
            made,
            waiting: BTreeMap::new(),
            next: 0,
            total: None,
            joint: Some(Joint::new(method)),
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.joint.is_none()
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Given> {
        loop {
            let Some(joint) = &mut self.joint else {
                return Poll::Ready(None);
            };
            if let Some(mut piece) = self.waiting.remove(&self.next) {
                joint.add(&piece.sum);
                self.next += 1;
                self.making.given();
                if self.total == Some(self.next) {
                    piece.bytes.extend(self.end());
                }
                return Poll::Ready(Some(Ok(Bytes::from(piece.bytes))));
            }
            if self.total == Some(self.next) {
                let tail = self.end();
                return Poll::Ready((!tail.is_empty()).then(|| Ok(Bytes::from(tail))));
            }
            self.making.hire();
            match ready!(self.made.poll_recv(cx)) {
                Some(Made::Piece(place, piece)) => {
                    self.waiting.insert(place, piece);
                }
                Some(Made::All(total)) => self.total = Some(total),
                Some(Made::Failed(error)) => {
                    self.joint = None;
                    return Poll::Ready(Some(Err(error)));
                }
                // The sender lives as long as what is being made.
                None => self.joint = None,
            }
        }
    }

    fn end(&mut self) -> Vec<u8> {
        self.joint.take().map(Joint::tail).unwrap_or_default()
    }
}

impl Drop for Coded {
    fn drop(&mut self) {
        self.making.abandon();
    }
}
