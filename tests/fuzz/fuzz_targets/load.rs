//! The files of the host that read a plugin's file, without the host, which would bring wasmtime along.

#![no_main]

#[allow(dead_code, reason = "the host uses more of it")]
#[path = "../../../host/src/engine/bounds.rs"]
mod bounds;
#[allow(dead_code, reason = "the host uses more of it")]
#[path = "../../../host/src/distribution/error.rs"]
mod fetch;
#[allow(dead_code, reason = "the host uses more of it")]
#[path = "../../../host/src/inspect.rs"]
mod inspect;
#[path = "../exercises/load.rs"]
mod load;
#[allow(dead_code, reason = "the host uses more of it")]
#[path = "../../../host/src/source.rs"]
mod source;
#[path = "../exercises/wasm.rs"]
mod wasm;

/// What reading a file from the disk would ask for, which nobody does here.
mod config {
    #[derive(Default)]
    pub(crate) struct Limits {
        pub(crate) file_bytes: usize,
    }
}

mod engine {
    pub(crate) use crate::bounds;
}

mod distribution {
    pub(crate) use crate::fetch::FetchError;
}

use inspect::Inspection;

libfuzzer_sys::fuzz_target!(|data: &[u8]| load::load(data));
