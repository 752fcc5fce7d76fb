#!/usr/bin/env bash
# Builds house.py to target/examples/python.wasm.
. "$(dirname "$0")/../common.sh"

pypi componentize-py==0.25.1
"$venv/bin/componentize-py" --quiet --wit-path "$root/wit" --world plugin \
  componentize --python-path "$example" house --output "$built/python.wasm"
