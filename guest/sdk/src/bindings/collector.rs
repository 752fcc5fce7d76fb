//! The export `collector`.

wit_bindgen::generate!({
    path: "wit",
    inline: "
        package meterbox:sdk;
        world collector-hook { export meterbox:plugin/collector@0.1.0; }
    ",
    world: "meterbox:sdk/collector-hook",
    pub_export_macro: true,
    export_macro_name: "export_collector",
    default_bindings_module: "meterbox_plugin::bindings::collector",
    generate_all,
});
