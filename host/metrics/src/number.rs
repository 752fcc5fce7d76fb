//! Numbers as Go prints them (`strconv.FormatFloat(f, 'g', -1, 64)`), which is what every Prometheus client library is
//! compared with.

/// Appends a sample value: the shortest digits that read back as the same double, with an exponent (signed, two digits
/// at least) where the decimal exponent is below -4 or above 5.
#[inline]
pub(crate) fn push_float(out: &mut Vec<u8>, value: f64) {
    if let Some((text, len)) = small(value) {
        let end = out.len() + len;
        out.extend_from_slice(&text);
        out.truncate(end);
    } else {
        let text = NumberText::new(value);
        out.extend_from_slice(&text.bytes[..text.len]);
    }
}

/// Below this a double can tell a whole number from its neighbours.
const DISTINCT: f64 = (1_u64 << 53) as f64;

/// From here on numbers have an exponent.
const MILLION: u32 = 1_000_000;

/// The three digits of each number below a thousand, not yet as characters, first one in the lowest byte.
static DIGITS: [u32; 1000] = {
    let mut digits = [0; 1000];
    let mut number = 0;
    while number < 1000 {
        let (hundreds, tens, ones) = (number / 100, number / 10 % 10, number % 10);
        digits[number] = (hundreds | tens << 8 | ones << 16) as u32;
        number += 1;
    }
    digits
};

/// A whole number below a million as text, with what stands behind it: six digits are looked up, and the leading zeros
/// shifted out. Such numbers are most of what exporters serve. -0 prints as 0, as in prometheus/common.
#[inline]
pub(crate) fn small(value: f64) -> Option<([u8; 8], usize)> {
    let whole = value as u32;
    if f64::from(whole) != value || whole >= MILLION {
        return None;
    }
    let digits = |number: u32| u64::from(DIGITS[number as usize]);
    let digits = digits(whole / 1000) | digits(whole % 1000) << 24;
    let zeros = (digits.trailing_zeros() / 8).min(5);
    let text = (digits | 0x3030_3030_3030) >> (8 * zeros);
    Some((text.to_le_bytes(), 6 - zeros as usize))
}

/// No number takes more bytes.
pub(crate) const LONGEST: usize = 24;

/// Any other number as text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberText {
    bytes: [u8; 32],
    len: usize,
}

