//! Three figures of the machine's memory, read afresh for each scrape.

use meterbox_plugin::meminfo;
use meterbox_plugin::prelude::*;

struct Memory {
    total: Family,
    used: Family,
    free: Family,
}

impl Collector for Memory {
    fn register(registry: &mut Registry) -> Result<Self> {
        let mut bytes = |name, help| registry.desc(Desc::gauge(name, help).unit("bytes"));
        Ok(Self {
            total: bytes("memory_total_bytes", "Total memory in bytes"),
            used: bytes("memory_used_bytes", "Used memory in bytes"),
            free: bytes("memory_free_bytes", "Free memory in bytes"),
        })
    }

    fn collect(&mut self, samples: &mut Samples) -> Result<()> {
        let entries = meminfo::read()?;
        let figure = |name| {
            let entry = entries.iter().find(|entry| entry.name == name);
            entry
                .map(|entry| entry.value)
                .ok_or_else(|| format!("the kernel says no {name}"))
        };
        let total = figure("MemTotal")?;
        samples.gauge(&self.total, &[], total);
        samples.gauge(&self.used, &[], total - figure("MemAvailable")?);
        samples.gauge(&self.free, &[], figure("MemFree")?);
        Ok(())
    }
}

meterbox_plugin::export!(Memory: Collector);
