#!/usr/bin/env bash
# IP2Tor Shop as a bonus app of a RaspiBlitz. Copy to /home/admin/config.scripts/.
#   bonus.ip2tor-shop.sh status|menu|prestart
#   bonus.ip2tor-shop.sh on FOLDER [minisign-public-key]   FOLDER has the package, SHA256SUMS and SHA256SUMS.minisig
#   bonus.ip2tor-shop.sh off [delete-data]
set -euo pipefail

id=ip2tor-shop user=ip2tor-shop port=8117
# On the disk, so that it survives a new card.
data=${IP2TOR_SHOP_DATA:-/mnt/hdd/app-data/$id}
config=/etc/$id/config.toml
dropins=/etc/systemd/system/$id.service.d
blitz=/home/admin/config.scripts/blitz.conf.sh

die() { echo "error='$1'"; exit 1; }
is_installed() { dpkg-query -W -f '${db:Status-Status}' $id 2>/dev/null | grep -qx installed; }
remember() { if [ -x $blitz ]; then $blitz set ip2torShop "$1"; fi; }

status() {
    echo "appID='$id'"
    echo "version='$(dpkg-query -W -f '${Version}' $id 2>/dev/null || true)'"
    if is_installed; then echo "isInstalled=1"; else echo "isInstalled=0"; return; fi
    if systemctl is-active --quiet $id; then echo "isRunning=1"; else echo "isRunning=0"; fi
    echo "portCLEAR='$port'"
    # The port after it, on the RaspiBlitz alone.
    echo "portADMIN='$((port + 1))'"
    echo "localIP='$(hostname -I 2>/dev/null | cut -d ' ' -f 1)'"
    echo "toraddress='$(ip2tor-shop onion address 2>/dev/null || true)'"
}

# The package of this machine in FOLDER, if the sums have it and the key has signed the sums.
checked_package() {
    local folder=$1 key=${2:-} package
    package=$(ls "$folder"/${id}_*_"$(dpkg --print-architecture)".deb 2>/dev/null | sort -V | tail -n 1)
    [ -n "$package" ] || die "there is no package for this machine in $folder"
    if [ -n "$key" ]; then
        minisign -V -q -P "$key" -m "$folder/SHA256SUMS" >&2 || die "the signature of SHA256SUMS is not that of the key"
    else
        echo "# no key is given: only the check sum is looked at, not whose it is" >&2
    fi
    (cd "$folder" && grep -F " ${package##*/}" SHA256SUMS | sha256sum --check --status) || die "$package is damaged"
    echo "$package"
}

on() {
    local package
    package=$(checked_package "$(realpath "${1:?which folder}")" "${2:-}")
    # The user first: the service that the package starts finds its data folder ready.
    getent passwd $user >/dev/null || useradd --system --home-dir "$data" --no-create-home --shell /usr/sbin/nologin $user
    mkdir -p "$data" /etc/$id $dropins
    # After a new card the user may have another number.
    chown -R $user:$user "$data" && chmod 700 "$data"
    if getent group lndadmin >/dev/null; then usermod -aG lndadmin $user; fi
    # That of before `off`, which a purge keeps; else a new one.
    if [ ! -e $config ] && [ -e /var/backups/$id.config.toml ]; then
        cp /var/backups/$id.config.toml $config
    fi
    if [ ! -e $config ]; then
        printf 'data_dir = "%s"\n\n[http]\nlisten = "0.0.0.0:%s"\n' "$data" "$port" >$config
    fi
    chown root:$user /etc/$id $config && chmod 750 /etc/$id && chmod 640 $config
    printf '[Unit]\nRequiresMountsFor=%s\n[Service]\nReadWritePaths=%s\n' "$data" "$data" >$dropins/raspiblitz.conf
    apt-get install -y "$package" >&2
    if command -v ufw >/dev/null; then ufw allow $port comment 'IP2Tor Shop' >&2; fi
    ip2tor-shop node add --detect --yes >&2 || true
    remember on
    status
}

off() {
    if is_installed; then apt-get purge -y $id >&2; fi
    rm -rf $dropins
    if command -v ufw >/dev/null; then ufw delete allow $port >&2 || true; fi
    if [ "${1:-}" = delete-data ]; then
        rm -rf "$data" /var/backups/$id.config.toml
    else
        echo "# kept: $data (what was sold and is owed, the key of the onion address); delete-data deletes it" >&2
    fi
    remember off
    status
}

menu() {
    whiptail --title " IP2Tor Shop " --msgbox "$(status | tr -d "'")

Admin:   ssh -L $((port + 1)):127.0.0.1:$((port + 1)) admin@THIS-RASPIBLITZ
         then http://127.0.0.1:$((port + 1))/admin/
Set up:  sudo ip2tor-shop operator first-run-link     (a browser makes the first administrator)
         sudo ip2tor-shop host add --help
How it is: sudo ip2tor-shop doctor" 20 76
}

case "${1:-}" in
    status | on | off | menu) "$@" ;;
    prestart) ;; # systemd and the shop do it all
    *) sed -n '3,5s/^# *//p' "$0"; exit 1 ;;
esac
