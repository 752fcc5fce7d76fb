//! Redis's protocol (RESP 2), as much of it as commands and their replies need.

use std::io::{self, BufRead};

/// The longest reply that is taken, in bytes: a peer that is no Redis must not fill the memory.
const LONGEST: usize = 16 << 20;

/// The longest list, and the deepest one.
const MOST: usize = 10_000;
const DEEPEST: usize = 4;

#[derive(Debug, PartialEq)]
pub(crate) enum Reply {
    /// A text; none where Redis has nothing.
    Text(Option<String>),
    /// A refusal, in Redis's words.
    Error(String),
    Integer(i64),
    List(Vec<Reply>),
}

/// A command as it is sent.
pub(crate) fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The next reply.
pub(crate) fn reply(input: &mut impl BufRead) -> io::Result<Reply> {
    nested(input, DEEPEST)
}

fn nested(input: &mut impl BufRead, depth: usize) -> io::Result<Reply> {
    let line = line(input)?;
    let mut rest = line.chars();
    let reply = match rest.next() {
        Some('+') => Reply::Text(Some(rest.collect())),
        Some('-') => Reply::Error(rest.collect()),
        Some(':') => Reply::Integer(rest.as_str().parse().map_err(|_| odd(&line))?),
        Some('$') => match length(rest.as_str(), LONGEST).ok_or_else(|| odd(&line))? {
            Some(length) => Reply::Text(Some(text(input, length)?)),
            None => Reply::Text(None),
        },
        Some('*') if depth > 0 => {
            let length = length(rest.as_str(), MOST).ok_or_else(|| odd(&line))?;
            let items = (0..length.unwrap_or(0)).map(|_| nested(input, depth - 1));
            Reply::List(items.collect::<io::Result<_>>()?)
        }
        _ => return Err(odd(&line)),
    };
    Ok(reply)
}

/// A length within the bound; −1 is none.
fn length(text: &str, most: usize) -> Option<Option<usize>> {
    if text == "-1" {
        return Some(None);
    }
    let length = text.parse().ok()?;
    (length <= most).then_some(Some(length))
}

/// One line without its end.
fn line(input: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.unwrap_or(buffer.len());
        if buffer.is_empty() || bytes.len() + length > LONGEST {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..length]);
        input.consume(length + usize::from(end.is_some()));
        if end.is_some() {
            break;
        }
    }
    if bytes.pop() != Some(b'\r') {
        return Err(odd(&String::from_utf8_lossy(&bytes)));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A text of this length, whose line end is taken, too. What is not UTF-8 in it becomes U+FFFD.
fn text(input: &mut impl BufRead, length: usize) -> io::Result<String> {
    let mut bytes = Vec::new();
    let wanted = length + 2;
    while bytes.len() < wanted {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let taken = buffer.len().min(wanted - bytes.len());
        bytes.extend_from_slice(&buffer[..taken]);
        input.consume(taken);
    }
    if !bytes.ends_with(b"\r\n") {
        return Err(odd("a text without an end"));
    }
    bytes.truncate(length);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn odd(line: &str) -> io::Error {
    let line: String = line.chars().take(40).collect();
    io::Error::other(format!(
        "the peer does not speak Redis's protocol: {line:?}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut bytes: &[u8]) -> io::Result<Reply> {
        reply(&mut bytes)
    }

    fn text(text: &str) -> Reply {
        Reply::Text(Some(text.into()))
    }

    #[test]
    fn commands_count_bytes() {
        assert_eq!(
            command(&["AUTH", "ü"]),
            "*2\r\n$4\r\nAUTH\r\n$2\r\nü\r\n".as_bytes()
        );
    }

    #[test]
    fn every_kind_of_reply() {
        assert_eq!(read(b"+OK\r\n").ok(), Some(text("OK")));
        assert_eq!(
            read(b"-ERR no\r\n").ok(),
            Some(Reply::Error("ERR no".into()))
        );
        assert_eq!(read(b":-7\r\n").ok(), Some(Reply::Integer(-7)));
        assert_eq!(read(b"$4\r\na\r\nb\r\n").ok(), Some(text("a\r\nb")));
        assert_eq!(read(b"$-1\r\n").ok(), Some(Reply::Text(None)));
        let list = Reply::List(vec![text("databases"), text("16")]);
        assert_eq!(
            read(b"*2\r\n$9\r\ndatabases\r\n$2\r\n16\r\n").ok(),
            Some(list)
        );
    }

    #[test]
    fn a_reply_may_come_in_pieces() {
        let bytes: &[u8] = b"$6\r\nabcdef\r\n";
        for size in 1..bytes.len() {
            let mut input = io::BufReader::with_capacity(size, bytes);
            assert_eq!(reply(&mut input).ok(), Some(text("abcdef")));
        }
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        let deep = b"*1\r\n".repeat(DEEPEST + 1);
        let wrong: [&[u8]; 10] = [
            b"",
            b"+OK",
            b"+OK\n",
            b"HTTP/1.1 400 Bad Request\r\n",
            b":one\r\n",
            b"$5\r\nabc\r\n",
            b"$3\r\nabcde\r\n",
            b"$99999999999999999999\r\n",
            b"*10001\r\n",
            &deep,
        ];
        for bytes in wrong {
            assert!(read(bytes).is_err(), "{:?}", String::from_utf8_lossy(bytes));
        }
        let error = read(b"HTTP/1.1 400 Bad Request\r\n").expect_err("no Redis");
        assert!(error.to_string().contains("does not speak"), "{error}");
    }
}
