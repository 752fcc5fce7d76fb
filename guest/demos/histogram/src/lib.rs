//! A histogram with the default buckets: one request each second, of up to 99 ms.

use meterbox_plugin::prelude::*;
use meterbox_plugin::random;

struct Requests {
    duration: Histogram,
}

impl Collector for Requests {
    fn register(registry: &mut Registry) -> Result<Self> {
        let duration = registry.histogram(
            "request_duration_seconds",
            "Duration of requests in seconds",
            HistogramOpts::default(),
        );
        Ok(Self { duration })
    }
}

impl Schedule for Requests {
    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn tick(&mut self) -> Result<()> {
        let millis = random::below(100);
        self.duration.observe(f64::from(millis) / 1000.0);
        Ok(())
    }
}

meterbox_plugin::export!(Requests: Collector, Schedule);
