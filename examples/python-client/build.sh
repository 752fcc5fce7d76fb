#!/usr/bin/env bash
# Builds house.py, with prometheus_client, to target/examples/python-client.wasm.
. "$(dirname "$0")/../common.sh"

pypi componentize-py==0.25.1
client=$toolchains/prometheus_client==0.26.0
[ -e "$client/complete" ] || {
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --upgrade --target "$client" \
    prometheus_client==0.26.0 || missing "PyPI does not give prometheus_client 0.26.0"
  touch "$client/complete"
}
"$venv/bin/componentize-py" --quiet --wit-path "$root/wit" --wit-path "$example/house.wit" --world example:house/house \
  componentize --python-path "$example" --python-path "$client" house --output "$built/python-client.wasm"
