//! A summary of a thousand known values: client_golang's example of the frog pond.

use meterbox_plugin::prelude::*;

struct Pond {
    temperature: Summary,
}

impl Collector for Pond {
    fn register(registry: &mut Registry) -> Result<Self> {
        let temperature = registry.summary(
            "pond_temperature_celsius",
            "The temperature of the frog pond.",
            [(0.5, 0.05), (0.9, 0.01), (0.99, 0.001)],
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

    /// What client_golang prints for its example, give or take the errors that it allows.
    #[test]
    fn the_documented_values() {
        let mut sorted: Vec<f64> = temperatures().collect();
        sorted.sort_by(f64::total_cmp);
        assert_eq!(temperatures().sum::<f64>(), 29_969.500_000_000_01);
        let within = |rank: f64, error: f64, value| {
            let at = |rank: f64| sorted[(rank * 1000.0) as usize];
            at(rank - error) <= value && value <= at(rank + error)
        };
        assert!(within(0.5, 0.05, 31.1));
        assert!(within(0.9, 0.01, 41.3));
        assert!(within(0.99, 0.001, 41.9));
    }
}
