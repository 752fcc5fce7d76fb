//! Deletes series in every way there is and shows what each way returned.

use meterbox_plugin::prelude::*;

struct Labels {
    requests: CounterVec,
    reset: CounterVec,
    results: GaugeVec,
}

impl Collector for Labels {
    fn register(registry: &mut Registry) -> Result<Self> {
        Ok(Self {
            requests: registry.counter_vec(
                "labels_total",
                "Only 500/PUT is left; it counts the scrapes.",
                &["code", "method"],
            ),
            reset: registry.counter_vec("labels_reset_total", "Empty: reset.", &["code"]),
            results: registry.gauge_vec("labels_result", "What each deletion returned.", &["step"]),
        })
    }

    fn collect(&mut self, _: &mut Samples) -> Result<()> {
        for code in ["200", "404", "500"] {
            for method in ["GET", "POST"] {
                self.requests.with_label_values(&[code, method]).inc();
            }
        }
        self.requests.with_label_values(&["500", "PUT"]).inc();
        self.delete();

        self.reset.with_label_values(&["200"]).inc();
        self.reset.with_label_values(&["404"]).inc();
        self.reset.reset();
        Ok(())
    }
}

impl Labels {
    fn delete(&self) {
        let requests = &self.requests;
        self.show("values", requests.delete_label_values(&["200", "GET"])); // 1
        self.show(
            "values_again",
            requests.delete_label_values(&["200", "GET"]),
        ); // 0
        self.show("values_too_few", requests.delete_label_values(&["200"])); // 0
        self.show(
            "names",
            requests.delete(&[("method", "POST"), ("code", "200")]),
        ); // 1
        self.show(
            "names_again",
            requests.delete(&[("method", "POST"), ("code", "200")]),
        ); // 0
        self.show(
            "names_unknown",
            requests.delete(&[("path", "/"), ("code", "404")]),
        ); // 0
        self.show(
            "partial",
            requests.delete_partial_match(&[("method", "GET")]),
        ); // 2
        self.show(
            "partial_both",
            requests.delete_partial_match(&[("method", "POST"), ("code", "404")]),
        ); // 1
        self.show(
            "partial_again",
            requests.delete_partial_match(&[("method", "GET")]),
        ); // 0
        self.show(
            "partial_unknown",
            requests.delete_partial_match(&[("path", "/")]),
        ); // 0
        self.show(
            "values_last",
            requests.delete_label_values(&["500", "POST"]),
        ); // 1
    }

    fn show(&self, step: &str, result: impl Into<u32>) {
        self.results
            .with_label_values(&[step])
            .set(result.into().into());
    }
}

meterbox_plugin::export!(Labels: Collector);
