//! What was once built must load for ever: tests/fixtures has this plugin as it was built against the contract 0.1.0 when it
//! was new, as a core module and as a component. Change it together with them, for a new version of the contract.

use meterbox_plugin::prelude::*;

struct Kept {
    ticks: Counter,
    seconds: Histogram,
    level: Family,
}

impl Collector for Kept {
    fn register(registry: &mut Registry) -> Result<Self> {
        Ok(Self {
            ticks: registry.counter("kept_ticks_total", "Ticks."),
            seconds: registry.histogram("kept_seconds", "Time.", [0.5, 1.0]),
            level: registry.desc(Desc::gauge("kept_level", "Level.").labels(&["tank"])),
        })
    }

    fn collect(&mut self, samples: &mut Samples) -> Result<()> {
        // No number is parsed, which would make the file a third larger.
        let level = config::get("level").map_or(1.0, |level| level.len() as f64);
        samples.gauge(&self.level, &["main"], level);
        Ok(())
    }
}

impl Lifecycle for Kept {
    fn init(&mut self, start: Start) -> Result<()> {
        if start == Start::First {
            self.seconds.observe(0.7);
        }
        log::info("kept is initialised");
        Ok(())
    }
}

impl Schedule for Kept {
    fn interval(&self) -> Duration {
        Duration::from_millis(20)
    }

    fn tick(&mut self) -> Result<()> {
        self.ticks.inc();
        Ok(())
    }
}

meterbox_plugin::export!(Kept: Collector, Lifecycle, Schedule);