impl NumberText {
    /// With what stands behind it, to be copied with a fixed length.
    pub(crate) fn padded(&self) -> (&[u8; 32], usize) {
        (&self.bytes, self.len)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn new(value: f64) -> Self {
        let mut text = Self {
            bytes: [0; 32],
            len: 0,
        };
        let magnitude = value.abs();
        if !value.is_finite() {
            text.push(match value {
                _ if value.is_nan() => b"NaN",
                _ if value > 0.0 => b"+Inf",
                _ => b"-Inf",
            });
        } else if (1e-4..1e6).contains(&magnitude) && value.fract() != 0.0 {
            // Here both write the same.
            text.push(zmij::Buffer::new().format_finite(value).as_bytes());
        } else {
            text.push_shortest(value);
        }
        text
    }

    fn push(&mut self, text: &[u8]) {
        self.bytes[self.len..][..text.len()].copy_from_slice(text);
        self.len += text.len();
    }

    /// A whole number of more than six digits, all of which count: memory in bytes, above all.
    fn push_large(&mut self, value: i64) {
        if value < 0 {
            self.push(b"-");
        }
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(value.unsigned_abs()).as_bytes();
        let zeros = digits.iter().rev().take_while(|digit| **digit == b'0');
        let end = digits.len() - zeros.count();
        self.push(&digits[..1]);
        if end > 1 {
            self.push(b".");
            self.push(&digits[1..end]);
        }
        let exponent = digits.len() as u8 - 1;
        self.push(&[b'e', b'+', b'0' + exponent / 10, b'0' + exponent % 10]);
    }

    fn push_zeros(&mut self, count: usize) {
        self.bytes[self.len..][..count].fill(b'0');
        self.len += count;
    }

    fn push_shortest(&mut self, value: f64) {
        if value.fract() == 0.0 && (1e6..DISTINCT).contains(&value.abs()) {
            return self.push_large(value as i64);
        }
        self.push_digits(&Digits::parse(zmij::Buffer::new().format_finite(value)));
    }

    fn push_digits(&mut self, number: &Digits) {
        let Digits {
            negative,
            ref digits,
            len,
            point,
        } = *number;
        let digits = &digits[..len];
        if negative {
            self.push(b"-");
        }
        // `point` is where the decimal point stands among the digits: value = 0.ddd × 10^point.
        let exponent = point - 1;
        if !(-4..6).contains(&exponent) {
            self.push(&digits[..1]);
            if len > 1 {
                self.push(b".");
                self.push(&digits[1..]);
            }
            self.push(if exponent < 0 { b"e-" } else { b"e+" });
            let magnitude = exponent.unsigned_abs();
            if magnitude < 10 {
                self.push(b"0");
            }
            self.push(itoa::Buffer::new().format(magnitude).as_bytes());
        } else if point <= 0 {
            self.push(b"0.");
            self.push_zeros(point.unsigned_abs() as usize);
            self.push(digits);
        } else {
            let whole = point as usize;
            if whole >= len {
                self.push(digits);
                self.push_zeros(whole - len);
            } else {
                self.push(&digits[..whole]);
                self.push(b".");
                self.push(&digits[whole..]);
            }
        }
    }
}

/// Appends a whole number of milliseconds or the like.
pub(crate) fn push_integer(out: &mut Vec<u8>, value: i64) {
    let mut buffer = itoa::Buffer::new();
    out.extend_from_slice(buffer.format(value).as_bytes());
}

/// A finite number taken apart: ±0.digits × 10^point, without leading or trailing zeros.
struct Digits {
    negative: bool,
    digits: [u8; 24],
    len: usize,
    point: i32,
}

impl Digits {
    /// Reads what any shortest-digits printer writes: `-12.5`, `1e21`, `1.5e-7`.
    fn parse(text: &str) -> Self {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let exponent: i32 = exponent.trim_start_matches('+').parse().unwrap_or(0);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut parsed = Self {
            negative,
            digits: [0; 24],
            len: 0,
            point: whole.len() as i32 + exponent,
        };
        for byte in whole.bytes().chain(fraction.bytes()) {
            if parsed.len == 0 && byte == b'0' {
                parsed.point -= 1;
            } else if parsed.len < parsed.digits.len() {
                parsed.digits[parsed.len] = byte;
                parsed.len += 1;
            }
        }
        while parsed.len > 1 && parsed.digits[parsed.len - 1] == b'0' {
            parsed.len -= 1;
        }
        parsed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: f64) -> String {
        let mut out = Vec::new();
        push_float(&mut out, value);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn as_go_prints() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.0, "-1"),
            (42.0, "42"),
            (10.0, "10"),
            (100.0, "100"),
            (100_100.0, "100100"),
            (-100_100.0, "-100100"),
            (-42.5, "-42.5"),
            (-1e6, "-1e+06"),
            (-12_345_670.0, "-1.234567e+07"),
            (9_007_199_254_740_991.0, "9.007199254740991e+15"),
            (9_007_199_254_740_992.0, "9.007199254740992e+15"),
            (100_000.0, "100000"),
            (999_999.0, "999999"),
            (1e6, "1e+06"),
            (1_077_248.0, "1.077248e+06"),
            (5_939_200.0, "5.9392e+06"),
            (2_068_484_096.0, "2.068484096e+09"),
            (35_184_372_087_808.0, "3.5184372087808e+13"),
            (123_456.5, "123456.5"),
            (0.5, "0.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (0.0001, "0.0001"),
            (0.000_12, "0.00012"),
            (1e-5, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e23, "1e+23"),
            (1e100, "1e+100"),
            (5e-324, "5e-324"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (29_969.500_000_000_01, "29969.50000000001"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ];
        for (value, wanted) in cases {
            assert_eq!(text(value), wanted);
        }
    }

    proptest! {
        #[test]
        fn reads_back(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(text(value).parse::<f64>(), Ok(value));
        }

        #[test]
        fn large_whole_numbers_are_as_parsed_digits(value in -(1i64 << 53)..1 << 53) {
            prop_assume!(value.abs() >= 1_000_000);
            let digits = Digits::parse(zmij::Buffer::new().format_finite(value as f64));
            let mut wanted = NumberText { bytes: [0; 32], len: 0 };
            wanted.push_digits(&digits);
            let text = text(value as f64);
            prop_assert_eq!(text.as_bytes(), &wanted.bytes[..wanted.len]);
        }

        #[test]
        fn whole_numbers_read_back(value in -2_000_000i32..2_000_000) {
            prop_assert_eq!(text(f64::from(value)).parse::<f64>(), Ok(f64::from(value)));
        }
    }
}
