//! Values and timestamps.

/// A moment, to the nanosecond; what is written more exactly is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

const NANOS: u32 = 1_000_000_000;

impl Timestamp {
    /// From milliseconds since 1970.
    pub fn from_millis(millis: i64) -> Self {
        Self {
            seconds: millis.div_euclid(1000),
            nanos: millis.rem_euclid(1000) as u32 * 1_000_000,
        }
    }

    /// Whole seconds since 1970, rounded towards the past.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds since [`Self::seconds`], less than 1,000,000,000.
    pub fn subsec_nanos(self) -> u32 {
        self.nanos
    }

    /// Milliseconds since 1970, rounded towards the past; times beyond the range of i64 become its ends.
    pub fn as_millis(self) -> i64 {
        let millis = i128::from(self.seconds) * 1000 + i128::from(self.nanos / 1_000_000);
        millis.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    /// Reads seconds, as OpenMetrics writes them.
    pub(super) fn from_seconds_text(text: &str) -> Option<Self> {
        Self::from_decimal(text).or_else(|| Self::from_float(float(text)?))
    }

    /// Digits with at most one point, read digit by digit: a double holds today to a quarter of a microsecond only.
    fn from_decimal(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || digits.len() < 2 && whole.is_empty() {
            return None;
        }
        let seconds: i64 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        let mut nanos = 0;
        let mut unit = NANOS / 10;
        for digit in fraction.bytes().take(9) {
            nanos += u32::from(digit - b'0') * unit;
            unit /= 10;
        }
        Some(match (negative, nanos) {
            (false, _) => Self { seconds, nanos },
            (true, 0) => Self {
                seconds: -seconds,
                nanos,
            },
            (true, _) => Self {
                seconds: -seconds - 1,
                nanos: NANOS - nanos,
            },
        })
    }

    fn from_float(seconds: f64) -> Option<Self> {
        // 2^63; NaN fails too.
        if !(seconds.abs() < 9_223_372_036_854_775_808.0) {
            return None;
        }
        let whole = seconds.floor();
        let nanos = ((seconds - whole) * f64::from(NANOS)) as u32;
        Some(Self {
            seconds: whole as i64,
            nanos: nanos.min(NANOS - 1),
        })
    }
}

/// Reads a number as Go does: decimal, with an exponent if need be, or `NaN`, `Inf`, `Infinity` in any case, the latter
/// two with a sign if need be. Too large for a double is no number.
pub(super) fn float(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    // Most of what exporters serve; 15 digits are exact in a double.
    if (1..=15).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_digit) {
        let number = bytes
            .iter()
            .fold(0_u64, |number, byte| number * 10 + u64::from(byte - b'0'));
        return Some(number as f64);
    }
    let value: f64 = text.parse().ok()?;
    let is_spelled = if value.is_nan() {
        !matches!(bytes[0], b'+' | b'-')
    } else {
        value.is_finite() || bytes.iter().any(|byte| matches!(byte, b'i' | b'I'))
    };
    is_spelled.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_go_reads_them() {
        let good = [
            ("0", 0.0),
            ("007", 7.0),
            ("+1", 1.0),
            ("-0", -0.0),
            ("1.", 1.0),
            (".5", 0.5),
            ("1e3", 1000.0),
            ("1E-3", 0.001),
            ("999999999999999", 999_999_999_999_999.0),
            ("18446744073709551615", 18_446_744_073_709_551_615.0),
            ("+Inf", f64::INFINITY),
            ("inf", f64::INFINITY),
            ("-infinity", f64::NEG_INFINITY),
        ];
        for (text, value) in good {
            let read = float(text).map(f64::to_bits);
            assert_eq!(read, Some(value.to_bits()), "{text}");
        }
        for nan in ["NaN", "nan", "Nan", "NAN"] {
            assert!(float(nan).is_some_and(f64::is_nan), "{nan}");
        }
        let bad = [
            "", "+", ".", "e1", "1e", "1_000", "0x10", "0x1p3", "+NaN", "-nan", "1e999", "-1e999",
            "1,5", "1 ", "nil", "١",
        ];
        for text in bad {
            assert_eq!(float(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_to_the_nanosecond() {
        let cases = [
            ("0", 0, 0),
            ("1520879607.789", 1_520_879_607, 789_000_000),
            ("1520879607.1234567899", 1_520_879_607, 123_456_789),
            ("-1.25", -2, 750_000_000),
            ("-3", -3, 0),
            ("+5.", 5, 0),
            (".5", 0, 500_000_000),
            ("1.5e9", 1_500_000_000, 0),
            ("-1e-3", -1, 999_000_000),
        ];
        for (text, seconds, nanos) in cases {
            let wanted = Some(Timestamp { seconds, nanos });
            assert_eq!(Timestamp::from_seconds_text(text), wanted, "{text}");
        }
        for bad in [
            "", ".", "-", "NaN", "+Inf", "1e30", "1_0", "1.2.3", "z", "1.é",
        ] {
            assert_eq!(Timestamp::from_seconds_text(bad), None, "{bad}");
        }
    }

    #[test]
    fn milliseconds_there_and_back() {
        for millis in [0, 1, -1, 1_520_879_607_789, i64::MAX, i64::MIN] {
            assert_eq!(Timestamp::from_millis(millis).as_millis(), millis);
        }
        let far = Timestamp::from_seconds_text("9223372036854775807");
        assert_eq!(far.map(Timestamp::as_millis), Some(i64::MAX));
    }
}
