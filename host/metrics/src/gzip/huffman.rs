//! Huffman codes with a bound on their length.

/// More symbols than any alphabet of deflate has.
const SYMBOLS: usize = 288;

/// One symbol's code, as it is written, first bit lowest, and perhaps the extra bits that follow it: 24 bits at the most,
/// and above them how many.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Code(u32);

impl Code {
    #[inline]
    pub(super) fn bits(self) -> u32 {
        self.0 & 0xff_ffff
    }

    #[inline]
    pub(super) fn length(self) -> u32 {
        self.0 >> 24
    }

    /// The code, and behind it `count` more bits.
    #[inline]
    pub(super) fn with(self, bits: u32, count: u32) -> Self {
        Self((self.0 | bits << self.length()) + (count << 24))
    }
}

/// Code lengths for these counts, none above `limit`; 0 for what does not occur. At least two symbols must occur. Counts
/// are below 2^23.
pub(super) fn lengths(counts: &[u32], limit: usize, lengths: &mut [u8]) {
    lengths.fill(0);
    // Count and symbol in one number, which sorts faster than a pair.
    let mut symbols = [0; SYMBOLS];
    let mut len = 0;
    for (symbol, count) in (0..).zip(counts) {
        if *count > 0 {
            symbols[len] = count << 9 | symbol;
            len += 1;
        }
    }
    let symbols = &mut symbols[..len];
    symbols.sort_unstable();
    let mut per_length = depths(symbols, limit);
    bound(&mut per_length, limit);
    // The rarest symbols get the longest codes.
    let mut rarest = symbols.iter();
    for length in (1..=limit).rev() {
        for symbol in rarest.by_ref().take(per_length[length]) {
            lengths[(symbol & 0x1ff) as usize] = length as u8;
        }
    }
}

/// How many leaves of the tree stand at each depth; what is deeper than `limit` counts as there.
fn depths(symbols: &[u32], limit: usize) -> [usize; 16] {
    let leaves = symbols.len();
    let nodes = 2 * leaves - 1;
    // Leaves first, then the inner nodes as they are made; both kinds come by ascending weight.
    let mut weights = [0; 2 * SYMBOLS];
    let mut parents = [0u16; 2 * SYMBOLS];
    for (weight, symbol) in weights.iter_mut().zip(symbols) {
        *weight = symbol >> 9;
    }
    let (mut leaf, mut inner) = (0, leaves);
    for node in leaves..nodes {
        let mut lightest = || {
            let take_leaf = leaf < leaves && (inner == node || weights[leaf] <= weights[inner]);
            let next = if take_leaf { &mut leaf } else { &mut inner };
            parents[*next] = node as u16;
            *next += 1;
            weights[*next - 1]
        };
        weights[node] = lightest() + lightest();
    }
    // Now the weights are not needed any more, and make room for the depths.
    let depths = &mut weights;
    let mut per_length = [0; 16];
    depths[nodes - 1] = 0;
    for node in (0..nodes - 1).rev() {
        let depth = depths[usize::from(parents[node])] + 1;
        depths[node] = depth;
        if node < leaves {
            per_length[(depth as usize).min(limit)] += 1;
        }
    }
    per_length
}

/// Makes lengths that were cut at `limit` a complete code again.
fn bound(per_length: &mut [usize], limit: usize) {
    let used = |per_length: &[usize]| -> usize {
        (1..=limit)
            .map(|length| per_length[length] << (limit - length))
            .sum()
    };
    for _ in (1 << limit)..used(per_length) {
        // Two codes of the last length become one, and a shorter one becomes two of the next.
        per_length[limit] -= 1;
        if let Some(shorter) = (1..limit).rev().find(|length| per_length[*length] > 0) {
            per_length[shorter] -= 1;
            per_length[shorter + 1] += 2;
        }
    }
}

/// The canonical code of these lengths.
pub(super) fn codes(lengths: &[u8], codes: &mut [Code]) {
    let mut next = [0u16; 17];
    for length in lengths.iter().filter(|length| **length > 0) {
        next[usize::from(*length) + 1] += 1;
    }
    for length in 1..next.len() {
        next[length] += next[length - 1];
        next[length] <<= 1;
    }
    // Now `next[n]` is twice the count of shorter codes, shifted to n bits: the first code of n bits.
    for (code, length) in codes.iter_mut().zip(lengths) {
        *code = Code::default();
        if *length > 0 {
            let first = &mut next[usize::from(*length)];
            let bits = first.reverse_bits() >> (16 - length);
            *code = Code::default().with(bits.into(), (*length).into());
            *first += 1;
        }
    }
}
