//! The export `text-collector`.

wit_bindgen::generate!({
    path: "wit",
    inline: "
        package meterbox:sdk;
        world text-hook { export meterbox:plugin/text-collector@0.1.0; }
    ",
    world: "meterbox:sdk/text-hook",
    pub_export_macro: true,
    export_macro_name: "export_text_collector",
    default_bindings_module: "meterbox_plugin::bindings::text",
    generate_all,
});
