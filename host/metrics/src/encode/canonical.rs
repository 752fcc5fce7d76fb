//! Numbers as OpenMetrics wants them: equal numbers are equal text in every program.

use crate::number::{push_float, push_integer, small};

/// Appends a float as Go prints it, with `.0` where it would look like an integer: `1.0`, `0.5`, `1e+06`, `+Inf`.
pub(super) fn push_canonical(out: &mut Vec<u8>, value: f64) {
    if let Some((text, len)) = small(value) {
        // A whole number.
        out.extend_from_slice(&text[..len]);
        return out.extend_from_slice(b".0");
    }
    let start = out.len();
    push_float(out, value);
    let is_float = |byte: &u8| matches!(byte, b'.' | b'e');
    if value.is_finite() && !out[start..].iter().any(is_float) {
        out.extend_from_slice(b".0");
    }
}

/// Appends milliseconds as seconds, without an exponent, so that no digit is lost: `1520879607.789`.
pub(super) fn push_millis(out: &mut Vec<u8>, millis: i64) {
    if millis < 0 {
        out.push(b'-');
    }
    let millis = millis.unsigned_abs();
    push_integer(out, (millis / 1000) as i64);
    out.push(b'.');
    let [tens, ones] = [millis / 10 % 10, millis % 10];
    out.push(b'0' + (millis / 100 % 10) as u8);
    if tens + ones > 0 {
        out.push(b'0' + tens as u8);
    }
    if ones > 0 {
        out.push(b'0' + ones as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_floats() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "0.0"),
            (1.0, "1.0"),
            (-1.0, "-1.0"),
            (0.001, "0.001"),
            (100_000.0, "100000.0"),
            (1e6, "1e+06"),
            (1e-10, "1e-10"),
            (2.5, "2.5"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ];
        for (value, wanted) in cases {
            let mut out = Vec::new();
            push_canonical(&mut out, value);
            assert_eq!(String::from_utf8_lossy(&out), wanted);
        }
    }

    #[test]
    fn seconds() {
        let cases = [
            (0, "0.0"),
            (1_520_879_607_789, "1520879607.789"),
            (1_520_879_607_700, "1520879607.7"),
            (1_520_879_607_070, "1520879607.07"),
            (1_520_879_607_007, "1520879607.007"),
            (1_520_879_607_000, "1520879607.0"),
            (-1_500, "-1.5"),
            (i64::MIN, "-9223372036854775.808"),
        ];
        for (millis, wanted) in cases {
            let mut out = Vec::new();
            push_millis(&mut out, millis);
            assert_eq!(String::from_utf8_lossy(&out), wanted);
        }
    }
}
