//! One family of every kind, through instruments (`i_`) and through samples (`s_`), with constant values.

use meterbox_plugin::prelude::*;
use meterbox_plugin::{
    BucketSpan, HistogramValue, NativeHistogramValue, NativeOpts, SummaryOpts, SummaryValue,
};

/// Label values that a format may stumble over.
const AWKWARD: [&str; 6] = [
    "",
    "quote \"",
    "back\\slash",
    "line\nbreak",
    "Grüße 東京 🐸",
    " a=\"b\",c ",
];
/// Milliseconds since 1970.
const CREATED: f64 = 1_700_000_000_000.0;
const READ: f64 = 1_700_000_060_500.0;

struct Everything {
    instruments: Instruments,
    families: Families,
}

struct Instruments {
    counter: CounterVec,
    gauge: GaugeVec,
    histogram: Histogram,
    native: Histogram,
    summary: Summary,
    untyped: Gauge,
}

struct Families {
    counter: Family,
    gauge: Family,
    histogram: Family,
    native: Family,
    summary: Family,
    info: Family,
    untyped: Family,
}

impl Collector for Everything {
    fn register(registry: &mut Registry) -> Result<Self> {
        Ok(Self {
            instruments: Instruments::register(registry),
            families: Families::register(registry),
        })
    }

    fn collect(&mut self, samples: &mut Samples) -> Result<()> {
        self.families.collect(samples);
        Ok(())
    }
}

impl Lifecycle for Everything {
    fn init(&mut self, start: Start) -> Result<()> {
        if start == Start::First {
            self.instruments.count();
        }
        Ok(())
    }
}

impl Instruments {
    fn register(registry: &mut Registry) -> Self {
        registry.info(
            "i_info",
            "An info instrument.",
            &[("version", "1.2.3"), ("text", AWKWARD[4])],
        );
        Self {
            counter: registry.counter_vec("i_counter_total", "A counter\nof two lines.", &["text"]),
            gauge: registry.gauge_vec("i_gauge", r#"A gauge with a \ and a "quote"."#, &["value"]),
            histogram: registry.histogram_with(
                Opts::new("i_histogram_seconds", "A histogram with a unit.").unit("seconds"),
                [-1.0, 0.0, 0.5, 1.0, 10.0],
            ),
            native: registry.histogram(
                "i_native",
                "A histogram with native buckets.",
                HistogramOpts::new([]).native(NativeOpts::new(1.1).zero_threshold(0.01)),
            ),
            summary: registry.summary(
                "i_summary",
                "A summary with two objectives that never forgets.",
                SummaryOpts::new([(0.5, 0.05), (0.99, 0.001)])
                    .max_age(Duration::MAX)
                    .age_buckets(1),
            ),
            untyped: registry.untyped("i_untyped", "Who knows."),
        }
    }

    fn count(&self) {
        for (by, text) in (1..).zip(AWKWARD) {
            self.counter
                .with_label_values(&[text])
                .inc_by(f64::from(by) / 2.0);
        }
        for value in [
            0.0,
            -0.0,
            0.1,
            1e21,
            1e-7,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ] {
            self.gauge
                .with_label_values(&[&format!("{value:?}")])
                .set(value);
        }
        for value in [-2.0, -1.0, 0.0, 0.25, 0.5, 1.0, 2.0, 100.0] {
            self.histogram.observe(value);
            self.native.observe(value);
            self.summary.observe(value);
        }
        self.untyped.set(-12.5);
    }
}

impl Families {
    fn register(registry: &mut Registry) -> Self {
        let histogram = Desc::histogram("s_histogram", "Const histograms.", [0.5, 1.0]);
        let native = HistogramOpts::new([]).native(NativeOpts::new(2.0));
        Self {
            counter: registry
                .desc(Desc::counter("s_counter_total", "A const counter.").labels(&["text"])),
            gauge: registry.desc(
                Desc::gauge("s_gauge_bytes", "Const gauges.")
                    .unit("bytes")
                    .labels(&["at"]),
            ),
            histogram: registry.desc(histogram.labels(&["text"])),
            native: registry.desc(Desc::histogram(
                "s_native",
                "A const native histogram.",
                native,
            )),
            summary: registry
                .desc(Desc::summary("s_summary", "A const summary.").labels(&["text"])),
            info: registry.desc(Desc::info("s_info", "A const info.").labels(&["version", "text"])),
            untyped: registry.desc(Desc::untyped("s_untyped", "A const value of unknown type.")),
        }
    }

    fn collect(&self, samples: &mut Samples) {
        for text in AWKWARD {
            samples
                .counter(&self.counter, &[text], 17.0)
                .created_ms(CREATED);
        }
        samples.gauge(&self.gauge, &["now"], 1024.0);
        samples
            .gauge(&self.gauge, &["then"], 1_073_741_824.0)
            .timestamp_ms(READ);
        samples
            .histogram(
                &self.histogram,
                &[AWKWARD[1]],
                HistogramValue {
                    count: 6.0,
                    sum: 7.25,
                    buckets: vec![2.0, 3.0],
                },
            )
            .created_ms(CREATED);
        samples.native_histogram(&self.native, &[], native());
        samples.summary(
            &self.summary,
            &[AWKWARD[2]],
            SummaryValue {
                count: 4.0,
                sum: 10.0,
                quantiles: vec![(0.5, 2.0), (0.9, f64::NAN)],
            },
        );
        samples.info(&self.info, &["1.2.3", AWKWARD[3]]);
        samples.untyped(&self.untyped, &[], 0.5).timestamp_ms(READ);
    }
}

/// Buckets (0.5, 1], (1, 2] and (4, 8], and [-2, -1).
fn native() -> NativeHistogramValue {
    NativeHistogramValue {
        count: 10.0,
        sum: 12.5,
        schema: 0,
        zero_threshold: 0.001,
        zero_count: 2.0,
        negative_spans: vec![BucketSpan {
            offset: 1,
            length: 1,
        }],
        negative_counts: vec![1.0],
        positive_spans: vec![
            BucketSpan {
                offset: 0,
                length: 2,
            },
            BucketSpan {
                offset: 1,
                length: 1,
            },
        ],
        positive_counts: vec![3.0, 2.0, 2.0],
    }
}

meterbox_plugin::export!(Everything: Collector, Lifecycle);
