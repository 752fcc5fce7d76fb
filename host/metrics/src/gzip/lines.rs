//! Lines into literals and matches.

use super::block::Block;

/// How far back a match may reach.
const WINDOW: usize = 32 << 10;

/// Earlier lines that are looked at when the one before is not much alike: a series of a histogram with its default
/// buckets has fourteen.
const LINES: usize = 32;

/// How far to look for the end of a label value.
const LOOK: usize = 256;

/// A match costs about as much as this many literals.
const SHORTEST: usize = 5;

/// What is needed of the text: the window, and what is not written yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: Vec<u8>,
    /// Up to here it is written. Stands on the line feed that ends the last line: it begins the next one here, since a
    /// line is like another from the line feed before it on.
    written: usize,
    /// Where the last lines begin, in a ring.
    begins: [usize; LINES],
    /// How many lines there were, and the first that can be reached.
    seen: usize,
    oldest: usize,
}

impl Lines {
    pub(super) fn push(&mut self, text: &[u8], block: &mut Block) {
        self.forget();
        let mut from = self.text.len();
        self.text.extend_from_slice(text);
        while let Some(length) = memchr::memchr(b'\n', &self.text[from..]) {
            let end = from + length;
            if end > self.written {
                self.line(end, block);
            }
            from = end + 1;
        }
    }

    /// Writes what is left.
    pub(super) fn finish(&mut self, block: &mut Block) {
        block.literals(&self.text[self.written..]);
        self.written = self.text.len();
    }

    pub(super) fn reset(&mut self) {
        self.text.clear();
        (self.seen, self.oldest) = (0, 0);
        self.written = 0;
    }

    /// Drops text that no match can reach.
    fn forget(&mut self) {
        let gone = self.written.saturating_sub(WINDOW);
        if gone < 2 * WINDOW {
            return;
        }
        self.text.drain(..gone);
        self.written -= gone;
        // The lines that are gone are the oldest.
        let reachable = self.begins().take_while(|begin| *begin >= gone).count();
        self.begins
            .iter_mut()
            .for_each(|begin| *begin = begin.saturating_sub(gone));
        self.oldest = self.seen - reachable;
    }

    /// Writes the line that ends before `end`.
    fn line(&mut self, end: usize, block: &mut Block) {
        let begin = std::mem::replace(&mut self.written, end);
        let line = &self.text[begin..end];
        match self.model(begin, line) {
            Some((model, shared)) => self.write(begin, end, model, shared, block),
            None => block.literals(line),
        }
        self.begins[self.seen % LINES] = begin;
        self.seen += 1;
    }

    /// Where earlier lines begin, the last one first.
    fn begins(&self) -> impl Iterator<Item = usize> {
        let oldest = self.oldest.max(self.seen.saturating_sub(LINES));
        (oldest..self.seen)
            .rev()
            .map(|line| self.begins[line % LINES])
    }

    /// The earlier line that begins most like this one (the last, if it is like half of it), and how far it is.
    fn model(&self, begin: usize, line: &[u8]) -> Option<(usize, usize)> {
        let (mut best, mut most) = (None, SHORTEST - 1);
        for model in self.begins() {
            if begin - model > WINDOW - line.len().min(WINDOW) {
                break;
            }
            let alike = alike(line, &self.text[model..begin]);
            if alike > most {
                (best, most) = (Some(model), alike);
                if alike * 2 >= line.len() {
                    break;
                }
            }
        }
        best.map(|model| (model, most))
    }

    /// Writes a line as what it shares with its model and what it does not. Where they part, both go on behind the next
    /// quote: at the end of a label value, whatever its length.
    fn write(&self, begin: usize, end: usize, model: usize, mut shared: usize, block: &mut Block) {
        let (mut at, mut from) = (begin, model);
        // What is not matched yet; written as one run of literals.
        let mut unlike = begin;
        loop {
            if shared >= SHORTEST {
                block.literals(&self.text[unlike..at]);
                block.matched(shared, at - from);
                unlike = at + shared;
            }
            (at, from) = (at + shared, from + shared);
            let Some(here) = quote(&self.text[at..end]) else {
                break;
            };
            // No label value is worth a longer look.
            let near = begin.min(from + LOOK);
            let Some(there) = quote(&self.text[from..near]) else {
                break;
            };
            (at, from) = (at + here, from + there);
            shared = alike(&self.text[at..end], &self.text[from..begin]);
        }
        block.literals(&self.text[unlike..end]);
    }
}

/// Where the next quote is; near, as a rule.
#[inline]
fn quote(text: &[u8]) -> Option<usize> {
    text.iter().position(|byte| *byte == b'"')
}

/// How many bytes both begin with.
#[inline]
fn alike(a: &[u8], b: &[u8]) -> usize {
    let mut count = 0;
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        let differ = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differ != 0 {
            return count + differ.trailing_zeros() as usize / 8;
        }
        count += 8;
    }
    let (a, b) = (&a[count..], &b[count..]);
    count + a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
