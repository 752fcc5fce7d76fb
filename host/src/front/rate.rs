//! The rate limit: a token bucket, as golang.org/x/time/rate has it.

use std::time::{Duration, Instant};

use super::schema::Rate;

/// Holds up to `burst` requests, and one more after each interval.
#[derive(Debug)]
pub(super) struct Bucket {
    interval: Duration,
    burst: f64,
    tokens: f64,
    since: Instant,
}

impl Bucket {
    /// Full; none where requests are not limited.
    pub(super) fn new(rate: &Rate, now: Instant) -> Option<Self> {
        // Go takes a negative interval for no limit.
        let interval = u64::try_from(rate.interval).ok().filter(|n| *n > 0)?;
        let burst = rate.burst as f64;
        Some(Self {
            interval: Duration::from_nanos(interval),
            burst,
            tokens: burst,
            since: now,
        })
    }

    /// Whether there was one left.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let gained = now.duration_since(self.since).as_secs_f64() / self.interval.as_secs_f64();
        self.since = now;
        self.tokens = (self.tokens + gained).min(self.burst);
        let is_left = self.tokens >= 1.0;
        if is_left {
            self.tokens -= 1.0;
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_burst_and_then_one_by_one() {
        let start = Instant::now();
        let rate = |interval, burst| Rate { interval, burst };
        let mut bucket = Bucket::new(&rate(SECOND, 2), start).unwrap();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let taken = [0, 0, 0, 500, 1000, 1000, 9000, 9000, 9000].map(|ms| bucket.take(at(ms)));
        assert_eq!(
            taken,
            [true, true, false, false, true, false, true, true, false]
        );
    }

    #[test]
    fn no_interval_is_no_limit_and_no_burst_is_no_request() {
        let start = Instant::now();
        for interval in [0, -SECOND] {
            assert!(Bucket::new(&Rate { interval, burst: 1 }, start).is_none());
        }
        for burst in [0, -1] {
            let rate = Rate {
                interval: SECOND,
                burst,
            };
            let mut bucket = Bucket::new(&rate, start).unwrap();
            assert!(!bucket.take(start + Duration::from_secs(100)));
        }
    }
}
