#!/usr/bin/env bash
# Is the Debian package in order? check.sh FILE.deb
#
# lintian and systemd-analyze read it; then it is installed, used, upgraded and purged on a copy of this machine (machine.sh).
# What is missing for that is reported and skipped; METERBOX_REQUIRE_JUDGES=1 makes it a failure.
set -euo pipefail
deb=$(realpath "${1:?usage: check.sh FILE.deb}")
cd "$(dirname "$0")"

skip() {
  echo "skipped: $*" >&2
  if [ "${METERBOX_REQUIRE_JUDGES:-}" = 1 ]; then exit 1; fi
}

if command -v lintian >/dev/null; then
  # There is no bug to close, and the maintainer's address is no mailbox.
  lintian --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs,bogus-mail-host "$deb"
  echo "lintian: nothing to say"
else
  skip "lintian is not installed"
fi

if [ "$(id -u)" != 0 ] || [ ! -x /lib/systemd/systemd ] || ! unshare --mount true 2>/dev/null; then
  skip "installing the package needs root, systemd and namespaces"
  exit 0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp installed.sh "$scratch/"
cp "$deb" "$scratch/meterbox.deb"

# The same package once more, later, with another config.
dpkg-deb --raw-extract "$deb" "$scratch/next"
sed -i 's/^\(Version: .*\)/\1.1/' "$scratch/next/DEBIAN/control"
echo "# A line of the next version." >>"$scratch/next/etc/meterbox/meterbox.toml"
dpkg-deb --root-owner-group -Zgzip -z1 --build "$scratch/next" "$scratch/next.deb" >/dev/null

timeout 300 ./machine.sh "$scratch" ./installed.sh
