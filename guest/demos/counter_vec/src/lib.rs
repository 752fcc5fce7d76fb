//! A counter with labels, counted up a million times and, if config `delete` is true, deleted while somebody holds
//! it.

use meterbox_plugin::prelude::*;

const OK_GET: [&str; 2] = ["200", "GET"];

struct Requests {
    requests: CounterVec,
    /// Held beyond its deletion.
    deleted: Option<Counter>,
}

impl Collector for Requests {
    fn register(registry: &mut Registry) -> Result<Self> {
        let requests = registry.counter_vec(
            "http_requests_total",
            "How many HTTP requests processed, partitioned by status code and HTTP method.",
            &["code", "method"],
        );
        Ok(Self {
            requests,
            deleted: None,
        })
    }

    fn collect(&mut self, _: &mut Samples) -> Result<()> {
        if let Some(deleted) = &self.deleted {
            deleted.inc(); // Nobody will ever see it.
        }
        Ok(())
    }
}

impl Lifecycle for Requests {
    fn init(&mut self, start: Start) -> Result<()> {
        if start == Start::Again {
            return Ok(()); // The host kept the counts.
        }
        self.requests
            .with_label_values(&["404", "POST"])
            .inc_by(42.0);

        let held = self.requests.with_label_values(&OK_GET);
        for _ in 0..1_000_000 {
            held.inc();
        }
        if config::parse("delete")? == Some(true) {
            self.requests.delete(&[("method", "GET"), ("code", "200")]);
            held.inc();
            // The same labels again are a new series, of which the old handle knows nothing.
            self.requests.with_label_values(&OK_GET).inc();
            self.deleted = Some(held);
        }
        Ok(())
    }
}

meterbox_plugin::export!(Requests: Collector, Lifecycle);
