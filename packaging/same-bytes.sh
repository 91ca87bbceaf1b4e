#!/usr/bin/env bash
# Shows that packages are reproducible: makes one twice of the same program, at other times, in other folders, with another
# umask, language and time zone, and compares. packaging/same-bytes.sh amd64|arm64 PROGRAM
set -euo pipefail
cd "$(dirname "$0")/.."
arch=${1:?which architecture} program=$(realpath "${2:?which program}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

first=$(packaging/deb.sh "$arch" "$program" "$scratch/one")
copy=$scratch/sources; mkdir "$copy"
epoch=$(git log -1 --format=%ct)
cp -r Cargo.toml packaging docs "$copy/"
sleep 1.1
second=$(umask 077 && cd "$copy" &&
    SOURCE_DATE_EPOCH=$epoch TZ=Pacific/Auckland LC_ALL=C TMPDIR=$scratch packaging/deb.sh "$arch" "$program" "$scratch/two")
cmp "$first" "$second"
echo "the same bytes twice: $(sha256sum "$first" | cut -d ' ' -f 1)"
