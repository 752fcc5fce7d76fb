//! A small house: its computer's memory, the temperature of its rooms, and how often they were read.

use meterbox_plugin::meminfo;
use meterbox_plugin::prelude::*;

// A real plugin would ask its thermometers.
const THERMOMETERS: [(&str, f64); 3] = [("bath", 23.5), ("cellar", 12.5), ("kitchen", 21.5)];

struct House {
    memory: Family,
    temperature: Family,
    reads: Counter,
    offset: f64,
}

impl Collector for House {
    fn register(registry: &mut Registry) -> Result<Self> {
        let text = config::get("offset").unwrap_or_else(|| "0".into());
        let offset = text
            .parse()
            .map_err(|_| format!("config offset is not a number: {text}"))?;
        log::info(format_args!("offset of the thermometers: {text}"));
        let memory = Desc::gauge("memory_total_bytes", "Memory of the machine in bytes.");
        let temperature = Desc::gauge("room_temperature_celsius", "Temperature of a room.");
        Ok(Self {
            memory: registry.desc(memory),
            temperature: registry.desc(temperature.labels(&["room"])),
            reads: registry.counter("room_reads_total", "How often the rooms were read."),
            offset,
        })
    }

    fn collect(&mut self, samples: &mut Samples) -> Result<()> {
        self.reads.inc();
        let entries = meminfo::read()?;
        let total = entries.iter().find(|entry| entry.name == "MemTotal");
        samples.gauge(&self.memory, &[], total.ok_or("no MemTotal")?.value);
        for (room, degrees) in THERMOMETERS {
            samples.gauge(&self.temperature, &[room], degrees + self.offset);
        }
        Ok(())
    }
}

meterbox_plugin::export!(House: Collector);
