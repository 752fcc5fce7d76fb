//! What a native histogram that was made elsewhere has to keep to; Prometheus refuses others with the whole page.

use super::SCHEMAS;
use crate::sample::NativeHistogramValue;

/// Counts that are not whole numbers are added with rounding errors; this much is one.
const ROUNDING: f64 = 1e-9;

impl NativeHistogramValue {
    pub(crate) fn check(&self) -> Result<(), String> {
        if !SCHEMAS.contains(&self.schema) {
            let (least, most) = (SCHEMAS.start(), SCHEMAS.end());
            return Err(format!(
                "native histogram schema {} is not between {least} and {most}",
                self.schema
            ));
        }
        if !(self.zero_threshold >= 0.0 && self.zero_threshold.is_finite()) {
            let threshold = self.zero_threshold;
            return Err(format!("a zero threshold cannot be {threshold}"));
        }
        let buckets = || self.negative_counts.iter().chain(&self.positive_counts);
        let mut counts = buckets().chain([&self.zero_count, &self.count]);
        if let Some(bad) = counts.find(|count| !(**count >= 0.0 && count.is_finite())) {
            return Err(format!("a count cannot be {bad}"));
        }
        check_spans("negative", &self.negative_spans, &self.negative_counts)?;
        check_spans("positive", &self.positive_spans, &self.positive_counts)?;
        let held = buckets().sum::<f64>() + self.zero_count;
        let slack = if self.is_whole() {
            0.0
        } else {
            held * ROUNDING
        };
        // NaN is counted, but in no bucket; then the sum is NaN too.
        if held > self.count + slack || (held < self.count - slack && !self.sum.is_nan()) {
            return Err(format!(
                "the native buckets hold {held} observations, the count is {}",
                self.count
            ));
        }
        Ok(())
    }

    /// Whether all counts are whole numbers that an integer holds exactly.
    pub(crate) fn is_whole(&self) -> bool {
        let buckets = self.negative_counts.iter().chain(&self.positive_counts);
        buckets
            .chain([&self.zero_count, &self.count])
            .all(|count| is_whole(*count))
    }
}

/// Whether an integer holds this count exactly.
pub(crate) fn is_whole(count: f64) -> bool {
    count.trunc() == count && count.abs() <= 9_007_199_254_740_992.0
}

fn check_spans(side: &str, spans: &[(i32, u32)], counts: &[f64]) -> Result<(), String> {
    let mut end = 0_i64;
    let mut length = 0_u64;
    for (place, &(offset, more)) in spans.iter().enumerate() {
        if place > 0 && offset < 0 {
            return Err(format!(
                "{side} span {place} goes back by {}",
                offset.unsigned_abs()
            ));
        }
        length += u64::from(more);
        end += i64::from(offset) + i64::from(more);
        if i32::try_from(end).is_err() {
            return Err(format!("{side} spans reach bucket {end}"));
        }
    }
    if length != counts.len() as u64 {
        let counts = counts.len();
        return Err(format!(
            "{side} spans of {length} buckets with {counts} counts"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value() -> NativeHistogramValue {
        NativeHistogramValue {
            count: 6.0,
            sum: 9.0,
            schema: 3,
            zero_threshold: 0.001,
            zero_count: 1.0,
            negative_spans: vec![(-2, 1)],
            negative_counts: vec![1.0],
            positive_spans: vec![(0, 2), (3, 1)],
            positive_counts: vec![1.0, 0.0, 3.0],
        }
    }

    fn complaint(change: impl FnOnce(&mut NativeHistogramValue)) -> String {
        let mut value = value();
        change(&mut value);
        value.check().expect_err("must be refused")
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(value().check(), Ok(()));
        let cases = [
            (
                complaint(|v| v.schema = 9),
                "native histogram schema 9 is not between -4 and 8",
            ),
            (
                complaint(|v| v.zero_threshold = f64::NAN),
                "a zero threshold cannot be NaN",
            ),
            (
                complaint(|v| v.positive_counts[0] = -1.0),
                "a count cannot be -1",
            ),
            (
                complaint(|v| v.count = f64::INFINITY),
                "a count cannot be inf",
            ),
            (
                complaint(|v| v.positive_spans[1].0 = -1),
                "positive span 1 goes back by 1",
            ),
            (
                complaint(|v| v.negative_spans[0] = (i32::MAX, 1)),
                "negative spans reach bucket 2147483648",
            ),
            (
                complaint(|v| v.negative_counts.clear()),
                "negative spans of 1 buckets with 0 counts",
            ),
            (
                complaint(|v| v.count = 5.0),
                "the native buckets hold 6 observations, the count is 5",
            ),
            (
                complaint(|v| v.count = 7.0),
                "the native buckets hold 6 observations, the count is 7",
            ),
        ];
        for (complaint, wanted) in cases {
            assert_eq!(complaint, wanted);
        }
    }

    #[test]
    fn not_a_number_is_counted_outside_the_buckets() {
        let mut value = value();
        (value.count, value.sum) = (7.0, f64::NAN);
        assert_eq!(value.check(), Ok(()));
    }
}
