#!/usr/bin/env bash
# Puts the judges of the black-box tests under target/judges: a Prometheus server, promtool, node_exporter, nginx, Redis and
# their exporters, docker-registry, Python's prometheus_client, a browser with axe-core, and what prometheus/common does.
# Binaries in PATH are taken as they are; elsewhere Debian's packages are unpacked, without root and without starting a service.
#
# A judge that cannot be had is reported, and the tests that need it are skipped; METERBOX_REQUIRE_JUDGES=1 makes that
# a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

judges=$PWD/target/judges
client_version=0.26.0
axe_version=0.1.8
mkdir -p "$judges/bin" "$judges/debian"
missing=0

# found NAME: links the first binary of the other arguments that is in PATH, or unpacked before, as bin/NAME.
found() {
  local name=$1 candidate path
  shift
  for candidate in "$@"; do
    path=$(PATH=$PATH:$judges/debian/usr/bin command -v "$candidate") || continue
    ln -sfn "$path" "$judges/bin/$name"
    return 0
  done
  rm -f "$judges/bin/$name"
  return 1
}

# unpack PACKAGE: Debian's package under debian/. A machine without apt, or without network, has none.
unpack() {
  command -v apt-get dpkg-deb >/dev/null || return 1
  if ! apt-cache show "$1" >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq || true
  fi
  local dir ok=0
  dir=$(mktemp -d)
  # A stale list names versions that the mirror no longer has: once more with a fresh one.
  (cd "$dir" && apt-get download -qq "$1" 2>/dev/null) ||
    ([ "$(id -u)" = 0 ] && apt-get update -qq && cd "$dir" && apt-get download -qq "$1") || ok=1
  if [ $ok = 0 ]; then dpkg-deb -x "$dir"/*.deb "$judges/debian" || ok=1; fi
  rm -rf "$dir"
  return $ok
}

# judge NAME PACKAGE BINARY...
judge() {
  local name=$1 package=$2
  shift 2
  if found "$name" "$@" || { unpack "$package" && found "$name" "$@"; }; then
    echo "judge $name: $(readlink "$judges/bin/$name")"
  else
    echo "judge $name: not found (the Debian package $package has it)"
    missing=1
  fi
}

# server NAME PACKAGE...: a judge whose libraries may be missing, too, which are the other packages. bin/NAME runs it with them.
server() {
  local name=$1 path package
  shift
  if path=$(PATH=$PATH:/usr/sbin command -v "$name"); then
    ln -sfn "$path" "$judges/bin/$name"
  elif ! "$judges/bin/$name" -v >/dev/null 2>&1; then
    for package; do unpack "$package" || true; done
    rm -f "$judges/bin/$name"
    cat >"$judges/bin/$name" <<'END'
#!/bin/sh
debian=$(dirname "$(readlink -f "$0")")/../debian
name=$(basename "$0")
PATH=$debian/usr/sbin:$debian/usr/bin LD_LIBRARY_PATH=$(echo "$debian"/usr/lib/*-linux-gnu) exec "$name" "$@"
END
    chmod +x "$judges/bin/$name"
  fi
  if "$judges/bin/$name" -v >/dev/null 2>&1; then
    echo "judge $name: $judges/bin/$name"
  else
    rm -f "$judges/bin/$name"
    echo "judge $name: not found (the Debian packages $* have it)"
    missing=1
  fi
}

# Python's client in a venv of its own.
python_client() {
  local venv=$judges/venv
  if ! "$venv/bin/python" -c 'import prometheus_client' 2>/dev/null; then
    rm -rf "$venv"
    python3 -m venv "$venv" >/dev/null 2>&1 &&
      "$venv/bin/pip" install --quiet --disable-pip-version-check "prometheus_client==$client_version" || {
      rm -rf "$venv"
      echo "judge prometheus_client: not found (needs python3 with venv, and PyPI)"
      missing=1
      return
    }
  fi
  echo "judge prometheus_client: $venv"
}

# A browser without a window, with all that it needs: the package alone would not run. And axe-core, which knows what keeps people
# from reading a page, from a Python package that has it inside.
browser() {
  if found chromium chromium-headless-shell chromium chromium-browser google-chrome; then
    echo "judge chromium: $(readlink "$judges/bin/chromium")"
  else
    echo "judge chromium: not found (apt-get install chromium-headless-shell)"
    missing=1
  fi
  local wheel=$judges/axe
  if [ ! -f "$judges/bin/axe.min.js" ]; then
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$wheel" \
      "axe-playwright-python==$axe_version" 2>/dev/null ||
      "$judges/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$wheel" \
        "axe-playwright-python==$axe_version" || true
    if [ -f "$wheel/axe_playwright_python/axe.min.js" ]; then
      ln -sfn "$wheel/axe_playwright_python/axe.min.js" "$judges/bin/axe.min.js"
    else
      echo "judge axe-core: not found (needs python3 with pip, and PyPI)"
      missing=1
      return
    fi
  fi
  echo "judge axe-core: $(readlink "$judges/bin/axe.min.js")"
}

# What prometheus/common does: its choice of a format (negotiate), and protobuf text of what it reads (marshal). A Go compiler is
# a lot to ask for them: each gets a minute, what it fetched is there the next time, and the tests that need them may be skipped.
go_judge() {
  if [ -x "$judges/bin/$1" ] ||
    timeout 60 "$PWD/tests/judges/build.sh" "tests/judges/$1" "$judges/go" "$judges/bin/$1"; then
    echo "judge $1: $judges/bin/$1"
  else
    echo "judge $1: not found (needs Go, and Debian's golang-github-prometheus-common-dev)"
  fi
}

judge prometheus prometheus prometheus
judge promtool prometheus promtool
judge node_exporter prometheus-node-exporter node_exporter prometheus-node-exporter
judge nginx_exporter prometheus-nginx-exporter nginx-prometheus-exporter prometheus-nginx-exporter
judge redis_exporter prometheus-redis-exporter redis_exporter prometheus-redis-exporter
server nginx nginx libpcre2-8-0 libssl3
server redis-server redis-server redis-tools libatomic1 libjemalloc2 liblzf1 libssl3
judge docker-registry docker-registry docker-registry
python_client
browser
go_judge negotiate
go_judge marshal

if [ "$missing" = 1 ] && [ "${METERBOX_REQUIRE_JUDGES:-}" = 1 ]; then
  echo "a judge is missing and METERBOX_REQUIRE_JUDGES=1" >&2
  exit 1
fi
