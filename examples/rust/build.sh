#!/usr/bin/env bash
# Builds the crate to target/examples/rust.wasm. What matters is `cargo build --release --target wasm32-unknown-unknown`;
# guest/build.sh finds a way to it where rustup cannot fetch that target.
. "$(dirname "$0")/../common.sh"

"$root/guest/build.sh" "$example" "$built/house.wasm"
mv "$built/house.wasm" "$built/rust.wasm"
