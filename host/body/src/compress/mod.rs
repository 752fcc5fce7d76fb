//! Compression, for those who ask: a page whole, or in pieces that can be compressed at the same time.

mod gzip;
mod lines;
mod pool;
mod zstd;

use std::{
    sync::{Arc, atomic::AtomicUsize},
    thread,
};

use meterbox_metrics::gzip::{HEAD, Sum};

use self::{
    gzip::Gzip,
    lines::Lines,
    pool::{Pool, State},
    zstd::Zstd,
};
use crate::coding::Coding;

/// The library refused to go on: a fault of this program, since any bytes can be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body could not be compressed: {0}")]
pub struct CompressError(&'static str);

/// The compressors of one server, idle until they are needed. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Compressors(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    gzip: Pool<Gzip>,
    zstd: Pool<Zstd>,
    /// Room for the text of a piece.
    texts: Pool<Vec<u8>>,
    /// Threads that make pieces.
    busy: AtomicUsize,
    cores: usize,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            gzip: Pool::default(),
            zstd: Pool::default(),
            texts: Pool::default(),
            busy: AtomicUsize::new(0),
            cores: thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// How a page is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Text, the pieces of which are long and made of lines that are much alike.
    Lines,
    Gzip,
    Zstd,
}

impl Method {
    /// None where the page goes out as it is. `of_lines`: whether it is text.
    pub(crate) fn of(coding: Coding, of_lines: bool) -> Option<Self> {
        match coding {
            Coding::Identity => None,
            Coding::Gzip if of_lines => Some(Self::Lines),
            Coding::Gzip => Some(Self::Gzip),
            Coding::Zstd => Some(Self::Zstd),
        }
    }
}

impl Compressors {
    /// A page that is no longer than a frame, and has few lines that are alike.
    pub(crate) fn whole(&self, method: Method, page: &[u8]) -> Result<Vec<u8>, CompressError> {
        let mut out = Vec::new();
        match method {
            Method::Zstd => self.piece(method, page, &mut out)?,
            Method::Gzip | Method::Lines => {
                self.0.gzip.with(|gzip| gzip.whole(page, &mut out))?;
            }
        }
        Ok(out)
    }

    /// Appends a piece of a page. Pieces one behind the other are a page, once [`Joint`] has put its parts between.
    pub(crate) fn piece(
        &self,
        method: Method,
        text: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), CompressError> {
        match method {
            Method::Lines => Lines.piece(text, out),
            Method::Gzip => self.0.gzip.with(|gzip| gzip.piece(text, out)),
            Method::Zstd => self.0.zstd.with(|zstd| zstd.piece(text, out)),
        }
    }

    /// Works with an empty text that has room from earlier.
    pub(crate) fn with_text<R, E>(
        &self,
        work: impl FnOnce(&mut Vec<u8>) -> Result<R, E>,
    ) -> Result<R, E> {
        self.0.texts.with(|text| {
            text.clear();
            work(text)
        })
    }

    /// How many threads make pieces now.
    pub(crate) fn busy(&self) -> &AtomicUsize {
        &self.0.busy
    }

    /// How many threads may make pieces beyond one for each page.
    pub(crate) fn cores(&self) -> usize {
        self.0.cores
    }
}

/// What makes pieces a page.
#[derive(Debug)]
pub(crate) struct Joint {
    method: Method,
    sum: Sum,
}

impl Joint {
    pub(crate) fn new(method: Method) -> Self {
        Self {
            method,
            sum: Sum::default(),
        }
    }

    /// What stands before the first piece.
    pub(crate) fn head(method: Method) -> &'static [u8] {
        match method {
            Method::Lines | Method::Gzip => &HEAD,
            Method::Zstd => &[],
        }
    }

    /// What has to be known of a piece.
    pub(crate) fn sum_of(method: Method, text: &[u8]) -> Sum {
        match method {
            Method::Lines | Method::Gzip => Sum::of(text),
            Method::Zstd => Sum::default(),
        }
    }

    /// Takes note of a piece, in the order of the page.
    pub(crate) fn add(&mut self, piece: &Sum) {
        self.sum.append(piece);
    }

    /// What stands behind the last piece.
    pub(crate) fn tail(self) -> Vec<u8> {
        match self.method {
            Method::Lines | Method::Gzip => self.sum.tail().to_vec(),
            Method::Zstd => Vec::new(),
        }
    }
}

/// Room for what a library wants to write next. Metrics shrink five times or more, so a quarter of the input is one round
/// for nearly all of them; what does not shrink costs another.
fn reserve(out: &mut Vec<u8>, input: usize) {
    out.reserve((input / 4).max(1024));
}

#[cfg(test)]
mod tests;
