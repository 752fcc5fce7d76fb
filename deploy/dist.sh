#!/usr/bin/env bash
# Makes what a release consists of out of what is built, in target/dist: an archive of binary, plugins, pages and files to
# run it with; the Debian package; SHA256SUMS. The same sources and the same binary give the same files.
set -euo pipefail
cd "$(dirname "$0")/.."
out=target/dist
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
name=meterbox-$version-linux-$(uname -m)

: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.lock)}"
export SOURCE_DATE_EPOCH LC_ALL=C

rm -rf "$out"
mkdir -p "$out/$name/plugins" "$out/$name/pages"
install -s target/release/meterbox "$out/$name/"
install -m 644 target/plugins/*.wasm "$out/$name/plugins/"
target/release/examples/pages "$out/$name/pages"
cp -r README.md CHANGELOG.md LICENSE SECURITY.md docs deploy "$out/$name/"
chmod -R u=rwX,go=rX "$out/$name"
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$out" -c "$name" |
  gzip -9n >"$out/$name.tar.gz"
rm -r "${out:?}/$name"

deploy/debian/build.sh "$out"
(cd "$out" && sha256sum -- *.tar.gz *.deb >SHA256SUMS && cat SHA256SUMS)
