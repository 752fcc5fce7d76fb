//! Rust for the contract in `wit/`, generated, and nothing else.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::pedantic,
    reason = "generated code; the WIT files are its documentation"
)]

wasmtime::component::bindgen!({
    path: "wit",
    inline: "
        package meterbox:host;
        world all {
            include meterbox:plugin/plugin@0.1.0;
            import meterbox:plugin/exemplars@0.1.0;
            export meterbox:plugin/lifecycle@0.1.0;
            export meterbox:plugin/schedule@0.1.0;
            export meterbox:plugin/text-collector@0.1.0;
            export meterbox:plugin/wants@0.1.0;
            export meterbox:plugin/probe@0.1.0;
        }
    ",
    world: "meterbox:host/all",
    imports: { default: trappable },
    exports: { default: async },
    require_store_data_send: true,
});

pub use self::exports::meterbox::plugin::{
    collector, lifecycle, probe, schedule, text_collector, wants,
};
pub use self::meterbox::plugin::{config, exemplars, instruments, log, meminfo, metric_types};
