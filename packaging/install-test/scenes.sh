# The scenes, in the order of a machine's life; each takes the machine as the one before has left it.

# The package itself, looked at from outside.
scene_package() {
    local tool folder=$scratch/signed
    for tool in lintian minisign; do
        command -v $tool >/dev/null || die "$tool is missing: apt install lintian minisign"
    done
    lintian --allow-root --fail-on error "$package" || die "the package breaks Debian's rules"
    # gzip is enough for that, and faster.
    COMPRESSION=gzip packaging/same-bytes.sh "$(dpkg-deb -f "$package" Architecture)" "$scratch/shared/program" || die "not the same bytes twice"
    mkdir "$folder"
    cp "$package" "$folder/"
    minisign -G -W -p "$folder/key.pub" -s "$folder/key" >/dev/null
    MINISIGN_KEY=$folder/key packaging/sums.sh "$folder" >/dev/null
    minisign -V -q -p "$folder/key.pub" -m "$folder/SHA256SUMS" || die "the signature is not that of the key"
    (cd "$folder" && sha256sum --check --status SHA256SUMS) || die "the check sums are not those of the package"
    echo >>"$folder/SHA256SUMS"
    if minisign -V -q -p "$folder/key.pub" -m "$folder/SHA256SUMS" 2>/dev/null; then die "changed check sums are signed"; fi
}

scene_fresh_install() {
    local says
    says=$(inside "apt-get install -y /shared/$version.deb 2>&1")
    holds "$says" "/admin/#setup=" "the installation gives the first administrator a link"
    holds "$says" "ssh -L 8001:127.0.0.1:8001" "the installation says how the link is opened from elsewhere"
    holds "$says" "http://127.0.0.1:8000" "the installation says where the shop is"
    expect "$(state)" active "the service after the installation"
    expect "$(inside 'systemctl is-enabled ip2tor-shop')" enabled "the service at the next boot"
    holds "$(inside 'systemctl show -P StatusText ip2tor-shop')" "no Lightning node yet" "systemctl tells how the shop is"
    expect "$(inside 'stat -c "%U:%G %a" /etc/ip2tor-shop /etc/ip2tor-shop/config.toml /var/lib/ip2tor-shop' | tr '\n' ' ')" \
        "root:ip2tor-shop 750 root:ip2tor-shop 640 ip2tor-shop:ip2tor-shop 700 " "owners and modes"
    inside 'curl -sf http://127.0.0.1:8000/healthz >/dev/null'
}

scene_service() {
    local score config=/etc/ip2tor-shop/config.toml
    score=$(inside 'systemd-analyze security ip2tor-shop' | tail -n 1 | grep -o '[0-9]\+\.[0-9]\+')
    step "systemd-analyze security: $score"
    awk -v score="$score" 'BEGIN { exit !(score < 1.5) }' || die "the sandbox got wider: $score"
    inside "journalctl -u ip2tor-shop PRIORITY=6 -o cat | grep -q 'the shop answers'" || die "the shop's lines have no priority"
    inside "journalctl -u ip2tor-shop -o cat | grep -E '^(20[0-9]{2}-|<[0-9]>)'" && die "a second time, or a bare priority, in the journal"
    # A broken configuration: reload is refused and the shop goes on, a start fails and says why.
    inside "cp -p $config /root/whole.toml; echo '[http]
nonsense = 1' >>$config"
    inside 'systemctl reload ip2tor-shop' 2>/dev/null && die "a reload with a broken configuration is not refused"
    expect "$(state)" active "the shop after a refused reload"
    inside 'systemctl restart ip2tor-shop' 2>/dev/null && die "a start with a broken configuration succeeds"
    expect "$(inside 'systemctl show -P ExecMainStatus ip2tor-shop')" 78 "the exit code"
    expect "$(inside 'systemctl show -P NRestarts ip2tor-shop')" 0 "what is hopeless is not tried again"
    holds "$(inside 'systemctl status ip2tor-shop || true')" nonsense "systemctl status says why"
    inside "journalctl -u ip2tor-shop -p err -o cat | grep -q nonsense" || die "it is not told as an error"
    inside "cp -p /root/whole.toml $config; systemctl reset-failed ip2tor-shop; systemctl start ip2tor-shop"
    # A good one: the level of the log changes without a restart.
    inside "printf '[log]\nlevel = \"debug\"\n' >>$config; systemctl reload ip2tor-shop; sleep 1
        journalctl -u ip2tor-shop -o cat | grep -q 'log.level is changed'" || die "the reload has changed nothing"
    # What needs a restart is refused, and named.
    inside "printf '[branding]\nname = \"Other\"\n' >>$config"
    inside 'systemctl reload ip2tor-shop' 2>/dev/null && die "a reload that could change nothing is not refused"
    inside "journalctl -u ip2tor-shop -o cat | grep -q 'needs a restart.*branding'" || die "the refused reload does not say what needs a restart"
    inside "cp -p /root/whole.toml $config; systemctl restart ip2tor-shop"
    sandbox
}

