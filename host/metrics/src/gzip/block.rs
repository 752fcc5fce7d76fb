//! A deflate block: symbols are gathered and counted, then written with codes made for them.

use super::{
    bits::Bits,
    huffman::{Code, codes, lengths},
};

/// Literals, the end of the block, and the codes of lengths.
const LITERALS: usize = 286;
const DISTANCES: usize = 30;
const END: usize = 256;
const LONGEST_MATCH: usize = 258;

/// In this order the lengths of the codes of code lengths are written.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// What is in a block so far.
#[derive(Debug)]
pub(super) struct Block {
    /// A literal byte; or [`MATCH`], the length from bit 16 on, and the distance less one.
    symbols: Vec<u32>,
    literals: [u32; LITERALS],
    distances: [u32; DISTANCES],
}

const MATCH: u32 = 1 << 31;

impl Default for Block {
    fn default() -> Self {
        Self {
            symbols: Vec::new(),
            literals: [0; LITERALS],
            distances: [0; DISTANCES],
        }
    }
}

impl Block {
    #[inline]
    pub(super) fn literals(&mut self, text: &[u8]) {
        for byte in text {
            self.literals[usize::from(*byte)] += 1;
        }
        self.symbols
            .extend(text.iter().map(|byte| u32::from(*byte)));
    }

    /// `length` bytes, 3 at least, as they stand `distance` before.
    #[inline]
    pub(super) fn matched(&mut self, mut length: usize, distance: usize) {
        while length > LONGEST_MATCH {
            // What is left must not be shorter than a match can be.
            let part = LONGEST_MATCH.min(length - 3);
            self.one_match(part, distance);
            length -= part;
        }
        self.one_match(length, distance);
    }

    #[inline]
    fn one_match(&mut self, length: usize, distance: usize) {
        self.literals[usize::from(length_code(length).0)] += 1;
        self.distances[distance_code(distance as u32 - 1).0] += 1;
        self.symbols
            .push(MATCH | (length as u32) << 16 | (distance as u32 - 1));
    }

    pub(super) fn reset(&mut self) {
        self.symbols.clear();
        self.literals.fill(0);
        self.distances.fill(0);
    }

    /// Writes the block and begins another.
    pub(super) fn write(&mut self, last: bool, bits: &mut Bits, out: &mut Vec<u8>) {
        // A code needs two symbols, also where there is nothing to tell apart.
        self.literals[END] = 1;
        self.literals[0] += 1;
        self.distances[0] += 1;
        self.distances[1] += 1;
        let mut code_lengths = [0; LITERALS + DISTANCES];
        let (literal_lengths, distance_lengths) = code_lengths.split_at_mut(LITERALS);
        lengths(&self.literals, 15, literal_lengths);
        lengths(&self.distances, 15, distance_lengths);
        let mut literals = [Code::default(); LITERALS];
        let mut distances = [Code::default(); DISTANCES];
        codes(literal_lengths, &mut literals);
        codes(distance_lengths, &mut distances);
        bits.put(u32::from(last) | 2 << 1, 3, out);
        write_head(&code_lengths, bits, out);
        for symbol in &self.symbols {
            if symbol & MATCH == 0 {
                let Code { bits: code, length } = literals[*symbol as usize];
                bits.put(code.into(), length.into(), out);
            } else {
                let (symbol, distance) = (symbol >> 16 & 0x1ff, symbol & 0x7fff);
                let (code, extra) = length_code(symbol as usize);
                bits.put_with(literals[usize::from(code)], extra, out);
                let (code, extra) = distance_code(distance);
                bits.put_with(distances[code], extra, out);
            }
        }
        let Code { bits: code, length } = literals[END];
        bits.put(code.into(), length.into(), out);
        self.reset();
    }
}

/// Bits that follow a code, and how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extra {
    pub(super) bits: u16,
    pub(super) count: u8,
}

/// The symbol of a match length, from 3 to 258.
#[inline]
fn length_code(length: usize) -> (u16, Extra) {
    if length == LONGEST_MATCH {
        return (285, Extra { bits: 0, count: 0 });
    }
    let (code, extra) = stepped(length as u32 - 3, 2);
    (257 + code as u16, extra)
}

/// The symbol of a distance less one.
#[inline]
fn distance_code(distance: u32) -> (usize, Extra) {
    let (code, extra) = stepped(distance, 1);
    (code as usize, extra)
}

/// Both tables of RFC 1951 go up in octaves of 2^`steps` codes: from the second octave on, each code stands for a range
/// twice as wide as in the octave before.
#[inline]
fn stepped(value: u32, steps: u32) -> (u32, Extra) {
    let octave = (value >> steps).checked_ilog2().map_or(0, |log| log + 1);
    let count = octave.saturating_sub(1);
    let code = (octave << steps) + (value >> count) - if octave > 0 { 1 << steps } else { 0 };
    let bits = (value & ((1 << count) - 1)) as u16;
    (
        code,
        Extra {
            bits,
            count: count as u8,
        },
    )
}

/// The lengths of both codes, with runs shortened, and the code that they are written in.
fn write_head(code_lengths: &[u8; LITERALS + DISTANCES], bits: &mut Bits, out: &mut Vec<u8>) {
    let runs = runs(code_lengths);
    let mut counts = [0; 19];
    runs.iter()
        .for_each(|(symbol, _)| counts[usize::from(*symbol)] += 1);
    let mut own_lengths = [0; 19];
    lengths(&counts, 7, &mut own_lengths);
    let mut own = [Code::default(); 19];
    codes(&own_lengths, &mut own);
    bits.put(LITERALS as u32 - 257, 5, out);
    bits.put(DISTANCES as u32 - 1, 5, out);
    bits.put(ORDER.len() as u32 - 4, 4, out);
    for symbol in ORDER {
        bits.put(own_lengths[symbol].into(), 3, out);
    }
    for (symbol, extra) in runs {
        bits.put_with(own[usize::from(symbol)], extra, out);
    }
}

/// Symbols 0 to 15 are lengths; 16 repeats the one before 3 to 6 times, 17 and 18 are 3 to 10 and 11 to 138 zeros.
fn runs(code_lengths: &[u8]) -> Vec<(u8, Extra)> {
    let mut runs = Vec::new();
    for run in code_lengths.chunk_by(|a, b| a == b) {
        let mut left = run.len();
        let mut repeat = |symbol, least: usize, most: usize, count: u8, left: &mut usize| {
            while *left >= least {
                let times = most.min(*left);
                runs.push((
                    symbol,
                    Extra {
                        bits: (times - least) as u16,
                        count,
                    },
                ));
                *left -= times;
            }
        };
        if run[0] == 0 {
            repeat(18, 11, 138, 7, &mut left);
            repeat(17, 3, 10, 3, &mut left);
        } else {
            repeat(run[0], 1, 1, 0, &mut 1);
            left -= 1;
            repeat(16, 3, 6, 2, &mut left);
        }
        repeat(run[0], 1, 1, 0, &mut left);
    }
    runs
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
