//! The export `wants`.

wit_bindgen::generate!({
    path: "wit",
    inline: "
        package meterbox:sdk;
        world wants-hook { export meterbox:plugin/wants@0.1.0; }
    ",
    world: "meterbox:sdk/wants-hook",
    pub_export_macro: true,
    export_macro_name: "export_wants",
    default_bindings_module: "meterbox_plugin::bindings::wants",
    generate_all,
});
