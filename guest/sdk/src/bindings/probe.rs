//! The export `probe`. Its samples are the collector's.

wit_bindgen::generate!({
    path: "wit",
    inline: "
        package meterbox:sdk;
        world probe-hook { export meterbox:plugin/probe@0.1.0; }
    ",
    world: "meterbox:sdk/probe-hook",
    pub_export_macro: true,
    export_macro_name: "export_probe",
    default_bindings_module: "meterbox_plugin::bindings::probe",
    with: {
        "meterbox:plugin/metric-types@0.1.0": crate::bindings::collector::meterbox::plugin::metric_types,
    },
    generate_all,
});
