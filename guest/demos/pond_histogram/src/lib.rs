//! A histogram of a thousand known values: client_golang's example of the frog pond.

use meterbox_plugin::linear_buckets;
use meterbox_plugin::prelude::*;

struct Pond {
    temperature: Histogram,
}

impl Collector for Pond {
    fn register(registry: &mut Registry) -> Result<Self> {
        let temperature = registry.histogram(
            "pond_temperature_celsius",
            "The temperature of the frog pond.",
            linear_buckets(20.0, 5.0, 5),
        );
        Ok(Self { temperature })
    }
}

impl Lifecycle for Pond {
    fn init(&mut self, start: Start) -> Result<()> {
        if start == Start::First {
            temperatures().for_each(|celsius| self.temperature.observe(celsius));
        }
        Ok(())
    }
}

fn temperatures() -> impl Iterator<Item = f64> {
    (0..1000).map(|i| 30.0 + (120.0 * (f64::from(i) * 0.1).sin()).floor() / 10.0)
}

meterbox_plugin::export!(Pond: Collector, Lifecycle);

#[cfg(test)]
mod tests {
    use super::*;

    /// What client_golang prints for its example.
    #[test]
    fn the_documented_values() {
        assert_eq!(temperatures().count(), 1000);
        assert_eq!(temperatures().sum::<f64>(), 29_969.500_000_000_01);
        let cumulative = linear_buckets(20.0, 5.0, 5)
            .into_iter()
            .map(|bound| temperatures().filter(|&celsius| celsius <= bound).count());
        assert_eq!(cumulative.collect::<Vec<_>>(), [192, 366, 501, 638, 816]);
    }
}
