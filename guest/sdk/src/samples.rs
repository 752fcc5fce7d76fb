//! Const samples: what a collector reads afresh for each scrape.

use crate::Family;
use crate::bindings::collector::meterbox::plugin::metric_types as wit;

pub use wit::{BucketSpan, HistogramValue, NativeHistogramValue, SummaryValue};

/// What [`Collector::collect`](crate::Collector::collect) reports. It replaces what the families held; a family that
/// gets no sample is empty.
///
/// Each method adds one sample. Label values come in the order of the family's label names.
///
/// # Panics
/// Every method panics if the number of label values is not the family's number of label names, or if a
/// [`Probe`](crate::Probe) reports a family of the page or the other way round. Whether the value fits the family's kind is
/// for the host to judge.
#[derive(Debug, Default)]
pub struct Samples {
    all: Vec<wit::Sample>,
    of_probe: bool,
}

impl Samples {
    /// Those of a probe.
    pub(crate) fn of_probe() -> Self {
        Self {
            of_probe: true,
            ..Self::default()
        }
    }

    pub(crate) fn into_inner(self) -> Vec<wit::Sample> {
        self.all
    }

    /// A counter as it stands.
    pub fn counter(&mut self, family: &Family, labels: &[&str], value: f64) -> Sample<'_> {
        self.push(family, labels, wit::Value::Number(value))
    }

    /// A gauge as it stands.
    pub fn gauge(&mut self, family: &Family, labels: &[&str], value: f64) -> Sample<'_> {
        self.push(family, labels, wit::Value::Number(value))
    }

    /// A value of unknown type.
    pub fn untyped(&mut self, family: &Family, labels: &[&str], value: f64) -> Sample<'_> {
        self.push(family, labels, wit::Value::Number(value))
    }

    /// An info: its labels are the message.
    pub fn info(&mut self, family: &Family, labels: &[&str]) -> Sample<'_> {
        self.push(family, labels, wit::Value::Number(1.0))
    }

    /// A histogram that was made elsewhere.
    pub fn histogram(
        &mut self,
        family: &Family,
        labels: &[&str],
        value: HistogramValue,
    ) -> Sample<'_> {
        self.push(family, labels, wit::Value::Histogram(value))
    }

    /// A native histogram that was made elsewhere.
    pub fn native_histogram(
        &mut self,
        family: &Family,
        labels: &[&str],
        value: NativeHistogramValue,
    ) -> Sample<'_> {
        self.push(family, labels, wit::Value::NativeHistogram(value))
    }

    /// A summary that was made elsewhere.
    pub fn summary(&mut self, family: &Family, labels: &[&str], value: SummaryValue) -> Sample<'_> {
        self.push(family, labels, wit::Value::Summary(value))
    }

    fn push(&mut self, family: &Family, labels: &[&str], value: wit::Value) -> Sample<'_> {
        let expected = family.label_count;
        assert_eq!(
            labels.len(),
            expected,
            "the family has {expected} label names: {labels:?}"
        );
        assert_eq!(
            family.of_probe, self.of_probe,
            "families of `probe_desc` are for probes, and those of `desc` for collects"
        );
        Sample(self.all.push_mut(wit::Sample {
            family: family.index,
            label_values: labels.iter().map(ToString::to_string).collect(),
            value,
            timestamp_ms: None,
            created_ms: None,
        }))
    }
}

/// The sample that was just added, for what few samples have.
#[derive(Debug)]
pub struct Sample<'a>(&'a mut wit::Sample);

impl Sample<'_> {
    /// When the value was read, in milliseconds since 1970. Leave it out unless the value is older than this scrape.
    pub fn timestamp_ms(self, at: f64) -> Self {
        self.0.timestamp_ms = Some(at);
        self
    }

    /// When a counter, histogram or summary began to count, in milliseconds since 1970.
    pub fn created_ms(self, at: f64) -> Self {
        self.0.created_ms = Some(at);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILY: Family = Family {
        index: 3,
        label_count: 1,
        of_probe: false,
    };

    #[test]
    fn what_few_samples_have_is_added_afterwards() {
        let mut samples = Samples::default();
        samples.gauge(&FAMILY, &["now"], 1.0);
        samples
            .counter(&FAMILY, &["then"], 2.0)
            .timestamp_ms(5.0)
            .created_ms(4.0);
        let [now, then] = samples.all.as_slice() else {
            panic!("there are two")
        };
        assert_eq!(
            (now.family, now.timestamp_ms, now.created_ms),
            (3, None, None)
        );
        assert_eq!((then.timestamp_ms, then.created_ms), (Some(5.0), Some(4.0)));
        assert_eq!(then.label_values, ["then"]);
    }

    #[test]
    #[should_panic(expected = "the family has 1 label names")]
    fn a_missing_label_value() {
        Samples::default().gauge(&FAMILY, &[], 1.0);
    }

    #[test]
    #[should_panic(expected = "are for probes")]
    fn a_family_of_the_page_in_a_probe() {
        Samples::of_probe().gauge(&FAMILY, &["a"], 1.0);
    }
}
