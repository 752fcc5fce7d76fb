//! Room for a few lines, made at once: the place of the next byte then stays in a register, which halves the time of a
//! line that is pushed to a `Vec` part by part.

use crate::{
    block::{Texts, WINDOW},
    number::{self, NumberText},
};

/// Bytes that may be written behind a part, because parts are copied with a fixed length.
const SLACK: usize = 96;

/// The bytes behind those of a piece.
#[derive(Debug)]
pub(super) struct Room<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Room<'_> {
    /// Appends to `out` what `write` writes, at most so many bytes.
    #[inline(always)]
    pub(super) fn with(out: &mut Vec<u8>, most: usize, write: impl FnOnce(&mut Room<'_>)) {
        let start = out.len();
        out.resize(start + most + SLACK, 0);
        let mut room = Room {
            bytes: &mut out[start..],
            at: 0,
        };
        write(&mut room);
        let end = start + room.at;
        out.truncate(end);
    }

    #[inline(always)]
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes[self.at] = byte;
        self.at += 1;
    }

    /// Writes over the byte before the next one.
    #[inline(always)]
    pub(super) fn replace(&mut self, byte: u8) {
        self.bytes[self.at - 1] = byte;
    }

    #[inline(always)]
    pub(super) fn short<const N: usize>(&mut self, text: &Short<N>) {
        match &text.padded {
            Some(padded) => self.padded(padded, text.text.len()),
            None => self.text(&text.text),
        }
    }

    /// Writes it over the byte before the next one, and then another byte over its first.
    #[inline(always)]
    pub(super) fn short_over<const N: usize>(&mut self, text: &Short<N>, first: u8) {
        self.at -= 1;
        let start = self.at;
        self.short(text);
        self.bytes[start] = first;
    }

    /// The label text of a series.
    #[inline(always)]
    pub(super) fn labels(&mut self, texts: &Texts, position: usize) {
        let (text, window) = texts.get_padded(position);
        match window {
            Some(window) => self.padded::<WINDOW>(window, text.len()),
            None => self.text(text),
        }
    }

    #[inline(always)]
    pub(super) fn number(&mut self, value: f64) {
        if let Some((text, len)) = number::small(value) {
            self.padded(&text, len);
        } else {
            let text = NumberText::new(value);
            let (padded, len) = text.padded();
            self.padded(padded, len);
        }
    }

    /// At most `SLACK` bytes, of which `len` count.
    #[inline(always)]
    fn padded<const N: usize>(&mut self, padded: &[u8; N], len: usize) {
        const { assert!(N <= SLACK) };
        self.bytes[self.at..][..N].copy_from_slice(padded);
        self.at += len;
    }

    fn text(&mut self, text: &[u8]) {
        self.bytes[self.at..][..text.len()].copy_from_slice(text);
        self.at += text.len();
    }
}

/// A text that is written many times; copied with a fixed length if it fits.
#[derive(Debug)]
pub(super) struct Short<const N: usize> {
    text: Box<[u8]>,
    padded: Option<[u8; N]>,
}

impl<const N: usize> Short<N> {
    pub(super) fn new(text: &[u8]) -> Self {
        let mut padded = [0; N];
        let fits = text.len() <= N;
        if fits {
            padded[..text.len()].copy_from_slice(text);
        }
        Self {
            text: text.into(),
            padded: fits.then_some(padded),
        }
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_short_parts_stand_behind_each_other() {
        let long = [b'l'; 300];
        let mut texts = Texts::default();
        texts.push(&long, None);
        texts.push(b"s", None);
        let mut out = b"before ".to_vec();
        Room::with(&mut out, 700, |room| {
            room.short(&Short::<8>::new(b"ab{"));
            room.labels(&texts, 1);
            room.byte(b'}');
            room.number(1.5);
            room.short(&Short::<8>::new(b"123456789"));
            room.labels(&texts, 0);
            room.replace(b'!');
        });
        let wanted = format!("before ab{{s}}1.5123456789{}!", "l".repeat(299));
        assert_eq!(String::from_utf8(out).expect("ASCII"), wanted);
    }
}
