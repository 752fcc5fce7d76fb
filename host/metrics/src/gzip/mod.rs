//! gzip that knows what a page of metrics looks like.
//!
//! A general compressor looks for earlier text through a hash table of every few bytes. In an exposition the best earlier
//! text is known: the line before, or one a few lines before, equal but for a label value and the number at its end. So
//! [`compress`] compares each line with those, eight bytes at a time, and keeps no table at all. It is for long pages: on
//! one whose lines have little in common a general compressor does better.
//!
//! A page is compressed in pieces, which know nothing of each other and so can be made on several threads. [`HEAD`], the
//! pieces in their order, and [`Sum::tail`] make a gzip member:
//!
//! ```
//! use meterbox_metrics::gzip::{HEAD, Sum, compress};
//!
//! let mut member = HEAD.to_vec();
//! let mut sum = Sum::default();
//! for piece in ["a_total 1\n", "b_total 2\n"] {
//!     compress(piece.as_bytes(), &mut member);
//!     sum.append(&Sum::of(piece.as_bytes()));
//! }
//! member.extend_from_slice(&sum.tail());
//! ```
//!
//! It rests on these facts of deflate (RFC 1951) and gzip (RFC 1952):
//!
//! - A stream is a chain of blocks; each may bring Huffman codes of its own, at most 15 bits long (7 for the codes of the
//!   code lengths). A piece is one such block as a rule, with codes made from a sample of it.
//! - A symbol is a literal byte, or a match: 3 to 258 bytes that stand at most 32,768 bytes back.
//! - The code of a literal or length, and of a distance, is written with its first bit first; everything else with its
//!   lowest bit first.
//! - A block of bytes as they are begins at the border of a byte, and may have none: so a piece ends there.
//! - A gzip member is a ten-byte head, the deflate stream, the CRC-32 of the text and its length modulo 2^32.
//!
//! Decoders check all of it, and tests have others' decoders do so.

mod bits;
mod head;
mod huffman;
mod lines;
mod symbols;

use self::{
    bits::Bits,
    head::begin_block,
    lines::Lines,
    symbols::{Codes, Counts, Writer},
};

/// What a member begins with: no name, no time, no system.
pub const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// One in ten bytes of a long text is looked at to make its codes: so many in each of its parts of this length.
const SAMPLE: usize = 4 << 10;
const PART: usize = 40 << 10;

/// Text that goes into one block.
const BLOCK: usize = 1 << 20;

/// Appends the text as deflate blocks that end at the border of a byte; none of them is the last of its stream. A piece
/// of 100 to 500 KiB is best: its codes cost about a hundred bytes, and it stays in a core's cache.
pub fn compress(text: &[u8], out: &mut Vec<u8>) {
    text.chunks(BLOCK).for_each(|text| block(text, out));
}

fn block(text: &[u8], out: &mut Vec<u8>) {
    let codes = Codes::new(&count(text));
    let mut bits = Bits::new(out);
    begin_block(&codes, &mut bits);
    let mut writer = Writer {
        codes: &codes,
        bits,
    };
    Lines::new(text).read(&mut writer);
    writer.finish();
}

fn count(text: &[u8]) -> Counts {
    let mut counts = Counts::new();
    if text.len() <= PART {
        Lines::new(text).read(&mut counts);
        return counts;
    }
    for part in (0..text.len() - SAMPLE).step_by(PART) {
        Lines::new(text).sample(part + SAMPLE, SAMPLE, &mut counts);
    }
    counts.spread();
    counts
}

/// Checksum and length of a text, of which a member tells at its end.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    crc: crc32fast::Hasher,
    /// Modulo 2^32.
    length: u32,
}

impl Sum {
    /// Of this text.
    pub fn of(text: &[u8]) -> Self {
        let mut crc = crc32fast::Hasher::new();
        crc.update(text);
        Self {
            crc,
            length: text.len() as u32,
        }
    }

    /// Makes it that of both texts, one behind the other.
    pub fn append(&mut self, next: &Self) {
        self.crc.combine(&next.crc);
        self.length = self.length.wrapping_add(next.length);
    }

    /// What stands in a member behind its last piece: a last block, which is empty, and the sum.
    pub fn tail(self) -> [u8; 10] {
        let mut tail = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        tail[2..].copy_from_slice(&self.trailer());
        tail
    }

    /// What stands behind a deflate stream that has its last block.
    pub fn trailer(self) -> [u8; 8] {
        let sum = u64::from(self.crc.finalize()) | u64::from(self.length) << 32;
        sum.to_le_bytes()
    }
}
