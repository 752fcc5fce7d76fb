//! What deflate knows: literals and matches, how they are numbered, counted and written.

use super::{
    bits::{Bits, MOST},
    huffman::{Code, codes, lengths},
};

/// Literals, the end of the block, and the codes of lengths.
pub(super) const LITERALS: usize = 286;
pub(super) const DISTANCES: usize = 30;
const END: usize = 256;
const LONGEST_MATCH: usize = 258;

/// A bit less than deflate allows, so that four literals can be put at once.
const LONGEST_CODE: usize = MOST as usize / 4;

/// Takes a text as what it repeats and what it does not.
pub(super) trait Sink {
    /// The bytes from `from` to `to`.
    fn literals(&mut self, text: &[u8], from: usize, to: usize);

    /// `length` bytes, 3 to 258, as they stand `distance` before.
    fn one_match(&mut self, length: usize, distance: usize);

    /// `length` bytes, 3 at least, as they stand `distance` before.
    #[inline]
    fn matched(&mut self, mut length: usize, distance: usize) {
        while length > LONGEST_MATCH {
            // What is left must not be shorter than a match can be.
            let part = LONGEST_MATCH.min(length - 3);
            self.one_match(part, distance);
            length -= part;
        }
        self.one_match(length, distance);
    }
}

/// How often each symbol occurs.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) literals: [u32; LITERALS],
    pub(super) distances: [u32; DISTANCES],
}

impl Counts {
    pub(super) fn new() -> Self {
        let mut counts = Self {
            literals: [0; LITERALS],
            distances: [0; DISTANCES],
        };
        counts.literals[END] = 1;
        // A code needs two symbols, also where there is nothing to tell apart.
        counts.literals[0] = 1;
        counts.distances[..2].fill(1);
        counts
    }

    /// Makes the counts of a sample those of a text in which everything may occur.
    pub(super) fn spread(&mut self) {
        let all = self.literals.iter_mut().chain(&mut self.distances);
        // As far as `lengths` takes them.
        all.for_each(|count| *count = (*count).min((1 << 19) - 1) * 16 + 1);
    }
}

impl Sink for Counts {
    #[inline]
    fn literals(&mut self, text: &[u8], from: usize, to: usize) {
        for byte in &text[from..to] {
            self.literals[usize::from(*byte)] += 1;
        }
    }

    #[inline]
    fn one_match(&mut self, length: usize, distance: usize) {
        self.literals[length_code(length).0] += 1;
        self.distances[distance_code(distance as u32 - 1).0] += 1;
    }
}

/// The codes of a block.
#[derive(Debug)]
pub(super) struct Codes {
    lengths: [u8; LITERALS + DISTANCES],
    literals: [Code; LITERALS],
    distances: [Code; DISTANCES],
    /// By match length, with the extra bits.
    matches: [Code; LONGEST_MATCH + 1],
}

impl Codes {
    pub(super) fn new(counts: &Counts) -> Self {
        let mut new = Self {
            lengths: [0; LITERALS + DISTANCES],
            literals: [Code::default(); LITERALS],
            distances: [Code::default(); DISTANCES],
            matches: [Code::default(); LONGEST_MATCH + 1],
        };
        let (literals, distances) = new.lengths.split_at_mut(LITERALS);
        lengths(&counts.literals, LONGEST_CODE, literals);
        lengths(&counts.distances, LONGEST_CODE, distances);
        codes(literals, &mut new.literals);
        codes(distances, &mut new.distances);
        for (length, code) in new.matches.iter_mut().enumerate().skip(3) {
            let (symbol, extra) = length_code(length);
            *code = new.literals[symbol].with(extra.bits, extra.count);
        }
        new
    }

    /// Code lengths of both alphabets, one behind the other.
    pub(super) fn lengths(&self) -> &[u8] {
        &self.lengths
    }
}

/// Writes what it takes.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    pub(super) codes: &'a Codes,
    pub(super) bits: Bits<'a>,
}

