//! Exemplars on a counter and on histograms; config `bad` has it send one that is refused, `trap` end the call behind it.

use meterbox_plugin::prelude::*;
use meterbox_plugin::{HistogramOpts, NativeOpts};

struct Exemplars {
    requests: CounterVec,
    latency: Histogram,
    sparse: Histogram,
    collects: u32,
}

impl Collector for Exemplars {
    fn register(registry: &mut Registry) -> Result<Self> {
        Ok(Self {
            requests: registry.counter_vec("requests_total", "Requests by code.", &["code"]),
            latency: registry.histogram("latency_seconds", "Time taken.", [0.1, 1.0]),
            sparse: registry.histogram(
                "sparse_seconds",
                "Time taken, in native buckets.",
                HistogramOpts::new([]).native(NativeOpts::new(1.1)),
            ),
            collects: 0,
        })
    }

    fn collect(&mut self, _: &mut Samples) -> Result<()> {
        self.collects += 1;
        let trace = self.collects.to_string();
        let at = 1_500_000_000_250.0;
        let timed = Exemplar::new([("trace_id", "old \"é\"\n"), ("span_id", "7")]).timestamp_ms(at);
        self.requests
            .with_label_values(&["200"])
            .inc_with_exemplar([("trace_id", "gone")]);
        self.requests
            .with_label_values(&["200"])
            .add_with_exemplar(2.0, [("trace_id", trace.as_str())]);
        self.requests.with_label_values(&["404"]).inc();
        self.latency.observe_with_exemplar(0.05, timed.clone());
        self.latency.observe(0.5);
        self.latency
            .observe_with_exemplar(30.0, [("trace_id", trace.as_str())]);
        for _ in 0..4 {
            for power in 0..4 {
                self.sparse
                    .observe_with_exemplar(f64::from(1 << power), timed.clone());
            }
        }
        if config::get("bad").is_some() {
            let long = "x".repeat(121);
            self.latency
                .observe_with_exemplar(0.5, [("trace_id", long.as_str())]);
        }
        if config::get("trap").is_some() && self.collects > 1 {
            panic!("as the config says");
        }
        Ok(())
    }
}

meterbox_plugin::export!(Exemplars: Collector);
