//! The export `schedule`.

wit_bindgen::generate!({
    path: "wit",
    inline: "
        package meterbox:sdk;
        world schedule-hook { export meterbox:plugin/schedule@0.1.0; }
    ",
    world: "meterbox:sdk/schedule-hook",
    pub_export_macro: true,
    export_macro_name: "export_schedule",
    default_bindings_module: "meterbox_plugin::bindings::schedule",
    generate_all,
});
