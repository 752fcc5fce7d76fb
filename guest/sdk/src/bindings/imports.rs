//! Everything that a plugin may import. What it does not call is not in its module.

wit_bindgen::generate!({
    path: "wit",
    inline: "
        package meterbox:sdk;
        world imports {
            import meterbox:plugin/instruments@0.1.0;
            import meterbox:plugin/exemplars@0.1.0;
            import meterbox:plugin/meminfo@0.1.0;
            import meterbox:plugin/log@0.1.0;
            import meterbox:plugin/config@0.1.0;
        }
    ",
    world: "meterbox:sdk/imports",
    ownership: Borrowing { duplicate_if_necessary: false },
    generate_all,
});

pub use self::meterbox::plugin::{config, exemplars, instruments, log, meminfo};
