//! How long a scrape may take.

use std::time::Duration;

use ::http::HeaderMap;

/// Plain decimal seconds, sent by Prometheus with every scrape.
const HEADER: &str = "x-prometheus-scrape-timeout-seconds";

/// For whoever sends no header: the default of Prometheus.
const DEFAULT: Duration = Duration::from_secs(10);

/// More is not believed: nobody waits that long, and clocks must not overflow.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The part of the scraper's patience that is spent on plugins; the rest is for rendering and the way back, since a
/// page that comes a moment late is worth nothing.
pub(super) fn time_to_answer(headers: &HeaderMap) -> Duration {
    let patience = headers
        .get(HEADER)
        .and_then(|value| decimal_seconds(value.to_str().ok()?));
    match patience {
        Some(patience) => patience - margin(patience),
        None => DEFAULT,
    }
}

/// 5 %, at least 10 ms, never more than half.
fn margin(patience: Duration) -> Duration {
    (patience / 20)
        .max(Duration::from_millis(10))
        .min(patience / 2)
}

/// `f64::from_str` alone would also take `inf`, `nan`, `-1` and `1e9`.
fn decimal_seconds(text: &str) -> Option<Duration> {
    let is_decimal = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let seconds = text.parse::<f64>().ok().filter(|_| is_decimal)?;
    (seconds > 0.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64())))
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

    use super::*;

    fn with_header(value: &'static str) -> Duration {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_static(value));
        time_to_answer(&headers)
    }

    #[test]
    fn leaves_a_margin() {
        assert_eq!(with_header("10"), Duration::from_millis(9_500));
        assert_eq!(with_header("0.9"), Duration::from_millis(855));
        assert_eq!(with_header("0.1"), Duration::from_millis(90));
        assert_eq!(with_header("0.01"), Duration::from_millis(5));
    }

    #[test]
    fn ignores_nonsense() {
        for nonsense in [
            "", "ten", "inf", "nan", "-1", "1e9", "0", "1.2.3", ".", "1s",
        ] {
            assert_eq!(with_header(nonsense), DEFAULT, "{nonsense}");
        }
        assert_eq!(time_to_answer(&HeaderMap::new()), DEFAULT);
    }

    #[test]
    fn bounds_what_it_believes() {
        assert!(with_header("99999999999999999999999999") < LONGEST);
    }
}
