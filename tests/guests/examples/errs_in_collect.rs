//! Fails each scrape with an error. What it counted counts all the same.

use meterbox_plugin::prelude::*;

struct Errs {
    counter: Counter,
    family: Family,
}

impl Collector for Errs {
    fn register(registry: &mut Registry) -> Result<Self> {
        Ok(Self {
            counter: registry.counter("errs_total", "Scrapes, all of which failed."),
            family: registry.desc(Desc::gauge("errs_sample", "Never to be seen.")),
        })
    }

    fn collect(&mut self, samples: &mut Samples) -> Result<()> {
        self.counter.inc();
        samples.gauge(&self.family, &[], 1.0);
        Err("no such device")?
    }
}

meterbox_plugin::export!(Errs: Collector);
