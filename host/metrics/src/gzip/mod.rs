//! gzip that knows what a page of metrics looks like.
//!
//! A general compressor looks for earlier text through a hash table of every few bytes. In an exposition the best earlier
//! text is known: the line before, or one a few lines before, equal but for a label value and the number at its end. So
//! [`Gzip`] compares each line with those, eight bytes at a time, and keeps no table at all. It is for long pages: on
//! one whose lines have little in common a general compressor does better.
//!
//! It rests on these facts of deflate (RFC 1951) and gzip (RFC 1952):
//!
//! - A stream is a chain of blocks; each may bring Huffman codes of its own, and is written here with codes made from
//!   its own counts, at most 15 bits long (7 for the codes of the code lengths).
//! - A symbol is a literal byte, or a match: 3 to 258 bytes that stand at most 32,768 bytes back, in this block or an
//!   earlier one.
//! - The code of a literal or length, and of a distance, is written with its first bit first; everything else with its
//!   lowest bit first.
//! - A gzip member is a ten-byte head, the deflate stream, the CRC-32 of the text and its length modulo 2^32.
//!
//! Decoders check all of it, and tests have others' decoders do so.

mod bits;
mod block;
mod huffman;
mod lines;

use self::{bits::Bits, block::Block, lines::Lines};

/// Text that goes into one block. Codes of its own pay for a block of this length; a longer one would keep the reader
/// waiting.
const BLOCK: usize = 192 << 10;

/// No name, no time, no system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Compresses one page. It may be used again for another, and then needs no new memory.
#[derive(Debug, Default)]
pub struct Gzip {
    lines: Lines,
    block: Block,
    bits: Bits,
    crc: crc32fast::Hasher,
    /// Length of the text so far, modulo 2^32.
    length: u32,
    /// Length of the text in the current block.
    in_block: usize,
    started: bool,
}

impl Gzip {
    /// Takes text, and appends what is ready. Text may be cut anywhere.
    pub fn push(&mut self, text: &[u8], out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.started, true) {
            out.extend_from_slice(&HEAD);
        }
        self.crc.update(text);
        for part in text.chunks(BLOCK) {
            self.length = self.length.wrapping_add(part.len() as u32);
            self.lines.push(part, &mut self.block);
            self.in_block += part.len();
            if self.in_block >= BLOCK {
                self.block.write(false, &mut self.bits, out);
                self.in_block = 0;
            }
        }
    }

    /// Ends the page, and is ready for another.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.push(&[], out);
        self.lines.finish(&mut self.block);
        self.block.write(true, &mut self.bits, out);
        self.bits.finish(out);
        out.extend_from_slice(&std::mem::take(&mut self.crc).finalize().to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        self.reset();
    }

    /// Forgets a page that was not finished.
    pub fn reset(&mut self) {
        self.lines.reset();
        self.block.reset();
        self.bits = Bits::default();
        self.crc.reset();
        (self.length, self.in_block, self.started) = (0, 0, false);
    }
}
