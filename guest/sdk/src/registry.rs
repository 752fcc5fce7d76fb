//! Where a plugin makes its families.

use std::rc::Rc;

use crate::bindings::collector::meterbox::plugin::metric_types as wit;
use crate::child::Child;
use crate::host::Imports;
use crate::instruments::sealed::FromChild;
use crate::ledger::Ledger;
use crate::{
    Counter, CounterVec, Desc, Family, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec,
    Instrument, MetricVec, Opts, Summary, SummaryOpts, SummaryVec,
};

/// Makes families, which the host registers when [`Collector::register`](crate::Collector::register) returns. The
/// host refuses the plugin if a name is invalid or taken.
///
/// The plain methods take a name and a help text, those in `_with` take [`Opts`]. A family without labels shows its
/// value from the start; one with labels shows the series that were asked for.
#[derive(Default)]
pub struct Registry {
    descs: Vec<wit::Desc>,
    probe_descs: Vec<wit::Desc>,
    /// Made with the first instrument: a plugin without any does not even import `instruments`.
    ledger: Option<Rc<Ledger>>,
}

/// What a registry leaves behind.
pub(crate) struct Parts {
    pub(crate) descs: Vec<wit::Desc>,
    pub(crate) probe_descs: Vec<wit::Desc>,
    pub(crate) ledger: Option<Rc<Ledger>>,
}

impl Registry {
    /// A [`Counter`]; its name should end in `_total`.
    pub fn counter(&mut self, name: &str, help: &str) -> Counter {
        self.counter_with(Opts::new(name, help))
    }

    /// A [`Counter`] with options.
    pub fn counter_with(&mut self, opts: Opts) -> Counter {
        self.single(opts, wit::Kind::Counter)
    }

    /// A [`CounterVec`] with these label names.
    pub fn counter_vec(&mut self, name: &str, help: &str, labels: &[&str]) -> CounterVec {
        self.counter_vec_with(Opts::new(name, help), labels)
    }

    /// A [`CounterVec`] with options.
    pub fn counter_vec_with(&mut self, opts: Opts, labels: &[&str]) -> CounterVec {
        self.vec(opts, wit::Kind::Counter, labels)
    }

    /// A [`Gauge`].
    pub fn gauge(&mut self, name: &str, help: &str) -> Gauge {
        self.gauge_with(Opts::new(name, help))
    }

    /// A [`Gauge`] with options.
    pub fn gauge_with(&mut self, opts: Opts) -> Gauge {
        self.single(opts, wit::Kind::Gauge)
    }

    /// A [`GaugeVec`] with these label names.
    pub fn gauge_vec(&mut self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.gauge_vec_with(Opts::new(name, help), labels)
    }

    /// A [`GaugeVec`] with options.
    pub fn gauge_vec_with(&mut self, opts: Opts, labels: &[&str]) -> GaugeVec {
        self.vec(opts, wit::Kind::Gauge, labels)
    }

    /// A [`Histogram`] with these buckets: a list of bounds, or `HistogramOpts::default()`.
    pub fn histogram(
        &mut self,
        name: &str,
        help: &str,
        buckets: impl Into<HistogramOpts>,
    ) -> Histogram {
        self.histogram_with(Opts::new(name, help), buckets)
    }

    /// A [`Histogram`] with options.
    pub fn histogram_with(&mut self, opts: Opts, buckets: impl Into<HistogramOpts>) -> Histogram {
        self.single(opts, buckets.into().into())
    }

    /// A [`HistogramVec`] with these buckets and label names.
    pub fn histogram_vec(
        &mut self,
        name: &str,
        help: &str,
        buckets: impl Into<HistogramOpts>,
        labels: &[&str],
    ) -> HistogramVec {
        self.histogram_vec_with(Opts::new(name, help), buckets, labels)
    }

    /// A [`HistogramVec`] with options.
    pub fn histogram_vec_with(
        &mut self,
        opts: Opts,
        buckets: impl Into<HistogramOpts>,
        labels: &[&str],
    ) -> HistogramVec {
        self.vec(opts, buckets.into().into(), labels)
    }

    /// A [`Summary`] with these objectives: a list of quantiles and their errors, or `SummaryOpts::default()`.
    pub fn summary(
        &mut self,
        name: &str,
        help: &str,
        objectives: impl Into<SummaryOpts>,
    ) -> Summary {
        self.summary_with(Opts::new(name, help), objectives)
    }

    /// A [`Summary`] with options.
    pub fn summary_with(&mut self, opts: Opts, objectives: impl Into<SummaryOpts>) -> Summary {
        self.single(opts, objectives.into().into())
    }

    /// A [`SummaryVec`] with these objectives and label names.
    pub fn summary_vec(
        &mut self,
        name: &str,
        help: &str,
        objectives: impl Into<SummaryOpts>,
        labels: &[&str],
    ) -> SummaryVec {
        self.summary_vec_with(Opts::new(name, help), objectives, labels)
    }

