//! Guests for the tests, one behaviour per file in `examples/`; each is built to `target/plugins/test/NAME.wasm`.
