//! The head of a block: its codes, which are written in a code of their own.

use super::{
    bits::Bits,
    huffman::{Code, codes, lengths},
    symbols::{Codes, DISTANCES, LITERALS},
};

/// In this order the lengths of the codes of code lengths are written.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// More bytes than a head takes.
const LONGEST: usize = 512;

/// Begins a block with codes of its own, which is not the last one.
pub(super) fn begin_block(block: &Codes, bits: &mut Bits<'_>) {
    bits.reserve(LONGEST);
    bits.put(2 << 1, 3);
    let mut counts = [0; ORDER.len()];
    runs(block.lengths(), |symbol, _, _| counts[symbol] += 1);
    // A code needs two symbols.
    counts[0] += 1;
    counts[18] += 1;
    let mut own_lengths = [0; ORDER.len()];
    lengths(&counts, 7, &mut own_lengths);
    let mut own = [Code::default(); ORDER.len()];
    codes(&own_lengths, &mut own);
    bits.put(LITERALS as u64 - 257, 5);
    bits.put(DISTANCES as u64 - 1, 5);
    bits.put(ORDER.len() as u64 - 4, 4);
    for symbol in ORDER {
        bits.put(own_lengths[symbol].into(), 3);
    }
    runs(block.lengths(), |symbol, extra, count| {
        bits.put_code(own[symbol].with(extra, count));
    });
}

/// Shows `each` the symbols that say these lengths, with their extra bits and how many. Symbols 0 to 15 are lengths; 16
/// repeats the one before 3 to 6 times, 17 and 18 are 3 to 10 and 11 to 138 zeros.
fn runs(code_lengths: &[u8], mut each: impl FnMut(usize, u32, u32)) {
    for run in code_lengths.chunk_by(|a, b| a == b) {
        let (length, mut left) = (usize::from(run[0]), run.len());
        let mut repeat =
            |symbol: usize, least: usize, most: usize, count: u32, left: &mut usize| {
                while *left >= least {
                    let times = most.min(*left);
                    each(symbol, (times - least) as u32, count);
                    *left -= times;
                }
            };
        if length == 0 {
            repeat(18, 11, 138, 7, &mut left);
            repeat(17, 3, 10, 3, &mut left);
        } else {
            repeat(length, 1, 1, 0, &mut 1);
            left -= 1;
            repeat(16, 3, 6, 2, &mut left);
        }
        repeat(length, 1, 1, 0, &mut left);
    }
}
