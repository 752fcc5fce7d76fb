//! Figures and texts as people read them.

use std::{
    fmt::Write,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// What stands in a field to be typed on: without characters that move others about, which nobody types.
pub(super) fn typed(text: &str) -> String {
    text.chars().filter(|c| !moves_others(*c)).collect()
}

fn moves_others(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || c.is_control()
}

/// A text that somebody else wrote: at most so many characters, and none that moves others about.
pub(super) fn plain(text: &str, most: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(4 * most));
    for c in text.chars().take(most) {
        if moves_others(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// `12.3 ms`, `1.23 s`, `3m 20s`.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let whole = duration.as_secs();
    match whole {
        0 if seconds < 10e-6 => format!("{} µs", figure(seconds * 1e6, 1)),
        0 if seconds < 1e-3 => format!("{} µs", figure(seconds * 1e6, 0)),
        0 if seconds < 10e-3 => format!("{} ms", figure(seconds * 1e3, 2)),
        0 => format!("{} ms", figure(seconds * 1e3, 1)),
        1..60 => format!("{} s", figure(seconds, 2)),
        _ => long(whole),
    }
}

/// At most so many digits behind the point, and no point without any.
fn figure(figure: f64, digits: usize) -> String {
    let text = format!("{figure:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Whole seconds, the two units that matter.
fn long(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

/// How long ago it was, or in how long it will be.
pub(super) fn distance(from: SystemTime, now: SystemTime) -> String {
    match now.duration_since(from) {
        Ok(ago) if ago < Duration::from_secs(1) => "just now".to_owned(),
        Ok(ago) => format!("{} ago", long(ago.as_secs())),
        Err(ahead) => format!("in {}", long(ahead.duration().as_secs())),
    }
}

/// `1.5 MiB`.
pub(super) fn bytes(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB"];
    let mut figure = bytes as f64;
    let mut unit = "B";
    for next in units {
        if figure < 1024.0 {
            break;
        }
        (figure, unit) = (figure / 1024.0, next);
    }
    let digits = usize::from(figure.fract() != 0.0 && figure < 100.0);
    format!("{figure:.digits$} {unit}")
}

/// `1,234,567`.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// One thing, or several: `1 fault`, `2 faults`.
pub(super) fn counted(number: u64, one: &str, several: &str) -> String {
    format!(
        "{} {}",
        count(number),
        if number == 1 { one } else { several }
    )
}

/// `2026-01-31T23:59:59Z`: RFC 3339, in UTC.
pub(super) fn time(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let mut shown = String::new();
    // A string takes it.
    let _ = write!(
        shown,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    );
    shown
}

/// Year, month and day of a number of days since 1970-01-01: years that begin in March, of 400 that repeat.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    (year, month, day - (153 * march + 2) / 5 + 1)
}

/// Seconds since 1970, with fractions.
pub(super) fn unix(time: SystemTime) -> f64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let micros = |micros| duration(Duration::from_micros(micros));
        assert_eq!(micros(0), "0 µs");
        assert_eq!([micros(100_000), micros(5_000_000)], ["100 ms", "5 s"]);
        assert_eq!(micros(45), "45 µs");
        assert_eq!(micros(1_234), "1.23 ms");
        assert_eq!(micros(123_456), "123.5 ms");
        assert_eq!(micros(1_234_567), "1.23 s");
        assert_eq!(micros(200_000_000), "3m 20s");
        assert_eq!(long(7_500), "2h 5m");
        assert_eq!(long(90_000), "1d 1h");
        assert_eq!(
            [0, 1023, 1536, 64 << 20].map(bytes),
            ["0 B", "1023 B", "1.5 KiB", "64 MiB"]
        );
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(counted(1, "fault", "faults"), "1 fault");
        assert_eq!(counted(0, "fault", "faults"), "0 faults");
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_200, "2024-03-01T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(time(UNIX_EPOCH + Duration::from_secs(seconds)), shown);
        }
        let now = SystemTime::now();
        let minutes = Duration::from_secs(125);
        assert_eq!(distance(now - minutes, now), "2m 5s ago");
        assert_eq!(distance(now + minutes, now), "in 2m 5s");
        assert_eq!(distance(now, now), "just now");
    }

    #[test]
    fn texts_of_others_move_nothing_about() {
        assert_eq!(
            plain("a\u{202e}b\n\u{1b}[1m", 10),
            "a\\u{202e}b\\n\\u{1b}[1m"
        );
        assert_eq!(plain("abc", 3), "abc");
        assert_eq!(plain("abcd", 3), "abc…");
        assert_eq!(plain("\"<é>'", 10), "\"<é>'");
    }
}
