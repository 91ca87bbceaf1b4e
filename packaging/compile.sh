#!/usr/bin/env bash
# Compiles the program for a Debian architecture: packaging/compile.sh amd64|arm64. Prints where it is.
#
# The same bytes come out wherever the sources and Cargo's folder lie: their paths are replaced in what is compiled. For the
# other architecture it needs that one's compiler for C (Debian: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross) and Rust's
# libraries (rustup target add). RUSTC names another compiler than rustup's.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/settings.sh

arch=${1:?which architecture: amd64 or arm64}
triple=$(triple "$arch")
target=${CARGO_TARGET_DIR:-$PWD/target}
cargo_home=${CARGO_HOME:-$HOME/.cargo}

if [ "$arch" != "$(dpkg --print-architecture)" ]; then
    prefix=${triple/-unknown/}-
    command -v "${prefix}gcc" >/dev/null || die "to compile for $arch: sudo apt install gcc-${prefix%-} libc6-dev-$arch-cross"
    upper=$(echo "$triple" | tr a-z- A-Z_) lower=$(echo "$triple" | tr - _)
    export "CARGO_TARGET_${upper}_LINKER=${prefix}gcc" "CC_$lower=${prefix}gcc" "CXX_$lower=${prefix}g++" "AR_$lower=${prefix}ar"
fi
if [ -z "${RUSTC:-}" ] && command -v rustup >/dev/null; then
    rustup target list --installed | grep -qx "$triple" || rustup target add "$triple"
fi

remap="--remap-path-prefix=$PWD=/source --remap-path-prefix=$cargo_home=/cargo --remap-path-prefix=$target=/target"
export RUSTFLAGS="${RUSTFLAGS:-} $remap"
export CFLAGS="${CFLAGS:-} -ffile-prefix-map=$PWD=/source -ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$target=/target"

# As a release is compiled, whatever is set for the days of work.
export CARGO_INCREMENTAL=0

# With it the program carries the list of what it is made of (`cargo audit bin` reads it).
export PATH="$PWD/target/tools/bin:$PATH"
if ! cargo auditable --version >/dev/null 2>&1; then
    step "installing cargo-auditable, which puts that list in"
    # For this machine, whatever the program is for.
    (unset RUSTC RUSTFLAGS CFLAGS && cargo install --quiet --locked --root target/tools cargo-auditable) >&2 || true
fi
auditable=()
if cargo auditable --version >/dev/null 2>&1; then
    auditable=(auditable)
else
    step "cargo-auditable can't be installed: the program carries no list of its dependencies"
fi
step "compiling for $arch: about 650 crates, a quarter of an hour on two cores"
cargo "${auditable[@]}" build --release --locked --bin ip2tor-shop --target "$triple" >&2
step "compiled"
echo "$target/$triple/release/ip2tor-shop"
