#!/bin/sh
# Builds the demo plugins and the exporters to target/plugins, and the test guests to target/plugins/test. With an argument, it
# builds the plugin in that folder instead, such as one that `meterbox new` has made, and prints the path of its file.
#
#   build.sh CRATE FILE   builds the plugin of another crate instead; both are absolute paths, FILE ends in the crate's name
#
# A plugin needs Rust's standard library for wasm32-unknown-unknown. Two ways lead to it:
#   rustup   the toolchain in PATH has it, or rustup can fetch it
#   debian   Debian's rustc-web, cargo-web, rust-web-src and lld build it from source
# The first that works is taken; METERBOX_GUEST_TOOLCHAIN=rustup or debian forces one.
#
# Without either it ends with code 77. Files that did not change are not touched, so that make can go by their times.
set -eu
project=${1:+$(cd "$1" && pwd)}
cd "$(dirname "$0")"

target=wasm32-unknown-unknown
plugins=../target/plugins
debian_packages='rustc-web cargo-web rust-web-src lld'

main() {
    way=${METERBOX_GUEST_TOOLCHAIN:-}
    case $way in
        rustup) rustup_works || fail "rustup has no target $target and cannot fetch it" ;;
        debian) debian_works || fail "Debian's packages $debian_packages cannot be installed" ;;
        '')
            if rustup_works; then way=rustup
            elif debian_works; then way=debian
            else fail "run 'rustup target add $target', or on Debian 'apt-get install $debian_packages'"
            fi ;;
        *) fail "METERBOX_GUEST_TOOLCHAIN is '$way': it may be rustup or debian" ;;
    esac

    if [ $# = 2 ]; then
        options="--manifest-path $1/Cargo.toml --lib $common_options"
        build_with_$way
        cp "$built/$(basename "$2")" "$2"
        return
    fi
    if [ -n "$project" ]; then
        cd "$project"
        options="--lib --release --target $target"
        build_with_$way >&2
        ls "$PWD/$built"/*.wasm
        return
    fi
    options="--workspace --lib --examples $common_options"
    build_with_$way
    for plugin in demos/*/ exporters/*/; do
        install_module "$built/$(basename "$plugin").wasm" "$plugins"
    done
    for guest in ../tests/guests/examples/*.rs; do
        install_module "$built/examples/$(basename "$guest" .rs).wasm" "$plugins/test"
    done
}

# === rustup ===

rustup_works() {
    has_target && return
    command -v rustup >/dev/null || return
    bounded rustup target add $target >/dev/null 2>&1 && has_target
}

has_target() {
    command -v cargo >/dev/null &&
        libdir=$(rustc --print target-libdir --target $target 2>/dev/null) &&
        [ -d "$libdir" ]
}

build_with_rustup() {
    echo "guests: built with $(rustc --version)"
    built=target/$target/release
    CARGO_TARGET_DIR=target cargo build $options
}

# === Debian ===

debian_works() {
    has_debian_packages && return
    command -v apt-get >/dev/null || return
    if [ "$(id -u)" = 0 ]; then root=env
    elif sudo -n true 2>/dev/null; then root='sudo -n env'
    else return 1
    fi
    echo "guests: installing $debian_packages"
    $root apt-get -qq update >/dev/null 2>&1 || true
    $root DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends $debian_packages \
        </dev/null >/dev/null 2>&1 || true
    has_debian_packages
}

has_debian_packages() {
    [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && command -v wasm-ld >/dev/null &&
        [ -f "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]
}

# RUSTC_BOOTSTRAP opens -Zbuild-std to a stable compiler. The sources of std carry what they depend on.
build_with_debian() {
    echo "guests: built with Debian's $(/usr/bin/rustc --version), std from source"
    built=target/debian/$target/release
    CARGO_TARGET_DIR=target/debian RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld \
        /usr/bin/cargo build $options -Zbuild-std=std,panic_abort
}

# === both ===

common_options="--release --locked --target $target"

install_module() {
    mkdir -p "$2"
    cmp -s "$1" "$2/${1##*/}" || cp "$1" "$2/"
}

# A machine without internet must not wait for rustup's retries.
bounded() {
    if command -v timeout >/dev/null; then timeout 60 "$@"; else "$@"; fi
}

fail() {
    echo "guests: $1" >&2
    exit 77
}

main "$@"
