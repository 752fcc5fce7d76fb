//! wasmtime, narrowed to what this host needs: one engine, one linker, stores that cannot run for ever.

pub(crate) mod bindings;
mod cpu;
mod fault;
mod guard;
mod linker;
mod meter;
mod state;

use std::{thread, time::Duration};

use wasmtime::component::{Component, InstancePre, Linker};

use crate::limits::Limits;

pub use self::fault::{Fault, FaultKind};
pub(crate) use self::{
    cpu::{CpuClock, Metered},
    guard::guard,
    state::{Identity, State},
};

/// How often a running guest is asked whether its time is up, and lets other tasks run.
pub(crate) const EPOCH: Duration = Duration::from_millis(10);

/// What host functions need of a stack beside the guest's part of it. Whoever overflows that ends the process.
const HOST_STACK: usize = 1536 << 10;

/// Compiles components and links them against the contract.
#[derive(Clone)]
pub(crate) struct Engine {
    engine: wasmtime::Engine,
    linker: Linker<State>,
}

impl Engine {
    /// `limits` are those of all plugins; the stack is what counts here.
    pub(crate) fn new(limits: &Limits) -> wasmtime::Result<Self> {
        let mut config = wasmtime::Config::new();
        // Half the cost of a call, and all that a host without WASI 0.3 needs.
        config.concurrency_support(false);
        config.epoch_interruption(true);
        config.max_wasm_stack(limits.stack);
        config.async_stack_size(limits.stack + HOST_STACK);
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
