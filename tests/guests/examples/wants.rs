//! Wants things, some of which it cannot do without.

use meterbox_plugin::prelude::*;

struct Wanting;

impl Collector for Wanting {
    fn register(registry: &mut Registry) -> Result<Self> {
        registry
            .gauge("wanting", "Whether it was started.")
            .set(1.0);
        Ok(Self)
    }

    fn collect(&mut self, _: &mut Samples) -> Result<()> {
        Ok(())
    }
}

impl Wants for Wanting {
    fn wants() -> Vec<Want> {
        vec![
            Want::needed("meminfo", "", "reports free memory"),
            Want::needed("tcp", "db.example.com:5432", "asks the database"),
            Want::needed("tcp", "cache.example.com:6379", "asks the cache"),
            Want::needed(
                "http",
                "GET,POST https://api.example.com/v1",
                "asks the service",
            ),
            Want::optional("env", "TZ", "shows local times"),
        ]
    }
}

meterbox_plugin::export!(Wanting: Collector, Wants);
