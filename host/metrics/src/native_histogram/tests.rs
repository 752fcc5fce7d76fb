use proptest::prelude::*;

use super::*;

const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;

fn stated(
    factor: f64,
    zero_threshold: f64,
    max_buckets: u32,
    values: &[f64],
) -> NativeHistogramValue {
    let options = NativeOptions {
        factor,
        zero_threshold,
        max_buckets,
    };
    let mut histogram = NativeHistogram::new(&options);
    values.iter().for_each(|v| histogram.observe(*v, &options));
    let mut stated = NativeHistogramValue::default();
    histogram.state(zero_threshold, &mut stated);
    stated
}

fn deltas(counts: &[f64]) -> Vec<i64> {
    let mut before = 0.0;
    counts
        .iter()
        .map(|count| (count - std::mem::replace(&mut before, *count)) as i64)
        .collect()
}

/// Schema, zero count, spans and deltas as client_golang's own tests have them.
type Wanted<'a> = (i32, f64, &'a [(i32, u32)], &'a [i64]);

#[test]
fn as_client_golang_counts() {
    let positive: &[(f64, f64, u32, &[f64], Wanted<'_>)] = &[
        (
            1.1,
            ZERO_THRESHOLD,
            0,
            &[0.0, 1.0, 2.0, 3.0],
            (3, 1.0, &[(0, 1), (7, 1), (4, 1)], &[1, 0, 0]),
        ),
        (
            1.2,
            ZERO_THRESHOLD,
            0,
            &[0.0, 1.0, 1.2, 1.4, 1.8, 2.0],
            (2, 1.0, &[(0, 5)], &[1, -1, 2, -2, 2]),
        ),
        (
            4.0,
            ZERO_THRESHOLD,
            0,
            &[0.5, 1.0, 1.5, 2.0, 3.0, 3.5, 5.0, 6.0, 7.0, 33.33],
            (-1, 0.0, &[(0, 4)], &[2, 2, -1, -2]),
        ),
        (
            17.0,
            ZERO_THRESHOLD,
            0,
            &[0.5, 1.0, 1.5, 2.0, 3.0, 3.5, 5.0, 6.0, 7.0, 33.33],
            (-2, 0.0, &[(0, 3)], &[2, 5, -6]),
        ),
        (
            1.2,
            1.4,
            0,
            &[0.0, 1.0, 1.2, 1.4, 1.8, 2.0],
            (2, 4.0, &[(4, 1)], &[2]),
        ),
        (
            1.2,
            ZERO_THRESHOLD,
            0,
            &[0.0, 1.0, 1.2, 1.4, 1.8, 2.0, f64::NAN],
            (2, 1.0, &[(0, 5)], &[1, -1, 2, -2, 2]),
        ),
        (
            1.2,
            ZERO_THRESHOLD,
            0,
            &[0.0, 1.0, 1.2, 1.4, 1.8, 2.0, f64::INFINITY],
            (2, 1.0, &[(0, 5), (4092, 1)], &[1, -1, 2, -2, 2, -1]),
        ),
        (
            1.2,
            ZERO_THRESHOLD,
            4,
            &[0.0, 1.0, 1.2, 1.4, 1.8, 2.0],
            (2, 1.0, &[(0, 5)], &[1, -1, 2, -2, 2]),
        ),
        (
            1.2,
            ZERO_THRESHOLD,
            4,
            &[0.0, 1.0, 1.1, 1.2, 1.4, 1.8, 2.0, 3.0],
            (1, 1.0, &[(0, 5)], &[1, 2, -1, -2, 1]),
        ),
    ];
    for (factor, zero, max, values, (schema, zero_count, spans, wanted)) in positive {
        let max = if *max == 0 { u32::MAX } else { *max };
        let up = stated(*factor, *zero, max, values);
        assert_eq!(
            (up.schema, up.zero_count),
            (*schema, *zero_count),
            "{values:?}"
        );
        assert_eq!(up.positive_spans, *spans, "{values:?}");
        assert_eq!(deltas(&up.positive_counts), *wanted, "{values:?}");
        // The other side of zero is its mirror.
        let mirrored: Vec<f64> = values.iter().map(|v| -v).collect();
        let down = stated(*factor, *zero, max, &mirrored);
        assert_eq!(down.negative_spans, up.positive_spans);
        assert_eq!(down.negative_counts, up.positive_counts);
        assert!(down.positive_spans.is_empty());
    }
}

#[test]
fn bounds_are_those_of_client_golang() {
    // Each table folded into one number: `hash * 31 + bits`.
    let wanted: [u64; 8] = [
        0xfc06_a09e_667f_3bcc,
        0x0435_9b72_4763_5735,
        0x4ed6_5d91_a2c0_f316,
        0x595a_f246_9d7a_1289,
        0xcf60_975f_39cf_d34b,
        0x7b60_9c90_e23b_6ec6,
        0xbcd4_8cf1_8912_9be2,
        0xacf6_c159_a056_d65f,
    ];
    for (bounds, wanted) in BOUNDS.iter().zip(wanted) {
        let fold = |hash: u64, bound: &f64| hash.wrapping_mul(31).wrapping_add(bound.to_bits());
        assert_eq!(bounds.iter().fold(0, fold), wanted, "{}", bounds.len());
    }
}

#[test]
fn factors_choose_the_schema() {
    let cases = [
        (1.000_000_000_000_000_2, 8),
        (1.002, 8),
        (1.1, 3),
        (1.5, 1),
        (2.0, 0),
        (4.0, -1),
        (65_536.0, -4),
        (f64::MAX, -4),
    ];
    for (factor, wanted) in cases {
        assert_eq!(schema(factor), wanted, "{factor}");
    }
}

#[test]
fn the_limit_holds_while_there_is_a_coarser_schema() {
    let spread: Vec<f64> = (-300..300).map(|e| 10f64.powi(e)).collect();
    let many = stated(1.002, 0.0, 20, &spread);
    assert_eq!(many.schema, -4);
    let used = many.positive_counts.iter().filter(|count| **count > 0.0);
    assert!(used.count() < 140);
    assert_eq!(many.positive_counts.iter().sum::<f64>(), 600.0);
}

#[test]
fn fractions_and_exponents() {
    for value in [1.0, 0.75, 3.0, 1e-310, 5e-324, f64::MAX, f64::MIN_POSITIVE] {
        let (fraction, exponent) = frexp(value);
        assert!((0.5..1.0).contains(&fraction), "{value}");
        // In two steps: 2^-1073 alone is not exact.
        let half = exponent / 2;
        let back = fraction * 2f64.powi(half) * 2f64.powi(exponent - half);
        assert_eq!(back, value);
    }
}

proptest! {
    #[test]
    fn observations_lie_within_their_bucket(value in 1e-300..1e300f64, schema in -4..=8i32) {
        let upper = |key: i32| (f64::from(key) * (f64::from(-schema)).exp2()).exp2();
        let bucket = key(schema, value);
        // Bounds and this check round differently.
        prop_assert!(value <= upper(bucket) * (1.0 + 1e-12));
        prop_assert!(value > upper(bucket - 1) * (1.0 - 1e-12));
    }

    #[test]
    fn halving_is_observing_at_half_the_resolution(
        values in prop::collection::vec(prop_oneof![-1e6..1e6f64, Just(f64::INFINITY)], 1..60),
        schema in -3..=8i32,
    ) {
        let mut fine = NativeHistogram { schema, ..NativeHistogram::default() };
        let mut coarse = NativeHistogram { schema: schema - 1, ..NativeHistogram::default() };
        let options = NativeOptions { factor: 2.0, zero_threshold: 0.0, max_buckets: u32::MAX };
        for value in values {
            fine.observe(value, &options);
            // Halving keeps the bucket behind the last finite one, which a coarser schema has elsewhere.
            if value.is_finite() {
                coarse.observe(value, &options);
            }
        }
        let infinite = key(schema, f64::INFINITY);
        fine.positive.0.retain(|bucket| bucket.0 != infinite);
        fine.positive.halve();
        fine.negative.halve();
        prop_assert_eq!(fine.positive.0, coarse.positive.0);
        prop_assert_eq!(fine.negative.0, coarse.negative.0);
    }
}
