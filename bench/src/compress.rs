//! Compressors, whose state is used again.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

use flate2::{Compress, Compression, FlushCompress, Status, read::GzDecoder};
use miniz_oxide::{
    DataFormat, MZFlush, MZStatus,
    deflate::{core::CompressorOxide, stream::deflate},
};
use zstd::stream::raw::{Encoder as Zstd, InBuffer, Operation, OutBuffer};

use crate::{
    coding::{Coding, Method},
    peers::Page,
};

/// One stream at a time, in state that is used again: on a small page, setting it up would cost more than the page.
pub enum Encoder {
    Default(Box<CompressorOxide>, crc32fast::Hasher, u32),
    Fast(Compress),
    Zstd(Zstd<'static>),
}

impl Encoder {
    pub fn new(method: Method) -> io::Result<Self> {
        Ok(match method {
            Method::Default => {
                let mut state = Box::<CompressorOxide>::default();
                state.set_format_and_level(DataFormat::Raw, 6);
                Self::Default(state, crc32fast::Hasher::new(), 0)
            }
            Method::Fast => Self::Fast(Compress::new_gzip(Compression::fast(), 15)),
            Method::Zstd => Self::Zstd(Zstd::new(1)?),
        })
    }

    /// Appends what can be said of `piece` and those before it; `last` ends the stream and starts a new one.
    pub fn push(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Default(state, crc, length) => default(state, crc, length, piece, last, out),
            Self::Fast(state) => fast(state, piece, last, out),
            Self::Zstd(state) => zstd(state, piece, last, out),
        }
    }
}

/// Room for what comes out next.
fn reserve(out: &mut Vec<u8>) {
    if out.capacity() - out.len() < 4 << 10 {
        out.reserve(32 << 10);
    }
}

fn fast(state: &mut Compress, piece: &[u8], last: bool, out: &mut Vec<u8>) -> io::Result<()> {
    let flush = if last {
        FlushCompress::Finish
    } else {
        FlushCompress::None
    };
    let start = state.total_in();
    loop {
        reserve(out);
        let taken = (state.total_in() - start) as usize;
        let status = state.compress_vec(&piece[taken..], out, flush)?;
        if status == Status::StreamEnd {
            state.reset();
            return Ok(());
        }
        if !last && (state.total_in() - start) as usize == piece.len() {
            return Ok(());
        }
    }
}

/// As `flate2::write::GzEncoder` does it: a fixed head, raw deflate, the sum and the length.
fn default(
    state: &mut CompressorOxide,
    crc: &mut crc32fast::Hasher,
    length: &mut u32,
    mut piece: &[u8],
    last: bool,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    if *length == 0 {
        out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    }
    crc.update(piece);
    *length = length.wrapping_add(piece.len() as u32);
    let flush = if last { MZFlush::Finish } else { MZFlush::None };
    let mut room = [0; 32 << 10];
    loop {
        let result = deflate(state, piece, &mut room, flush);
        piece = &piece[result.bytes_consumed..];
        out.extend_from_slice(&room[..result.bytes_written]);
        match result.status {
            Ok(MZStatus::StreamEnd) => break,
            Ok(_) if !last && piece.is_empty() => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(io::Error::other(format!("{error:?}"))),
        }
    }
    let sum = std::mem::take(crc).finalize();
    out.extend_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(&std::mem::take(length).to_le_bytes());
    state.reset();
    Ok(())
}

fn zstd(state: &mut Zstd<'_>, piece: &[u8], last: bool, out: &mut Vec<u8>) -> io::Result<()> {
    let mut input = InBuffer::around(piece);
    let mut room = [0; 32 << 10];
    while input.pos() < piece.len() {
        let mut output = OutBuffer::around(&mut room[..]);
        state.run(&mut input, &mut output)?;
        out.extend_from_slice(output.as_slice());
    }
    if !last {
        return Ok(());
    }
    loop {
        let mut output = OutBuffer::around(&mut room[..]);
        let rest = state.finish(&mut output, true)?;
        out.extend_from_slice(output.as_slice());
        if rest == 0 {
            return state.reinit();
        }
    }
}

/// The page behind a body.
pub fn decode(coding: Coding, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    match coding {
        Coding::Identity => page.extend_from_slice(body),
        Coding::Gzip | Coding::CarefulGzip => {
            GzDecoder::new(body).read_to_end(&mut page)?;
        }
        Coding::Zstd => ::zstd::stream::copy_decode(body, &mut page)?,
    }
    Ok(page)
}

/// Encoders that wait for their next page.
#[derive(Default)]
pub struct Pool {
    idle: Mutex<Vec<Encoder>>,
}

impl Pool {
    fn take(&self, method: Method) -> io::Result<Encoder> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        idle.map_or_else(|| Encoder::new(method), Ok)
    }

    fn give(&self, encoder: Encoder) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(encoder);
    }

    /// The page, compressed in the way in which it comes.
    pub fn encode(self: &Arc<Self>, method: Method, page: Page) -> io::Result<Page> {
        let mut encoder = self.take(method)?;
        let mut pieces = match page {
            Page::Whole(page) => {
                let mut out = Vec::with_capacity(page.len() / 8);
                encoder.push(&page, true, &mut out)?;
                self.give(encoder);
                return Ok(Page::Whole(out));
            }
            Page::Pieces(pieces) => pieces,
            page @ Page::Frames(_) => return Ok(page),
        };
        let (pool, mut encoder) = (Arc::clone(self), Some(encoder));
        Ok(Page::Pieces(Box::new(std::iter::from_fn(move || {
            let mut using = encoder.take()?;
            let mut out = Vec::with_capacity(32 << 10);
            while out.is_empty() {
                let piece = pieces.next();
                // Into memory, and the state is sound: nothing can fail.
                using
                    .push(piece.as_deref().unwrap_or(&[]), piece.is_none(), &mut out)
                    .ok()?;
                if piece.is_none() {
                    pool.give(using);
                    return Some(out);
                }
            }
            encoder = Some(using);
            Some(out)
        }))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Page after page through one state, in pieces: empty, smaller and larger than any buffer here.
    #[test]
    fn reads_back() -> anyhow::Result<()> {
        let page: Vec<u8> = (0..300_000_u32)
            .flat_map(|n| (n / 7).to_le_bytes())
            .collect();
        for (method, coding) in [
            (Method::Default, Coding::Gzip),
            (Method::Fast, Coding::CarefulGzip),
            (Method::Zstd, Coding::Zstd),
        ] {
            let mut encoder = Encoder::new(method)?;
            for piece in [10_000, 200_000, page.len()] {
                let mut body = Vec::new();
                for piece in page.chunks(piece) {
                    encoder.push(piece, false, &mut body)?;
                }
                encoder.push(&[], true, &mut body)?;
                anyhow::ensure!(decode(coding, &body)? == page, "{method:?} in {piece}");
            }
        }
        Ok(())
    }
}
