//! A gauge that is set every second.

use meterbox_plugin::prelude::*;
use meterbox_plugin::random;

struct Thermometer {
    temperature: Gauge,
}

impl Thermometer {
    fn read(&self) {
        self.temperature.set(20.0 + 10.0 * random::unit());
    }
}

impl Collector for Thermometer {
    fn register(registry: &mut Registry) -> Result<Self> {
        let temperature = registry.gauge("temperature_celsius", "Current temperature in Celsius");
        Ok(Self { temperature })
    }
}

impl Lifecycle for Thermometer {
    fn init(&mut self, _: Start) -> Result<()> {
        self.read();
        Ok(())
    }
}

impl Schedule for Thermometer {
    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn tick(&mut self) -> Result<()> {
        self.read();
        Ok(())
    }
}

meterbox_plugin::export!(Thermometer: Collector, Lifecycle, Schedule);
