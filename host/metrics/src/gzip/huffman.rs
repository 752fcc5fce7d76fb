//! Huffman codes with a bound on their length.

/// One symbol's code, as it is written: first bit lowest.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

/// Code lengths for these counts, none above `limit`; 0 for what does not occur. At least two symbols must occur.
pub(super) fn lengths(counts: &[u32], limit: usize, lengths: &mut [u8]) {
    lengths.fill(0);
    let mut symbols: Vec<(u32, u16)> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(symbol, count)| (*count, symbol as u16))
        .collect();
    symbols.sort_unstable();
    let mut per_length = depths(&symbols, limit);
    bound(&mut per_length, limit);
    // The rarest symbols get the longest codes.
    let mut rarest = symbols.iter();
    for length in (1..=limit).rev() {
        for (_, symbol) in rarest.by_ref().take(per_length[length]) {
            lengths[usize::from(*symbol)] = length as u8;
        }
    }
}

/// How many leaves of the tree stand at each depth; what is deeper than `limit` counts as there.
fn depths(symbols: &[(u32, u16)], limit: usize) -> Vec<usize> {
    let leaves = symbols.len();
    // Leaves first, then the inner nodes as they are made; both kinds come by ascending weight.
    let mut weights: Vec<u64> = symbols.iter().map(|(count, _)| u64::from(*count)).collect();
    let mut parents = vec![0; 2 * leaves - 1];
    let (mut leaf, mut inner) = (0, leaves);
    while weights.len() < 2 * leaves - 1 {
        let node = weights.len();
        let mut lightest = || {
            let take_leaf = leaf < leaves && (inner == node || weights[leaf] <= weights[inner]);
            let next = if take_leaf { &mut leaf } else { &mut inner };
            parents[*next] = node;
            *next += 1;
            weights[*next - 1]
        };
        let weight = lightest() + lightest();
        weights.push(weight);
    }
    let mut depth = vec![0usize; weights.len()];
    for node in (0..weights.len() - 1).rev() {
        depth[node] = depth[parents[node]] + 1;
    }
    let mut per_length = vec![0; limit + 1];
    depth[..leaves]
        .iter()
        .for_each(|depth| per_length[(*depth).min(limit)] += 1);
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
            *code = Code {
                bits,
                length: *length,
            };
            *first += 1;
        }
    }
}
