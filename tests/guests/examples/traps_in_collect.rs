//! Counts on in its ticks and panics in scrapes: in all of them if config `trap` is `always`, in every third of an
//! instance if it is `third`. What a panicking call counted must never be seen.

use meterbox_plugin::prelude::*;

struct Traps {
    counter: Counter,
    /// Panics when this divides the number of the scrape; 0 is never.
    every: u32,
    scrapes: u32,
}

impl Collector for Traps {
    fn register(registry: &mut Registry) -> Result<Self> {
        let every = match config::get("trap").as_deref() {
            Some("always") => 1,
            Some("third") => 3,
            _ => 0,
        };
        let counter = registry.counter("trapping_total", "Ticks, and scrapes that came through.");
        Ok(Self {
            counter,
            every,
            scrapes: 0,
        })
    }

    fn collect(&mut self, _: &mut Samples) -> Result<()> {
        self.counter.inc();
        self.scrapes += 1;
        assert!(
            self.every == 0 || !self.scrapes.is_multiple_of(self.every),
            "trapping in scrape {}",
            self.scrapes
        );
        Ok(())
    }
}

impl Schedule for Traps {
    fn interval(&self) -> Duration {
        Duration::from_millis(50)
    }

    fn tick(&mut self) -> Result<()> {
        self.counter.inc();
        Ok(())
    }
}

meterbox_plugin::export!(Traps: Collector, Schedule);
