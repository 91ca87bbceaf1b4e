#!/usr/bin/env bash
# Makes an image of a Debian package: packaging/docker/image.sh PACKAGE [TAG]; ENGINE=podman takes another engine than docker,
# BUILD_OPTIONS what else its `build` is to be told. An image for another architecture than the machine's needs
# qemu-user-static (apt install).
set -euo pipefail
cd "$(dirname "$0")/../.."
. packaging/settings.sh

package=${1:?which package: make deb makes them} engine=${ENGINE:-docker}
arch=$(dpkg-deb -f "$package" Architecture) tag=${2:-ip2tor-shop:$(dpkg-deb -f "$package" Version)}
command -v "$engine" >/dev/null || die "$engine is missing"
# The engine is given what it needs alone, not the whole folder of the sources.
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
dpkg-deb --fsys-tarfile "$package" | tar -xO ./usr/bin/ip2tor-shop >"$context/ip2tor-shop"
install -m 755 packaging/docker/start.sh "$context/ip2tor-shop-start"
chmod 755 "$context/ip2tor-shop"
install -m 644 packaging/docker/config.toml packaging/docker/Dockerfile "$context/"
# shellcheck disable=SC2086 # options are words
"$engine" build --platform "linux/$arch" ${BUILD_OPTIONS:-} -t "$tag" "$context"
step "image $tag for $arch"