    /// A [`SummaryVec`] with options.
    pub fn summary_vec_with(
        &mut self,
        opts: Opts,
        objectives: impl Into<SummaryOpts>,
        labels: &[&str],
    ) -> SummaryVec {
        self.vec(opts, objectives.into().into(), labels)
    }

    /// A constant 1 whose labels are the message, such as `("version", "1.2.0")`. The name should end in `_info`.
    pub fn info(&mut self, name: &str, help: &str, labels: &[(&str, &str)]) {
        let (names, values): (Vec<&str>, Vec<&str>) = labels.iter().copied().unzip();
        let info: GaugeVec = self.vec(Opts::new(name, help), wit::Kind::Info, &names);
        info.with_label_values(&values);
    }

    /// A number whose type nobody knows; it has the verbs of a gauge.
    pub fn untyped(&mut self, name: &str, help: &str) -> Gauge {
        self.single(Opts::new(name, help), wit::Kind::Untyped)
    }

    /// Numbers whose type nobody knows, with these label names.
    pub fn untyped_vec(&mut self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.vec(Opts::new(name, help), wit::Kind::Untyped, labels)
    }

    /// A family whose [`Samples`](crate::Samples) the collector makes for each scrape.
    pub fn desc(&mut self, desc: Desc) -> Family {
        let label_count = desc.0.label_names.len();
        Family {
            index: self.declare(desc),
            label_count,
            of_probe: false,
        }
    }

    /// A family whose [`Samples`](crate::Samples) a [`Probe`](crate::Probe) makes. It is on the pages of probes alone, where
    /// no other plugin's family is.
    pub fn probe_desc(&mut self, desc: Desc) -> Family {
        let label_count = desc.0.label_names.len();
        self.probe_descs.push(desc.0);
        Family {
            index: self.probe_descs.len() as u32 - 1,
            label_count,
            of_probe: true,
        }
    }

    pub(crate) fn into_parts(self) -> Parts {
        Parts {
            descs: self.descs,
            probe_descs: self.probe_descs,
            ledger: self.ledger,
        }
    }

    fn single<M: FromChild>(&mut self, opts: Opts, kind: wit::Kind) -> M {
        let index = self.declare(Desc::new(opts, kind));
        M::from_child(Child::new(self.ledger(), index, [].into()))
    }

    fn vec<M: Instrument>(&mut self, opts: Opts, kind: wit::Kind, labels: &[&str]) -> MetricVec<M> {
        let index = self.declare(Desc::new(opts, kind).labels(labels));
        MetricVec::new(self.ledger(), index, labels)
    }

    fn ledger(&mut self) -> &Rc<Ledger> {
        self.ledger.get_or_insert_with(|| Ledger::new(Imports))
    }

    fn declare(&mut self, desc: Desc) -> u32 {
        self.descs.push(desc.0);
        self.descs.len() as u32 - 1
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry")
            .field("descs", &self.descs)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_numbered_as_they_are_made() {
        let mut registry = Registry::default();
        let first = registry.desc(
            Desc::gauge("first_bytes", "")
                .unit("bytes")
                .labels(&["a", "b"]),
        );
        let _second = registry.counter_vec("second_total", "Help.", &["code"]);
        let probed = registry.probe_desc(Desc::gauge("probed", ""));
        assert_eq!((probed.index, probed.of_probe), (0, true));
        let third = registry.desc(Desc::untyped("third", ""));
        assert_eq!((first.index, first.label_count), (0, 2));
        assert_eq!((third.index, third.label_count), (2, 0));

        let Parts {
            descs, probe_descs, ..
        } = registry.into_parts();
        assert_eq!(probe_descs[0].name, "probed");
        let names: Vec<&str> = descs.iter().map(|desc| desc.name.as_str()).collect();
        assert_eq!(names, ["first_bytes", "second_total", "third"]);
        assert_eq!(descs[0].unit.as_deref(), Some("bytes"));
        assert_eq!(descs[1].label_names, ["code"]);
    }

    #[test]
    fn without_instruments_there_is_no_ledger() {
        let mut registry = Registry::default();
        registry.desc(Desc::gauge("gauge", ""));
        assert!(registry.ledger.is_none());
    }

    #[test]
    fn options_become_those_of_the_contract() {
        let mut registry = Registry::default();
        registry.histogram("h", "", HistogramOpts::default());
        registry.summary("s", "", [(0.9, 0.01)]);
        let Parts { descs, .. } = registry.into_parts();
        let wit::Kind::Histogram(histogram) = &descs[0].kind else {
            panic!("not a histogram")
        };
        assert_eq!(histogram.bounds, crate::DEFAULT_BUCKETS);
        assert!(histogram.native.is_none());
        let wit::Kind::Summary(summary) = &descs[1].kind else {
            panic!("not a summary")
        };
        assert_eq!(
            (summary.objectives[0].quantile, summary.objectives[0].error),
            (0.9, 0.01)
        );
        assert_eq!(
            (summary.max_age_ms, summary.age_buckets),
            (0, 0),
            "the defaults of the host"
        );
    }
}
