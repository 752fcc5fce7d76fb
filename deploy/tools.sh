#!/usr/bin/env bash
# Puts cargo-deb into target/tools: a minute to build, once.
set -euo pipefail
cd "$(dirname "$0")/.."
version=3.8.0
if [ "$(target/tools/bin/cargo-deb --version 2>/dev/null)" != "$version" ]; then
  cargo install --quiet --locked --root target/tools --no-default-features --features gzip "cargo-deb@$version"
fi
echo "cargo-deb $version: target/tools/bin/cargo-deb"
