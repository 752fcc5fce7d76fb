//! Durations as Go reads them: `1m30s`, `-1.5h`, `100ms`.

/// Nanoseconds; none where the text is no duration, or is longer than 292 years.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut sum = 0.0;
    while !rest.is_empty() || sum == 0.0 {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let letters = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let nanoseconds = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * nanoseconds;
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let whole = (sign * sum).round();
    (whole.abs() < i64::MAX as f64).then_some(whole as i64)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_what_go_reads() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("0s", 0),
            ("1s", 1_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1.5h", 5_400_000_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("100ms", 100_000_000),
            ("2us", 2_000),
            ("2µs", 2_000),
            ("3ns", 3),
            ("-1s", -1_000_000_000),
            ("+1s", 1_000_000_000),
        ] {
            assert_eq!(parse(text), Some(nanoseconds), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "", "-", "1", "s", ".", ".s", "1 s", "1d", "1s2", "1S", "1.2.3s", "1e3s", "1h-1s",
            "9999999h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
