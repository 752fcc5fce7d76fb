//! Two families that have one name once it is escaped.

use meterbox_plugin::prelude::*;

struct Collides;

impl Collector for Collides {
    fn register(registry: &mut Registry) -> Result<Self> {
        registry
            .gauge("two.names", "In quotes, or not at all.")
            .set(1.0);
        registry.gauge("two_names", "As it is.").set(2.0);
        Ok(Self)
    }
}

meterbox_plugin::export!(Collides: Collector);