# What the service may, tried from inside: in its own view of the machine, as its user.
sandbox() {
    local tries
    inside 'install -d -m 755 /home/other; echo secret >/home/other/readable; chmod 644 /home/other/readable'
    tries='for path in /etc/ip2tor-shop/x /etc/x /usr/bin/x /home/x /root/x /var/x /boot/x; do
            if touch $path 2>/dev/null; then echo "may write $path"; fi; done
        if cat /home/other/readable 2>/dev/null; then echo "may read in /home"; fi
        if ls /dev/sd* /dev/vd* /dev/loop* 2>/dev/null; then echo "has devices"; fi
        touch /var/lib/ip2tor-shop/x && rm /var/lib/ip2tor-shop/x || echo "may not write its data"'
    # shellcheck disable=SC2016
    local found
    found=$(inside "pid=\$(systemctl show -P MainPID ip2tor-shop)
        nsenter --target \$pid --mount setpriv --reuid ip2tor-shop --regid ip2tor-shop --clear-groups bash -c '$tries'
        grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/\$pid/status | tr -s '\t\n' '  '")
    expect "$found" "CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 " "the sandbox"
    expect "$(inside 'systemctl show -P LimitCORE ip2tor-shop')" 0 "pictures of the memory"
}

scene_first_sale() {
    shop set_up
    shop 'purchase; purchase; nothing_is_lost'
    shop 'until_there "systemctl show -P StatusText ip2tor-shop | grep \"^can sell\"" >/dev/null' || die "systemctl does not tell that it sells"
}

# A shop that stands still is begun anew, and sells on.
scene_watchdog() {
    local dropins=/etc/systemd/system/ip2tor-shop.service.d before
    inside "mkdir -p $dropins; printf '[Service]\nWatchdogSec=3\n' >$dropins/test.conf; systemctl daemon-reload; systemctl restart ip2tor-shop"
    before=$(inside 'systemctl show -P MainPID ip2tor-shop')
    sleep 8
    expect "$(inside 'systemctl show -P MainPID ip2tor-shop')" "$before" "a shop that gives its signs of life is left alone"
    inside "kill -STOP $before"
    shop "until_there 'systemctl show -P MainPID ip2tor-shop | grep -vx -e $before -e 0' >/dev/null" || die "a shop that stands still is not begun anew"
    inside "rm $dropins/test.conf; systemctl daemon-reload; systemctl restart ip2tor-shop"
    shop 'nothing_is_lost'
}

# The drop-ins that the package brings do what they say.
scene_drop_ins() {
    local dropins=/etc/systemd/system/ip2tor-shop.service.d examples=$PWD/packaging/examples config=/etc/ip2tor-shop/config.toml
    mkdir -p "$scratch/shared/examples"; cp "$examples"/*.conf "$scratch/shared/examples/"
    inside "mkdir -p $dropins; cp -p $config /root/whole.toml; printf '[http]\nlisten = \"127.0.0.1:80\"\n' >>$config"
    inside 'systemctl restart ip2tor-shop' 2>/dev/null && die "a port below 1024 can be had without a drop-in"
    inside "cp /shared/examples/low-ports.conf $dropins; systemctl daemon-reload; systemctl restart ip2tor-shop
        curl -sf http://127.0.0.1:80/healthz >/dev/null" || die "low-ports.conf does not help"
    inside "rm $dropins/low-ports.conf; cp -p /root/whole.toml $config"
    # A node's files in a home folder.
    inside "install -d -m 755 /home/bitcoin/.lnd; echo cert >/home/bitcoin/.lnd/tls.cert
        sed 's/^#\(.*bitcoin.*lnd\)/\1/' /shared/examples/node-in-home.conf >$dropins/node-in-home.conf
        systemctl daemon-reload; systemctl restart ip2tor-shop
        nsenter --target \$(systemctl show -P MainPID ip2tor-shop) --mount cat /home/bitcoin/.lnd/tls.cert >/dev/null" || die "node-in-home.conf does not help"
    inside "rm $dropins/node-in-home.conf"
    # A data folder on a disk of its own; without the disk the shop is not started, and not again and again.
    inside "mkdir -p /mnt/ssd; sed -i '1i data_dir = \"/mnt/ssd/ip2tor-shop\"' $config
        printf '[Unit]\nDescription=a disk\n[Mount]\nWhat=/dev/none\nWhere=/mnt/ssd\nType=ext4\n' >/etc/systemd/system/mnt-ssd.mount
        cp /shared/examples/data-elsewhere.conf $dropins; systemctl daemon-reload"
    inside 'systemctl restart ip2tor-shop' 2>/dev/null && die "the shop starts without the disk of its data"
    expect "$(inside 'systemctl show -P NRestarts ip2tor-shop')" 0 "it is not tried again and again"
    inside "printf '[Unit]\nDescription=a disk\n[Mount]\nWhat=tmpfs\nWhere=/mnt/ssd\nType=tmpfs\n' >/etc/systemd/system/mnt-ssd.mount
        systemctl daemon-reload; systemctl start mnt-ssd.mount
        install -d -o ip2tor-shop -g ip2tor-shop -m 700 /mnt/ssd/ip2tor-shop; systemctl restart ip2tor-shop
        [ -e /mnt/ssd/ip2tor-shop/shop.sqlite3 ]" || die "data-elsewhere.conf does not help"
    inside "rm -r $dropins /etc/systemd/system/mnt-ssd.mount; cp -p /root/whole.toml $config; systemctl daemon-reload; systemctl restart ip2tor-shop"
    shop 'nothing_is_lost'
}

scene_upgrade_in_flight() {
    variant "$version+1"
    local before during
    before=$(inside 'systemctl show -P MainPID ip2tor-shop')
    # One order is open, one is paid and not yet delivered: its payment is held.
    shop 'order >/root/open; order >/root/held'
    shop 'systemd-run --quiet --unit=payer bash -c ". /shared/shop.sh; pay $(cat /root/held)"
        until_there "as_host \"$url/tor_bridges/?host=$(host id)&status=P\" | jq -r \".[0].id\"" >/dev/null'
    install_deb "$version+1"
    during=$(inside 'systemctl show -P MainPID ip2tor-shop')
    [ "$before" != "$during" ] || die "the running service was not restarted"
    expect "$(state)" active "the service after the upgrade"
    inside "ls /var/lib/ip2tor-shop/backups/before-$version+1.backup >/dev/null" || die "there is no backup of before"
    shop 'systemd-run --quiet --unit=payer2 bash -c ". /shared/shop.sh; pay $(cat /root/open)"
        for _ in $(seq 20); do host_activates; sleep 0.5; done
        is_sold $(cat /root/open); is_sold $(cat /root/held)
        nothing_is_lost'
}

scene_stopped_stays_stopped() {
    variant "$version+2"
    inside 'systemctl stop ip2tor-shop'
    install_deb "$version+2"
    expect "$(state)" inactive "a stopped service after an upgrade"
    inside 'systemctl start ip2tor-shop'
    shop 'nothing_is_lost'
}

scene_full_disk() {
    variant "$version+3"
    # The data on a small disk of its own, and that full.
    inside 'systemctl stop ip2tor-shop; cp -a /var/lib/ip2tor-shop /root/data
        mount -t tmpfs -o size=40m,mode=700 disk /var/lib/ip2tor-shop; chown ip2tor-shop: /var/lib/ip2tor-shop
        cp -a /root/data/. /var/lib/ip2tor-shop/; systemctl start ip2tor-shop
        dd if=/dev/zero of=/var/lib/ip2tor-shop/full bs=1M 2>/dev/null || true
        truncate -s -100K /var/lib/ip2tor-shop/full; chown ip2tor-shop: /var/lib/ip2tor-shop/full'
    local says
    says=$(inside "apt-get install -y /shared/$version+3.deb 2>&1") && die "an upgrade without room for a backup is begun"
    holds "$says" "must be free" "it says what is missing"
    expect "$(inside 'dpkg-query -W -f "\${Version}" ip2tor-shop')" "$version+2" "the version stays"
    expect "$(state)" active "the shop goes on"
    inside 'rm /var/lib/ip2tor-shop/full'
    install_deb "$version+3"
    shop 'purchase; nothing_is_lost'
    inside 'systemctl stop ip2tor-shop; rm -rf /root/data; cp -a /var/lib/ip2tor-shop /root/data; umount /var/lib/ip2tor-shop
        rm -rf /var/lib/ip2tor-shop/*; cp -a /root/data/. /var/lib/ip2tor-shop/; systemctl start ip2tor-shop'
    shop 'nothing_is_lost'
}

scene_power_cut_while_upgrading() {
    local round
    for round in ${CUTS:-4 5 6}; do
        variant "$version+$round"
        # The package is there before: it is the upgrade that is cut.
        inside true
        inside "apt-get install -qq -y /shared/$version+$round.deb >/tmp/apt.log 2>&1" 2>/dev/null & local upgrade=$!
        sleep "$(awk -v seed="$round$RANDOM" -v within="$cut_within" 'BEGIN { srand(seed); print 0.2 + within * rand() }')"
        power_cut
        wait $upgrade 2>/dev/null || true
        boot
        inside 'dpkg --configure -a' >/dev/null 2>&1 || true
        install_deb "$version+$round"
        shop 'node_up; nothing_is_lost; purchase; nothing_is_lost'
        expect "$(state)" active "the shop after a power cut"
    done
}

scene_failing_migration() {
    # Its last migration is made again, and so fails.
    cat >"$scratch/sabotage" <<'SH'
#!/bin/sh
if [ "$1" = serve ] && [ ! -e /var/lib/ip2tor-shop/sabotaged ]; then
    touch /var/lib/ip2tor-shop/sabotaged
    /shared/sqlite3 /var/lib/ip2tor-shop/shop.sqlite3 "DELETE FROM refinery_schema_history WHERE version = (SELECT max(version) FROM refinery_schema_history)"
    /shared/sqlite3 /var/lib/ip2tor-shop/shop.sqlite3 .dump >/var/lib/ip2tor-shop/before.sql
fi
exec /shared/program "$@"
SH
    inside 'cp /usr/bin/sqlite3 /shared/sqlite3; chmod 755 /shared /shared/program /shared/sqlite3'
    variant "$version+7" "$scratch/sabotage"
    local old says
    old=$(inside 'dpkg-query -W -f "\${Version}" ip2tor-shop')
    says=$(inside "apt-get install -y /shared/$version+7.deb 2>&1")
    holds "$says" "The way back" "the upgrade says that the service does not run"
    expect "$(state)" failed "the service after a failed migration"
    expect "$(inside 'systemctl show -P ExecMainStatus ip2tor-shop')" 78 "the exit code"
    inside 'cd /var/lib/ip2tor-shop; sqlite3 shop.sqlite3 .dump | cmp - before.sql' || die "the failed migration has changed the database"
    # The way back: the old package, and the backup of before the upgrade.
    inside "touch /etc/ip2tor-shop/upgrade-without-backup"
    install_deb "$old"
    inside "systemctl stop ip2tor-shop; ip2tor-shop backup restore /var/lib/ip2tor-shop/backups/before-$version+7.backup --force
        rm -f /var/lib/ip2tor-shop/sabotaged /var/lib/ip2tor-shop/before.sql; systemctl start ip2tor-shop"
    shop 'nothing_is_lost'
    # After a restore ports are tried before they are sold again, and this host has no way for that.
    shop 'ip2tor-shop host set $(host id) --swept; purchase; nothing_is_lost'
}

scene_remove_purge_install() {
    inside 'apt-get remove -qq -y ip2tor-shop >/dev/null'
    expect "$(inside 'systemctl is-active ip2tor-shop || true')" inactive "the service after a removal"
    inside '[ -e /var/lib/ip2tor-shop/shop.sqlite3 ] && [ -e /etc/ip2tor-shop/config.toml ]' || die "a removal deletes data"
    install_deb "$version"
    shop 'nothing_is_lost'
    local says
    says=$(inside 'apt-get purge -y ip2tor-shop 2>&1')
    holds "$says" "kept, and used again" "a purge says what it keeps"
    inside '[ ! -e /etc/ip2tor-shop ] && [ -e /var/lib/ip2tor-shop/shop.sqlite3 ]' || die "a purge deletes data, or leaves configuration"
    install_deb "$version"
    shop 'node_up; nothing_is_lost; purchase; nothing_is_lost'
}

scene_repository() {
    [ -d target/repository ] || { step "no target/repository: not tried"; return; }
    cp -a target/repository "$scratch/shared/repository"
    inside 'install -m 644 /shared/repository/ip2tor-shop.gpg /usr/share/keyrings/
        sed "s#^URIs:.*#URIs: file:///shared/repository#" /shared/repository/ip2tor-shop.sources >/etc/apt/sources.list.d/ip2tor-shop.sources
        mv /etc/apt/sources.list /root/
        apt-get update -qq; apt-get install -qq -y --reinstall --allow-downgrades ip2tor-shop >/dev/null
        apt-cache policy ip2tor-shop | grep -q "file:/shared/repository"; mv /root/sources.list /etc/apt/'
    shop 'nothing_is_lost'
}

# The old shop moves in with the commands of "Moving from the old shop" in OPERATING.md, where the package has started a shop
# that already has an address of its own: a bridge that the old one sold is listed for its host, and extended.
scene_moving_in() {
    local moving=/var/lib/ip2tor-shop/moving import says own
    inside 'apt-get purge -qq -y ip2tor-shop >/dev/null; rm -rf /var/lib/ip2tor-shop /var/backups/ip2tor-shop* /etc/ip2tor-shop /root/shop'
    install_deb "$version"
    own=$(shop 'until_there "ip2tor-shop onion address"')
    cp tests/fixtures/old_shop.json "$scratch/shared/"
    # The sample, as if it had been written today; any key does.
    inside "mkdir -p /root/moving; cd /root/moving
        jq '(.[] | select(.model == \"shop.torbridge\" and .fields.status == \"A\").fields.suspend_after) = (now + 86400 | todate)' \
            /shared/old_shop.json >dump.json
        { printf '== ed25519v1-secret: type0 ==\0\0\0\010'; head -c 30 /dev/urandom; printf '\101'; head -c 32 /dev/urandom; } >hs_ed25519_secret_key
        printf 'SHOP_TOR_HTTP_PORT=80\n' >.env"
    inside "cp -r /root/moving /var/lib/ip2tor-shop/ && chown -R ip2tor-shop: $moving"
    import="ip2tor-shop import old-shop $moving/dump.json --env $moving/.env --onion-key $moving/hs_ed25519_secret_key"
    says=$(inside "$import")
    holds "$says" ".onion" "the dry run names the address"
    expect "$(inside 'ip2tor-shop onion address')" "$own" "the address after a dry run"
    inside "systemctl stop ip2tor-shop; $import --yes >/dev/null; systemctl start ip2tor-shop; rm -r $moving"
    [ "$(inside 'ip2tor-shop onion address')" != "$own" ] || die "the old shop's address is not taken over"
    shop moved_in || die "what the old shop sold is not there, or can't be extended"
}

scene_raspiblitz() {
    inside 'apt-get purge -qq -y ip2tor-shop >/dev/null; rm -rf /var/lib/ip2tor-shop /var/backups/ip2tor-shop*; mkdir -p /mnt/hdd/app-data
        mkdir /root/packages; cp /shared/'"$version"'.deb "/root/packages/ip2tor-shop_'"$version"'_$(dpkg --print-architecture).deb"
        cd /root/packages; sha256sum -- *.deb >SHA256SUMS'
    cp packaging/raspiblitz/bonus.ip2tor-shop.sh "$scratch/shared/"
    holds "$(inside '/shared/bonus.ip2tor-shop.sh status')" "isInstalled=0" "before it is switched on"
    local says
    says=$(inside '/shared/bonus.ip2tor-shop.sh on /root/packages 2>/dev/null')
    holds "$says" "isRunning=1" "switched on"
    inside '[ -e /mnt/hdd/app-data/ip2tor-shop/shop.sqlite3 ] && curl -sf http://127.0.0.1:8117/healthz >/dev/null' || die "not on the disk"
    holds "$(inside '/shared/bonus.ip2tor-shop.sh off 2>/dev/null')" "isInstalled=0" "switched off"
    inside '[ -e /mnt/hdd/app-data/ip2tor-shop/shop.sqlite3 ]' || die "off deletes the data"
    holds "$(inside '/shared/bonus.ip2tor-shop.sh on /root/packages 2>/dev/null')" "isRunning=1" "switched on again"
    inside '/shared/bonus.ip2tor-shop.sh off delete-data >/dev/null 2>&1; [ ! -e /mnt/hdd/app-data/ip2tor-shop ]'
}
