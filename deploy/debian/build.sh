#!/usr/bin/env bash
# Makes the Debian package out of what `make build guests` built: build.sh FOLDER. cargo-deb comes from target/tools.
#
# The same sources and the same binary give the same package: times are the commit's (SOURCE_DATE_EPOCH).
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:?usage: build.sh FOLDER}
staged=target/debian

: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.lock)}"
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
maintainer=$(sed -n 's/^maintainer = "\(.*\)"/\1/p' host/cli/Cargo.toml)

rm -rf "$staged"
mkdir -p "$staged/units" "$out"
target/release/examples/pages "$staged/pages"
# Of the units only the service is enabled; the socket is an example, since the two need each other's settings.
cp deploy/systemd/meterbox.service deploy/systemd/meterbox.sysusers "$staged/units/"
cp CHANGELOG.md "$staged/changelog"
gzip -9n "$staged/changelog" "$staged"/pages/*.1
cat > "$staged/changelog" <<EOF
meterbox ($version-1) unstable; urgency=medium

  * As changelog.gz says.

 -- $maintainer  $(date -uRd "@$SOURCE_DATE_EPOCH")
EOF

# xz from the system: its library is not needed to build cargo-deb.
target/tools/bin/cargo-deb --package meterbox-cli --no-build --strip --locked --compress-system --quiet --output "$out/"
