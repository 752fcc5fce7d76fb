#!/usr/bin/env bash
# Builds house.js to target/examples/javascript.wasm.
. "$(dirname "$0")/../common.sh"

npm componentize-qjs 0.4.5
"$npm/componentize-qjs" --wit "$root/wit" --world plugin --sync --js "$example/house.js" --output "$built/javascript.wasm" >/dev/null
