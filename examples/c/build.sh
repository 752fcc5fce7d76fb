#!/usr/bin/env bash
# Builds house.c to target/examples/c.wasm. Zig is here for its C compiler, which brings a libc for WebAssembly; the clang of
# wasi-sdk takes the same arguments.
. "$(dirname "$0")/../common.sh"

pypi ziglang==0.17.1
wit_bindgen
bindings=$built/c
"$wit_bindgen" c "$root/wit" --world plugin --out-dir "$bindings" >/dev/null
export ZIG_GLOBAL_CACHE_DIR=$toolchains/zig-cache ZIG_LOCAL_CACHE_DIR=$toolchains/zig-cache
"$venv/bin/python" -m ziglang cc -target wasm32-wasi -mexec-model=reactor -Os -s -Wl,-z,stack-size=65536 \
  -Wall -Wextra -Werror -I "$bindings" \
  "$example/house.c" "$bindings/plugin.c" "$bindings/plugin_component_type.o" -o "$built/c.wasm"
