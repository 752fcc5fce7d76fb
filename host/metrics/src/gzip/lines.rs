//! Long text: lines that are much like those before them.

use super::symbols::Sink;

/// How far back a match may reach.
const WINDOW: usize = 32 << 10;

/// Earlier lines that are looked at when the one before is not much alike: a series of a histogram with its default
/// buckets has fourteen.
const LINES: usize = 32;

/// How far to look for the end of a label value in an earlier line.
const LOOK: usize = 256;

/// A match costs about as much as this many literals.
const SHORTEST: usize = 5;

/// Where lines of a text stand that later ones may be like.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a [u8],
    /// Where the last lines begin, in a ring. A line begins at the line feed before it, since from there on it is like
    /// another.
    begins: [usize; LINES],
    /// How many lines there were.
    seen: usize,
    /// How many lines before it the last one stood that was worth a search.
    lag: usize,
}

/// An earlier line, and how many bytes it has in common with the one that is looked at.
#[derive(Clone, Copy, Debug)]
struct Model {
    begin: usize,
    end: usize,
    shared: usize,
}

impl Model {
    fn is_like_half(&self) -> bool {
        self.shared * 2 >= self.end - self.begin
    }
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            begins: [0; LINES],
            seen: 0,
            lag: LINES / 2,
        }
    }

    /// Shows `sink` all of the text.
    pub(super) fn read(&mut self, sink: &mut impl Sink) {
        self.read_part(0, self.text.len(), sink);
    }

    /// Shows `sink` about so many bytes of the text, from a line feed in its middle on.
    pub(super) fn sample(&mut self, middle: usize, length: usize, sink: &mut impl Sink) {
        let Some(feed) = memchr::memchr(b'\n', &self.text[middle..]) else {
            return;
        };
        let begin = middle + feed;
        // The lines before it, the oldest first.
        self.seen = 0;
        for line in memchr::memrchr_iter(b'\n', &self.text[..begin]).take(LINES) {
            self.begins[self.seen] = line;
            self.seen += 1;
        }
        self.begins[..self.seen].reverse();
        self.read_part(begin, begin + length, sink);
    }

    /// The lines that begin between two places; the first must be 0, or a line feed.
    #[inline(always)]
    fn read_part(&mut self, mut begin: usize, to: usize, sink: &mut impl Sink) {
        while begin < to.min(self.text.len()) {
            let end = match self.model(begin) {
                Some(model) => self.like(begin, model, sink),
                None => self.unlike(begin, begin + 1, sink),
            };
            self.begins[self.seen % LINES] = begin;
            self.seen += 1;
            begin = end;
        }
    }

    /// The earlier line that begins most like this one. It is enough that half is alike: the line before as a rule, and
    /// else the one so many lines before as the last time.
    #[inline(always)]
    fn model(&mut self, begin: usize) -> Option<Model> {
        match self.earlier(1, begin) {
            Some(last) if last.is_like_half() => Some(last),
            Some(_) => self.search(begin),
            None => None,
        }
    }

    #[inline(never)]
    fn search(&mut self, begin: usize) -> Option<Model> {
        let mut best: Option<Model> = None;
        for lag in std::iter::once(self.lag).chain(1..=LINES) {
            let Some(model) = self.earlier(lag, begin) else {
                continue;
            };
            if model.shared > best.map_or(SHORTEST - 1, |best| best.shared) {
                (best, self.lag) = (Some(model), lag);
                if model.is_like_half() {
                    break;
                }
            }
        }
        best
    }

    /// The line so many lines before, if there is one near enough.
    #[inline(always)]
    fn earlier(&self, lag: usize, begin: usize) -> Option<Model> {
        let line = self.seen.checked_sub(lag)?;
        let model = self.begins[line % LINES];
        let end = if lag == 1 {
            begin
        } else {
            self.begins[(line + 1) % LINES]
        };
        (begin - model <= WINDOW).then(|| Model {
            begin: model,
            end,
            shared: alike(self.text, begin, model, end - model),
        })
    }

    /// Shows a line as what it shares with its model and what it does not. Where they part, both go on behind the next
    /// quote: at the end of a label value, whatever its length.
    #[inline(always)]
    fn like(&self, begin: usize, model: Model, sink: &mut impl Sink) -> usize {
        let text = self.text;
        let (mut at, mut from) = (begin, model.begin);
        let mut shared = model.shared;
        // What is not matched yet; written as one run of literals.
        let mut unlike = begin;
        loop {
            if shared >= SHORTEST && at - from <= WINDOW {
                sink.literals(text, unlike, at);
                sink.matched(shared, at - from);
                unlike = at + shared;
            }
            // The line feed at its beginning is not its end.
            at = (at + shared).max(begin + 1);
            from = (from + shared).max(model.begin + 1);
            at += first_of(b'\n', b'"', &text[at..]);
            if text.get(at) != Some(&b'"') {
                sink.literals(text, unlike, at);
                return at;
            }
            // No label value is worth a longer look.
            let near = model.end.min(from + LOOK).max(from);
            let there = first_of(b'"', b'"', &text[from..near]);
            if from + there == near {
                return self.unlike(unlike, at, sink);
            }
            from += there;
            shared = alike(text, at, from, model.end - from);
        }
    }

    /// Shows the rest of a line as it is; its end is not before `known`.
    #[inline(never)]
    fn unlike(&self, from: usize, known: usize, sink: &mut impl Sink) -> usize {
        let rest = &self.text[known..];
        let end = known + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        sink.literals(self.text, from, end);
        end
    }
}

/// Where one of two bytes stands first, which is near as a rule; the length if it is nowhere.
#[inline(always)]
fn first_of(one: u8, other: u8, text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    // Of the bytes that are equal the lowest is found for certain; those above it are not asked for.
    let equal = |word: u64, byte: u8| {
        let differ = word ^ (ONES * u64::from(byte));
        differ.wrapping_sub(ONES) & !differ
    };
    let (words, rest) = text.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = (equal(word, one) | equal(word, other)) & (ONES << 7);
        if found != 0 {
            return place * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let place = rest.iter().position(|byte| *byte == one || *byte == other);
    words.len() * 8 + place.unwrap_or(rest.len())
}

/// How many bytes from `at` on, `most` at the most, are as from `from` on, which is before.
#[inline(always)]
fn alike(text: &[u8], at: usize, from: usize, most: usize) -> usize {
    // Words are compared across the end, which costs less than to count the bytes before it.
    let (here, there) = (&text[at..], &text[from..text.len() - (at - from)]);
    let mut count = 0;
    for (a, b) in here.as_chunks::<8>().0.iter().zip(there.as_chunks::<8>().0) {
        let differ = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differ != 0 {
            return most.min(count + differ.trailing_zeros() as usize / 8);
        }
        count += 8;
        if count >= most {
            return most;
        }
    }
    let rest = here[count..].iter().zip(&there[count..]);
    most.min(count + rest.take_while(|(a, b)| a == b).count())
}
