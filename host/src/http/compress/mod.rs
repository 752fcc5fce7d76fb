//! Compression, for those who ask: streams that take a page piece by piece, kept for the next page when one is done or
//! given up.

mod gzip;
mod lines;
mod pool;
mod zstd;

use std::sync::Arc;

use self::{
    gzip::Gzip,
    lines::Lines,
    pool::{Pool, Pooled},
    zstd::Zstd,
};
use super::negotiate::Coding;

/// The library refused to go on: a fault of this program, since any bytes can be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body could not be compressed: {0}")]
pub(super) struct CompressError(&'static str);

/// The compressors of one service. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Compressors {
    gzip: Arc<Pool<Gzip>>,
    lines: Arc<Pool<Lines>>,
    zstd: Arc<Pool<Zstd>>,
}

impl Compressors {
    /// A stream for one body; none where the body goes out as it is. `of_lines`: whether it is text.
    pub(super) fn stream(&self, coding: Coding, of_lines: bool) -> Option<Stream> {
        let state = match coding {
            Coding::Identity => return None,
            Coding::Gzip if of_lines => State::Open(self.clone()),
            Coding::Gzip => State::Gzip(Pool::take(&self.gzip)),
            Coding::Zstd => State::Zstd(Pool::take(&self.zstd)),
        };
        Some(Stream(state))
    }
}

/// The compression of one body. Dropped at any point, its state serves the next one.
#[derive(Debug)]
pub(super) struct Stream(State);

#[derive(Debug)]
enum State {
    /// gzip of text, by the one or the other: a page that is written in pieces is long, and long pages are made of lines
    /// that are much alike; one that comes in a single piece is neither.
    Open(Compressors),
    Gzip(Pooled<Gzip>),
    Lines(Pooled<Lines>),
    Zstd(Pooled<Zstd>),
}

impl Stream {
    /// Takes all of `input`, and appends to `out` what is ready, which may be nothing yet.
    pub(super) fn write(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressError> {
        if let State::Open(compressors) = &self.0 {
            self.0 = State::Lines(Pool::take(&compressors.lines));
        }
        match &mut self.0 {
            State::Open(_) => Ok(()),
            State::Gzip(gzip) => gzip.state().write(input, out),
            State::Lines(lines) => {
                lines.state().write(input, out);
                Ok(())
            }
            State::Zstd(zstd) => zstd.state().write(input, out),
        }
    }

    /// Takes the last of the body and appends everything that is left. Nothing may be written afterwards.
    pub(super) fn finish(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressError> {
        if let State::Open(compressors) = &self.0 {
            self.0 = State::Gzip(Pool::take(&compressors.gzip));
        }
        match &mut self.0 {
            State::Open(_) => Ok(()),
            State::Gzip(gzip) => gzip.state().finish(input, out),
            State::Lines(lines) => {
                lines.state().finish(input, out);
                Ok(())
            }
            State::Zstd(zstd) => zstd.state().finish(input, out),
        }
    }
}

/// Room for what a library wants to write next. Metrics shrink five times or more, so a quarter of the input is one round
/// for nearly all of them; what does not shrink costs another.
fn reserve(out: &mut Vec<u8>, input: usize) {
    out.reserve((input / 4).max(1024));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use std::io::Read;

    use super::*;

    fn plain(coding: Coding, compressed: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        match coding {
            Coding::Identity => plain.extend_from_slice(compressed),
            Coding::Gzip => {
                let mut decoder = flate2::read::GzDecoder::new(compressed);
                decoder.read_to_end(&mut plain).unwrap();
            }
            Coding::Zstd => {
                let mut decoder = ::zstd::Decoder::new(compressed).unwrap();
                decoder.read_to_end(&mut plain).unwrap();
            }
        }
        plain
    }

    const KINDS: [(Coding, bool); 3] = [
        (Coding::Gzip, false),
        (Coding::Gzip, true),
        (Coding::Zstd, true),
    ];

    fn pages() -> [Vec<u8>; 4] {
        let text = "http_requests_total{code=\"200\"} 1027\n".repeat(20_000);
        // Bytes without a pattern do not shrink: the output has to grow.
        let noise =
            (0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11).to_le_bytes()[0]);
        [
            Vec::new(),
            b"a 1\n".to_vec(),
            text.into_bytes(),
            noise.collect(),
        ]
    }

    #[test]
    fn pages_come_back_whole() {
        let compressors = Compressors::default();
        for (coding, of_lines) in KINDS {
            for page in pages() {
                for piece in [1 << 20, 65_536, 7_001] {
                    let mut stream = compressors.stream(coding, of_lines).unwrap();
                    let mut out = Vec::new();
                    let mut pieces = page.chunks(piece).peekable();
                    while let Some(piece) = pieces.next_if(|piece| piece.len() > 100) {
                        stream.write(piece, &mut out).unwrap();
                    }
                    stream
                        .finish(pieces.next().unwrap_or_default(), &mut out)
                        .unwrap();
                    assert!(
                        plain(coding, &out) == page,
                        "{coding:?} in pieces of {piece}"
                    );
                }
            }
        }
        assert_eq!(compressors.gzip.len(), 1, "one state served all pages");
        assert_eq!(compressors.lines.len(), 1, "one state served all pages");
        assert_eq!(compressors.zstd.len(), 1, "one state served all pages");
    }

    #[test]
    fn a_body_that_was_given_up_leaves_no_trace() {
        let compressors = Compressors::default();
        for (coding, of_lines) in KINDS {
            let page = b"up 1\n".repeat(50_000);
            let mut out = Vec::new();
            let mut stream = compressors.stream(coding, of_lines).unwrap();
            stream.write(&page, &mut out).unwrap();
            drop(stream);
            let mut stream = compressors.stream(coding, of_lines).unwrap();
            out.clear();
            stream.finish(b"up 0\n", &mut out).unwrap();
            assert_eq!(plain(coding, &out), b"up 0\n", "{coding:?}");
        }
        assert_eq!((compressors.gzip.len(), compressors.zstd.len()), (1, 1));
    }

    #[test]
    fn as_it_is_needs_no_stream() {
        assert!(
            Compressors::default()
                .stream(Coding::Identity, true)
                .is_none()
        );
    }
}
