//! Quoted strings and help texts.

use std::borrow::Cow;

use super::{cursor::Cursor, error::Fault};

/// What a backslash means before another character than those that have to be escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OtherEscapes {
    /// Format 0.0.4: nothing, it is an error.
    Refused,
    /// OpenMetrics: itself.
    Literal,
}

/// Reads a string from its opening to its closing quote and returns what is between, escapes included; `what` names it in
/// errors.
pub(super) fn quoted<'a>(
    cursor: &mut Cursor<'a>,
    others: OtherEscapes,
    what: &str,
) -> Result<&'a str, Fault> {
    if !cursor.eat(b'"') {
        return Err(cursor.expected(&format!("'\"' before {what}")));
    }
    let start = cursor.at();
    loop {
        cursor.skip_string();
        match cursor.peek() {
            Some(b'"') => {
                let text = cursor.since(start);
                cursor.skip();
                return Ok(text);
            }
            Some(b'\\') => cursor.skip(),
            _ => return Err(cursor.expected(&format!("'\"' after {what}"))),
        }
        match cursor.peek() {
            Some(b'n' | b'"' | b'\\') => cursor.skip(),
            Some(byte) if others == OtherEscapes::Literal && byte != b'\n' => {}
            _ => return Err(cursor.expected("'\\', '\"' or 'n' after a backslash")),
        }
    }
}

/// What a string that [`quoted`] returned means.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    let Some((plain, mut rest)) = text.split_once('\\') else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len());
    out.push_str(plain);
    loop {
        let known = match rest.as_bytes().first() {
            Some(b'n') => Some('\n'),
            Some(b'"') => Some('"'),
            Some(b'\\') => Some('\\'),
            _ => None,
        };
        out.push(known.unwrap_or('\\'));
        rest = &rest[usize::from(known.is_some())..];
        let Some((plain, after)) = rest.split_once('\\') else {
            out.push_str(rest);
            return Cow::Owned(out);
        };
        out.push_str(plain);
        rest = after;
    }
}

/// Reads a help text up to the end of its line.
pub(super) fn help<'a>(
    cursor: &mut Cursor<'a>,
    others: OtherEscapes,
) -> Result<Cow<'a, str>, Fault> {
    let start = cursor.at();
    let line = cursor.rest_of_line();
    let mut rest = line;
    while others == OtherEscapes::Refused
        && let Some((_, escaped)) = rest.split_once('\\')
    {
        // Quotes are left alone in help texts of format 0.0.4, which so knows no escape for them.
        let Some(b'n' | b'\\') = escaped.as_bytes().first() else {
            let at = start + line.len() - escaped.len();
            return Err(Fault::new(
                at,
                "expected '\\' or 'n' after a backslash in a help text",
            ));
        };
        rest = &escaped[1..];
    }
    Ok(unescape(line))
}
