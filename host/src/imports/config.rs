//! `config`: what the operator wrote for this plugin.

use wasmtime::Result;

use crate::engine::{State, bindings::config::Host};

impl Host for State {
    fn get(&mut self, key: String) -> Result<Option<String>> {
        self.meter.host_call()?;
        Ok(self
            .identity
            .config
            .get(&key)
            .map(|value| value.get().to_owned()))
    }
}
