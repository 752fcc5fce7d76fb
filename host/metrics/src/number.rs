//! Numbers as Go prints them (`strconv.FormatFloat(f, 'g', -1, 64)`), which is what every Prometheus client library is
//! compared with.

/// Appends a sample value: the shortest digits that read back as the same double, with an exponent (signed, two digits
/// at least) where the decimal exponent is below -4 or above 5.
#[inline]
pub(crate) fn push_float(out: &mut Vec<u8>, value: f64) {
    // Whole numbers below a million are most of what exporters serve. -0 prints as 0, as in prometheus/common.
    let whole = value as u32;
    if f64::from(whole) == value && whole < MILLION {
        push_small(out, whole);
    } else {
        push_any(out, value);
    }
}

/// From here on numbers have an exponent.
const MILLION: u32 = 1_000_000;

/// Appends a number below a million: six digits are made at once, and the leading zeros shifted out.
#[inline]
fn push_small(out: &mut Vec<u8>, value: u32) {
    let pair = |number: u32| u64::from(number / 10) | u64::from(number % 10) << 8;
    let digits = pair(value / 10_000) | pair(value / 100 % 100) << 16 | pair(value % 100) << 32;
    let zeros = (digits.trailing_zeros() / 8).min(5);
    let text = (digits | 0x3030_3030_3030) >> (8 * zeros);
    let end = out.len() + 6 - zeros as usize;
    out.extend_from_slice(&text.to_le_bytes());
    out.truncate(end);
}

#[cold]
#[inline(never)]
fn push_any(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        push_shortest(out, value);
    } else if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if value > 0.0 {
        out.extend_from_slice(b"+Inf");
    } else {
        out.extend_from_slice(b"-Inf");
    }
}

/// Appends a whole number of milliseconds or the like.
pub(crate) fn push_integer(out: &mut Vec<u8>, value: i64) {
    let mut buffer = itoa::Buffer::new();
    out.extend_from_slice(buffer.format(value).as_bytes());
}

fn push_shortest(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let Digits {
        negative,
        digits,
        len,
        point,
    } = Digits::parse(buffer.format_finite(value));
    let digits = &digits[..len];
    if negative {
        out.push(b'-');
    }
    // `point` is where the decimal point stands among the digits: value = 0.ddd × 10^point.
    let exponent = point - 1;
    if !(-4..6).contains(&exponent) {
        out.push(digits[0]);
        if len > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        out.push(b'e');
        out.push(if exponent < 0 { b'-' } else { b'+' });
        let magnitude = exponent.unsigned_abs();
        if magnitude < 10 {
            out.push(b'0');
        }
        out.extend_from_slice(itoa::Buffer::new().format(magnitude).as_bytes());
    } else if point <= 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + point.unsigned_abs() as usize, b'0');
        out.extend_from_slice(digits);
    } else {
        let whole = point as usize;
        if whole >= len {
            out.extend_from_slice(digits);
            out.resize(out.len() + whole - len, b'0');
        } else {
            out.extend_from_slice(&digits[..whole]);
            out.push(b'.');
            out.extend_from_slice(&digits[whole..]);
        }
    }
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
        fn whole_numbers_read_back(value in -2_000_000i32..2_000_000) {
            prop_assert_eq!(text(f64::from(value)).parse::<f64>(), Ok(f64::from(value)));
        }
    }
}
