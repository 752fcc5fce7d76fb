//! A summary with three quantiles: one request each second, of up to 99 ms.

use meterbox_plugin::prelude::*;
use meterbox_plugin::random;

struct Requests {
    latency: Summary,
}

impl Collector for Requests {
    fn register(registry: &mut Registry) -> Result<Self> {
        let latency = registry.summary(
            "request_latency_seconds",
            "Latency of requests in seconds",
            [(0.5, 0.05), (0.9, 0.01), (0.99, 0.001)],
        );
        Ok(Self { latency })
    }
}

impl Schedule for Requests {
    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn tick(&mut self) -> Result<()> {
        let millis = random::below(100);
        self.latency.observe(f64::from(millis) / 1000.0);
        Ok(())
    }
}

meterbox_plugin::export!(Requests: Collector, Schedule);
