//! wasmtime, narrowed to what this host needs: one engine, one linker, stores that cannot run for ever.

pub(crate) mod bindings;
pub(crate) mod bounds;
mod cache;
pub(crate) mod compile;
mod cpu;
mod fault;
mod guard;
mod layout;
mod linker;
mod load;
mod meter;
mod state;

use std::{path::PathBuf, sync::Arc, thread, time::Duration};

use wasmtime::{Config, component::Linker};

pub use self::fault::{Fault, FaultKind};
pub(crate) use self::{
    cache::Digest,
    cpu::{CpuClock, Metered},
    guard::guard,
    load::{LoadError, Loaded},
    meter::Usage,
    state::{Identity, State},
};
use self::{compile::Compiler, layout::Layout, load::Loader};
use crate::limits::Limits;

/// How often a running guest is asked whether its time is up, and lets other tasks run.
pub(crate) const EPOCH: Duration = Duration::from_millis(10);

/// What host functions need of a stack beside the guest's part of it. Whoever overflows that ends the process.
const HOST_STACK: usize = 1536 << 10;

/// What an engine is to be made for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Where compiled code is kept, if anywhere.
    pub(crate) state: Option<PathBuf>,
    /// Who compiles, if not this process.
    pub(crate) compiler: Option<Compiler>,
    /// Those of all plugins: what is compiled is shared, and so is the stack.
    pub(crate) limits: Limits,
}

/// Loads components and links them against the contract. Clones share everything.
#[derive(Clone)]
pub(crate) struct Engine {
    engine: wasmtime::Engine,
    linker: Arc<Linker<State>>,
    layout: Layout,
    loader: Arc<Loader>,
}

impl Engine {
    pub(crate) fn new(settings: Settings) -> wasmtime::Result<Self> {
        let layout = Layout::probe();
        let mut config = config(layout);
        config.max_wasm_stack(settings.limits.stack);
        config.async_stack_size(settings.limits.stack + HOST_STACK);
        let engine = wasmtime::Engine::new(&config)?;
        start_ticker(&engine)?;
        let linker = Arc::new(linker::link(&engine)?);
        let loader = Arc::new(Loader::new(&engine, settings));
        Ok(Self {
            engine,
            linker,
            layout,
            loader,
        })
    }
}

/// Everything that decides on compiled code, for the engine that runs it as well as for the one that compiles it.
fn config(layout: Layout) -> Config {
    let mut config = Config::new();
    // Half the cost of a call, and all that a host without WASI 0.3 needs.
    config.concurrency_support(false);
    config.epoch_interruption(true);
    layout.apply(&mut config);
    config
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
