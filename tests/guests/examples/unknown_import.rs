//! Imports what no host has.

use meterbox_plugin::prelude::*;

mod bindings {
    wit_bindgen::generate!({
        inline: "
            package strangers:thing@1.0.0;
            interface gadget { poke: func(); }
            world stranger { import gadget; }
        ",
    });
}

struct Unknown;

impl Collector for Unknown {
    fn register(registry: &mut Registry) -> Result<Self> {
        registry.gauge("unknown", "Never to be seen.");
        Ok(Self)
    }

    fn collect(&mut self, _: &mut Samples) -> Result<()> {
        bindings::strangers::thing::gadget::poke();
        Ok(())
    }
}

meterbox_plugin::export!(Unknown: Collector);
