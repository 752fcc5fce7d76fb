//! Increments a counter that it holds, config `n` times in each scrape: for the benchmark.

use meterbox_plugin::prelude::*;

struct Increments {
    counter: Counter,
    n: u64,
}

impl Collector for Increments {
    fn register(registry: &mut Registry) -> Result<Self> {
        let counter = registry.counter("increments_total", "Increments of a held counter.");
        Ok(Self {
            counter,
            n: config::parse("n")?.unwrap_or_default(),
        })
    }

    fn collect(&mut self, _: &mut Samples) -> Result<()> {
        for _ in 0..self.n {
            self.counter.inc();
        }
        Ok(())
    }
}

meterbox_plugin::export!(Increments: Collector);
