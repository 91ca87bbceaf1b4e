#!/usr/bin/env bash
# What an operator's machine goes through, with a package, on a booted Debian or Ubuntu in a container: install, first run,
# purchases, upgrades (with orders in flight, without room, cut short, failing), remove, purge, install again. A package for
# another architecture than this machine's is tried in an emulated machine.
#   packaging/install-test/run.sh PACKAGE [SCENE…]     as root; SUITE=trixie takes another Debian, SUITE=noble KEYRING=… Ubuntu 24.04
set -euo pipefail
cd "$(dirname "$0")/../.."
. packaging/settings.sh
. packaging/install-test/machine.sh

package=$(realpath "${1:?which package}")
shift
[ "$(id -u)" = 0 ] || die "must be root, to boot a machine"
if [ "$(dpkg-deb -f "$package" Architecture)" != "$(dpkg --print-architecture)" ]; then
    . packaging/install-test/virtual.sh
fi
version=$(dpkg-deb -f "$package" Version)

# The same package as another version, with another program where one is given.
variant() { # VERSION [PROGRAM]
    local tree=$scratch/variant
    rm -rf "$tree"
    dpkg-deb --raw-extract "$package" "$tree"
    sed -i "s/^Version: .*/Version: $1/" "$tree/DEBIAN/control"
    sed -i "s/--before \"$version\"/--before \"$1\"/" "$tree/DEBIAN/preinst"
    [ -z "${2:-}" ] || install -m 755 "$2" "$tree/usr/bin/ip2tor-shop"
    dpkg-deb --root-owner-group -Zgzip -z1 --build "$tree" "$scratch/shared/$1.deb" >/dev/null
}

shop() { inside "set -o pipefail; . /shared/shop.sh; $1"; }
install_deb() { inside "apt-get install -qq -y --allow-downgrades /shared/$1.deb >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; exit 1; }"; }
state() { inside 'systemctl is-active ip2tor-shop || true'; }
expect() { [ "$1" = "$2" ] || die "$3: \"$1\" instead of \"$2\""; }
holds() { case "$1" in *"$2"*) ;; *) die "$3: \"$2\" is not in: $1" ;; esac; }

. packaging/install-test/scenes.sh

# Whatever ends a scene is named, also what says nothing by itself.
set -E
trap 'echo "broke off with $? at line $LINENO of ${BASH_SOURCE[0]##*/}: ${BASH_COMMAND:0:300}" >&2' ERR

new_machine
trap end_machine EXIT
make_system
cp packaging/install-test/shop.sh "$scratch/shared/"
cp "$package" "$scratch/shared/$version.deb"
dpkg-deb --fsys-tarfile "$package" | tar -xO ./usr/bin/ip2tor-shop >"$scratch/shared/program"
boot
# The simulated node is somebody else's program: it runs on while the shop's comes and goes.
inside 'install -m 755 /shared/program /usr/local/bin/ip2tor-shop-node'

scenes=("$@")
[ ${#scenes[@]} -gt 0 ] || scenes=(package fresh_install service first_sale watchdog drop_ins upgrade_in_flight stopped_stays_stopped
    full_disk power_cut_while_upgrading failing_migration remove_purge_install repository moving_in raspiblitz)
for scene in "${scenes[@]}"; do
    step "$scene"
    "scene_$scene"
done
step "all scenes passed"
