//! From the text format to a component: what the tests and `make soak` have in common.

use anyhow::Result;
use meterbox_tests::files;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Assembles a core module and makes it a component, with those exports and imports of the contract that it has.
pub(crate) fn assemble(text: &str) -> Result<Vec<u8>> {
    let mut world = "include meterbox:plugin/plugin@0.1.0;\n".to_owned();
    for hook in ["lifecycle", "schedule", "text-collector", "probe"] {
        if text.contains(&format!("meterbox:plugin/{hook}@0.1.0#")) {
            world.push_str(&format!("export meterbox:plugin/{hook}@0.1.0;\n"));
        }
    }
    if text.contains("wasi:http/incoming-handler@0.2.12#") {
        world.push_str("export wasi:http/incoming-handler@0.2.12;\n");
    }
    if text.contains("[export]things") {
        world.push_str("export things: interface { resource thing; }\n");
    }
    for import in ["wasi:clocks/monotonic-clock@0.2.12", "wasi:io/poll@0.2.12"] {
        if text.contains(import) {
            world.push_str(&format!("import {import};\n"));
        }
    }
    let mut resolve = Resolve::default();
    resolve.push_dir(files::root().join("wit"))?;
    let wit = format!("package test:hostile;\nworld guest {{ {world} }}");
    let package = resolve.push_str("hostile.wit", &wit)?;
    let world = resolve.select_world(&[package], None)?;
    let mut module = wat::parse_str(text)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .encode()
}
