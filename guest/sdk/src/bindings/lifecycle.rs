//! The export `lifecycle`.

wit_bindgen::generate!({
    path: "wit",
    inline: "
        package meterbox:sdk;
        world lifecycle-hook { export meterbox:plugin/lifecycle@0.1.0; }
    ",
    world: "meterbox:sdk/lifecycle-hook",
    pub_export_macro: true,
    export_macro_name: "export_lifecycle",
    default_bindings_module: "meterbox_plugin::bindings::lifecycle",
    generate_all,
});
