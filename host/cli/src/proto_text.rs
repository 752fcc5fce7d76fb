//! The protobuf text that Go's `proto.MarshalTextString` prints, which books and tutorials show.
//!
//! It differs from the text of today (`prototext`) in its brackets, and in how it escapes what is not ASCII.

use std::{fmt::Write, str::Chars};

/// Rewrites protobuf's text form. `created_timestamp`s are left out: tutorials are older, and two runs print the same.
pub(crate) fn as_go_prints_it(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // The indentation of a message that is left out.
    let mut skipped: Option<&str> = None;
    for line in text.lines() {
        let body = line.trim_start();
        let indent = &line[..line.len() - body.len()];
        if let Some(begun) = skipped {
            if indent == begun && body == "}" {
                skipped = None;
            }
            continue;
        }
        if let Some(message) = body.strip_prefix("created_timestamp: ") {
            skipped = (message == "{").then_some(indent);
            continue;
        }
        out.push_str(indent);
        if body == "}" {
            out.push('>');
        } else if let Some(name) = body.strip_suffix(": {}") {
            // Formatting into a string does not fail.
            let _ = write!(out, "{name}: <\n{indent}>");
        } else if let Some(name) = body.strip_suffix(": {") {
            let _ = write!(out, "{name}: <");
        } else if let Some((name, quoted)) = body.split_once(": \"") {
            let _ = write!(out, "{name}: \"");
            push_quoted(&mut out, quoted);
        } else {
            out.push_str(body);
        }
        out.push('\n');
    }
    out
}

/// The rest of a string, its last quote included: bytes that are not printable ASCII become octal.
fn push_quoted(out: &mut String, quoted: &str) {
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            push(out, c);
            continue;
        }
        match chars.next() {
            Some('x') => push(out, code(&mut chars, 2)),
            Some('u') => push(out, code(&mut chars, 4)),
            Some(escaped) => out.extend(['\\', escaped]),
            None => out.push('\\'),
        }
    }
}

fn push(out: &mut String, c: char) {
    if matches!(c, ' '..='~') {
        out.push(c);
        return;
    }
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        // Formatting into a string does not fail.
        let _ = write!(out, "\\{byte:03o}");
    }
}

/// The character of so many hexadecimal digits.
fn code(chars: &mut Chars<'_>, digits: usize) -> char {
    let digits: String = chars.by_ref().take(digits).collect();
    let number = u32::from_str_radix(&digits, 16).ok();
    number
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By Go's `proto.MarshalTextString`, of golang/protobuf 1.5.
    #[test]
    fn brackets_and_escapes_are_those_of_go() {
        let today = "name: \"a\"\nhelp: \"\\\"q\\\" \\\\ \\n \\x00 \\u0085 é : {\"\ntype: COUNTER\nmetric: {\n  counter: {\n    value: 1e+06\n    created_timestamp: {\n      seconds: 1\n    }\n  }\n  label: {}\n}\n\n";
        let go = "name: \"a\"\nhelp: \"\\\"q\\\" \\\\ \\n \\000 \\302\\205 \\303\\251 : {\"\ntype: COUNTER\nmetric: <\n  counter: <\n    value: 1e+06\n  >\n  label: <\n  >\n>\n\n";
        assert_eq!(as_go_prints_it(today), go);
    }
}
