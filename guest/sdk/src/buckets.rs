//! Bucket bounds for histograms: client_golang's helpers, with its arithmetic.

/// The bounds that a histogram has by default, made for the response time of a network service in seconds.
pub const DEFAULT_BUCKETS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// `count` bounds, the lowest at `start`, each `width` above the one before.
///
/// # Panics
/// If `count` is 0.
pub fn linear_buckets(start: f64, width: f64, count: usize) -> Vec<f64> {
    assert!(count > 0, "linear_buckets needs a positive count");
    successive(start, count, |bound| bound + width)
}

/// `count` bounds, the lowest at `start`, each `factor` times the one before.
///
/// # Panics
/// If `count` is 0, `start` is not positive or `factor` is not greater than 1.
pub fn exponential_buckets(start: f64, factor: f64, count: usize) -> Vec<f64> {
    assert!(count > 0, "exponential_buckets needs a positive count");
    assert!(start > 0.0, "exponential_buckets needs a positive start");
    assert!(
        factor > 1.0,
        "exponential_buckets needs a factor greater than 1"
    );
    successive(start, count, |bound| bound * factor)
}

/// `count` bounds from `min` to `max`, each the same factor times the one before. A count of 1 gives `min` alone.
///
/// # Panics
/// If `count` is 0, `min` is not positive or `max` is less than `min`.
pub fn exponential_buckets_range(min: f64, max: f64, count: usize) -> Vec<f64> {
    assert!(
        count > 0,
        "exponential_buckets_range needs a positive count"
    );
    assert!(min > 0.0, "exponential_buckets_range needs a positive min");
    assert!(max >= min, "exponential_buckets_range needs max >= min");
    let factor = (max / min).powf(1.0 / (count as f64 - 1.0));
    (0..count)
        .map(|power| min * factor.powf(power as f64))
        .collect()
}

fn successive(start: f64, count: usize, next: impl Fn(f64) -> f64) -> Vec<f64> {
    std::iter::successors(Some(start), |&bound| Some(next(bound)))
        .take(count)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The expected values are those of client_golang's own tests.
    #[test]
    fn linear() {
        assert_eq!(
            linear_buckets(-15.0, 5.0, 6),
            [-15.0, -10.0, -5.0, 0.0, 5.0, 10.0]
        );
    }

    #[test]
    fn exponential() {
        assert_eq!(exponential_buckets(100.0, 1.2, 3), [100.0, 120.0, 144.0]);
    }

    #[test]
    fn exponential_range() {
        let expected = [
            1.0,
            1.668_100_537_200_059,
            2.782_559_402_207_125,
            4.641_588_833_612_779,
            7.742_636_826_811_27,
            12.915_496_650_148_84,
            21.544_346_900_318_843,
            35.938_136_638_046_274,
            59.948_425_031_894_09,
            100.0,
        ];
        for (bound, expected) in exponential_buckets_range(1.0, 100.0, 10)
            .iter()
            .zip(expected)
        {
            assert!((bound - expected).abs() < 1e-6, "{bound} is not {expected}");
        }
    }

    #[test]
    #[should_panic(expected = "factor greater than 1")]
    fn a_factor_of_one_goes_nowhere() {
        exponential_buckets(1.0, 1.0, 3);
    }
}
