//! From the bytes that an operator names to a component.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    time::Duration,
};

use wasmparser::{Encoding, Parser, Payload};

use crate::{
    distribution::FetchError,
    engine::bounds::{Stop, Tally, TooLarge},
};

/// Custom sections of this prefix carry the WIT of a core module.
const WIT_SECTION: &str = "component-type";

/// Why bytes are no plugin. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file could not be read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// The file.
        path: String,
        /// Why not.
        error: io::Error,
    },
    /// It cannot be had, or is not what it must be.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It was not there in time.
    #[error(
        "pulling it takes longer than limits.pull-time ({most:?}): whoever has it hangs or is slow; try again, or raise the limit"
    )]
    PullTime {
        /// The limit.
        most: Duration,
    },
    /// The host panicked while it read or pulled.
    #[error("reading it crashed: {0}")]
    Crashed(String),
    /// Larger than any plugin is.
    #[error("{path} has more than {most} bytes; if that is right, raise limits.file-bytes")]
    File {
        /// The file.
        path: String,
        /// The limit, in bytes.
        most: u64,
    },
    /// It would take a compiler too long, or too much memory.
    #[error("{path} cannot be compiled: {error}")]
    TooLarge {
        /// The file.
        path: String,
        /// What there is too much of.
        error: TooLarge,
    },
    /// Neither a component nor a core module.
    #[error("{path} is not a WebAssembly module or component{hint}")]
    NotWasm {
        /// The file.
        path: String,
        /// What it may be instead.
        hint: &'static str,
    },
    /// It begins as WebAssembly, but breaks off or breaks the rules.
    #[error("{path} is truncated or damaged: {error}")]
    Damaged {
        /// The file.
        path: String,
        /// Where.
        error: wasmparser::BinaryReaderError,
    },
    /// A core module that does not say what it imports and exports.
    #[error(
        "{path} is a core module without embedded WIT; build it with wit-bindgen, and do not strip its custom sections"
    )]
    NoWit {
        /// The file.
        path: String,
    },
    /// A core module that does not keep to its own WIT.
    #[error("{path} cannot be made a component: {error:#}")]
    Componentize {
        /// The file.
        path: String,
        /// What does not fit.
        error: anyhow::Error,
    },
}

impl SourceError {
    /// Whether it may be well the next time, without anybody doing anything about it here.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Fetch(FetchError::Pull { .. }) | Self::PullTime { .. }
        )
    }
}

/// Reads a plugin's file.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, SourceError> {
    let shown = || path.display().to_string();
    let failed = |error| SourceError::Read {
        path: shown(),
        error,
    };
    // Before it is opened: that of a pipe would wait.
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "it is not a file");
        return Err(failed(error));
    }
    if metadata.len() > most {
        return Err(SourceError::File {
            path: shown(),
            most,
        });
    }
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    let read = file.take(most + 1).read_to_end(&mut bytes);
    if read.map_err(failed)? as u64 > most {
        return Err(SourceError::File {
            path: shown(),
            most,
        });
    }
    Ok(bytes)
}

/// Makes a plugin a component if it is a core module, and refuses what would exhaust a compiler. `path` is for messages.
pub(crate) fn componentize(bytes: Vec<u8>, path: &str) -> Result<Vec<u8>, SourceError> {
    let path = || path.to_owned();
    if !bytes.starts_with(b"\0asm") {
        let hint = match bytes.as_slice() {
            [] => " (it is empty)",
            [0x7f, b'E', b'L', b'F', ..] => {
                " (precompiled or native code is never loaded; give the .wasm file itself)"
            }
            [b'(', ..] => {
                " (it looks like the text format; translate it with wat2wasm or wasm-tools)"
            }
            _ => "",
        };
        return Err(SourceError::NotWasm { path: path(), hint });
    }
    let has_wit = scan(&bytes).map_err(|stop| match stop {
        Stop::Damaged(error) => SourceError::Damaged {
            path: path(),
            error,
        },
        Stop::TooLarge(error) => SourceError::TooLarge {
            path: path(),
            error,
        },
    })?;
    if Parser::is_component(&bytes) {
        return Ok(bytes);
    }
    if !has_wit {
        return Err(SourceError::NoWit { path: path() });
    }
    encode(&bytes).map_err(|error| SourceError::Componentize {
        path: path(),
        error,
    })
}

/// Walks over the whole file; whether it carries WIT.
fn scan(bytes: &[u8]) -> Result<bool, Stop> {
    let mut tally = Tally::default();
    // What is open, innermost last.
    let mut open = Vec::new();
    let mut has_wit = false;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(Stop::Damaged)?;
        tally.count(&payload)?;
        match payload {
            Payload::Version { encoding, .. } => open.push(encoding),
            Payload::End(_) => tally.leave(open.pop().unwrap_or(Encoding::Module)),
            Payload::CustomSection(section) => has_wit |= section.name().starts_with(WIT_SECTION),
            _ => {}
        }
    }
    Ok(has_wit)
}

fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    use wasi_preview1_component_adapter_provider as wasi;
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(module)?
        // Left out by the encoder where the module does not import preview 1.
        .adapter(
            wasi::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            wasi::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        )?
        .encode()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        componentize(bytes.to_vec(), "x.wasm")
            .expect_err("must be refused")
            .to_string()
    }

    #[test]
    fn says_what_the_bytes_are() {
        let cases: [(&[u8], &str); 5] = [
            (b"", "(it is empty)"),
            (
                b"#!/bin/sh",
                "x.wasm is not a WebAssembly module or component",
            ),
            (b"\x7fELF....", "precompiled or native code"),
            (b"(module)", "looks like the text format"),
            (b"\0asm\x01\0\0\0", "core module without embedded WIT"),
        ];
        for (bytes, wanted) in cases {
            let said = refused(bytes);
            assert!(said.contains(wanted), "{said}");
        }
    }

    #[test]
    fn a_truncated_module_is_damaged() {
        // A type section that claims more bytes than there are.
        assert!(refused(b"\0asm\x01\0\0\0\x01\x7f\x01").contains("truncated or damaged"));
    }

    #[test]
    fn a_component_stays_as_it_is() {
        let empty = b"\0asm\x0d\0\x01\0".to_vec();
        assert_eq!(
            componentize(empty.clone(), "x.wasm").expect("a component"),
            empty
        );
    }
}
