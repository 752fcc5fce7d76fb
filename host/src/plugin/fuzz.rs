//! The fuzz target of `tests/fuzz` that reads plugins' files, as a test, and the way on from there: what can be loaded is
//! started and collected from. The latter has no target of its own, which would take wasmtime to be built for it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a failed step fails the test"
)]

#[path = "../../../tests/fuzz/exercises/load.rs"]
mod load;
#[path = "../../../tests/fuzz/exercises/wasm.rs"]
mod wasm;

use std::{
    cell::Cell,
    collections::HashSet,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use meterbox_metrics::{
    Registry, View,
    encode::{Escaping, Format},
};

use super::{Described, prepare};
use crate::{
    config::PluginConfig,
    engine::{Engine, Settings, bindings::lifecycle::Start},
    inspect::Inspection,
    limits::Limits,
    source,
};

#[test]
fn files() {
    crate::fuzz::run("load", load::load);
}

/// Random code behind the contract's own face: whatever it does, it is stopped, refused or on the page.
#[test]
fn plugins() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let limits = Limits {
        timeout: Duration::from_millis(50),
        start_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let settings = Settings {
        limits: limits.clone(),
        ..Settings::default()
    };
    let engine = Engine::new(settings).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("any.wasm");
    let (started, refused) = (Cell::new(0), Cell::new(0));
    crate::fuzz::run("load", |data| {
        // Changes to the machine code of a whole plugin take long to compile, and are the engine's own business.
        let kind = data.first().map_or(0, |kind| kind % 5);
        let rest = data.get(1..).unwrap_or_default();
        fs::write(&path, wasm::file(&[&[kind], rest].concat())).unwrap();
        let begin = Instant::now();
        match runtime.block_on(run(&engine, &path, &limits)) {
            Ok(()) => started.set(started.get() + 1),
            Err(error) => {
                let is_bug = ["the host failed", "crashed"]
                    .iter()
                    .any(|word| error.contains(word));
                assert!(!is_bug, "{error}");
                refused.set(refused.get() + 1);
            }
        }
        engine.keep(&HashSet::new());
        // Far more than all limits together, on a machine that is busy.
        assert!(begin.elapsed() < Duration::from_secs(60));
    });
    assert!(started.get() > 0, "none of {} was started", refused.get());
    assert!(refused.get() > 0, "none was refused");
}

/// As far as it comes: an error says where it ended.
async fn run(engine: &Engine, path: &Path, limits: &Limits) -> Result<(), String> {
    let bytes = source::read(path, limits.file_bytes as u64);
    let loaded = engine.load("any", bytes).await;
    let config = PluginConfig::file(path);
    let prepared = prepare(&loaded, "any", &config, limits.clone(), Arc::default());
    let prepared = prepared.await.map_err(|error| error.to_string())?;
    let described = prepared
        .describe()
        .await
        .map_err(|error| error.to_string())?;
    let registry = Registry::default();
    let (options, descs) = described.families();
    let scope = registry
        .register(&options, descs)
        .map_err(|error| error.to_string())?;
    let Described { mut instance, .. } = described;
    instance.attach(Arc::clone(&scope));
    instance
        .init(Start::First)
        .await
        .map_err(|fault| fault.to_string())?;
    let samples = instance
        .collect(Arc::default())
        .await
        .map_err(|fault| fault.to_string())?;
    scope.replace_samples(samples, Instant::now());
    let page = registry.page(|_| View::All);
    page.frames(Format::Text, Escaping::AllowUtf8)
        .flatten()
        .count();
    Ok(())
}
