//! Where and why a page was refused.

/// Why a page was refused. One sentence, such as `line 3, column 7: expected '=' after the label name, found '+'`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseError {
    /// Counted from 1; lines end with a line feed.
    pub line: usize,
    /// Counted in characters, from 1.
    pub column: usize,
    /// What was expected there.
    pub message: String,
}

/// An error while the page is read: with a byte offset, because nobody counts lines of a page that is in order.
#[derive(Debug)]
pub(super) struct Fault {
    /// Byte offset in the page.
    pub(super) at: usize,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }

    /// Counts lines and columns up to the fault.
    pub(super) fn locate(self, input: &str) -> ParseError {
        let before = input.get(..self.at).unwrap_or(input);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        ParseError {
            line: 1 + before.bytes().filter(|byte| *byte == b'\n').count(),
            column: 1 + before[start..].chars().count(),
            message: self.message,
        }
    }
}
