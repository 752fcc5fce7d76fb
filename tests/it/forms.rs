//! A core module and its component form are one plugin.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, TestHost, files};
use wit_component::ComponentEncoder;

/// Layer 0 of the binary format is a core module, layer 1 a component.
fn layer(wasm: &[u8]) -> Option<u8> {
    wasm.starts_with(b"\0asm").then(|| wasm.get(6).copied())?
}

/// Writes the component form of a demo plugin.
fn componentize(plugin: &str, to: &Path) -> Result<()> {
    let module = fs::read(files::plugin(plugin)?)?;
    ensure!(
        layer(&module) == Some(0),
        "{plugin} is not a core module to begin with"
    );
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .encode()?;
    ensure!(
        layer(&component) == Some(1),
        "the encoder made no component"
    );
    fs::write(to, component).context("cannot write the component")
}

/// Plugins whose values do not move.
const STILL: [&str; 4] = [
    "counter_vec",
    "pond_histogram",
    "pond_summary",
    "test/everything",
];

fn host(source: impl Fn(&str) -> Result<String>) -> Result<TestHost> {
    let mut exporter = Meterbox::new();
    for plugin in STILL {
        let name = plugin.rsplit('/').next().unwrap_or(plugin);
        let config = format!(
            "[plugins.{name}]\nsource = {:?}\nprefix = \"{name}_\"\n",
            source(plugin)?
        );
        exporter = exporter.config(&config);
    }
    exporter.start()
}

#[test]
fn both_give_the_same_page() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let modules = host(|plugin| Ok(files::plugin(plugin)?.to_string_lossy().into_owned()))?;
    let components = host(|plugin| {
        let file = dir
            .path()
            .join(plugin.replace('/', "_"))
            .with_extension("wasm");
        componentize(plugin, &file)?;
        Ok(file.to_string_lossy().into_owned())
    })?;
    let (module, component) = (
        modules.scrape()?.plugin_text(),
        components.scrape()?.plugin_text(),
    );
    for plugin in STILL {
        let name = plugin.rsplit('/').next().unwrap_or(plugin);
        ensure!(
            module.contains(&format!("# TYPE {name}_")),
            "nothing of {name}"
        );
    }
    assert_eq!(module, component);
    Ok(())
}

/// Ticks and routes are exports that are found in both forms.
#[test]
fn a_component_ticks_and_serves_its_route() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("counter.wasm");
    componentize("counter", &file)?;
    let config = format!("[plugins.counter]\nsource = {file:?}\nroutes = [\"/hello\"]\n");
    let host = Meterbox::new().config(&config).start()?;
    assert_eq!(
        host.get("/hello")?.text()?,
        "Hello from Prometheus Exporter!"
    );
    host.scrape_until(|page| {
        let count = page.number("ep1_counter", &[])?;
        ensure!(count >= 6.0 && count % 5.0 == 1.0, "{count}");
        Ok(())
    })
}
