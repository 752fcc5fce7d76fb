//! Sends to the number of a deleted series, which the SDK would not: the page must show 10.

use meterbox_plugin::bindings::imports::instruments;
use meterbox_plugin::prelude::*;

/// The index of the only family.
const FAMILY: u32 = 0;

struct Raw {
    dead: u32,
}

impl Collector for Raw {
    fn register(registry: &mut Registry) -> Result<Self> {
        let desc = Desc::counter("raw_total", "10, whatever the dead handle adds.");
        registry.desc(desc.labels(&["code"]));
        Ok(Self { dead: 0 })
    }

    fn collect(&mut self, _: &mut Samples) -> Result<()> {
        Ok(instruments::add(&[self.dead], &[1000.0])?)
    }
}

impl Lifecycle for Raw {
    fn init(&mut self, _: Start) -> Result<()> {
        let labels = ["200"];
        self.dead = instruments::open(FAMILY, &labels)?;
        instruments::add(&[self.dead], &[1.0])?;
        if !instruments::remove(FAMILY, &labels)? {
            return Err("the series was not there".into());
        }
        let alive = instruments::open(FAMILY, &labels)?;
        instruments::add(&[alive, self.dead], &[10.0, 100.0])?;
        Ok(())
    }
}

meterbox_plugin::export!(Raw: Collector, Lifecycle);
