//! Bits into bytes, the lowest first.

use super::{block::Extra, huffman::Code};

/// Bits that do not make a whole byte yet.
#[derive(Debug, Default)]
pub(super) struct Bits {
    held: u64,
    count: u32,
}

impl Bits {
    /// Appends the lowest `count` bits, 32 at the most; the others are 0.
    #[inline]
    pub(super) fn put(&mut self, bits: u32, count: u32, out: &mut Vec<u8>) {
        self.held |= u64::from(bits) << self.count;
        self.count += count;
        if self.count >= 32 {
            out.extend_from_slice(&(self.held as u32).to_le_bytes());
            self.held >>= 32;
            self.count -= 32;
        }
    }

    /// Appends a code and what follows it.
    #[inline]
    pub(super) fn put_with(&mut self, code: Code, extra: Extra, out: &mut Vec<u8>) {
        let bits = u32::from(code.bits) | u32::from(extra.bits) << code.length;
        self.put(bits, u32::from(code.length) + u32::from(extra.count), out);
    }

    /// Fills the last byte with zeros.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        let bytes = self.count.div_ceil(8) as usize;
        out.extend_from_slice(&self.held.to_le_bytes()[..bytes]);
        *self = Self::default();
    }
}
