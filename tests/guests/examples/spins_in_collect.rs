//! Never comes back from a scrape.

use meterbox_plugin::prelude::*;

struct Spins {
    gauge: Gauge,
}

impl Collector for Spins {
    fn register(registry: &mut Registry) -> Result<Self> {
        Ok(Self {
            gauge: registry.gauge("spins", "Set before spinning."),
        })
    }

    #[expect(clippy::empty_loop, reason = "that is the point")]
    fn collect(&mut self, _: &mut Samples) -> Result<()> {
        self.gauge.set(1.0);
        loop {}
    }
}

meterbox_plugin::export!(Spins: Collector);
