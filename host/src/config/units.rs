//! Values with units, as they are written in the config.

use std::{fmt, time::Duration};

use serde::de::{Deserializer, Error, Visitor};

/// For `#[serde(deserialize_with)]`: values that are `Some` if they are written.
pub(crate) mod optional {
    use serde::de::{Deserializer, Error};

    use super::{CountVisitor, Duration, DurationVisitor, size};

    pub(crate) fn duration<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
        d.deserialize_any(DurationVisitor).map(Some)
    }

    pub(crate) fn bytes<'de, D: Deserializer<'de>>(d: D) -> Result<Option<usize>, D::Error> {
        let bytes = size(d)?;
        usize::try_from(bytes)
            .map(Some)
            .map_err(|_| D::Error::custom("more than this machine can address"))
    }

    pub(crate) fn count<'de, D: Deserializer<'de>>(d: D) -> Result<Option<usize>, D::Error> {
        d.deserialize_any(CountVisitor).map(Some)
    }
}

/// Longer waits are a mistake in the unit, and would overflow clocks at some point.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a duration such as `"250ms"`, `"5s"`, `"1m"` or `"1h"`; at most a day. An error says what to write.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let in_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "" if !number.is_empty() => return Err(no_unit(format_args!("{text:?}"), number)),
        _ => return Err(not_a_duration(text)),
    };
    if number.is_empty() {
        return Err(not_a_duration(text));
    }
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(in_ms))
        .map(Duration::from_millis)
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| format!("{text:?} is longer than a day; write \"24h\" or less"))
}

/// For `#[serde(deserialize_with)]`: a duration as a string with its unit.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(DurationVisitor)
}

/// Reads a size such as `"512B"`, `"64KiB"`, `"16MiB"` or `"1GiB"`.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let shift = match unit {
        "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "" if !number.is_empty() => {
            return Err(format!("{text:?} has no unit; write \"{number}B\""));
        }
        _ => 64,
    };
    let number = number.parse::<u64>().ok();
    number
        .and_then(|number| number.checked_mul(1_u64.checked_shl(shift)?))
        .ok_or_else(|| {
            format!("{text:?} is not a size; write a whole number and a unit (B, KiB, MiB, GiB), like \"16MiB\"")
        })
}

/// For `#[serde(deserialize_with)]`: a size in bytes as a string with its unit.
pub(super) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(SizeVisitor)
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size like \"16MiB\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        parse_size(text).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
        let positive = number.unsigned_abs();
        Err(E::custom(format!(
            "{number} has no unit; write \"{positive}B\""
        )))
    }
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration like \"5s\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        parse_duration(text).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Duration, E> {
        Err(E::custom(no_unit(number, number.unsigned_abs())))
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<usize, E> {
        usize::try_from(number)
            .map_err(|_| E::custom(format!("{number} is less than 0; write a whole number")))
    }
}

fn no_unit(written: impl fmt::Display, number: impl fmt::Display) -> String {
    format!("{written} has no unit; write \"{number}s\"")
}

fn not_a_duration(text: &str) -> String {
    format!(
        "{text:?} is not a duration; write a whole number and a unit (ms, s, m, h), like \"5s\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_units() {
        for (text, ms) in [
            ("0s", 0),
            ("250ms", 250),
            ("5s", 5_000),
            ("1m", 60_000),
            ("24h", 86_400_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(ms)),
                "{text}"
            );
        }
    }

    #[test]
    fn reads_sizes() {
        for (text, bytes) in [
            ("0B", 0),
            ("12B", 12),
            ("3KiB", 3 << 10),
            ("16MiB", 16 << 20),
            ("2GiB", 2 << 30),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        assert_eq!(
            parse_size("5"),
            Err(r#""5" has no unit; write "5B""#.into())
        );
        for text in ["", "B", "1 MiB", "1MB", "-1B", "1.5GiB", "99999999999GiB"] {
            let error = parse_size(text).expect_err(text);
            assert!(error.contains("is not a size"), "{error}");
        }
    }

    #[test]
    fn refuses_with_a_remedy() {
        assert_eq!(
            parse_duration("5"),
            Err(r#""5" has no unit; write "5s""#.into())
        );
        for text in ["", "s", "5d", "5 s", "1.5s", "-1s", "1h30m"] {
            let error = parse_duration(text).expect_err(text);
            assert!(error.contains("is not a duration"), "{error}");
        }
        for text in ["25h", "99999999999999999999999s", "18446744073709551615h"] {
            let error = parse_duration(text).expect_err(text);
            assert!(error.contains("longer than a day"), "{error}");
        }
    }
}
