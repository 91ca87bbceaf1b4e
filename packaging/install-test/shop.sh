# In the machine: a shop that sells, its simulated node, and the host's part; sourced by the lines that `inside` runs.

url=http://127.0.0.1:8000/api/v1
target=pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333
keep=/root/shop # ids and tokens

node_up() {
    systemctl is-active --quiet node && return
    systemd-run --quiet --unit=node ip2tor-shop-node lnd-simulator serve --dir /root/lnd
    for _ in $(seq 50); do [ -S /root/lnd/simulator.sock ] && break; sleep 0.1; done
    # As an LND lays its files out.
    local macaroons=/var/lib/lnd/data/chain/bitcoin/regtest
    install -d -m 700 /var/lib/lnd $macaroons
    install -m 600 /root/lnd/tls.cert /var/lib/lnd/
    install -m 600 /root/lnd/{invoice,readonly}.macaroon $macaroons/
}

# What only these tests need of the configuration.
sell_on_regtest() {
    cat >>/etc/ip2tor-shop/config.toml <<'TOML'
[lightning]
allow_regtest = true
[probe]
policy = "off"
[onion]
enabled = false
TOML
    ip2tor-shop check-config
    systemctl restart ip2tor-shop
}

# What an operator does after the installation, as root.
set_up() {
    sell_on_regtest
    node_up
    mkdir -p $keep
    ip2tor-shop onion address >$keep/onion
    ip2tor-shop operator add admin --role administrator >/dev/null
    ip2tor-shop node add --detect --yes
    ip2tor-shop host add --json --ip 203.0.113.7 --name vienna --offers-tor-bridges=true --port-range 20000-20099 \
        --tor-bridge-price-initial=25000 --tor-bridge-price-extension=20000 >$keep/host
}

host() { jq -r ".$1" $keep/host; }
as_host() { curl -sf -H "Authorization: Token $(host token)" "$@"; }
check_in() { as_host -X POST "$url/hosts/$(host id)/check_in/" >/dev/null; }

# Waits until what a line of shell prints is not empty; says what did not come.
until_there() {
    local found
    for _ in $(seq 150); do
        found=$(eval "$1" 2>/dev/null || true)
        if [ -n "$found" ] && [ "$found" != null ]; then echo "$found"; return; fi
        sleep 0.2
    done
    echo "this did not come: $1" >&2
    return 1
}

order_of() { curl -sf "$url/public/pos/$1/"; }

place() {
    curl -s -d product=tor_bridge -d "host_id=$(host id)" -d tos_accepted=true -d target=$target $url/public/order/
}

# Orders, and prints the order's id once its invoice is there.
order() {
    check_in
    local id
    # A shop that has just been started looks at its nodes first.
    id=$(until_there "place | jq -r .id") || { place >&2; return 1; }
    until_there "order_of $id | jq -r '.ln_invoices[0].payment_request'" >/dev/null
    echo "$id"
}

pay() { ip2tor-shop-node lnd-simulator pay --dir /root/lnd "$(order_of "$1" | jq -r '.ln_invoices[0].payment_request')"; }

# What the host's scripts do: every bridge that waits is activated.
host_activates() {
    check_in
    local bridge
    for bridge in $(as_host "$url/tor_bridges/?host=$(host id)&status=P" | jq -r '.[].id'); do
        as_host -X PATCH -d status=A "$url/tor_bridges/$bridge/" >/dev/null
    done
}

# A whole purchase. A payment that is held is settled when the host has activated.
purchase() {
    local id
    id=$(order)
    pay "$id" >/dev/null &
    until_there "as_host '$url/tor_bridges/?host=$(host id)&status=P' | jq -r '.[0].id'" >/dev/null
    host_activates
    wait $!
    is_sold "$id"
}

# The imported shop gets a node; then the host's script finds the old bridge with its old token, and its buyer extends it.
moved_in() {
    local dump=/root/moving/dump.json bridge before id
    sell_on_regtest
    node_up
    ip2tor-shop node add --detect --yes
    mkdir -p $keep
    jq '{id: .[] | select(.model == "shop.host").pk, token: .[] | select(.model == "authtoken.token").pk}' $dump >$keep/host
    bridge=$(jq -r '.[] | select(.model == "shop.torbridge" and .fields.status == "A").pk' $dump)
    check_in
    before=$(as_host "$url/tor_bridges/?host=$(host id)" | jq -r ".[] | select(.id == \"$bridge\" and .status == \"A\").suspend_after")
    [ -n "$before" ] || { echo "the host is not told of $bridge" >&2; return 1; }
    id=$(until_there "curl -s -d tos_accepted=true $url/public/tor_bridges/$bridge/extend/ | jq -r .po_id")
    until_there "order_of $id | jq -r '.ln_invoices[0].payment_request'" >/dev/null
    pay "$id" >/dev/null
    until_there "order_of $id | jq -r 'select(.status == \"P\") | .url'" >/dev/null
    curl -sf "$url/public/tor_bridges/$bridge/" | jq -e --arg before "$before" '.suspend_after > $before' >/dev/null
}

# Waits until the order is paid, and notes it for `nothing_is_lost`.
is_sold() {
    until_there "order_of $1 | jq -r 'select(.status == \"P\") | .url'" >/dev/null
    echo "$1" >>$keep/sold
}

# Everything that was sold is there, paid and active, and nothing is owed.
nothing_is_lost() {
    until_there "curl -sf http://127.0.0.1:8000/healthz" >/dev/null
    local id bridge
    for id in $(cat $keep/sold); do
        [ "$(order_of "$id" | jq -r .status)" = P ] || { echo "order $id is not paid any more" >&2; return 1; }
        bridge=$(order_of "$id" | jq -r '.item_details[0].product.id')
        [ "$(curl -sf "$url/public/tor_bridges/$bridge/" | jq -r .status)" = A ] || { echo "$bridge is not active" >&2; return 1; }
    done
    [ "$(ip2tor-shop order list --owed --json | jq length)" = 0 ] || { echo "something is owed" >&2; return 1; }
    [ "$(ip2tor-shop onion address)" = "$(cat $keep/onion)" ] || { echo "another onion address" >&2; return 1; }
    # Nothing in the data folder is somebody else's than the service's.
    local foreign
    foreign=$(find /var/lib/ip2tor-shop ! -user ip2tor-shop)
    [ -z "$foreign" ] || { echo "not the shop's: $foreign" >&2; return 1; }
}
