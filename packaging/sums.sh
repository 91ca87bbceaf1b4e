#!/usr/bin/env bash
# Writes the check sums of the packages in a folder, and with MINISIGN_KEY, a file with a secret key of minisign, their
# signature: packaging/sums.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/settings.sh

folder=${1:?which folder}
(cd "$folder" && sha256sum -- *.deb >SHA256SUMS)
if [ -n "${MINISIGN_KEY:-}" ]; then
    minisign -S -s "$MINISIGN_KEY" -m "$folder/SHA256SUMS" -t "ip2tor-shop $(version)"
else
    step "MINISIGN_KEY names no key: $folder/SHA256SUMS is not signed"
fi
