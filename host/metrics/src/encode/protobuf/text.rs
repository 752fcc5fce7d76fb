//! Protobuf's text form, for people: as Go's `prototext.Format` prints it (the `text` encoding) and as the `String`
//! method of a message does (`compact-text`), each with one more line feed behind it. Go puts a second space into some
//! places, chosen anew by each build, so that nobody relies on them; here there is always one.

use super::{Field, Writer};
use crate::number::push_float;

/// How fields stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::encode) enum Layout {
    /// Each on a line, indented.
    Lines,
    /// All of a family on one line.
    Line,
}

#[derive(Debug)]
pub(super) struct Text<'a> {
    out: &'a mut Vec<u8>,
    layout: Layout,
    depth: usize,
    /// Whether the next field is the first of its message.
    is_first: bool,
}

impl<'a> Text<'a> {
    /// Begins a message.
    pub(super) fn first(layout: Layout, out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            layout,
            depth: 0,
            is_first: true,
        }
    }

    /// Goes on with a message that has fields.
    pub(super) fn more(layout: Layout, out: &'a mut Vec<u8>) -> Self {
        Self {
            is_first: false,
            ..Self::first(layout, out)
        }
    }

    fn indent(&mut self) {
        self.out.resize(self.out.len() + 2 * self.depth, b' ');
    }

    fn field(&mut self, field: Field, write: impl FnOnce(&mut Self)) {
        match self.layout {
            Layout::Lines => self.indent(),
            Layout::Line if !self.is_first => self.out.push(b' '),
            Layout::Line => {}
        }
        self.out.extend_from_slice(field.1.as_bytes());
        self.out.push(b':');
        if self.layout == Layout::Lines {
            self.out.push(b' ');
        }
        write(self);
        if self.layout == Layout::Lines {
            self.out.push(b'\n');
        }
        self.is_first = false;
    }

    fn number(&mut self, field: Field, number: impl itoa::Integer) {
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(number).as_bytes();
        self.field(field, |to| to.out.extend_from_slice(text));
    }
}

impl Writer for Text<'_> {
    fn message(&mut self, field: Field, write: impl FnOnce(&mut Self)) {
        self.field(field, |to| {
            to.out.push(b'{');
            let start = to.out.len();
            to.depth += 1;
            to.is_first = true;
            if to.layout == Layout::Lines {
                to.out.push(b'\n');
            }
            write(to);
            to.depth -= 1;
            if to.is_first {
                to.out.truncate(start);
            } else if to.layout == Layout::Lines {
                to.indent();
            }
            to.out.push(b'}');
        });
    }

    fn string(&mut self, field: Field, value: &[u8]) {
        self.field(field, |to| {
            to.out.push(b'"');
            // Only strings were ever rendered.
            for char in String::from_utf8_lossy(value).chars() {
                push_escaped(to.out, char);
            }
            to.out.push(b'"');
        });
    }

    fn double(&mut self, field: Field, value: f64) {
        self.field(field, |to| match value {
            value if value.is_nan() => to.out.extend_from_slice(b"nan"),
            f64::INFINITY => to.out.extend_from_slice(b"inf"),
            f64::NEG_INFINITY => to.out.extend_from_slice(b"-inf"),
            value if value == 0.0 && value.is_sign_negative() => to.out.extend_from_slice(b"-0"),
            value => push_float(to.out, value),
        });
    }

    fn unsigned(&mut self, field: Field, value: u64) {
        self.number(field, value);
    }

    fn signed(&mut self, field: Field, value: i64) {
        self.number(field, value);
    }

    fn zigzag(&mut self, field: Field, value: i64) {
        self.number(field, value);
    }

    fn word(&mut self, field: Field, _: u64, name: &'static str) {
        self.field(field, |to| to.out.extend_from_slice(name.as_bytes()));
    }
}

fn push_escaped(out: &mut Vec<u8>, char: char) {
    match char {
        '"' | '\\' => out.extend_from_slice(&[b'\\', char as u8]),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\0'..' ' | '\u{7f}' => out.extend_from_slice(format!("\\x{:02x}", char as u32).as_bytes()),
        '\u{80}'..='\u{9f}' => out.extend_from_slice(format!("\\u{:04x}", char as u32).as_bytes()),
        _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}
