//! What a plugin can import.

use wasmtime::{
    Engine, Result,
    component::{HasSelf, Linker},
};

use super::{
    bindings::{config, exemplars, instruments, log},
    state::State,
};
use crate::{grants, imports::meminfo};

/// Links the contract, and WASI 0.2: languages import it whether they use it or not, so all of it is there, and without
/// grants it is inert.
pub(crate) fn link(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    grants::link(&mut linker)?;
    instruments::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    exemplars::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    meminfo::add_to_linker(&mut linker)?;
    log::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    config::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}
