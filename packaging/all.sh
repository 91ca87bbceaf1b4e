#!/usr/bin/env bash
# Makes the packages for all architectures (or those that are named), their check sums, and with MINISIGN_KEY, a file with
# a secret key of minisign, a signature of the sums: packaging/all.sh [amd64] [arm64]
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/settings.sh

archs=("$@")
[ ${#archs[@]} -gt 0 ] || archs=(amd64 arm64)
for arch in "${archs[@]}"; do
    program=$(packaging/compile.sh "$arch")
    packaging/deb.sh "$arch" "$program"
done
packaging/sums.sh $packages
step "done: $packages"
