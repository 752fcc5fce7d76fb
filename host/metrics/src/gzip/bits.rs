//! Bits into bytes, the lowest first.

use super::huffman::Code;

/// The most bits that [`Bits::put`] takes at once: with the up to seven that are held they fit into a word.
pub(super) const MOST: u32 = 56;

/// Room that is made at a time, so that it is not asked for at every line.
const ROOM: usize = 4 << 10;

/// Appends bits to bytes. A whole word is written at each put, and the next one overwrites what was not yet a byte: no
/// branch depends on the data.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    /// Longer than what is written by the room that was made.
    out: &'a mut Vec<u8>,
    written: usize,
    held: u64,
    /// Held bits, seven at the most.
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        let written = out.len();
        Self {
            out,
            written,
            held: 0,
            count: 0,
        }
    }

    /// Makes room for so many bytes; to be called before what is put.
    #[inline(always)]
    pub(super) fn reserve(&mut self, bytes: usize) {
        // The word that the last put writes may reach further than its bits.
        let needed = self.written + bytes + size_of::<u64>();
        if self.out.len() < needed {
            self.grow(needed + ROOM);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, length: usize) {
        self.out.resize(length, 0);
    }

    /// Appends the lowest `count` bits, [`MOST`] at the most; the others are 0.
    #[inline(always)]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        self.held |= bits << self.count;
        self.count += count;
        let end = self.written + size_of::<u64>();
        self.out[self.written..end].copy_from_slice(&self.held.to_le_bytes());
        self.written += (self.count >> 3) as usize;
        self.held >>= self.count & !7;
        self.count &= 7;
    }

    #[inline]
    pub(super) fn put_code(&mut self, code: Code) {
        self.put(code.bits().into(), code.length());
    }

    /// Fills the last byte with zeros.
    pub(super) fn align(&mut self) {
        self.put(0, self.count.wrapping_neg() & 7);
    }

    /// Gives back the room that is left; to be called at the border of a byte.
    pub(super) fn finish(self) {
        self.out.truncate(self.written);
    }
}
