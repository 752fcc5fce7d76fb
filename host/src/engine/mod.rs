//! wasmtime, narrowed to what this host needs: one engine, one linker, stores that cannot run for ever.

pub(crate) mod bindings;
mod fault;
mod linker;
mod state;

use std::{thread, time::Duration};

use wasmtime::component::{Component, InstancePre, Linker};

pub(crate) use self::{
    fault::{Fault, FaultKind},
    state::{Identity, State},
};

/// How often a running guest is asked whether its time is up, and lets other tasks run.
const EPOCH: Duration = Duration::from_millis(10);

/// Compiles components and links them against the contract.
#[derive(Clone)]
pub(crate) struct Engine {
    engine: wasmtime::Engine,
    linker: Linker<State>,
}

impl Engine {
    pub(crate) fn new() -> wasmtime::Result<Self> {
        let mut config = wasmtime::Config::new();
        // Half the cost of a call, and all that a host without WASI 0.3 needs.
        config.concurrency_support(false);
        config.epoch_interruption(true);
        let engine = wasmtime::Engine::new(&config)?;
        start_ticker(&engine)?;
        let linker = linker::link(&engine)?;
        Ok(Self { engine, linker })
    }

    /// Compiles a component. Takes tens of milliseconds for a Rust plugin, seconds for a Python one: never call it on a
    /// serving thread.
    pub(crate) fn compile(&self, component: &[u8]) -> wasmtime::Result<Component> {
        Component::from_binary(&self.engine, component)
    }

    /// Finds an implementation for everything that the component imports.
    pub(crate) fn link(&self, component: &Component) -> wasmtime::Result<InstancePre<State>> {
        self.linker.instantiate_pre(component)
    }
}

/// Advances the epoch as long as the engine lives.
fn start_ticker(engine: &wasmtime::Engine) -> wasmtime::Result<()> {
    let engine = engine.weak();
    // A thread of its own: a task would stand behind the very guests that it is to interrupt.
    thread::Builder::new()
        .name("meterbox-epoch".to_owned())
        .spawn(move || {
            loop {
                thread::sleep(EPOCH);
                let Some(engine) = engine.upgrade() else {
                    return;
                };
                engine.increment_epoch();
            }
        })?;
    Ok(())
}