impl Writer<'_> {
    /// Ends the block, and comes to the border of a byte by an empty block of bytes as they are.
    pub(super) fn finish(mut self) {
        self.bits.reserve(16);
        self.bits.put_code(self.codes.literals[END]);
        self.bits.put(0, 3);
        self.bits.align();
        self.bits.put(0xffff_0000, 32);
        self.bits.finish();
    }
}

impl Sink for Writer<'_> {
    /// Four at a time; those behind the last are looked at and not written, because to know how many there are costs more
    /// than to look up four.
    #[inline(always)]
    fn literals(&mut self, text: &[u8], mut from: usize, to: usize) {
        self.bits.reserve(2 * (to - from) + 8);
        let code = |byte: u8| self.codes.literals[usize::from(byte)];
        while let Some(four) = text.get(from..).and_then(<[u8]>::first_chunk::<4>)
            && from < to
        {
            let left = to - from;
            let (mut bits, mut count) = (0, 0);
            for (place, byte) in four.iter().enumerate() {
                let code = if place < left {
                    code(*byte)
                } else {
                    Code::default()
                };
                bits |= u64::from(code.bits()) << count;
                count += code.length();
            }
            self.bits.put(bits, count);
            from += 4;
        }
        if from < to {
            text[from..to]
                .iter()
                .for_each(|byte| self.bits.put_code(code(*byte)));
        }
    }

    #[inline(always)]
    fn one_match(&mut self, length: usize, distance: usize) {
        self.bits.reserve(16);
        let first = self.codes.matches[length];
        let (symbol, extra) = distance_code(distance as u32 - 1);
        let second = self.codes.distances[symbol];
        let more = u64::from(second.bits()) | u64::from(extra.bits) << second.length();
        self.bits.put(
            u64::from(first.bits()) | more << first.length(),
            first.length() + second.length() + extra.count,
        );
    }
}

/// Bits that follow a code, and how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extra {
    pub(super) bits: u32,
    pub(super) count: u32,
}

/// The symbol of a match length, from 3 to 258.
#[inline]
fn length_code(length: usize) -> (usize, Extra) {
    if length == LONGEST_MATCH {
        return (285, Extra { bits: 0, count: 0 });
    }
    let (code, extra) = stepped(length as u32 - 3, 2);
    (257 + code, extra)
}

/// The symbol of a distance less one.
#[inline]
fn distance_code(distance: u32) -> (usize, Extra) {
    stepped(distance, 1)
}

/// Both tables of RFC 1951 go up in octaves of 2^`steps` codes: from the second octave on, each code stands for a range
/// twice as wide as in the octave before.
#[inline]
fn stepped(value: u32, steps: u32) -> (usize, Extra) {
    // How often the value has to be halved until it is within the first two octaves.
    let count = (value | 1 << steps).ilog2() - steps;
    let code = (count << steps) + (value >> count);
    let bits = value & ((1 << count) - 1);
    (code as usize, Extra { bits, count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_those_of_the_rfc() {
        let length = |length| {
            let (code, extra) = length_code(length);
            (code, extra.bits, extra.count)
        };
        let cases = [
            (3, (257, 0, 0)),
            (10, (264, 0, 0)),
            (11, (265, 0, 1)),
            (12, (265, 1, 1)),
            (13, (266, 0, 1)),
            (19, (269, 0, 2)),
            (130, (280, 15, 4)),
            (131, (281, 0, 5)),
            (257, (284, 30, 5)),
            (258, (285, 0, 0)),
        ];
        for (given, wanted) in cases {
            assert_eq!(length(given), wanted, "length {given}");
        }
        let distance = |distance: u32| {
            let (code, extra) = distance_code(distance - 1);
            (code, extra.bits, extra.count)
        };
        let cases = [
            (1, (0, 0, 0)),
            (4, (3, 0, 0)),
            (5, (4, 0, 1)),
            (6, (4, 1, 1)),
            (7, (5, 0, 1)),
            (9, (6, 0, 2)),
            (24_577, (29, 0, 13)),
            (32_768, (29, 8191, 13)),
        ];
        for (given, wanted) in cases {
            assert_eq!(distance(given), wanted, "distance {given}");
        }
    }
}
