#!/bin/sh
# Starts the shop in a container. While nobody runs it, ADMIN_PASSWORD makes the administrator `admin`; without, the log has a
# link with which a browser does. With LND_HOST and a folder of LND at /lnd its node is added at the first start that has an
# administrator.
set -eu

config=${IP2TOR_SHOP_CONFIG:-/etc/ip2tor-shop/config.toml} lnd=${LND_DIR:-/lnd}
macaroons=$lnd/data/chain/bitcoin/${LND_NETWORK:-mainnet}

# The link can be had only while there is no administrator.
if [ -n "${ADMIN_PASSWORD:-}" ] && ip2tor-shop operator first-run-link --config "$config" >/dev/null 2>&1; then
    printf '%s\n' "$ADMIN_PASSWORD" | ip2tor-shop operator add admin --role administrator --password-stdin --config "$config"
fi
if [ -n "${LND_HOST:-}" ] && ip2tor-shop node list --config "$config" 2>&1 | grep -Eq 'no (shop|nodes)'; then
    # Untested: the node may come later than this, and the shop follows it then.
    ip2tor-shop node add --untested --config "$config" --name "${LND_NAME:-lnd}" --host "$LND_HOST" \
        --port "${LND_PORT:-10009}" --certificate-file "$lnd/tls.cert" --macaroon-file "$macaroons/invoice.macaroon" \
        --details-macaroon-file "$macaroons/readonly.macaroon" ||
        echo "the node is not added yet; the shop starts without. Put that right, then start the container again" >&2
fi
exec ip2tor-shop serve --config "$config"
