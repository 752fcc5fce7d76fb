//! A place in the page that only moves forward.

use super::error::Fault;

/// Classes of bytes, one bit each, so that names are read with one look-up a byte.
const METRIC_START: u8 = 1;
const METRIC: u8 = 2;
const LABEL_START: u8 = 4;
const LABEL: u8 = 8;
const WORD: u8 = 16;
const STRING: u8 = 32;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [WORD | STRING; 256];
    table[b' ' as usize] = STRING;
    table[b'\t' as usize] = STRING;
    table[b'\n' as usize] = 0;
    table[b'"' as usize] = WORD;
    table[b'\\' as usize] = WORD;
    let mut byte = 0_u8;
    while byte < 128 {
        let at = byte as usize;
        if byte.is_ascii_alphabetic() || byte == b'_' {
            table[at] |= METRIC_START | METRIC | LABEL_START | LABEL;
        } else if byte.is_ascii_digit() {
            table[at] |= METRIC | LABEL;
        } else if byte == b':' {
            table[at] |= METRIC_START | METRIC;
        }
        byte += 1;
    }
    table
}

/// Every stop of the cursor is next to an ASCII byte, so slices between two stops are whole characters.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    input: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(input: &'a str) -> Self {
        Self { input, at: 0 }
    }

    /// Byte offset in the page.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.input.len()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.input.as_bytes().get(self.at).copied()
    }

    /// Moves past this byte if it is next.
    pub(super) fn eat(&mut self, ascii: u8) -> bool {
        let found = self.peek() == Some(ascii);
        self.at += usize::from(found);
        found
    }

    /// Moves past the next byte, which the caller has seen to be ASCII.
    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    /// Moves past this byte, which must be next; `what` describes it in the error.
    pub(super) fn expect(&mut self, ascii: u8, what: &str) -> Result<(), Fault> {
        if self.eat(ascii) {
            return Ok(());
        }
        Err(self.expected(what))
    }

    /// Moves past spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// What stands before the next blank or line end; may be empty.
    pub(super) fn word(&mut self) -> &'a str {
        self.take_while(WORD)
    }

    /// What is left of the line, without its end.
    pub(super) fn rest_of_line(&mut self) -> &'a str {
        let rest = &self.input[self.at..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        self.at += line.len();
        line
    }

    /// A metric name without quotes.
    pub(super) fn metric_name(&mut self) -> Result<&'a str, Fault> {
        if !self.is_next(METRIC_START) {
            return Err(self.expected("a metric name"));
        }
        Ok(self.take_while(METRIC))
    }

    /// A label name without quotes.
    pub(super) fn label_name(&mut self) -> Result<&'a str, Fault> {
        if !self.is_next(LABEL_START) {
            return Err(self.expected("a label name"));
        }
        Ok(self.take_while(LABEL))
    }

    /// Moves to the next quote, backslash or line end.
    pub(super) fn skip_string(&mut self) {
        self.take_while(STRING);
    }

    /// What stands between an earlier stop and this one.
    pub(super) fn since(&self, start: usize) -> &'a str {
        &self.input[start..self.at]
    }

    /// The error of finding something else than `what` here.
    pub(super) fn expected(&self, what: &str) -> Fault {
        let found = match self.input[self.at..].chars().next() {
            None => "the end of the page".to_owned(),
            Some('\n') => "the end of the line".to_owned(),
            Some('\r') => "a carriage return".to_owned(),
            Some('\u{feff}') => "a byte order mark".to_owned(),
            Some(' ') => "a blank".to_owned(),
            Some('\t') => "a tab".to_owned(),
            Some('\'') => "an apostrophe".to_owned(),
            Some(character) => format!("{character:?}"),
        };
        Fault::new(self.at, format!("expected {what}, found {found}"))
    }

    fn is_next(&self, class: u8) -> bool {
        self.peek()
            .is_some_and(|byte| CLASSES[usize::from(byte)] & class != 0)
    }

    fn take_while(&mut self, class: u8) -> &'a str {
        let rest = &self.input.as_bytes()[self.at..];
        let len = rest
            .iter()
            .position(|byte| CLASSES[usize::from(*byte)] & class == 0);
        let start = self.at;
        self.at += len.unwrap_or(rest.len());
        &self.input[start..self.at]
    }
}
