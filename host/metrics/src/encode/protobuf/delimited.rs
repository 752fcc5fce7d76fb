//! The binary encoding: a tag of field number and wire type, then the value; messages and strings behind their length.

use super::{Field, Writer};

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const LENGTH: u32 = 2;

/// Where bytes go, or where they are only counted: a length is known before what it is the length of is written.
trait Sink: Sized {
    fn put(&mut self, bytes: &[u8]);

    /// What `write` puts, behind its length.
    fn prefixed(&mut self, write: impl FnOnce(&mut Self));
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn prefixed(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.len();
        self.push(0);
        write(self);
        let length = self.len() - start - 1;
        if length < 0x80 {
            self[start] = length as u8;
        } else {
            // Most messages are short; of the others a few hundred bytes are moved up.
            let (varint, used) = varint(length as u64);
            self.extend_from_slice(&varint[1..used]);
            self.copy_within(start + 1..start + 1 + length, start + used);
            self[start..start + used].copy_from_slice(&varint[..used]);
        }
    }
}

/// The length of what was put.
#[derive(Debug, Default)]
pub(super) struct Count(pub(super) usize);

impl Sink for Count {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn prefixed(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.0;
        write(self);
        self.0 += varint((self.0 - start) as u64).1;
    }
}

impl<S: Sink> Writer for S {
    fn message(&mut self, field: Field, write: impl FnOnce(&mut Self)) {
        tag(self, field, LENGTH);
        self.prefixed(write);
    }

    fn string(&mut self, field: Field, value: &[u8]) {
        tag(self, field, LENGTH);
        put_varint(self, value.len() as u64);
        self.put(value);
    }

    fn double(&mut self, field: Field, value: f64) {
        tag(self, field, FIXED64);
        self.put(&value.to_le_bytes());
    }

    fn unsigned(&mut self, field: Field, value: u64) {
        tag(self, field, VARINT);
        put_varint(self, value);
    }

    fn signed(&mut self, field: Field, value: i64) {
        self.unsigned(field, value as u64);
    }

    fn zigzag(&mut self, field: Field, value: i64) {
        self.unsigned(field, (value << 1 ^ value >> 63) as u64);
    }

    fn word(&mut self, field: Field, number: u64, _: &'static str) {
        self.unsigned(field, number);
    }
}

/// Appends a number, seven bits to a byte, the lowest first.
pub(super) fn push_varint(out: &mut Vec<u8>, value: u64) {
    put_varint(out, value);
}

#[inline]
fn tag(sink: &mut impl Sink, field: Field, wire_type: u32) {
    put_varint(sink, u64::from(field.0 << 3 | wire_type));
}

#[inline]
fn put_varint(sink: &mut impl Sink, value: u64) {
    if value < 0x80 {
        sink.put(&[value as u8]);
    } else {
        let (bytes, used) = varint(value);
        sink.put(&bytes[..used]);
    }
}

/// The bytes of a number, and how many of them it takes.
#[inline]
fn varint(mut value: u64) -> ([u8; 10], usize) {
    let mut bytes = [0; 10];
    let mut used = 0;
    while value >= 0x80 {
        bytes[used] = value as u8 | 0x80;
        value >>= 7;
        used += 1;
    }
    bytes[used] = value as u8;
    (bytes, used + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn varints() {
        let cases: [(u64, &[u8]); 5] = [
            (0, &[0]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (300, &[0xac, 2]),
            (u64::MAX, &[255, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
        ];
        for (value, wanted) in cases {
            let mut out = Vec::new();
            push_varint(&mut out, value);
            assert_eq!(out, wanted);
        }
    }

    #[test]
    fn small_numbers_of_either_sign_are_short() {
        let mut out = Vec::new();
        for value in [0, -1, 1, -2, i64::MIN] {
            out.zigzag(Field(1, ""), value);
        }
        let least = [8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        assert_eq!(out, [&[8, 0, 8, 1, 8, 2, 8, 3], &least[..]].concat());
    }

    proptest! {
        #[test]
        fn counting_is_writing(lengths in prop::collection::vec(0..400usize, 0..4), number: i64) {
            fn write(to: &mut impl Writer, lengths: &[usize], number: i64) {
                to.signed(Field(1, ""), number);
                if let [length, rest @ ..] = lengths {
                    to.string(Field(2, ""), &vec![b'x'; *length]);
                    to.message(Field(17, ""), |to| write(to, rest, number));
                }
            }
            let (mut bytes, mut count) = (Vec::new(), Count::default());
            write(&mut bytes, &lengths, number);
            write(&mut count, &lengths, number);
            prop_assert_eq!(bytes.len(), count.0);
        }
    }
}
